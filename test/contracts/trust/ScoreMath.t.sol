// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ScoreMath} from "../../../contracts/trust/ScoreMath.sol";
import {Test} from "../support/Test.sol";

/// @notice Fading and the window of a month, against models that are written otherwise.
contract ScoreMathTest is Test {
    uint256 private constant LIMIT = 10e6;

    function test_fade_halvesInAHundredAndEightyDays() public pure {
        assertEq(ScoreMath.fade(1_000e6, 0), 1_000e6, "at once");
        assertEq(ScoreMath.fade(1_000e6, 1), 996_156_587, "a day");
        assertEq(ScoreMath.fade(1_000e6, 180), 499_999_999, "half");
        assertEq(ScoreMath.fade(-1_000e6, 360), -249_999_999, "a quarter");
        assertEq(ScoreMath.fade(1_000e6, 180 * 31), 0, "nothing");
        assertEq(ScoreMath.fade(0, 5), 0, "of nothing");
    }

    /// @dev The model multiplies day by day, in whole numbers of another base.
    function testFuzz_fade_followsTheDailyModel(
        uint256 points,
        uint256 elapsed,
        bool isNegative
    ) public pure {
        points = bound(points, 0, 1_000e6);
        elapsed = bound(elapsed, 0, 2_000);
        uint256 left = points << 128;
        for (uint256 i = 0; i < elapsed; ++i) left = (left / 1e15) * 996156587220575 + (left / 1e15) / 5;
        int256 faded = ScoreMath.fade(isNegative ? -int256(points) : int256(points), elapsed);
        assertTrue(isNegative ? faded <= 0 : faded >= 0, "never beyond zero");
        uint256 got = uint256(isNegative ? -faded : faded);
        uint256 wanted = left >> 128;
        assertLe(got > wanted ? got - wanted : wanted - got, 1, "within a millionth of a point");
    }

    function testFuzz_fade_inParts_leavesNoMoreThanAtOnce(
        uint256 points,
        uint256 first,
        uint256 then
    ) public pure {
        int256 amount = int256(bound(points, 0, 1_000e6));
        (first, then) = (bound(first, 0, 1_000), bound(then, 0, 1_000));
        int256 atOnce = ScoreMath.fade(amount, first + then);
        int256 inParts = ScoreMath.fade(ScoreMath.fade(amount, first), then);
        assertTrue(inParts <= atOnce + 1, "rounding makes no points");
        assertTrue(inParts + 2 >= atOnce, "and takes two millionths at the most");
    }

    function test_window_isFullAtItsLimit_andFreeAfterFortyDays() public pure {
        uint176 window = ScoreMath.charge(0, 20_000, LIMIT);
        for (uint256 day = 20_000; day < 20_040; ++day)
            assertEq(ScoreMath.room(window, day, LIMIT), 0, "full");
        assertEq(ScoreMath.room(window, 20_040, LIMIT), LIMIT, "free");
        assertEq(ScoreMath.room(0, 20_000, LIMIT), LIMIT, "at first");
        assertEq(ScoreMath.room(window, 20_000, LIMIT / 2), 0, "over another limit");
    }

    function test_window_withoutWhatWasCharged_isAsBefore() public pure {
        uint176 before = ScoreMath.charge(0, 20_000, 3e6);
        uint176 window = ScoreMath.charge(before, 20_012, 2e6);
        assertEq(ScoreMath.room(window, 20_025, LIMIT), 5e6, "both count");
        assertEq(ScoreMath.room(ScoreMath.free(window, 20_025, 20_012, 2e6), 20_025, LIMIT), 7e6, "one");
        assertEq(
            ScoreMath.room(ScoreMath.free(window, 20_025, 20_000, 3e6), 20_025, LIMIT),
            8e6,
            "the other"
        );
        assertEq(
            ScoreMath.room(ScoreMath.free(window, 20_039, 20_000, 3e6), 20_039, LIMIT),
            8e6,
            "on the last day on which it counts"
        );
        assertEq(ScoreMath.room(ScoreMath.free(window, 20_041, 20_000, 3e6), 20_041, LIMIT), 8e6, "too late");
        assertEq(
            ScoreMath.room(ScoreMath.free(window, 20_012, 20_012, 2e6), 20_045, LIMIT),
            LIMIT,
            "then none"
        );
    }

    /// @dev The model is an exact list of all that moved.
    function testFuzz_window_holdsOverAnyThirtyDays(uint256 seed) public pure {
        uint256[] memory movedAt = new uint256[](60);
        uint256[] memory moved = new uint256[](60);
        uint176 window;
        uint256 day = 20_000 + (seed % 100);
        for (uint256 i = 0; i < moved.length; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            day += seed % 12;
            uint256 room = ScoreMath.room(window, day, LIMIT);
            uint256 in30 = _sumSince(movedAt, moved, i, day, 30);
            uint256 in40 = _sumSince(movedAt, moved, i, day, 40);
            assertLe(in30 + room, LIMIT, "never looser than a month's exact list");
            assertLe(in40 < LIMIT ? LIMIT - in40 : 0, room, "never tighter than forty days'");
            (movedAt[i], moved[i]) = (day, bound(seed >> 8, 0, room));
            window = ScoreMath.charge(window, day, moved[i]);
        }
    }

    function _sumSince(
        uint256[] memory movedAt,
        uint256[] memory moved,
        uint256 count,
        uint256 day,
        uint256 length
    ) private pure returns (uint256 sum) {
        for (uint256 i = 0; i < count; ++i) if (movedAt[i] + length > day) sum += moved[i];
    }
}
