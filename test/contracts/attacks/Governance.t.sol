// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import {Roles} from "../../../contracts/governance/Roles.sol";
import {IParameterRegistry} from "../../../contracts/interfaces/governance/IParameterRegistry.sol";
import {StakingFixture} from "../support/StakingFixture.sol";

/// @notice What an attacker of policies and roles would try.
contract GovernanceAttacks is StakingFixture {
    function _refusedTo(address who) private {
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, who));
        vm.prank(who);
    }

    function test_changingAPolicyWithoutAVote_isRefused() public {
        _refusedTo(stranger);
        registry.set("rewardRateBps", 1);
        _refusedTo(stranger);
        registry.declare(IParameterRegistry.Declaration("mine", 0, 1, 0));
        // A role of work is no role of policy.
        manager.grantRole(Roles.SLASHER, stranger, 0);
        manager.grantRole(Roles.MINTER, stranger, 0);
        _refusedTo(stranger);
        registry.set("maxSlashBps", 0);
    }

    function test_leavingTheBounds_isRefusedToTheAdminToo() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                IParameterRegistry.ParameterRegistry_OutOfBounds.selector,
                bytes32("maxSlashBps"),
                9_001,
                0,
                9_000
            )
        );
        registry.set("maxSlashBps", 9_001);
        vm.expectRevert(
            abi.encodeWithSelector(
                IParameterRegistry.ParameterRegistry_Declared.selector,
                bytes32("maxSlashBps")
            )
        );
        registry.declare(IParameterRegistry.Declaration("maxSlashBps", 0, 10_000, 10_000));
    }

    function test_givingOneselfARole_isRefused() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                IAccessManager.AccessManagerUnauthorizedAccount.selector,
                stranger,
                manager.ADMIN_ROLE()
            )
        );
        vm.prank(stranger);
        manager.grantRole(Roles.MINTER, stranger, 0);
    }

    function test_anotherManagersAdmin_isNobodyHere() public {
        vm.startPrank(stranger);
        AccessManager own = new AccessManager(stranger);
        own.grantRole(Roles.MINTER, stranger, 0);
        vm.stopPrank();
        _refusedTo(stranger);
        avt.mint(stranger, 1);
    }
}
