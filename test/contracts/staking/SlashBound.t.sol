// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SlashBound} from "../../../contracts/staking/SlashBound.sol";
import {Test} from "../support/Test.sol";

/// @notice The bound of slashing by itself, at every bound and against all slashes at once.
contract SlashBoundTest is Test {
    using SlashBound for SlashBound.Slashes;

    uint256 private constant STEPS = 24;
    uint256 private constant UNBONDING = 7 days;
    /// @dev `AgentToken.CAP`.
    uint256 private constant CAP = 1_000_000_000e18;

    function test_take_upToTheBound_andNotBeyond() public pure {
        SlashBound.Slashes memory slashes;
        assertEq(slashes.take(1_001, type(uint256).max, 5_000, 1, 7, 0), 500, "rounded down");
        assertEq(slashes.latter.taken, 500, "counted");
        assertEq(slashes.latter.until, 8, "until");
        assertEq(slashes.take(501, 1, 5_000, 7, 7, 0), 0, "in its last second");
        assertEq(slashes.latter.until, 8, "nothing taken, nothing prolonged");
        assertEq(slashes.take(501, 1, 5_000, 8, 7, 0), 1, "after it");
        assertEq(slashes.latter.taken, 1, "counted anew");
    }

    function test_take_neverEndsASlashEarlier() public pure {
        SlashBound.Slashes memory slashes;
        slashes.take(1_000, 1, 5_000, 1, 7, 60);
        slashes.take(999, 1, 5_000, 2, 6, 0);
        assertEq(slashes.take(998, 1_000, 5_000, 59, 6, 0), 498, "what was leaving counts until it has left");
    }

    /// @dev The second and the third are counted together, by whichever of them ends later.
    function test_take_thatJoinsAnother_doesNotEndItEarlier() public pure {
        SlashBound.Slashes memory slashes;
        slashes.take(1_000, 1, 5_000, 1, 7, 0);
        slashes.take(999, 1, 5_000, 2, 7, 60);
        slashes.take(998, 1, 5_000, 3, 6, 0);
        assertEq(slashes.take(997, 1_000, 5_000, 59, 6, 0), 497, "both still count");
    }

    function test_take_afterTheUnbondingTimeWasRaised_countsAsLong() public pure {
        SlashBound.Slashes memory slashes;
        slashes.take(1_000, 500, 5_000, 1, 7, 0);
        assertEq(slashes.take(500, 1, 5_000, 60, 60, 0), 0, "within the new time");
        assertEq(slashes.take(500, 1, 5_000, 61, 60, 0), 1, "after it");
    }

    /// @dev However often dust follows, and however closely.
    function testFuzz_take_endsWithinTwiceTheUnbondingTime(uint256 seed) public pure {
        SlashBound.Slashes memory slashes;
        slashes.take(1_000_000, 500_000, 5_000, 1, UNBONDING, 0);
        uint256 time = 1;
        uint256 dust;
        while (time < 1 + 2 * UNBONDING) {
            seed = uint256(keccak256(abi.encode(seed)));
            time += bound(seed, 1, UNBONDING - 1);
            dust += slashes.take(1e18, 1, 5_000, time, UNBONDING, 0);
        }
        assertLe(500_000 - dust, slashes.take(1_000_000, 500_000, 5_000, time, UNBONDING, 0), "a whole one");
    }

    function testFuzz_take_leavesThePartThatIsLeft(
        uint256 own,
        uint96 before,
        uint256 amount,
        uint256 bps
    ) public pure {
        bps = bound(bps, 0, 10_000);
        // There is no more of the token, and a slash takes of what there is.
        own = bound(own, 0, CAP);
        before = uint96(bound(before, 0, CAP));
        SlashBound.Slashes memory slashes;
        slashes.latter = SlashBound.Group(before / 4, 1, 2);
        slashes.former = SlashBound.Group(before / 4, 1, 2);
        uint256 counted = before / 4 + before / 4;
        uint256 taken = slashes.take(own, amount, bps, 1, 1, 3);
        assertLe(taken, amount, "no more than was asked for");
        assertLe(taken, own, "than there is");
        if (taken == 0) return;
        assertLe((counted + taken) * 10_000, bps * (uint256(own) + counted), "than the bound");
    }

    /// @dev What any time shorter than the unbonding time took, among all pairs of slashes of a random history.
    function testFuzz_take_inAnyUnbondingTime_noMoreThanOfWhatStoodAndCame(uint256 seed) public pure {
        SlashBound.Slashes memory slashes;
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
            taken[i] = slashes.take(own, bound(seed >> 192, 0, own), bps, time, UNBONDING, 0);
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
