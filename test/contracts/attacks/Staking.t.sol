// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IStaking} from "../../../contracts/interfaces/staking/IStaking.sol";
import {Staking} from "../../../contracts/staking/Staking.sol";
import {StakingFixture} from "../support/StakingFixture.sol";
import {Hooked} from "../support/tokens/Hooked.sol";

/// @notice What an attacker of Staking would try.
contract StakingAttacks is StakingFixture {
    Staking private other;

    /// @dev The token tells this contract of its transfers, and it stakes again.
    function onTokenTransfer(address, address to, uint256) external {
        if (to == address(other)) other.stake(address(this), 1);
    }

    function test_leavingBeforeTheSlash_doesNotEscapeIt() public {
        _stake(alice, 1_000 * AVT);
        uint256 id = _unstake(alice, 1_000 * AVT);
        skip(UNBONDING - 1);
        staking.slash(validator, 400 * AVT, stranger, "caught");
        skip(1);
        vm.prank(alice);
        assertEq(staking.withdraw(id), 600 * AVT, "slashed on the way out");
    }

    function test_stakingJustBeforeARewardIsFunded_earnsNothingOfThePast() public {
        _stake(alice, 1_000 * AVT);
        skip(CYCLE);
        _stake(bob, 900_000 * AVT);
        _fund(1_000 * AVT);
        assertEq(staking.rewardOf(validator, bob), 0, "a reward streams, it does not drop");
        vm.expectRevert(IStaking.Staking_NothingToClaim.selector);
        _claim(bob);
    }

    function test_raisingTheCommissionOverOldRewards_isNotPossible() public {
        _fund(1_000_000 * AVT);
        vm.prank(validator);
        staking.announceCommission(0);
        staking.beginCommission(validator);
        _stake(alice, 1_000 * AVT);
        vm.prank(validator);
        staking.announceCommission(SHARE_BPS);
        skip(UNBONDING);
        uint256 earned = staking.rewardOf(validator, alice);
        staking.beginCommission(validator);
        assertEq(staking.rewardOf(validator, alice), earned, "what was earned is earned");
        assertEq(staking.commissionOf(validator), 0, "no commission on it");
    }

    function test_takingSomebodyElsesUnbonding_isRefused() public {
        _stake(alice, 1_000 * AVT);
        uint256 id = _unstake(alice, 1_000 * AVT);
        skip(UNBONDING);
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_NotOwner.selector, bob, alice));
        vm.prank(bob);
        staking.withdraw(id);
    }

    function test_slashingWithoutTheRole_isRefused() public {
        _stake(alice, 1_000 * AVT);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, validator));
        vm.prank(validator);
        staking.slash(validator, 1, validator, "mine");
    }

    function test_aRaisedBound_doesNotReachBeyondTheRegistry() public {
        _stake(alice, 1_000 * AVT);
        registry.set("maxSlashBps", 9_000);
        assertEq(staking.slash(validator, type(uint256).max, stranger, ""), 900 * AVT, "a tenth stays");
    }

    function test_permitOfAnotherChain_isRefused() public {
        (address owner, uint256 key) = makeAddrAndKey("owner");
        avt.mint(owner, 5);
        vm.chainId(1);
        bytes32 domain = avt.DOMAIN_SEPARATOR();
        vm.chainId(31_337);
        bytes32 typehash = keccak256(
            "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
        );
        bytes32 message = keccak256(abi.encode(typehash, owner, address(staking), 5, 0, START));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(
            key,
            keccak256(abi.encodePacked(hex"1901", domain, message))
        );
        vm.expectPartialRevert(ERC20Permit.ERC2612InvalidSigner.selector);
        avt.permit(owner, address(staking), 5, START, v, r, s);
    }

    function test_reenteringFromTheToken_isRefused() public {
        Hooked token = new Hooked();
        other = new Staking(address(manager), token, registry);
        other.registerValidator(0);
        token.mint(address(this), 10);
        token.approve(address(other), 10);
        vm.expectRevert(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        other.stake(address(this), 5);
    }

    function test_votingTwiceWithOneStake_isNotPossible() public {
        _stake(alice, 1_000 * AVT);
        vm.startPrank(alice);
        staking.delegateVotes(validator, alice);
        staking.delegateVotes(validator, bob);
        vm.stopPrank();
        assertEq(staking.getVotes(alice) + staking.getVotes(bob), 1_000 * AVT, "one stake, one vote");
    }

    function test_jammingThePoolByDust_isNotPossible() public {
        _stake(alice, 1);
        _unstake(alice, 1);
        for (uint256 i = 0; i < 3; ++i) staking.slash(validator, type(uint256).max, stranger, "");
        _stake(bob, 100 * AVT);
        uint256 id = _unstake(bob, 100 * AVT);
        skip(UNBONDING);
        vm.prank(bob);
        assertEq(staking.withdraw(id), 100 * AVT, "everybody else leaves as before");
    }

    /// @dev Dust in a pool that was slashed low, then an honest unbonder: one unit more must not take his stake.
    function test_slashingOneUnitToWipeUnbondingStake_takesOneUnit() public {
        _stake(alice, 1_000 * AVT);
        uint256 first = _unstake(alice, 1_000 * AVT);
        for (uint256 i = 0; i < 6; ++i) staking.slash(validator, type(uint256).max, stranger, "");
        _stake(bob, 100_000 * AVT);
        uint256 second = _unstake(bob, 100_000 * AVT);
        uint256 before = avt.balanceOf(stranger);
        assertEq(staking.slash(validator, 1, stranger, ""), 1, "slashed");
        assertEq(avt.balanceOf(stranger) - before, 1, "moved");
        skip(UNBONDING);
        vm.prank(bob);
        assertLe(100_000 * AVT - 65, staking.withdraw(second), "bob's, less a share of rounding");
        vm.prank(alice);
        assertLe(15.625e18 - 65, staking.withdraw(first), "alice's");
    }

    function test_slashingAgainAndAgain_neverKeepsAnyoneIn() public {
        for (uint256 round = 0; round < 8; ++round) {
            _stake(alice, 1_000 * AVT);
            _unstake(alice, 1_000 * AVT);
            for (uint256 i = 0; i < 20; ++i) staking.slash(validator, type(uint256).max, stranger, "");
        }
        _stake(bob, 900_000 * AVT);
        uint256 id = _unstake(bob, 900_000 * AVT);
        skip(UNBONDING);
        vm.prank(bob);
        assertLe(900_000 * AVT - 1, staking.withdraw(id), "leaves with all, but for rounding");
    }

    function test_keepingACommissionAboveALoweredBound_isNotPossible() public {
        vm.prank(validator);
        staking.announceCommission(SHARE_BPS);
        skip(UNBONDING);
        registry.set("validatorShareBps", SHARE_BPS - 1);
        vm.expectRevert(
            abi.encodeWithSelector(IStaking.Staking_CommissionTooHigh.selector, SHARE_BPS, SHARE_BPS - 1)
        );
        staking.beginCommission(validator);
    }
}
