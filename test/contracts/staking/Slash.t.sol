// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IStaking} from "../../../contracts/interfaces/staking/IStaking.sol";
import {StakingFixture} from "../support/StakingFixture.sol";

/// @notice What a slash takes, from whom, how much over time, and where it goes.
contract SlashTest is StakingFixture {
    function test_slash_takesOwnStake_rewardsALittle_andBurnsTheRest() public {
        _stake(validator, 1_000 * AVT);
        _stake(alice, 600 * AVT);
        uint256 supply = avt.totalSupply();
        vm.expectEmit(true, true, true, true);
        emit IStaking.Slashed(validator, stranger, "why", 300 * AVT, 0, 30 * AVT);
        assertEq(_slash(300 * AVT), 300 * AVT, "slashed");
        assertEq(avt.balanceOf(stranger), 30 * AVT, "a tenth for the reporter");
        assertEq(supply - avt.totalSupply(), 270 * AVT, "the rest is burned");
        assertEq(staking.bondOf(validator), 700 * AVT, "bond");
        assertEq(staking.validatorOf(validator).assets, 1_300 * AVT, "all that is staked with it");
        (uint256 staked, ) = staking.totals();
        assertEq(staked, 1_300 * AVT, "all stake");
        assertEq(avt.balanceOf(address(staking)), 1_300 * AVT, "held");
    }

    function test_slash_ofAValidatorWithDelegators_leavesThemAll() public {
        _stake(validator, 10 * AVT);
        _stake(alice, 600 * AVT);
        uint256 id = _unstake(alice, 400 * AVT);
        assertEq(_slash(type(uint256).max), 5 * AVT, "of its own alone");
        assertEq(_assetsOf(alice), 200 * AVT, "alice's active stake");
        skip(UNBONDING);
        assertEq(_withdraw(alice, id), 400 * AVT, "alice's unbonding stake");
    }

    function test_slash_takesActiveStakeFirst_thenWhatUnbonds() public {
        _stake(validator, 1_000 * AVT);
        _unstake(validator, 800 * AVT);
        vm.expectEmit(true, true, true, true);
        emit IStaking.Slashed(validator, stranger, "why", 200 * AVT, 100 * AVT, 30 * AVT);
        assertEq(_slash(300 * AVT), 300 * AVT, "slashed");
        assertEq(staking.bondOf(validator), 0, "all that was active");
        assertEq(staking.unbondingOf(_ownId()).assets, 700 * AVT, "then what was leaving");
        skip(UNBONDING);
        assertEq(_withdraw(validator, _ownId()), 700 * AVT, "the rest leaves");
    }

    function test_slash_reachesNothingThatHasUnbonded() public {
        _stake(validator, 1_000 * AVT);
        _unstake(validator, 900 * AVT);
        skip(UNBONDING - 1);
        uint256 state = vm.snapshotState();
        assertEq(_slash(type(uint256).max), 500 * AVT, "half of all, in the last second");
        vm.revertToState(state);
        skip(1);
        assertEq(_slash(type(uint256).max), 50 * AVT, "half of what is active");
        assertEq(_withdraw(validator, _ownId()), 900 * AVT, "what was ready is all there");
    }

    function test_slash_ofNothing_takesNothing() public {
        _stake(alice, 100 * AVT);
        vm.expectEmit(true, true, true, true);
        emit IStaking.Slashed(validator, stranger, "why", 0, 0, 0);
        assertEq(_slash(100), 0, "slashed");
    }

    function test_slash_ofOneUnit_burnsIt() public {
        _stake(validator, 2);
        assertEq(_slash(1), 1, "slashed");
        assertEq(avt.balanceOf(stranger), 0, "a tenth of one is none");
        assertEq(avt.balanceOf(address(staking)), 1, "burned");
    }

    function test_slash_withNoReward_burnsAll() public {
        registry.set("slashRewardBps", 0);
        _stake(validator, 1_000 * AVT);
        uint256 supply = avt.totalSupply();
        _slash(100 * AVT);
        assertEq(avt.balanceOf(stranger), 0, "no reward");
        assertEq(supply - avt.totalSupply(), 100 * AVT, "all burned");
    }

    function test_slash_paysOutWhatTheBondEarned() public {
        _fund(1_000_000 * AVT);
        _stake(validator, 1_000 * AVT);
        _stake(alice, 1_000 * AVT);
        skip(CYCLE);
        vm.expectEmit(true, true, true, true);
        emit IStaking.RewardClaimed(validator, validator, 45 * AVT);
        _slash(500 * AVT);
        assertEq(avt.balanceOf(validator), 999_045 * AVT, "the validator's reward is its own");
        assertEq(staking.rewardOf(validator, validator), 0, "paid");
        assertEq(staking.rewardOf(validator, alice), 45 * AVT, "alice's is as it was");
        assertEq(staking.commissionOf(validator), 10 * AVT, "commission");
        skip(CYCLE);
        assertEq(staking.rewardOf(validator, validator), 22.5e18, "half of the bond earns half");
        assertEq(staking.rewardOf(validator, alice), 90 * AVT, "alice's goes on");
    }

    function test_slash_refusals() public {
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, alice));
        vm.prank(alice);
        staking.slash(validator, 1, alice, "why");
        vm.expectRevert(IStaking.Staking_NoReporter.selector);
        staking.slash(validator, 1, address(0), "why");
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_UnknownValidator.selector, alice));
        staking.slash(alice, 1, stranger, "why");
    }

    // Over time

    function test_slash_once_isBounded() public {
        _stake(validator, 1_000 * AVT);
        assertEq(_slash(501 * AVT), 500 * AVT, "half at most");
    }

    function test_slash_again_takesTogetherNoMoreThanOnceCould() public {
        _stake(validator, 1_000 * AVT);
        assertEq(_slash(200 * AVT), 200 * AVT, "first");
        assertEq(_slash(200 * AVT), 200 * AVT, "second");
        assertEq(_slash(200 * AVT), 100 * AVT, "half of 1,000 in all");
        assertEq(_slash(200 * AVT), 0, "and no more");
    }

    function test_slash_withinTheUnbondingTimeOfTheLast_takesTheRest_andEndsByItself() public {
        _stake(validator, 1_000 * AVT);
        _slash(400 * AVT);
        skip(UNBONDING - 1);
        assertEq(_slash(1 * AVT), 1 * AVT, "a second one");
        assertEq(_slash(type(uint256).max), 99 * AVT, "the rest");
        skip(1);
        assertEq(
            _slash(type(uint256).max),
            200 * AVT,
            "without the first: half of 600, of which 100 were taken"
        );
    }

    function test_slash_afterTheUnbondingTimeOfTheLast_beginsAnew() public {
        _stake(validator, 1_000 * AVT);
        _slash(500 * AVT);
        skip(UNBONDING - 1);
        assertEq(_slash(type(uint256).max), 0, "used up, and this one keeps nothing open");
        skip(1);
        assertEq(_slash(type(uint256).max), 250 * AVT, "half of what is left");
    }

    function test_slash_afterMoreWasStaked_takesOfThatToo() public {
        _stake(validator, 10 * AVT);
        _slash(type(uint256).max);
        _stake(validator, 990 * AVT);
        assertEq(_slash(type(uint256).max), 495 * AVT, "the new stake is no shelter");
    }

    function test_slash_afterAPartHasLeft_takesNoMoreThanOfWhatIsThere() public {
        _stake(validator, 1_000 * AVT);
        _unstake(validator, 900 * AVT);
        skip(1);
        assertEq(_slash(10 * AVT), 10 * AVT, "a first one");
        skip(UNBONDING - 1);
        // 90 active, 900 out of reach, 10 taken: half of 100, of which 10 were taken.
        assertEq(_slash(type(uint256).max), 40 * AVT, "half of what could be reached");
        assertEq(_slash(type(uint256).max), 0, "no more");
    }

    function test_slash_afterTheUnbondingTimeWasLowered_countsForWhoWasLeaving() public {
        registry.set("unbondingSeconds", 60 days);
        _stake(validator, 1_000 * AVT);
        _unstake(validator, 1_000 * AVT);
        registry.set("unbondingSeconds", MIN_UNBONDING);
        uint256 taken;
        for (uint256 day = 0; day < 60; ++day) {
            taken += _slash(type(uint256).max);
            skip(1 days);
        }
        assertEq(taken, 500 * AVT, "half, however long it took");
        assertEq(_withdraw(validator, _ownId()), 500 * AVT, "the other half left");
    }

    function test_slash_afterTheUnbondingTimeWasRaised_countsForWhoLeavesByIt() public {
        _stake(validator, 1_000 * AVT);
        uint256 taken = _slash(type(uint256).max);
        registry.set("unbondingSeconds", 60 days);
        _unstake(validator, type(uint256).max);
        for (uint256 day = 1; day < 60; ++day) {
            skip(1 days);
            taken += _slash(type(uint256).max);
        }
        assertEq(taken, 500 * AVT, "half in any sixty days");
    }

    function test_slash_afterTheBoundWasLowered_takesNothingBackAndNoMore() public {
        _stake(validator, 1_000 * AVT);
        _slash(400 * AVT);
        registry.set("maxSlashBps", 1_000);
        assertEq(_slash(type(uint256).max), 0, "a tenth was taken already");
        registry.set("maxSlashBps", 9_000);
        assertEq(_slash(type(uint256).max), 500 * AVT, "nine tenths of 1,000 in all");
    }
}
