// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IStaking} from "../../../contracts/interfaces/staking/IStaking.sol";
import {StakingFixture} from "../support/StakingFixture.sol";

/// @notice Validators and their commissions.
contract ValidatorsTest is StakingFixture {
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

    function test_announceCommission_aWeekAfterItCouldBegin_hasLapsed() public {
        vm.prank(validator);
        staking.announceCommission(400);
        staking.beginCommission(validator);
        vm.prank(validator);
        staking.announceCommission(900);
        vm.warp(START + UNBONDING + 7 days - 1);
        assertEq(staking.validatorOf(validator).commissionAt, START + UNBONDING, "its last second");
        skip(1);
        IStaking.Validator memory state = staking.validatorOf(validator);
        assertEq(state.commissionAt, 0, "lapsed");
        assertEq(state.nextCommissionBps, 400, "nothing announced");
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_NoCommissionDue.selector, validator, 0));
        staking.beginCommission(validator);
        vm.prank(validator);
        staking.announceCommission(900);
        skip(UNBONDING);
        staking.beginCommission(validator);
        assertEq(staking.validatorOf(validator).commissionBps, 900, "announced anew");
    }

    function test_announceCommission_inItsLastSecond_begins() public {
        vm.prank(validator);
        staking.announceCommission(400);
        skip(staking.COMMISSION_WINDOW() - 1);
        staking.beginCommission(validator);
        assertEq(staking.validatorOf(validator).commissionBps, 400, "begun");
    }

    function test_announceCommission_again_replacesTheFirst() public {
        vm.startPrank(validator);
        staking.announceCommission(400);
        staking.announceCommission(300);
        vm.stopPrank();
        staking.beginCommission(validator);
        assertEq(staking.validatorOf(validator).commissionBps, 300, "the last one");
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

    function test_beginCommission_beyondABoundThatAVoteLowered_isRefused() public {
        vm.prank(validator);
        staking.announceCommission(400);
        registry.set("validatorShareBps", 399);
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_CommissionTooHigh.selector, 400, 399));
        staking.beginCommission(validator);
        registry.set("validatorShareBps", 400);
        staking.beginCommission(validator);
        assertEq(staking.validatorOf(validator).commissionBps, 400, "the bound itself");
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
}
