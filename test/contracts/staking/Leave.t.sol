// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IStaking} from "../../../contracts/interfaces/staking/IStaking.sol";
import {StakingFixture} from "../support/StakingFixture.sol";

/// @notice Stake that leaves: a delegator's by records of its own, a validator's as one; or that moves to another.
contract LeaveTest is StakingFixture {
    address private second;

    function setUp() public override {
        super.setUp();
        second = _funded("second");
        vm.prank(second);
        staking.registerValidator(0);
    }

    function _restake(address staker, uint256 assets) private {
        vm.prank(staker);
        staking.restake(validator, second, assets);
    }

    function test_lengthenUnbonding_neverShortens() public {
        uint256 before = staking.minUnbondingSeconds();
        staking.lengthenUnbonding(before);
        staking.lengthenUnbonding(before - 1);
        assertEq(staking.minUnbondingSeconds(), before, "as it was");
    }

    // Delegated stake

    function test_unstake_waitsAndPaysTheRewards() public {
        _fund(1_000_000 * AVT);
        _stake(alice, 1_000 * AVT);
        skip(CYCLE);
        uint256 readyAt = block.timestamp + UNBONDING;
        vm.expectEmit(true, true, true, true);
        emit IStaking.RewardClaimed(validator, alice, 45 * AVT);
        vm.expectEmit(true, true, true, true);
        emit IStaking.Unstaked(validator, alice, 1, 400 * AVT, readyAt);
        uint256 id = _unstake(alice, 400 * AVT);
        assertEq(id, 1, "first id");
        assertEq(staking.unbondingCount(), 1, "count");
        assertEq(avt.balanceOf(alice), 999_045 * AVT, "the rewards came with it");
        assertEq(_assetsOf(alice), 600 * AVT, "left");
        IStaking.Unbonding memory unbonding = staking.unbondingOf(id);
        assertEq(unbonding.owner, alice, "owner");
        assertEq(unbonding.validator, validator, "validator");
        assertEq(unbonding.assets, 400 * AVT, "assets");
        assertEq(unbonding.readyAt, readyAt, "ready");
        (uint256 staked, ) = staking.totals();
        assertEq(staked, 600 * AVT, "all stake");
        assertEq(staking.validatorOf(validator).assets, 600 * AVT, "the validator's");

        skip(UNBONDING - 1);
        vm.expectRevert(
            abi.encodeWithSelector(IStaking.Staking_StillUnbonding.selector, readyAt - 1, readyAt)
        );
        _withdraw(alice, id);
        skip(1);
        vm.expectEmit(true, true, true, true);
        emit IStaking.Withdrawn(id, alice, 400 * AVT);
        assertEq(_withdraw(alice, id), 400 * AVT, "withdrawn");
        assertEq(avt.balanceOf(alice), 999_445 * AVT, "paid");
        assertEq(staking.unbondingOf(id).owner, address(0), "gone");
    }

    function test_unstake_twice_waitsInTwoRecords() public {
        _stake(alice, 1_000 * AVT);
        uint256 first = _unstake(alice, 1 * AVT);
        skip(UNBONDING - 1);
        uint256 other = _unstake(alice, 2 * AVT);
        skip(1);
        assertEq(_withdraw(alice, first), 1 * AVT, "the first is ready");
        skip(UNBONDING - 1);
        assertEq(_withdraw(alice, other), 2 * AVT, "then the second");
    }

    function test_unstake_all_bySentinel() public {
        _stake(alice, 1_000 * AVT);
        uint256 id = _unstake(alice, type(uint256).max);
        assertEq(_assetsOf(alice), 0, "nothing left");
        assertEq(staking.unbondingOf(id).assets, 1_000 * AVT, "all of it");
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
        _withdraw(alice, id + 1);
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_NotOwner.selector, bob, alice));
        _withdraw(bob, id);
        _withdraw(alice, id);
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_UnknownUnbonding.selector, id));
        _withdraw(alice, id);
    }

    // The unbonding time

    function test_unbondingSeconds_isTheParameter_butNeverShorterThanAVote() public {
        assertEq(staking.unbondingSeconds(), UNBONDING, "the parameter");
        registry.set("unbondingSeconds", MIN_UNBONDING);
        assertEq(staking.unbondingSeconds(), MIN_UNBONDING, "as short as a vote");
        registry.set("unbondingSeconds", 1 days);
        assertEq(staking.unbondingSeconds(), MIN_UNBONDING, "no shorter");
        _stake(alice, 1);
        assertEq(staking.unbondingOf(_unstake(alice, 1)).readyAt, START + MIN_UNBONDING, "nor for stake");
    }

    // A validator's own stake

    function test_unstake_ownStake_waitsUnderTheValidatorsAddress() public {
        _stake(validator, 100 * AVT);
        vm.expectEmit(true, true, true, true);
        emit IStaking.Unstaked(validator, validator, _ownId(), 30 * AVT, START + UNBONDING);
        assertEq(_unstake(validator, 30 * AVT), _ownId(), "id");
        assertEq(staking.unbondingCount(), 0, "no id of its own");
        assertEq(staking.bondOf(validator), 70 * AVT, "bond");
        skip(UNBONDING);
        assertEq(_withdraw(validator, _ownId()), 30 * AVT, "withdrawn");
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_UnknownUnbonding.selector, _ownId()));
        _withdraw(validator, _ownId());
    }

    function test_unstake_ownStakeAgain_waitsTogether() public {
        _stake(validator, 100 * AVT);
        _unstake(validator, 30 * AVT);
        skip(UNBONDING - 1);
        _unstake(validator, 20 * AVT);
        IStaking.Unbonding memory unbonding = staking.unbondingOf(_ownId());
        assertEq(unbonding.assets, 50 * AVT, "together");
        assertEq(unbonding.readyAt, START + 2 * UNBONDING - 1, "until the later");
        skip(1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IStaking.Staking_StillUnbonding.selector,
                block.timestamp,
                unbonding.readyAt
            )
        );
        _withdraw(validator, _ownId());
    }

    function test_unstake_ownStakeAfterAnEarlierPartIsReady_paysThatPart() public {
        _stake(validator, 100 * AVT);
        _unstake(validator, 30 * AVT);
        skip(UNBONDING);
        vm.expectEmit(true, true, true, true);
        emit IStaking.Withdrawn(_ownId(), validator, 30 * AVT);
        _unstake(validator, 20 * AVT);
        assertEq(avt.balanceOf(validator), 999_930 * AVT, "paid");
        assertEq(staking.unbondingOf(_ownId()).assets, 20 * AVT, "the new part alone");
    }

    function test_unstake_ownStakeAfterTheTimeWasLowered_endsNoEarlier() public {
        registry.set("unbondingSeconds", 60 days);
        _stake(validator, 100 * AVT);
        _unstake(validator, 30 * AVT);
        registry.set("unbondingSeconds", MIN_UNBONDING);
        _unstake(validator, 20 * AVT);
        assertEq(staking.unbondingOf(_ownId()).readyAt, START + 60 days, "the latest");
    }

    // To another validator

    function test_restake_movesStakeAtOnce_andPaysTheRewards() public {
        _fund(1_000_000 * AVT);
        _stake(alice, 1_000 * AVT);
        skip(CYCLE);
        vm.expectEmit(true, true, true, true);
        emit IStaking.RewardClaimed(validator, alice, 45 * AVT);
        vm.expectEmit(true, true, true, true);
        emit IStaking.Restaked(validator, second, alice, 400 * AVT);
        _restake(alice, 400 * AVT);
        assertEq(avt.balanceOf(alice), 999_045 * AVT, "rewards");
        assertEq(_assetsOf(alice), 600 * AVT, "what stays");
        assertEq(staking.stakeOf(second, alice), 400 * AVT, "what moved");
        assertEq(staking.validatorOf(validator).assets, 600 * AVT, "the first validator's");
        assertEq(staking.validatorOf(second).assets, 400 * AVT, "the second's");
        (uint256 staked, ) = staking.totals();
        assertEq(staked, 1_000 * AVT, "all stake");
        skip(CYCLE);
        assertEq(staking.rewardOf(validator, alice), 27 * AVT, "600, less a tenth");
        assertEq(staking.rewardOf(second, alice), 20 * AVT, "400, less nothing");
    }

    function test_restake_intoAStakeThatEarned_keepsWhatItIsOwed() public {
        _fund(1_000_000 * AVT);
        _stake(alice, 1_000 * AVT);
        vm.prank(alice);
        staking.stake(second, 100 * AVT);
        skip(CYCLE);
        _restake(alice, type(uint256).max);
        // Spread over 1,100 AVT, a base unit of each is rounded off at most.
        assertLe(5 * AVT - staking.rewardOf(second, alice), 1_100, "owed as before");
        assertEq(staking.rewardOf(validator, alice), 0, "paid");
        assertEq(_assetsOf(alice), 0, "all of it moved");
    }

    function test_restake_toTheSame_onlyPaysTheRewards() public {
        _fund(1_000_000 * AVT);
        _stake(alice, 1_000 * AVT);
        skip(CYCLE);
        vm.prank(alice);
        staking.restake(validator, validator, 1_000 * AVT);
        assertEq(_assetsOf(alice), 1_000 * AVT, "stake");
        assertEq(avt.balanceOf(alice), 999_045 * AVT, "rewards");
        assertEq(staking.validatorOf(validator).assets, 1_000 * AVT, "the validator's");
    }

    function test_restake_ontoOnesOwnBond_isOwnStakeFromThenOn() public {
        vm.prank(second);
        staking.stake(validator, 10 * AVT);
        _restake(second, 10 * AVT);
        assertEq(staking.bondOf(second), 10 * AVT, "bond");
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_OwnStake.selector, second));
        vm.prank(second);
        staking.restake(second, validator, 1);
    }

    function test_restake_refusals() public {
        _stake(validator, 1_000 * AVT);
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_OwnStake.selector, validator));
        _restake(validator, 1);
        _stake(alice, 10);
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_InsufficientStake.selector, 11, 10));
        _restake(alice, 11);
        vm.expectRevert(IStaking.Staking_ZeroAmount.selector);
        _restake(alice, 0);
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_UnknownValidator.selector, bob));
        vm.prank(alice);
        staking.restake(validator, bob, 1);
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_UnknownValidator.selector, bob));
        vm.prank(alice);
        staking.restake(bob, validator, 1);
    }
}
