// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SlashBound} from "../../../contracts/staking/SlashBound.sol";
import {Test} from "../support/Test.sol";

/// @notice The bound of slashing by itself, at every bound and against all slashes at once.
contract SlashBoundTest is Test {
    using SlashBound for SlashBound.Period;

    uint256 private constant STEPS = 24;
    uint256 private constant UNBONDING = 7 days;

    function test_take_upToTheBound_andNotBeyond() public pure {
        SlashBound.Period memory period;
        assertEq(period.take(1_001, type(uint256).max, 5_000, 1, 8), 500, "rounded down");
        assertEq(period.taken, 500, "counted");
        assertEq(period.until, 8, "until");
        assertEq(period.take(501, 1, 5_000, 7, 14), 0, "in its last second");
        assertEq(period.until, 8, "nothing taken, nothing prolonged");
        assertEq(period.take(501, 1, 5_000, 8, 15), 1, "after it");
        assertEq(period.taken, 1, "counted anew");
    }

    function test_take_neverEndsAPeriodEarlier() public pure {
        SlashBound.Period memory period;
        period.take(1_000, 1, 5_000, 1, 60);
        period.take(999, 1, 5_000, 2, 8);
        assertEq(period.until, 60, "until");
    }

    function testFuzz_take_leavesThePartThatIsLeft(
        uint96 own,
        uint96 before,
        uint256 amount,
        uint256 bps
    ) public pure {
        bps = bound(bps, 0, 10_000);
        SlashBound.Period memory period = SlashBound.Period(before / 2, 2);
        uint256 taken = period.take(own, amount, bps, 1, 3);
        assertLe(taken, amount, "no more than was asked for");
        assertLe(taken, own, "than there is");
        if (taken == 0) return;
        assertLe(uint256(period.taken) * 10_000, bps * (uint256(own) + before / 2), "than the bound");
    }

    /// @dev What any time shorter than the unbonding time took, among all pairs of slashes of a random history.
    function testFuzz_take_inAnyUnbondingTime_noMoreThanOfWhatStoodAndCame(uint256 seed) public pure {
        SlashBound.Period memory period;
        uint256 bps = bound(seed, 1, 9_000);
        uint256[STEPS] memory times;
        uint256[STEPS] memory taken;
        uint256[STEPS] memory added;
        uint256[STEPS] memory stood;
        uint256 own = 1_000_000;
        uint256 time = 1;
        for (uint256 i = 0; i < STEPS; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            time += (seed >> 8) % 3 == 0 ? 0 : bound(seed >> 16, 1, 8 days);
            added[i] = (seed >> 64) % 4 == 0 ? bound(seed >> 72, 0, 1_000_000) : 0;
            own += added[i];
            if ((seed >> 128) % 4 == 0) own -= bound(seed >> 136, 0, own);
            (times[i], stood[i]) = (time, own);
            taken[i] = period.take(own, bound(seed >> 192, 0, own), bps, time, time + UNBONDING);
            own -= taken[i];
            uint256 sum;
            uint256 came;
            for (uint256 j = i + 1; j > 0 && time < times[j - 1] + UNBONDING; --j) {
                sum += taken[j - 1];
                assertLe(sum * 10_000, bps * (stood[j - 1] + came), "taken since");
                came += added[j - 1];
            }
        }
    }
}
