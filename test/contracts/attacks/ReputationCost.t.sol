// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";
import {IAgreements} from "../../../contracts/interfaces/payments/IAgreements.sol";
import {Print} from "../support/Print.sol";
import {ReputationFixture} from "../support/ReputationFixture.sol";

/// @notice What it costs to move an honest agent's score by 100 points with 1, 10 and 100 identities. The table that it
///         prints is that of docs/trust.md.
/// @dev Before: one milestone of a millionth of a USDC was one point, whoever paid it, and a channel in a token of
///      one's own cost nothing at all.
contract ReputationCostTest is ReputationFixture {
    int256 private constant WANTED = 100 * POINT;
    uint256 private constant BEFORE = 100;
    uint256 private constant YEARS = 5;

    struct Cost {
        uint256 paid;
        uint256 passedDays;
        uint256 moved;
    }

    function test_loweringAnAgentByAHundredPoints_costsAHundredDollars() public {
        _head("lower (what is paid is the agent's)");
        Cost memory one = _campaign(1, false);
        assertTrue(one.moved < 71 * uint256(POINT), "one identity never gets there");
        assertLe(360 * USD, one.paid, "and pays for what fades");
        Cost memory ten = _campaign(10, false);
        assertEq(ten.paid, 100 * USD, "ten: a dollar a point");
        Cost memory hundred = _campaign(100, false);
        assertEq(hundred.paid, 100 * USD, "a hundred: no cheaper");
        assertEq(hundred.passedDays, 0, "at once");
    }

    function test_raisingOnesOwnAgentByAHundredPoints_takesAsManyIdentities_andNoFaster() public {
        _head("raise (what is paid comes back to who pays itself)");
        Cost memory one = _campaign(1, true);
        assertTrue(one.moved < 71 * uint256(POINT), "one identity never gets there");
        Cost memory ten = _campaign(10, true);
        assertEq(ten.paid, 100 * USD, "paid");
        _campaign(100, true);
        // The next hundred: the month's limit is on all identities together.
        for (uint256 i = 0; i < 100; ++i) {
            (address client, ) = _client(500 + i);
            if (reputation.roomOf(agent, client, true) != 0) _payAndSignal(client, 10 * USD, true);
        }
        assertEq(reputation.scoreOf(agent), 150, "no more in this month");
    }

    /// @dev An agent that leaves its wallet between payment and signal makes it neither dearer nor impossible.
    function test_loweringAnAgentThatLeavesItsWallet_costsTheSame() public {
        uint256[10] memory ids;
        IAgreements.Agreement[10] memory agreements;
        for (uint256 i = 0; i < 10; ++i) {
            (address client, ) = _client(i);
            (ids[i], agreements[i]) = _payByEscrow(client, 10 * USD);
        }
        vm.prank(seller);
        agents.unsetAgentWallet(agent);
        for (uint256 i = 0; i < 10; ++i) {
            (address client, ) = _client(i);
            vm.prank(client);
            reputation.signalByAgreement(agent, ids[i], agreements[i], false);
        }
        assertEq(reputation.exactScoreOf(agent), -WANTED, "a hundred points");
        assertEq(usdc.balanceOf(seller), 100 * USD, "for a hundred dollars, which are the agent's");
    }

    /// @dev Identities that together pay and signal whatever they may, until the score has moved as far as wanted. A
    ///      new agent each time, which is honest: nobody else says anything about it.
    function _campaign(uint256 identities, bool isPositive) private returns (Cost memory cost) {
        vm.prank(seller);
        agent = agents.register();
        uint256 from = block.timestamp;
        uint256 share = uint256(WANTED) / identities;
        if (share > reputation.CLIENT_LIMIT()) share = reputation.CLIENT_LIMIT();
        while (block.timestamp < from + YEARS * 365 days) {
            for (uint256 i = 0; i < identities && cost.moved < uint256(WANTED); ++i) {
                (address client, ) = _client(1_000 * identities + i);
                if (reputation.roomOf(agent, client, isPositive) < share) continue;
                _payAndSignal(client, uint128(share), isPositive);
                cost.paid += share;
                uint256 moved = _moved();
                if (moved > cost.moved) cost.moved = moved;
            }
            if (cost.moved >= uint256(WANTED)) break;
            skip(10 days);
        }
        cost.passedDays = (block.timestamp - from) / 1 days;
        _row(identities, cost);
    }

    function _moved() private view returns (uint256) {
        int256 score = reputation.exactScoreOf(agent);
        return uint256(score < 0 ? -score : score);
    }

    function _head(string memory what) private view {
        Print.line(string.concat("To ", what, " by 100 points:"));
        Print.line("identities | USDC before | USDC after | days | points at the most");
    }

    function _row(uint256 identities, Cost memory cost) private view {
        Print.line(
            string.concat(
                Strings.toString(identities),
                " | ",
                Print.decimal(BEFORE, 4),
                " | ",
                Print.decimal(cost.paid, 2),
                " | ",
                Strings.toString(cost.passedDays),
                " | ",
                Print.decimal(cost.moved, 1)
            )
        );
    }
}
