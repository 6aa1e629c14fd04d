// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IAgreements} from "../../../contracts/interfaces/payments/IAgreements.sol";
import {IBatchSettlement} from "../../../contracts/interfaces/payments/IBatchSettlement.sol";
import {IEscrow} from "../../../contracts/interfaces/payments/IEscrow.sol";
import {IReputationRegistry} from "../../../contracts/interfaces/trust/IReputationRegistry.sol";
import {ReputationFixture} from "../support/ReputationFixture.sol";

/// @notice The score that only payments move, by what was paid.
contract ReputationRegistryTest is ReputationFixture {
    uint256 private constant FULL = 10e6;
    uint256 private _agreed;

    function _paidJob(uint256 paid) private returns (uint256 id, IAgreements.Agreement memory agreement) {
        agreement = _three();
        agreement.termsHash = bytes32(++_agreed);
        for (uint128 i = 0; i < 3; ++i) agreement.milestones[i].amount = (i + 1) * USD;
        _deliverBy(agreement, uint40(block.timestamp + 10 days));
        id = _open(agreement);
        _release(id, agreement, paid);
    }

    function _release(uint256 id, IAgreements.Agreement memory agreement, uint256 times) private {
        for (uint256 i = 0; i < times; ++i) {
            vm.prank(buyer);
            escrow.release(id, abi.encode(agreement));
        }
    }

    function _noTicket(uint256 spent, uint256 paid) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IReputationRegistry.ReputationRegistry_NoTicket.selector, spent, paid);
    }

    function _noRoom(uint256 points) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(IReputationRegistry.ReputationRegistry_NoRoom.selector, points, 100_000);
    }

    // Agreements

    function test_signalByAgreement_weighsWhatWasPaidSinceTheLast() public {
        (uint256 id, IAgreements.Agreement memory agreement) = _paidJob(2);
        vm.expectEmit(true, true, true, true);
        emit IReputationRegistry.NewFeedback(
            agent,
            buyer,
            1,
            3e6,
            6,
            "ticket",
            "ticket",
            "escrow",
            "",
            "",
            0
        );
        vm.expectEmit(true, true, true, true);
        emit IReputationRegistry.Signalled(agent, buyer, 1, 3e6, 3e6);
        vm.prank(buyer);
        assertEq(reputation.signalByAgreement(agent, id, agreement, true), 1, "index");
        assertEq(reputation.scoreOf(agent), 3, "1 and 2 USDC");
        vm.expectRevert(_noTicket(3 * USD, 3 * USD));
        vm.prank(buyer);
        reputation.signalByAgreement(agent, id, agreement, true);
        _release(id, agreement, 1);
        vm.prank(buyer);
        reputation.signalByAgreement(agent, id, agreement, false);
        assertEq(reputation.scoreOf(agent), 0, "the third milestone alone, and down");
        (int256 given, int256 left) = reputation.signalOf(agent, buyer, 2);
        assertEq(given, -3 * POINT, "given");
        assertEq(left, -3 * POINT, "left");
    }

    function test_signalByAgreement_needsThatPayment() public {
        (uint256 id, IAgreements.Agreement memory agreement) = _paidJob(0);
        vm.expectRevert(_noTicket(0, 0));
        vm.prank(buyer);
        reputation.signalByAgreement(agent, id, agreement, true);
        (id, agreement) = _paidJob(1);
        vm.expectRevert(
            abi.encodeWithSelector(IReputationRegistry.ReputationRegistry_NotPayer.selector, stranger, buyer)
        );
        vm.prank(stranger);
        reputation.signalByAgreement(agent, id, agreement, true);
        vm.prank(arbiter);
        uint256 other = agents.register();
        vm.expectRevert(
            abi.encodeWithSelector(IReputationRegistry.ReputationRegistry_NotPaid.selector, seller, arbiter)
        );
        vm.prank(buyer);
        reputation.signalByAgreement(other, id, agreement, true);
        agreement.buyer = stranger;
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_AgreementMismatch.selector, id));
        vm.prank(stranger);
        reputation.signalByAgreement(agent, id, agreement, true);
        agreement.buyer = buyer;
        vm.prank(arbiter);
        agents.unsetAgentWallet(other);
        vm.expectRevert(
            abi.encodeWithSelector(IReputationRegistry.ReputationRegistry_NotPaid.selector, seller, 0)
        );
        vm.prank(buyer);
        reputation.signalByAgreement(other, id, agreement, true);
    }

    function test_signalByAgreement_countsFullMilestonesOnly_theSmallestWhenSomeWereSplit() public {
        (uint256 id, IAgreements.Agreement memory agreement) = _paidJob(0);
        (agreement.milestones[0].amount, agreement.milestones[1].amount) = (4 * USD, 2 * USD);
        agreement.termsHash = "other terms";
        id = _open(agreement);
        _submit(id, agreement);
        _dispute(id, agreement);
        vm.prank(arbiter);
        escrow.resolve(id, 9_999, abi.encode(agreement));
        vm.expectRevert(_noTicket(0, 0));
        vm.prank(buyer);
        reputation.signalByAgreement(agent, id, agreement, true);
        _release(id, agreement, 2);
        vm.prank(buyer);
        reputation.signalByAgreement(agent, id, agreement, true);
        assertEq(reputation.scoreOf(agent), 5, "2 and 3 USDC in full; 4 were split");
    }

    // Channels

    function test_signalByChannel_weighsWhatWasClaimedSinceTheLast() public {
        IBatchSettlement.ChannelConfig memory config = _channel(buyer, address(usdc));
        _claim(config, buyerKey, 5 * USD);
        vm.expectRevert(
            abi.encodeWithSelector(IReputationRegistry.ReputationRegistry_NotPayer.selector, stranger, buyer)
        );
        vm.prank(stranger);
        reputation.signalByChannel(agent, config, true);
        vm.prank(buyer);
        assertEq(reputation.signalByChannel(agent, config, true), 1, "index");
        assertEq(reputation.scoreOf(agent), 5, "score");
        vm.expectRevert(_noTicket(5 * USD, 5 * USD));
        vm.prank(buyer);
        reputation.signalByChannel(agent, config, true);
        _claim(config, buyerKey, 5 * USD + 99_999);
        vm.expectRevert(_noTicket(5 * USD, 5 * USD + 99_999));
        vm.prank(buyer);
        reputation.signalByChannel(agent, config, true);
        _claim(config, buyerKey, 5 * USD + 100_000);
        vm.prank(buyer);
        reputation.signalByChannel(agent, config, true);
        assertEq(reputation.exactScoreOf(agent), 5_100_000, "a tenth of a point is the least");
        assertEq(reputation.scoreOf(agent), 5, "whole points");
        (, , , string memory source, ) = reputation.readFeedback(agent, buyer, 2);
        assertEq(bytes(source), bytes("channel"), "source");
    }

    function test_whatWasDepositedButNotClaimed_isNoPayment() public {
        IBatchSettlement.ChannelConfig memory config = _channel(buyer, address(usdc));
        vm.startPrank(buyer);
        usdc.approve(address(settlement), 10 * USD);
        settlement.deposit(config, 10 * USD, address(0), "");
        vm.expectRevert(_noTicket(0, 0));
        reputation.signalByChannel(agent, config, false);
        vm.stopPrank();
    }

    function test_theWholePaymentIsUsedUp_alsoWhereTheLimitCutsItsWeight() public {
        IBatchSettlement.ChannelConfig memory config = _channel(buyer, address(usdc));
        _claim(config, buyerKey, 500 * USD);
        vm.prank(buyer);
        reputation.signalByChannel(agent, config, true);
        assertEq(reputation.scoreOf(agent), 10, "the most that one client moves");
        skip(40 days);
        vm.expectRevert(_noTicket(500 * USD, 500 * USD));
        vm.prank(buyer);
        reputation.signalByChannel(agent, config, false);
    }

    function test_nobodySignalsAboutItsOwnAgent() public {
        bytes4 self = IReputationRegistry.ReputationRegistry_SelfFeedback.selector;
        vm.prank(seller);
        agents.transferFrom(seller, stranger, agent);
        (uint256 id, IAgreements.Agreement memory agreement) = _payByEscrow(stranger, USD);
        vm.expectRevert(abi.encodeWithSelector(self, stranger, agent));
        vm.prank(stranger);
        reputation.signalByAgreement(agent, id, agreement, true);
        // A wallet that pays another of the same agent, while it is the agent's and afterwards.
        (address wallet, uint256 key) = makeAddrAndKey("wallet");
        _setWallet(stranger, wallet, key);
        (id, agreement) = _payByEscrow(wallet, USD);
        vm.expectRevert(abi.encodeWithSelector(self, wallet, agent));
        vm.prank(wallet);
        reputation.signalByAgreement(agent, id, agreement, true);
        vm.prank(stranger);
        agents.unsetAgentWallet(agent);
        vm.expectRevert(abi.encodeWithSelector(self, wallet, agent));
        vm.prank(wallet);
        reputation.signalByAgreement(agent, id, agreement, true);
    }

    // The list of tokens

    function test_onlyListedTokensCount() public {
        (uint256 id, IAgreements.Agreement memory agreement) = _paidJob(1);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
        vm.prank(stranger);
        reputation.setToken(address(usdc), 1);
        vm.expectEmit(true, true, true, true);
        emit IReputationRegistry.TokenSet(address(usdc), 0);
        reputation.setToken(address(usdc), 0);
        bytes memory unlisted = abi.encodeWithSelector(
            IReputationRegistry.ReputationRegistry_TokenNotListed.selector,
            address(usdc)
        );
        vm.expectRevert(unlisted);
        vm.prank(buyer);
        reputation.signalByAgreement(agent, id, agreement, true);
        IBatchSettlement.ChannelConfig memory config = _channel(buyer, address(usdc));
        _claim(config, buyerKey, USD);
        vm.expectRevert(unlisted);
        vm.prank(buyer);
        reputation.signalByChannel(agent, config, true);
        reputation.setToken(address(usdc), USD / 4);
        assertEq(reputation.unitOf(address(usdc)), USD / 4, "unit");
        vm.prank(buyer);
        reputation.signalByChannel(agent, config, true);
        assertEq(reputation.scoreOf(agent), 4, "a point for each quarter");
    }

    // Limits

    function test_oneClient_movesAtMostTenPointsInAnyMonth() public {
        _payAndSignal(buyer, 6 * USD, true);
        skip(9 days);
        _payAndSignal(buyer, 6 * USD, false);
        assertEq(reputation.roomOf(agent, buyer, true), 0, "6 up and 4 down");
        (uint256 id, IAgreements.Agreement memory agreement) = _payByEscrow(buyer, 20 * USD);
        vm.expectRevert(_noRoom(0));
        vm.prank(buyer);
        reputation.signalByAgreement(agent, id, agreement, true);
        assertEq(reputation.roomOf(agent, stranger, true), FULL, "others are free");
        skip(40 days);
        vm.prank(buyer);
        reputation.signalByAgreement(agent, id, agreement, true);
        (int256 given, ) = reputation.signalOf(agent, buyer, 3);
        assertEq(given, 10 * POINT, "a refused signal uses nothing up, and all is free again");
    }

    function test_allClients_raiseAtMostAHundredAndFiftyPointsInAnyMonth() public {
        for (uint256 i = 0; i < 15; ++i) {
            (address client, ) = _client(i);
            _payAndSignal(client, 10 * USD, true);
        }
        assertEq(reputation.scoreOf(agent), 150, "raised");
        (uint256 id, IAgreements.Agreement memory agreement) = _payByEscrow(buyer, 10 * USD);
        vm.expectRevert(_noRoom(0));
        vm.prank(buyer);
        reputation.signalByAgreement(agent, id, agreement, true);
        vm.prank(buyer);
        reputation.signalByAgreement(agent, id, agreement, false);
        assertEq(reputation.scoreOf(agent), 140, "what was bought does not hide what is honest");
    }

    function test_whatIsRevoked_leavesRoomForOthersToRaise() public {
        for (uint256 i = 0; i < 15; ++i) {
            (address client, ) = _client(i);
            _payAndSignal(client, 10 * USD, true);
            if (i == 7) skip(20 days);
        }
        assertEq(reputation.roomOf(agent, stranger, true), 0, "full");
        (address early, ) = _client(0);
        _revoke(early, 1);
        (address late, ) = _client(8);
        _revoke(late, 1);
        assertEq(reputation.roomOf(agent, stranger, true), FULL, "as much as one client moves");
        _payAndSignal(stranger, 10 * USD, true);
        _payAndSignal(buyer, 10 * USD, true);
        assertEq(reputation.roomOf(agent, arbiter, true), 0, "both are used again");
        assertEq(reputation.roomOf(agent, late, false), 0, "but not by who revoked");
        skip(40 days);
        uint256 room = reputation.roomOf(agent, arbiter, true);
        (address first, ) = _client(1);
        _revoke(first, 1);
        assertEq(reputation.roomOf(agent, arbiter, true), room, "what no longer counts frees nothing");
    }

    function test_score_isClampedWhenWritten_soThatASurplusHidesNothing() public {
        _bringTo(999);
        _payAndSignal(buyer, 5 * USD, true);
        assertEq(reputation.scoreOf(agent), 1_000, "one of five");
        assertEq(reputation.MAX_SCORE(), 1_000, "bound");
        (int256 given, ) = reputation.signalOf(agent, buyer, 1);
        assertEq(given, POINT, "it gave what it moved");
        assertEq(reputation.roomOf(agent, stranger, true), 0, "full");
        _payAndSignal(stranger, 2 * USD, false);
        assertEq(reputation.scoreOf(agent), 998, "the first honest word counts");
        _revoke(buyer, 1);
        assertEq(reputation.scoreOf(agent), 997, "no more than it gave");
    }

    function test_score_isClampedBelow() public {
        _bringTo(-999);
        _payAndSignal(buyer, 5 * USD, false);
        assertEq(reputation.scoreOf(agent), -1_000, "bounded below");
        (uint256 id, IAgreements.Agreement memory agreement) = _payByEscrow(stranger, USD);
        vm.expectRevert(_noRoom(0));
        vm.prank(stranger);
        reputation.signalByAgreement(agent, id, agreement, false);
        vm.prank(stranger);
        reputation.signalByAgreement(agent, id, agreement, true);
        assertEq(reputation.scoreOf(agent), -999, "and up");
    }

    // Time

    function test_score_halvesInAHundredAndEightyDays() public {
        _payAndSignal(buyer, 8 * USD, true);
        _payAndSignal(stranger, 10 * USD, false);
        assertEq(reputation.exactScoreOf(agent), -2 * POINT, "at first");
        skip(180 days);
        assertEq(reputation.exactScoreOf(agent), -999_999, "half, rounded towards zero");
        (, int256 left) = reputation.signalOf(agent, buyer, 1);
        assertEq(left, 3_999_999, "of a signal, too");
        skip(20 * 365 days);
        assertEq(reputation.exactScoreOf(agent), 0, "nothing is for ever");
    }

    // Revocation

    function test_revoking_takesBackWhatIsLeft_andThePaymentStaysUsedUp() public {
        (uint256 id, IAgreements.Agreement memory agreement) = _payByEscrow(buyer, 8 * USD);
        vm.prank(buyer);
        reputation.signalByAgreement(agent, id, agreement, false);
        skip(180 days);
        vm.expectEmit(true, true, true, true);
        emit IReputationRegistry.Signalled(agent, buyer, 1, 3_999_999, 0);
        _revoke(buyer, 1);
        assertEq(reputation.exactScoreOf(agent), 0, "undone");
        (int256 given, int256 left) = reputation.signalOf(agent, buyer, 1);
        assertEq(given, -8 * POINT, "it gave");
        assertEq(left, 0, "and has nothing left");
        vm.expectRevert(_noTicket(8 * USD, 8 * USD));
        vm.prank(buyer);
        reputation.signalByAgreement(agent, id, agreement, true);
    }

    function test_revoking_raisesWithinTheMonthsRoom() public {
        uint64 down = _payAndSignal(buyer, 10 * USD, false);
        for (uint256 i = 0; i < 14; ++i) {
            (address client, ) = _client(i);
            _payAndSignal(client, i == 0 ? 4 * USD : 10 * USD, true);
        }
        assertEq(reputation.scoreOf(agent), 124, "six are left in this month for all but the buyer's ten");
        _payAndSignal(stranger, 10 * USD, true);
        vm.expectEmit(true, true, true, true);
        emit IReputationRegistry.Signalled(agent, buyer, down, 6 * POINT, 140 * POINT);
        _revoke(buyer, down);
        assertEq(reputation.roomOf(agent, arbiter, true), 0, "the month is full");
        (, int256 left) = reputation.signalOf(agent, buyer, down);
        assertEq(left, 0, "the rest is lost");
        skip(40 days);
        assertEq(reputation.roomOf(agent, arbiter, true), FULL, "and free again");
    }

    function test_revoking_beyondTheBound_losesTheRest() public {
        _bringTo(995);
        _payAndSignal(buyer, 10 * USD, false);
        skip(10 days);
        _bringTo(999);
        _revoke(buyer, 1);
        assertEq(reputation.exactScoreOf(agent), 1_000 * POINT, "what is left of 10 would be too much");
    }

    function test_revoking_beyondTheLowerBound_losesTheRest() public {
        _bringTo(-995);
        _payAndSignal(buyer, 10 * USD, true);
        _payAndSignal(stranger, 10 * USD, false);
        _revoke(buyer, 1);
        assertEq(reputation.exactScoreOf(agent), -1_000 * POINT, "10 points less would be too few");
        for (uint256 i = 0; i < 14; ++i) {
            (address client, ) = _client(i);
            _payAndSignal(client, 10 * USD, true);
        }
        assertEq(
            reputation.roomOf(agent, arbiter, true),
            0,
            "nor is the agent's month free of what was cut off"
        );
    }

    function test_signalOf_unknownFeedback_isRefused() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                IReputationRegistry.ReputationRegistry_UnknownFeedback.selector,
                agent,
                buyer,
                1
            )
        );
        reputation.signalOf(agent, buyer, 1);
    }
}
