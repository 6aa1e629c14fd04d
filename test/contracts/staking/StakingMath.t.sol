// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {StakingMath} from "../../../contracts/staking/StakingMath.sol";
import {Test} from "../support/Test.sol";

/// @notice The steps of Staking's rewards by themselves, at their edges.
contract StakingMathTest is Test {
    using StakingMath for StakingMath.Earned;
    using StakingMath for StakingMath.Reserve;

    function test_reach_whileTheReserveLasts_followsTheLine() public pure {
        StakingMath.Reserve memory reserve = StakingMath.Reserve(1_000, 50, 100);
        StakingMath.Line memory line = StakingMath.Line(0, 100, 500, 10);
        (uint256 index, uint256 earned, bool isExhausted) = reserve.reach(line, 110);
        assertEq(index, 0.05e18, "five in a hundred");
        assertEq(earned, 50, "all of the reserve");
        assertFalse(isExhausted, "just enough");
        (index, earned, isExhausted) = reserve.reach(line, 111);
        assertEq(index, 0.05e18, "no further");
        assertEq(earned, 50, "no more");
        assertTrue(isExhausted, "the reserve ended");
    }

    function test_reach_roundsWhatLeavesTheReserveUp() public pure {
        StakingMath.Reserve memory reserve = StakingMath.Reserve(1, 50, 100);
        StakingMath.Line memory line = StakingMath.Line(0, 100, 500, 10);
        (, uint256 earned, ) = reserve.reach(line, 101);
        assertEq(earned, 1, "a two-hundredth of a unit is one");
    }

    function testFuzz_settle_givesNoMoreThanWasEarned(
        uint96[3] memory held,
        uint80 rise,
        uint256 commissionBps
    ) public pure {
        commissionBps = bound(commissionBps, 0, 10_000);
        uint256 all;
        for (uint256 i = 0; i < 3; ++i) all += held[i] /= 4;
        StakingMath.Earned memory earned = StakingMath.Earned(0, 0, 0);
        // As much as fits 96 bits of commission.
        rise = uint80(bound(rise, 0, 1e18));
        earned.settle(all, rise, commissionBps);
        uint256 given = earned.commission;
        for (uint256 i = 0; i < 3; ++i) given += StakingMath.rewardOf(held[i], earned.perUnit, 0);
        assertLe(given, (all * rise) / 1e18, "rewards and commission");
        assertEq(earned.index, rise, "index");
    }

    function testFuzz_paidAt_owesNoMore_andHardlyLess(
        uint96 assets,
        uint80 perUnit,
        uint256 owed
    ) public pure {
        assets = uint96(bound(assets, 1, type(uint96).max));
        owed = bound(owed, 0, StakingMath.rewardOf(assets, perUnit, 0));
        uint256 again = StakingMath.rewardOf(assets, perUnit, StakingMath.paidAt(assets, perUnit, owed));
        assertLe(again, owed, "no more");
        assertLe(owed - again, uint256(assets) / 1e18 + 1, "a part in 1e18 of each unit at most");
    }
}
