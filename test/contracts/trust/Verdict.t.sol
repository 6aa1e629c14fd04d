// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Verdict} from "../../../contracts/trust/Verdict.sol";
import {Test} from "../support/Test.sol";

/// @notice What votes come to.
contract VerdictTest is Test {
    function _three(uint256 a, uint256 b, uint256 c) private pure returns (uint256) {
        uint256[] memory votes = new uint256[](3);
        (votes[0], votes[1], votes[2]) = (a, b, c);
        return Verdict.rulingOf(votes);
    }

    function _two(uint256 a, uint256 b) private pure returns (uint256) {
        uint256[] memory votes = new uint256[](2);
        (votes[0], votes[1]) = (a, b);
        return Verdict.rulingOf(votes);
    }

    function test_rulingOf_isTheMedian() public pure {
        assertEq(_three(10_001, 2_501, 7_501), 7_501, "the one in the middle");
        assertEq(_three(1, 1, 10_001), 1, "two of three");
        assertEq(_three(9, 8, 7), 8, "in any order");
        assertEq(_two(4_001, 8_001), 6_001, "the middle of two");
    }

    function test_rulingOf_aRefusalIsNoLowestChoice() public pure {
        assertEq(_three(0, 4_001, 8_001), 6_001, "the middle of those that name a choice");
        assertEq(_three(0, 0, 8_001), 0, "a majority refuses");
        assertEq(_two(0, 8_001), 0, "as many refuse");
        assertEq(_three(0, 0, 0), 0, "all refuse");
    }

    function testFuzz_rulingOf_isBetweenTheVotes(uint256 a, uint256 b, uint256 c) public pure {
        (a, b, c) = (bound(a, 1, 10_001), bound(b, 1, 10_001), bound(c, 1, 10_001));
        uint256 ruling = _three(a, b, c);
        uint256 below = (a <= ruling ? 1 : 0) + (b <= ruling ? 1 : 0) + (c <= ruling ? 1 : 0);
        uint256 above = (a >= ruling ? 1 : 0) + (b >= ruling ? 1 : 0) + (c >= ruling ? 1 : 0);
        assertTrue(below >= 2 && above >= 2, "two at least on either side");
    }

    /// @dev Whoever of three stays away, or refuses: the ruling is between the two others' votes, no nearer to the
    ///      lower than to the higher.
    function testFuzz_rulingOf_anAbsence_favoursNeitherSide(uint256 a, uint256 b) public pure {
        (a, b) = (bound(a, 1, 10_001), bound(b, 1, 10_001));
        uint256 mirrored = 10_002 - _two(10_002 - a, 10_002 - b);
        uint256 ruling = _two(a, b);
        assertTrue(mirrored - ruling <= 1, "seen from either end");
        assertEq(_three(a, 0, b), ruling, "a refusal is an absence");
    }

    function test_isCoherent_withinATenthOfTheScale() public pure {
        assertTrue(Verdict.isCoherent(5_000, 6_000, 10_001), "a tenth below");
        assertTrue(Verdict.isCoherent(7_000, 6_000, 10_001), "a tenth above");
        assertFalse(Verdict.isCoherent(4_999, 6_000, 10_001), "farther below");
        assertFalse(Verdict.isCoherent(7_001, 6_000, 10_001), "farther above");
        assertFalse(Verdict.isCoherent(0, 1, 10_001), "a refusal of what is ruled");
        assertFalse(Verdict.isCoherent(1, 0, 10_001), "a vote on what is refused");
        assertTrue(Verdict.isCoherent(0, 0, 10_001), "both refuse");
        assertFalse(Verdict.isCoherent(1, 2, 9), "choices, not a scale");
    }
}
