// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {Roles} from "../../../contracts/governance/Roles.sol";
import {IBonds} from "../../../contracts/interfaces/staking/IBonds.sol";
import {IStaking} from "../../../contracts/interfaces/staking/IStaking.sol";
import {StakingFixture} from "../support/StakingFixture.sol";

/// @notice Own stake that a bonder holds.
contract LocksTest is StakingFixture {
    address private other;

    function setUp() public override {
        super.setUp();
        other = makeAddr("other bonder");
        manager.grantRole(Roles.BONDER, other, 0);
        _stake(validator, 100 * AVT);
    }

    function test_lock_holdsOwnStake() public {
        vm.expectEmit(true, true, true, true);
        emit IBonds.Locked(validator, address(this), 60 * AVT);
        staking.lock(validator, 60 * AVT);
        assertEq(staking.bondOf(validator), 100 * AVT, "bond");
        assertEq(staking.freeBondOf(validator), 40 * AVT, "free");
        assertEq(staking.lockedBy(validator, address(this)), 60 * AVT, "by whom");
        vm.expectRevert(
            abi.encodeWithSelector(IStaking.Staking_InsufficientStake.selector, 40 * AVT + 1, 40 * AVT)
        );
        _unstake(validator, 40 * AVT + 1);
        _unstake(validator, type(uint256).max);
        assertEq(staking.bondOf(validator), 60 * AVT, "all that was free left");
        assertEq(staking.freeBondOf(validator), 0, "nothing free");
    }

    function test_unlock_frees() public {
        staking.lock(validator, 60 * AVT);
        vm.expectEmit(true, true, true, true);
        emit IBonds.Unlocked(validator, address(this), 20 * AVT);
        staking.unlock(validator, 20 * AVT);
        assertEq(staking.freeBondOf(validator), 60 * AVT, "free");
        assertEq(staking.lockedBy(validator, address(this)), 40 * AVT, "still locked");
        _unstake(validator, 60 * AVT);
    }

    function test_lock_ofTwoBonders_addsUp_andEachFreesItsOwn() public {
        staking.lock(validator, 60 * AVT);
        vm.prank(other);
        staking.lock(validator, 30 * AVT);
        assertEq(staking.freeBondOf(validator), 10 * AVT, "both");
        vm.expectRevert(
            abi.encodeWithSelector(IStaking.Staking_InsufficientLock.selector, 31 * AVT, 30 * AVT)
        );
        vm.prank(other);
        staking.unlock(validator, 31 * AVT);
        staking.unlock(validator, 60 * AVT);
        assertEq(staking.freeBondOf(validator), 70 * AVT, "the other's stands");
    }

    function test_lock_refusals() public {
        _stake(alice, 1_000 * AVT);
        vm.expectRevert(
            abi.encodeWithSelector(IStaking.Staking_InsufficientStake.selector, 100 * AVT + 1, 100 * AVT)
        );
        staking.lock(validator, 100 * AVT + 1);
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_UnknownValidator.selector, alice));
        staking.lock(alice, 1);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, alice));
        vm.prank(alice);
        staking.lock(validator, 1);
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_InsufficientLock.selector, 1, 0));
        vm.prank(alice);
        staking.unlock(validator, 1);
    }

    function test_bondFor_isWhatNoOtherBonderHolds() public {
        staking.lock(validator, 50 * AVT);
        assertEq(staking.bondFor(validator, address(this)), 100 * AVT, "what is free as well");
        vm.prank(other);
        staking.lock(validator, 40 * AVT);
        assertEq(staking.bondFor(validator, address(this)), 60 * AVT, "less the other's");
        assertEq(staking.bondFor(validator, other), 50 * AVT, "less this one's");
        assertEq(staking.bondFor(validator, alice), 10 * AVT, "what is free, for anybody else");
        _slash(50 * AVT);
        assertEq(staking.bondFor(validator, address(this)), 10 * AVT, "a slash takes it of both");
        assertEq(staking.bondFor(validator, other), 0, "down to nothing");
        assertEq(staking.bondFor(alice, address(this)), 0, "nobody's");
    }

    function test_unlock_byABonderThatLostItsRole_frees() public {
        vm.prank(other);
        staking.lock(validator, 60 * AVT);
        manager.revokeRole(Roles.BONDER, other);
        vm.prank(other);
        staking.unlock(validator, 60 * AVT);
        assertEq(staking.freeBondOf(validator), 100 * AVT, "free");
    }

    function test_slash_takesLockedStake_andTheLocksHoldWhatIsLeft() public {
        staking.lock(validator, 50 * AVT);
        vm.prank(other);
        staking.lock(validator, 40 * AVT);
        assertEq(_slash(50 * AVT), 50 * AVT, "slashed");
        assertEq(staking.freeBondOf(validator), 0, "less is left than is locked");
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_InsufficientStake.selector, 0, 0));
        _unstake(validator, type(uint256).max);
        staking.unlock(validator, 50 * AVT);
        assertEq(staking.freeBondOf(validator), 10 * AVT, "the other's 40 of 50 stay locked");
        vm.prank(other);
        staking.unlock(validator, 40 * AVT);
        assertEq(staking.freeBondOf(validator), 50 * AVT, "all free");
    }

    function test_stake_afterASlashBelowTheLocks_fillsThemFirst() public {
        staking.lock(validator, 100 * AVT);
        _slash(50 * AVT);
        _stake(validator, 50 * AVT);
        assertEq(staking.freeBondOf(validator), 0, "what was locked is there again");
        _stake(validator, 1);
        assertEq(staking.freeBondOf(validator), 1, "the next is free");
    }

    function test_lock_doesNotTouchDelegators() public {
        staking.lock(validator, 100 * AVT);
        _stake(alice, 5 * AVT);
        _unstake(alice, 5 * AVT);
        assertEq(_assetsOf(alice), 0, "alice leaves");
    }
}
