// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAgreements} from "../../../contracts/interfaces/payments/IAgreements.sol";
import {IReputationRegistry} from "../../../contracts/interfaces/trust/IReputationRegistry.sol";
import {ReputationFixture} from "../support/ReputationFixture.sol";

/// @notice What an agent's owner would try to silence who paid it, to lay points in store, or to have what nobody paid
///         for pass for paid.
contract ReputationAttacks is ReputationFixture {
    bytes4 private constant SELF = IReputationRegistry.ReputationRegistry_SelfFeedback.selector;

    // The owner silences whom it was paid by

    function test_movingTheWalletInFront_silencesNobodyWhoPaidIt() public {
        (uint256 id, IAgreements.Agreement memory agreement) = _payByEscrow(buyer, 10 * USD);
        (address next, uint256 nextKey) = makeAddrAndKey("next");
        _setWallet(seller, next, nextKey);
        vm.prank(buyer);
        reputation.signalByAgreement(agent, id, agreement, false);
        assertEq(reputation.scoreOf(agent), -10, "by the wallet that was left");
        usdc.mint(stranger, 10 * USD);
        (id, agreement) = _payTo(stranger, next, 10 * USD);
        vm.prank(stranger);
        reputation.signalByAgreement(agent, id, agreement, true);
        assertEq(reputation.scoreOf(agent), 0, "and by the one that it has");
    }

    function test_unsettingTheWalletInFront_silencesNobodyWhoPaidIt() public {
        (uint256 id, IAgreements.Agreement memory agreement) = _payByEscrow(buyer, 10 * USD);
        vm.prank(seller);
        agents.unsetAgentWallet(agent);
        vm.prank(buyer);
        reputation.signalByAgreement(agent, id, agreement, false);
        assertEq(reputation.scoreOf(agent), -10, "heard");
    }

    function test_unsettingTheWalletInFront_silencesNoChannelEither() public {
        _claim(_channel(buyer, address(usdc)), buyerKey, 10 * USD);
        vm.prank(seller);
        agents.unsetAgentWallet(agent);
        vm.prank(buyer);
        reputation.signalByChannel(agent, _channel(buyer, address(usdc)), false);
        assertEq(reputation.scoreOf(agent), -10, "heard");
    }

    function test_handingTheIdentityToAnotherKey_silencesNobodyWhoPaidIt() public {
        (uint256 id, IAgreements.Agreement memory agreement) = _payByEscrow(buyer, 10 * USD);
        vm.prank(seller);
        agents.transferFrom(seller, arbiter, agent);
        vm.prank(buyer);
        reputation.signalByAgreement(agent, id, agreement, false);
        assertEq(reputation.scoreOf(agent), -10, "heard");
    }

    /// @dev The bound of docs/trust.md: payments bear no date, so an owner's word about itself is nobody's, however it
    ///      came to own the agent. It passes the identity on, to whomever it likes, and is heard.
    function test_handingTheIdentityToThePayer_silencesIt_untilItHandsItOn() public {
        (uint256 id, IAgreements.Agreement memory agreement) = _payByEscrow(buyer, 10 * USD);
        vm.prank(seller);
        agents.transferFrom(seller, buyer, agent);
        vm.startPrank(buyer);
        vm.expectRevert(abi.encodeWithSelector(SELF, buyer, agent));
        reputation.signalByAgreement(agent, id, agreement, false);
        agents.transferFrom(buyer, stranger, agent);
        reputation.signalByAgreement(agent, id, agreement, false);
        vm.stopPrank();
        assertEq(reputation.scoreOf(agent), -10, "by all that it paid");
    }

    function test_approvingAPayerInFront_silencesIt_neitherByOneNorByAll() public {
        (uint256 id, IAgreements.Agreement memory agreement) = _payByEscrow(buyer, 5 * USD);
        (uint256 second, IAgreements.Agreement memory further) = _payByEscrow(stranger, 5 * USD);
        vm.startPrank(seller);
        agents.approve(buyer, agent);
        agents.setApprovalForAll(stranger, true);
        vm.stopPrank();
        vm.startPrank(buyer);
        vm.expectRevert(abi.encodeWithSelector(SELF, buyer, agent));
        reputation.giveFeedback(agent, -100, 0, "", "", "", "", 0);
        reputation.signalByAgreement(agent, id, agreement, false);
        reputation.giveFeedback(agent, -100, 0, "speed", "", "", "", 0);
        vm.stopPrank();
        vm.prank(stranger);
        reputation.signalByAgreement(agent, second, further, false);
        assertEq(reputation.scoreOf(agent), -10, "both are heard");
        (uint64 count, , ) = reputation.getSummary(agent, _list(buyer), "speed", "");
        assertEq(count, 1, "and by words, once the payment has spoken");
    }

    // The owner speaks itself

    function test_aWalletThatWasPutAside_givesItsAgentNoFeedback() public {
        vm.prank(seller);
        agents.transferFrom(seller, arbiter, agent);
        vm.expectRevert(abi.encodeWithSelector(SELF, seller, agent));
        vm.prank(seller);
        reputation.giveFeedback(agent, 100, 0, "speed", "", "", "", 0);
    }

    function test_feedbackWithoutAPayment_passesForNoTicket() public {
        _payAndSignal(buyer, USD, false);
        vm.expectRevert(IReputationRegistry.ReputationRegistry_ReservedTag.selector);
        vm.prank(stranger);
        reputation.giveFeedback(agent, 10e6, 6, "ticket", "escrow", "", "", 0);
        vm.prank(stranger);
        reputation.giveFeedback(agent, 10e6, 6, "Ticket", "ticket", "", "", 0);
        address[] memory both = new address[](2);
        (both[0], both[1]) = (buyer, stranger);
        (uint64 count, int128 value, ) = reputation.getSummary(agent, both, "ticket", "");
        assertEq(count, 1, "the one that was paid for");
        assertEq(int256(value), -POINT, "as much as was paid");
    }

    // A store of points

    function test_signalsAgainstOneself_areNoStoreOfPoints() public {
        uint64[45] memory indexes;
        for (uint256 month = 0; month < 3; ++month) {
            for (uint256 i = 0; i < 15; ++i) {
                _payAndSignal(_puppet(month, i, true), 10 * USD, true);
                indexes[month * 15 + i] = _payAndSignal(_puppet(month, i, false), 10 * USD, false);
            }
            skip(40 days);
        }
        int256 before = reputation.exactScoreOf(agent);
        for (uint256 i = 0; i < 45; ++i) _revoke(_puppet(i / 15, i % 15, false), indexes[i]);
        assertEq(reputation.exactScoreOf(agent) - before, 150 * POINT, "no more than in any month");
        assertEq(reputation.roomOf(agent, buyer, true), 0, "which is used up by it");
    }

    function test_aStoreOfPoints_hidesNoHonestWord() public {
        uint64[15] memory indexes;
        for (uint256 i = 0; i < 15; ++i) {
            _payAndSignal(_puppet(0, i, true), 10 * USD, true);
            indexes[i] = _payAndSignal(_puppet(0, i, false), 10 * USD, false);
        }
        skip(40 days);
        for (uint256 i = 0; i < 15; ++i) _payAndSignal(_puppet(0, i, true), 10 * USD, true);
        int256 high = reputation.exactScoreOf(agent);
        for (uint256 i = 0; i < 12; ++i) _payAndSignal(_puppet(1, i, false), 10 * USD, false);
        for (uint256 i = 0; i < 15; ++i) _revoke(_puppet(0, i, false), indexes[i]);
        assertEq(reputation.exactScoreOf(agent), high - 120 * POINT, "twelve honest clients stay heard");
    }

    // What is accepted

    /// @dev A retraction is no signal: beside its ten points a client takes back what its signals still weigh.
    function test_takingBack_movesAScoreBesideTheTenPoints_byWhatTheSignalsStillWeigh() public {
        (address client, ) = _client(1);
        uint64[24] memory indexes;
        for (uint256 i = 0; i < 24; ++i) {
            indexes[i] = _payAndSignal(client, 10 * USD, true);
            skip(40 days);
        }
        int256 before = reputation.exactScoreOf(agent);
        int256 weighs;
        for (uint256 i = 0; i < 24; ++i) {
            (, int256 left) = reputation.signalOf(agent, client, indexes[i]);
            weighs += left;
        }
        _assertNear(weighs, before, "all of the score is its own");
        _payAndSignal(client, 10 * USD, false);
        assertEq(before - reputation.exactScoreOf(agent), 10 * POINT, "ten points");
        for (uint256 i = 0; i < 24; ++i) _revoke(client, indexes[i]);
        int256 moved = before - reputation.exactScoreOf(agent);
        _assertNear(moved, 10 * POINT + weighs, "and what they still weighed");
        assertLe(uint256(weighs), uint256(70 * POINT), "70 points at the most");
        assertEq(reputation.roomOf(agent, client, true), 0, "its month is used up all the same");
    }

    /// @dev Payments bear no date, so a wallet that counts for who paid it before it was left counts for who pays it
    ///      now. Whoever holds its key, a former owner of the identity, too, lowers the agent with money that comes
    ///      back to it; each identity by as much as any other.
    function test_whoHoldsAWalletThatTheAgentLeft_lowersItWithMoneyThatComesBack() public {
        vm.prank(seller);
        agents.transferFrom(seller, arbiter, agent);
        uint128 capital = 10 * USD;
        usdc.mint(seller, capital);
        for (uint256 i = 0; i < 10; ++i) {
            (address puppet, ) = _client(i);
            vm.prank(seller);
            usdc.transfer(puppet, capital);
            (uint256 id, IAgreements.Agreement memory agreement) = _payTo(puppet, seller, capital);
            vm.startPrank(puppet);
            reputation.signalByAgreement(agent, id, agreement, false);
            vm.expectPartialRevert(IReputationRegistry.ReputationRegistry_NoTicket.selector);
            reputation.signalByAgreement(agent, id, agreement, false);
            vm.stopPrank();
        }
        assertEq(usdc.balanceOf(seller), capital, "it has its money again");
        assertEq(reputation.scoreOf(agent), -100, "ten points by each identity");
    }

    /// @dev But for what 24 signals lose by rounding.
    function _assertNear(int256 got, int256 wanted, string memory what) private pure {
        assertLe(uint256(got > wanted ? got - wanted : wanted - got), 24, what);
    }

    function _puppet(uint256 month, uint256 number, bool isPositive) private returns (address puppet) {
        (puppet, ) = _client(month * 100 + number + (isPositive ? 0 : 50));
    }

    /// @notice The agent's month is charged with what a signal gave: all of it is free again, and not what has not
    ///         faded yet, or revoked signals would stand in honest ones' way.
    function test_revokedSignals_leaveNothingInTheAgentsMonth() public {
        uint256 clients = reputation.RISE_LIMIT() / reputation.CLIENT_LIMIT();
        for (uint256 i = 0; i < clients; ++i) {
            (address sybil, ) = _client(i);
            _payAndSignal(sybil, 10 * USD, true);
        }
        skip(25 days);
        assertEq(reputation.roomOf(agent, buyer, true), 0, "full");
        (address first, ) = _client(0);
        (, int256 left) = reputation.signalOf(agent, first, 1);
        assertTrue(left < int256(10 * POINT), "it has faded");
        _revoke(first, 1);
        assertEq(reputation.roomOf(agent, buyer, true), uint256(10 * POINT), "all that it gave");
    }
}
