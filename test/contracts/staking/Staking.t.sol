// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IStaking} from "../../../contracts/interfaces/staking/IStaking.sol";
import {Staking} from "../../../contracts/staking/Staking.sol";
import {StakingFixture} from "../support/StakingFixture.sol";

/// @notice What each function of Staking does, refuses and says.
contract StakingTest is StakingFixture {
    function test_constructor_takesTheRateOver() public {
        vm.expectEmit(true, true, true, true);
        emit IStaking.RateSet(RATE_BPS, CYCLE);
        Staking fresh = new Staking(address(manager), avt, registry);
        assertEq(address(fresh.token()), address(avt), "token");
        assertEq(address(fresh.parameters()), address(registry), "parameters");
        assertEq(fresh.authority(), address(manager), "authority");
    }

    // Validators

    function test_registerValidator_recordsIt() public {
        vm.expectEmit(true, true, true, true);
        emit IStaking.ValidatorRegistered(alice, 900);
        vm.prank(alice);
        staking.registerValidator(900);
        IStaking.Validator memory state = staking.validatorOf(alice);
        assertTrue(state.isRegistered, "registered");
        assertEq(state.commissionBps, 900, "commission");
        assertEq(state.nextCommissionBps, 900, "next commission");
        assertEq(state.commissionAt, 0, "nothing announced");
    }

    function test_registerValidator_twice_isRefused() public {
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_ValidatorExists.selector, validator));
        vm.prank(validator);
        staking.registerValidator(1);
    }

    function test_registerValidator_commission_upToTheBound() public {
        vm.expectRevert(
            abi.encodeWithSelector(IStaking.Staking_CommissionTooHigh.selector, SHARE_BPS + 1, SHARE_BPS)
        );
        vm.prank(alice);
        staking.registerValidator(SHARE_BPS + 1);
    }

    function test_validatorOf_nobody_isZero() public view {
        assertFalse(staking.validatorOf(alice).isRegistered, "registered");
        assertEq(staking.bondOf(alice), 0, "bond");
    }

    function test_announceCommission_lower_beginsAtOnce() public {
        vm.expectEmit(true, true, true, true);
        emit IStaking.CommissionAnnounced(validator, 400, START);
        vm.prank(validator);
        staking.announceCommission(400);
        assertEq(staking.validatorOf(validator).nextCommissionBps, 400, "announced");
        vm.expectEmit(true, true, true, true);
        emit IStaking.CommissionChanged(validator, 400);
        staking.beginCommission(validator);
        IStaking.Validator memory state = staking.validatorOf(validator);
        assertEq(state.commissionBps, 400, "commission");
        assertEq(state.commissionAt, 0, "nothing announced any more");
    }

    function test_announceCommission_higher_waitsForTheUnbondingTime() public {
        vm.prank(validator);
        staking.announceCommission(400);
        staking.beginCommission(validator);
        vm.expectEmit(true, true, true, true);
        emit IStaking.CommissionAnnounced(validator, 401, START + UNBONDING);
        vm.prank(validator);
        staking.announceCommission(401);
        vm.warp(START + UNBONDING - 1);
        vm.expectRevert(
            abi.encodeWithSelector(IStaking.Staking_NoCommissionDue.selector, validator, START + UNBONDING)
        );
        staking.beginCommission(validator);
        vm.warp(START + UNBONDING);
        staking.beginCommission(validator);
        assertEq(staking.validatorOf(validator).commissionBps, 401, "commission");
    }

    function test_announceCommission_theSame_needsNoNotice() public {
        vm.expectEmit(true, true, true, true);
        emit IStaking.CommissionAnnounced(validator, SHARE_BPS, START);
        vm.prank(validator);
        staking.announceCommission(SHARE_BPS);
    }

    function test_announceCommission_bounds() public {
        vm.expectRevert(
            abi.encodeWithSelector(IStaking.Staking_CommissionTooHigh.selector, SHARE_BPS + 1, SHARE_BPS)
        );
        vm.prank(validator);
        staking.announceCommission(SHARE_BPS + 1);
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_UnknownValidator.selector, alice));
        vm.prank(alice);
        staking.announceCommission(1);
    }

    function test_beginCommission_withoutAny_isRefused() public {
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_NoCommissionDue.selector, validator, 0));
        staking.beginCommission(validator);
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_UnknownValidator.selector, alice));
        staking.beginCommission(alice);
    }

    function test_boundCommission_lowersWhatAVoteForbids() public {
        _fund(1_000_000 * AVT);
        _stake(alice, 1_000 * AVT);
        skip(CYCLE);
        vm.prank(validator);
        staking.announceCommission(SHARE_BPS);
        registry.set("validatorShareBps", 400);
        vm.expectEmit(true, true, true, true);
        emit IStaking.CommissionChanged(validator, 400);
        vm.prank(stranger);
        staking.boundCommission(validator);
        IStaking.Validator memory state = staking.validatorOf(validator);
        assertEq(state.commissionBps, 400, "commission");
        assertEq(state.nextCommissionBps, 400, "what was announced is dropped");
        assertEq(state.commissionAt, 0, "nothing announced any more");
        assertEq(staking.commissionOf(validator), 5 * AVT, "10 % of the 50 that were earned before");
    }

    function test_boundCommission_withinTheBound_isRefused() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                IStaking.Staking_CommissionWithinBound.selector,
                validator,
                SHARE_BPS,
                SHARE_BPS
            )
        );
        staking.boundCommission(validator);
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_UnknownValidator.selector, alice));
        staking.boundCommission(alice);
    }

    function test_beginCommission_leavesWhatWasEarnedBefore() public {
        _fund(1_000_000 * AVT);
        _stake(alice, 1_000 * AVT);
        skip(CYCLE);
        vm.prank(validator);
        staking.announceCommission(0);
        staking.beginCommission(validator);
        assertEq(staking.commissionOf(validator), 5 * AVT, "10 % of the 50 that were earned");
        skip(CYCLE);
        assertEq(staking.commissionOf(validator), 5 * AVT, "and nothing of what came after");
        assertEq(staking.rewardOf(validator, alice), 95 * AVT, "45 and 50");
    }

    // Staking

    function test_stake_takesTheTokensAndGivesShares() public {
        vm.expectEmit(true, true, true, true);
        emit IStaking.Staked(validator, alice, 100 * AVT, 100 * AVT);
        assertEq(_stake(alice, 100 * AVT), 100 * AVT, "shares");
        assertEq(avt.balanceOf(address(staking)), 100 * AVT, "held");
        assertEq(avt.balanceOf(alice), 999_900 * AVT, "left");
        (uint256 assets, uint256 shares) = staking.stakeOf(validator, alice);
        assertEq(assets, 100 * AVT, "assets");
        assertEq(shares, 100 * AVT, "shares");
        (uint256 staked, uint256 reserve) = staking.totals();
        assertEq(staked, 100 * AVT, "all stake");
        assertEq(reserve, 0, "reserve");
        assertEq(staking.validatorOf(validator).assets, 100 * AVT, "the pool's assets");
        assertEq(staking.validatorOf(validator).shares, 100 * AVT, "the pool's shares");
    }

    function test_stake_refusals() public {
        vm.expectRevert(IStaking.Staking_ZeroAmount.selector);
        _stake(alice, 0);
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_UnknownValidator.selector, bob));
        vm.prank(alice);
        staking.stake(bob, 1);
        uint256 tooMuch = uint256(type(uint96).max) + 1;
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_SharesOutOfRange.selector, tooMuch));
        _stake(alice, tooMuch);
    }

    function test_stakeWithPermit_needsNoApproval() public {
        (address owner, uint256 key) = makeAddrAndKey("permitter");
        avt.mint(owner, 5 * AVT);
        uint256 deadline = START + 1;
        (uint8 v, bytes32 r, bytes32 s) = _permit(owner, key, 5 * AVT, deadline);
        vm.prank(owner);
        staking.stakeWithPermit(validator, 5 * AVT, deadline, v, r, s);
        assertEq(_assetsOf(owner), 5 * AVT, "stake");
    }

    function test_stakeWithPermit_afterSomebodyUsedThePermit_works() public {
        (address owner, uint256 key) = makeAddrAndKey("permitter");
        avt.mint(owner, 5 * AVT);
        (uint8 v, bytes32 r, bytes32 s) = _permit(owner, key, 5 * AVT, START + 1);
        avt.permit(owner, address(staking), 5 * AVT, START + 1, v, r, s);
        vm.prank(owner);
        staking.stakeWithPermit(validator, 5 * AVT, START + 1, v, r, s);
        assertEq(_assetsOf(owner), 5 * AVT, "stake");
    }

    function test_stakeWithPermit_withAForgedPermit_fails() public {
        (address owner, ) = makeAddrAndKey("permitter");
        (, uint256 key) = makeAddrAndKey("forger");
        avt.mint(owner, 5 * AVT);
        (uint8 v, bytes32 r, bytes32 s) = _permit(owner, key, 5 * AVT, START + 1);
        vm.expectRevert();
        vm.prank(owner);
        staking.stakeWithPermit(validator, 5 * AVT, START + 1, v, r, s);
    }

    // Rewards

    function test_rewards_fiveInAHundredEachCycle_lessTheCommission() public {
        _fund(1_000_000 * AVT);
        _stake(alice, 1_000 * AVT);
        skip(CYCLE);
        assertEq(staking.rewardOf(validator, alice), 45 * AVT, "reward");
        assertEq(staking.commissionOf(validator), 5 * AVT, "commission");
        vm.expectEmit(true, true, true, true);
        emit IStaking.RewardClaimed(validator, alice, 45 * AVT);
        assertEq(_claim(alice), 45 * AVT, "claimed");
        assertEq(avt.balanceOf(alice), 999_045 * AVT, "paid");
        vm.expectEmit(true, true, true, true);
        emit IStaking.CommissionClaimed(validator, 5 * AVT);
        vm.prank(validator);
        assertEq(staking.claimCommission(), 5 * AVT, "commission claimed");
        assertEq(avt.balanceOf(validator), 1_000_005 * AVT, "commission paid");
        (, uint256 reserve) = staking.totals();
        assertEq(reserve, 999_950 * AVT, "reserve");
    }

    function test_rewards_areSharedByStakeAndTime() public {
        _fund(1_000_000 * AVT);
        _stake(alice, 1_000 * AVT);
        skip(CYCLE);
        _stake(bob, 3_000 * AVT);
        skip(CYCLE);
        assertEq(staking.rewardOf(validator, alice), 90 * AVT, "two cycles");
        assertEq(staking.rewardOf(validator, bob), 135 * AVT, "one cycle on three times as much");
    }

    function test_rewards_earnedBeforeAFurtherStake_stayOwed() public {
        _fund(1_000_000 * AVT);
        _stake(alice, 1_000 * AVT);
        skip(CYCLE);
        _stake(alice, 2_000 * AVT);
        assertEq(staking.rewardOf(validator, alice), 45 * AVT, "as before");
        skip(CYCLE);
        assertEq(staking.rewardOf(validator, alice), 180 * AVT, "45 and 135");
    }

    function test_rewards_endWithTheReserve_andGoOnWhenFunded() public {
        _fund(30 * AVT);
        _stake(alice, 1_000 * AVT);
        skip(CYCLE);
        assertEq(staking.rewardOf(validator, alice), 27 * AVT, "all there was");
        (, uint256 reserve) = staking.totals();
        assertEq(reserve, 0, "reserve");
        _claim(alice);
        skip(CYCLE);
        assertEq(staking.rewardOf(validator, alice), 0, "nothing to earn");
        _fund(1_000 * AVT);
        assertEq(staking.rewardOf(validator, alice), 0, "the empty time is not paid afterwards");
        skip(CYCLE);
        assertEq(staking.rewardOf(validator, alice), 45 * AVT, "on it goes");
    }

    function test_rewards_whileNobodyStakes_loseNothing() public {
        _fund(50 * AVT);
        skip(100 * CYCLE);
        (, uint256 reserve) = staking.totals();
        assertEq(reserve, 50 * AVT, "all still there");
        _stake(alice, 1_000 * AVT);
        assertEq(staking.rewardOf(validator, alice), 0, "nothing for the time before");
        skip(CYCLE);
        assertEq(staking.rewardOf(validator, alice), 45 * AVT, "the first cycle");
    }

    function test_rewards_ofAnyAge_areClaimable() public {
        _fund(1_000_000 * AVT);
        _stake(alice, 1_000 * AVT);
        skip(120 * CYCLE);
        assertEq(_claim(alice), 5_400 * AVT, "ten years");
    }

    function test_claim_twice_isRefused() public {
        _fund(1_000 * AVT);
        _stake(alice, 1_000 * AVT);
        skip(CYCLE);
        _claim(alice);
        vm.expectRevert(IStaking.Staking_NothingToClaim.selector);
        _claim(alice);
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_UnknownValidator.selector, bob));
        vm.prank(alice);
        staking.claim(bob);
    }

    function test_claimCommission_refusals() public {
        vm.expectRevert(IStaking.Staking_NothingToClaim.selector);
        vm.prank(validator);
        staking.claimCommission();
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_UnknownValidator.selector, alice));
        vm.prank(alice);
        staking.claimCommission();
        _fund(1_000 * AVT);
        _stake(alice, 1_000 * AVT);
        skip(CYCLE);
        vm.prank(validator);
        staking.claimCommission();
        assertEq(staking.commissionOf(validator), 0, "paid once");
        vm.expectRevert(IStaking.Staking_NothingToClaim.selector);
        vm.prank(validator);
        staking.claimCommission();
    }

    function test_fund_emitsAndRefusesNothing() public {
        avt.mint(address(this), 7);
        avt.approve(address(staking), 7);
        vm.expectEmit(true, true, true, true);
        emit IStaking.RewardsFunded(address(this), 7);
        staking.fund(7);
        (, uint256 reserve) = staking.totals();
        assertEq(reserve, 7, "reserve");
        vm.expectRevert(IStaking.Staking_ZeroAmount.selector);
        staking.fund(0);
    }

    function test_updateRate_countsFromNow() public {
        _fund(1_000_000 * AVT);
        _stake(alice, 1_000 * AVT);
        skip(CYCLE);
        registry.set("rewardRateBps", 1_000);
        assertEq(staking.rewardOf(validator, alice), 45 * AVT, "the old rate until it is taken over");
        vm.expectEmit(true, true, true, true);
        emit IStaking.RateSet(1_000, CYCLE);
        staking.updateRate();
        skip(CYCLE);
        assertEq(staking.rewardOf(validator, alice), 135 * AVT, "45 and 90");
        registry.set("rewardCycleSeconds", CYCLE / 2);
        staking.updateRate();
        skip(CYCLE / 2);
        assertEq(staking.rewardOf(validator, alice), 225 * AVT, "and another 90 in half of the time");
    }

    // Leaving

    function test_unstake_waitsAndPaysTheRewards() public {
        _fund(1_000_000 * AVT);
        _stake(alice, 1_000 * AVT);
        skip(CYCLE);
        uint256 readyAt = block.timestamp + UNBONDING;
        vm.expectEmit(true, true, true, true);
        emit IStaking.Unstaked(validator, alice, 1, 400 * AVT, 400 * AVT, 400 * AVT, readyAt);
        uint256 id = _unstake(alice, 400 * AVT);
        assertEq(id, 1, "first id");
        assertEq(staking.unbondingCount(), 1, "count");
        assertEq(avt.balanceOf(alice), 999_045 * AVT, "the rewards came with it");
        assertEq(_assetsOf(alice), 600 * AVT, "left");
        IStaking.Unbonding memory unbonding = staking.unbondingOf(id);
        assertEq(unbonding.owner, alice, "owner");
        assertEq(unbonding.validator, validator, "validator");
        assertEq(unbonding.shares, 400 * AVT, "shares");
        assertEq(unbonding.readyAt, readyAt, "ready");
        assertEq(staking.validatorOf(validator).unbondingAssets, 400 * AVT, "unbonding assets");
        assertEq(staking.validatorOf(validator).unbondingShares, 400 * AVT, "unbonding shares");
        (uint256 staked, ) = staking.totals();
        assertEq(staked, 600 * AVT, "all stake");

        skip(UNBONDING - 1);
        vm.expectRevert(
            abi.encodeWithSelector(IStaking.Staking_StillUnbonding.selector, readyAt - 1, readyAt)
        );
        vm.prank(alice);
        staking.withdraw(id);
        skip(1);
        vm.expectEmit(true, true, true, true);
        emit IStaking.Withdrawn(id, alice, 400 * AVT);
        vm.prank(alice);
        assertEq(staking.withdraw(id), 400 * AVT, "withdrawn");
        assertEq(avt.balanceOf(alice), 999_445 * AVT, "paid");
        assertEq(staking.unbondingOf(id).owner, address(0), "gone");
        assertEq(staking.validatorOf(validator).unbondingShares, 0, "no unbonding shares");
    }

    function test_unstake_all_bySentinel() public {
        _stake(alice, 1_000 * AVT);
        _unstake(alice, type(uint256).max);
        (uint256 assets, uint256 shares) = staking.stakeOf(validator, alice);
        assertEq(assets + shares, 0, "nothing left");
    }

    function test_unstake_refusals() public {
        _stake(alice, 1_000 * AVT);
        vm.expectRevert(IStaking.Staking_ZeroAmount.selector);
        _unstake(alice, 0);
        vm.expectRevert(
            abi.encodeWithSelector(IStaking.Staking_InsufficientStake.selector, 1_000 * AVT + 1, 1_000 * AVT)
        );
        _unstake(alice, 1_000 * AVT + 1);
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_InsufficientStake.selector, 0, 0));
        _unstake(bob, type(uint256).max);
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_UnknownValidator.selector, bob));
        vm.prank(alice);
        staking.unstake(bob, 1);
    }

    function test_withdraw_refusals() public {
        _stake(alice, 1_000 * AVT);
        uint256 id = _unstake(alice, 1_000 * AVT);
        skip(UNBONDING);
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_UnknownUnbonding.selector, id + 1));
        vm.prank(alice);
        staking.withdraw(id + 1);
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_NotOwner.selector, bob, alice));
        vm.prank(bob);
        staking.withdraw(id);
        vm.prank(alice);
        staking.withdraw(id);
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_UnknownUnbonding.selector, id));
        vm.prank(alice);
        staking.withdraw(id);
    }

    // Slashing

    function test_slash_takesFromActiveAndUnbondingByTheirSizes() public {
        _stake(validator, 600 * AVT);
        _stake(alice, 600 * AVT);
        uint256 id = _unstake(alice, 400 * AVT);
        vm.expectEmit(true, true, true, true);
        emit IStaking.Slashed(validator, stranger, "why", 200 * AVT, 100 * AVT);
        assertEq(staking.slash(validator, 300 * AVT, stranger, "why"), 300 * AVT, "slashed");
        assertEq(avt.balanceOf(stranger), 300 * AVT, "the beneficiary");
        assertEq(_assetsOf(alice), 150 * AVT, "alice's active stake");
        assertEq(staking.bondOf(validator), 450 * AVT, "the validator's own");
        (uint256 staked, ) = staking.totals();
        assertEq(staked, 600 * AVT, "all stake");
        skip(UNBONDING);
        vm.prank(alice);
        assertEq(staking.withdraw(id), 300 * AVT, "alice's unbonding stake");
    }

    function test_slash_isBoundedPerEvent() public {
        _stake(alice, 1_000 * AVT);
        assertEq(staking.slash(validator, 501 * AVT, stranger, "why"), 500 * AVT, "half at most");
        assertEq(staking.slash(validator, 249 * AVT, stranger, "why"), 249 * AVT, "less is less");
        assertEq(staking.slash(validator, type(uint256).max, stranger, "why"), 125.5e18, "half of the rest");
    }

    function test_slash_leavesTheRewards() public {
        _fund(1_000_000 * AVT);
        _stake(alice, 1_000 * AVT);
        skip(CYCLE);
        staking.slash(validator, 500 * AVT, stranger, "why");
        assertEq(staking.rewardOf(validator, alice), 45 * AVT, "earned before");
        skip(CYCLE);
        assertEq(staking.rewardOf(validator, alice), 67.5e18, "half of the stake earns half");
    }

    function test_slash_refusals() public {
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, alice));
        vm.prank(alice);
        staking.slash(validator, 1, alice, "why");
        vm.expectRevert(IStaking.Staking_NoBeneficiary.selector);
        staking.slash(validator, 1, address(0), "why");
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_UnknownValidator.selector, alice));
        staking.slash(alice, 1, stranger, "why");
    }

    function test_slash_ofNothing_takesNothing() public {
        assertEq(staking.slash(validator, 100, stranger, "why"), 0, "slashed");
    }

    function test_stake_afterASlash_buysAtTheLowerPrice() public {
        _stake(alice, 1_000 * AVT);
        staking.slash(validator, 500 * AVT, stranger, "why");
        assertEq(_stake(bob, 500 * AVT), 1_000 * AVT, "twice the shares");
        assertEq(_assetsOf(alice), 500 * AVT, "alice's");
        assertEq(_assetsOf(bob), 500 * AVT, "bob's");
        assertEq(_unstake(bob, 250 * AVT), 1, "id");
        assertEq(_assetsOf(bob), 250 * AVT, "bob's rest");
        (, uint256 shares) = staking.stakeOf(validator, bob);
        assertEq(shares, 500 * AVT, "bob's shares");
    }

    function test_unbonding_slashedToASixtyFourth_isDividedNotTaken() public {
        _stake(alice, 1_000 * AVT);
        uint256 id = _unstake(alice, 1_000 * AVT);
        for (uint256 i = 0; i < 6; ++i) staking.slash(validator, type(uint256).max, stranger, "why");
        assertEq(staking.validatorOf(validator).unbondingAssets, 15.625e18, "a 64th is left");
        assertEq(staking.validatorOf(validator).unbondingShares, 1_000 * AVT, "and is not divided yet");

        vm.expectEmit(true, true, true, true);
        emit IStaking.Slashed(validator, stranger, "why", 0, 1);
        vm.expectEmit(true, true, true, true);
        emit IStaking.UnbondingSharesDivided(validator, 1, 15.625e18);
        assertEq(staking.slash(validator, 1, stranger, "why"), 1, "no more than was asked for");
        assertEq(staking.validatorOf(validator).unbondingShares, 15.625e18, "a 64th of the shares");
        assertEq(staking.unbondingOf(id).shares, 15.625e18, "and of alice's");

        _stake(bob, 10 * AVT);
        uint256 other = _unstake(bob, 10 * AVT);
        skip(UNBONDING);
        vm.prank(alice);
        assertEq(staking.withdraw(id), 15.625e18 - 1, "alice has what slashing left");
        vm.prank(bob);
        assertEq(staking.withdraw(other), 10 * AVT, "bob all of his");
        assertEq(staking.validatorOf(validator).unbondingShares, 0, "nothing remains");
    }

    function test_stake_inAPoolSlashedToDust_isRefusedBeforeItsSharesOutgrowTheRecord() public {
        _stake(alice, 1_000_000 * AVT);
        for (uint256 i = 0; i < 80; ++i) staking.slash(validator, type(uint256).max, stranger, "why");
        IStaking.Validator memory state = staking.validatorOf(validator);
        assertEq(state.assets, 1, "one base unit is left");
        uint256 most = (type(uint96).max - state.shares) / state.shares;
        vm.expectRevert(
            abi.encodeWithSelector(IStaking.Staking_SharesOutOfRange.selector, (most + 1) * state.shares)
        );
        _stake(bob, most + 1);
        assertEq(_stake(bob, most), most * state.shares, "the most that fits");
    }

    function test_unbonding_dividedTwice_countsFromWhereItBegan() public {
        _stake(alice, 1_000 * AVT);
        uint256 first = _unstake(alice, 1_000 * AVT);
        for (uint256 i = 0; i < 7; ++i) staking.slash(validator, type(uint256).max, stranger, "why");
        _stake(bob, 1_000 * AVT);
        uint256 second = _unstake(bob, 1_000 * AVT);
        for (uint256 i = 0; i < 5; ++i) staking.slash(validator, type(uint256).max, stranger, "why");
        vm.expectEmit(true, true, true, true);
        emit IStaking.UnbondingSharesDivided(
            validator,
            2,
            (staking.validatorOf(validator).unbondingShares + 63) / 64
        );
        staking.slash(validator, type(uint256).max, stranger, "why");
        skip(UNBONDING);
        vm.prank(alice);
        assertEq(staking.withdraw(first) / 1e6, (1_000 * AVT) / 2 ** 13 / 1e6, "thirteen halves");
        vm.prank(bob);
        assertEq(staking.withdraw(second) / 1e6, (1_000 * AVT) / 2 ** 6 / 1e6, "six halves");
    }

    function test_leftoversOfRounding_stayInThePool() public {
        _stake(alice, 10);
        _stake(bob, 3);
        staking.slash(validator, 2, stranger, "why");
        // 11 for 13 shares: alice's 10 are worth 8.46.
        _unstake(alice, type(uint256).max);
        assertEq(_assetsOf(bob), 3, "bob's 3 shares of 3");
        _unstake(bob, type(uint256).max);
        assertEq(staking.validatorOf(validator).assets, 0, "the empty pool holds nothing");
        (uint256 staked, uint256 reserve) = staking.totals();
        assertEq(staked, 0, "no stake");
        assertEq(reserve, 0, "no reward");
        assertEq(
            avt.balanceOf(address(staking)),
            staking.validatorOf(validator).unbondingAssets,
            "everything is somebody's"
        );
    }

    function _permit(
        address owner,
        uint256 key,
        uint256 value,
        uint256 deadline
    ) private view returns (uint8 v, bytes32 r, bytes32 s) {
        bytes32 message = keccak256(
            abi.encode(
                keccak256(
                    "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
                ),
                owner,
                address(staking),
                value,
                avt.nonces(owner),
                deadline
            )
        );
        return vm.sign(key, keccak256(abi.encodePacked(hex"1901", avt.DOMAIN_SEPARATOR(), message)));
    }
}
