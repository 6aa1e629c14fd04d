// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IStaking} from "../../../contracts/interfaces/staking/IStaking.sol";
import {Staking} from "../../../contracts/staking/Staking.sol";
import {StakingFixture} from "../support/StakingFixture.sol";

/// @notice Stake that comes in, and what it earns.
contract StakeTest is StakingFixture {
    function test_constructor_takesTheRateOver() public {
        vm.expectEmit(true, true, true, true);
        emit IStaking.RateSet(RATE_BPS, CYCLE);
        Staking fresh = new Staking(address(manager), avt, registry, MIN_UNBONDING);
        assertEq(address(fresh.token()), address(avt), "token");
        assertEq(address(fresh.parameters()), address(registry), "parameters");
        assertEq(fresh.minUnbondingSeconds(), MIN_UNBONDING, "shortest unbonding");
        assertEq(fresh.authority(), address(manager), "authority");
    }

    function test_stake_takesTheTokens() public {
        vm.expectEmit(true, true, true, true);
        emit IStaking.Staked(validator, alice, 100 * AVT);
        _stake(alice, 100 * AVT);
        assertEq(avt.balanceOf(address(staking)), 100 * AVT, "held");
        assertEq(avt.balanceOf(alice), 999_900 * AVT, "left");
        assertEq(staking.stakeOf(validator, alice), 100 * AVT, "stake");
        (uint256 staked, uint256 reserve) = staking.totals();
        assertEq(staked, 100 * AVT, "all stake");
        assertEq(reserve, 0, "reserve");
        assertEq(staking.validatorOf(validator).assets, 100 * AVT, "the validator's");
        assertEq(staking.bondOf(validator), 0, "none of it its own");
    }

    function test_stake_ofTheValidator_isItsBond() public {
        _stake(alice, 100 * AVT);
        _stake(validator, 7 * AVT);
        assertEq(staking.bondOf(validator), 7 * AVT, "its own alone");
        assertEq(staking.freeBondOf(validator), 7 * AVT, "all of it free");
        assertEq(staking.validatorOf(validator).assets, 107 * AVT, "all that is staked with it");
    }

    function test_stake_refusals() public {
        vm.expectRevert(IStaking.Staking_ZeroAmount.selector);
        _stake(alice, 0);
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_UnknownValidator.selector, bob));
        vm.prank(alice);
        staking.stake(bob, 1);
        uint256 most = type(uint96).max;
        bytes memory tooMuch = abi.encodeWithSelector(
            IStaking.Staking_AmountOutOfRange.selector,
            most + 1,
            most
        );
        vm.expectRevert(tooMuch);
        _stake(alice, most + 1);
        vm.expectRevert(tooMuch);
        staking.fund(most + 1);
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

    function test_rewards_ofAValidatorsOwnStake_payItsOwnCommission() public {
        _fund(1_000_000 * AVT);
        _stake(validator, 1_000 * AVT);
        skip(CYCLE);
        assertEq(staking.rewardOf(validator, validator), 45 * AVT, "reward");
        assertEq(staking.commissionOf(validator), 5 * AVT, "and commission, both its own");
    }

    function test_rewards_ofTwoValidators_areTheirOwn() public {
        vm.prank(bob);
        staking.registerValidator(0);
        _fund(1_000_000 * AVT);
        _stake(alice, 1_000 * AVT);
        vm.prank(alice);
        staking.stake(bob, 1_000 * AVT);
        skip(CYCLE);
        assertEq(staking.rewardOf(validator, alice), 45 * AVT, "less a tenth");
        assertEq(staking.rewardOf(bob, alice), 50 * AVT, "less nothing");
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
