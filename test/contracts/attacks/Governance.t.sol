// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ReceiptAnchor} from "../../../contracts/anchor/ReceiptAnchor.sol";
import {Roles} from "../../../contracts/governance/Roles.sol";
import {ParameterRegistry} from "../../../contracts/governance/ParameterRegistry.sol";
import {IParameterRegistry} from "../../../contracts/interfaces/IParameterRegistry.sol";
import {ITreasury} from "../../../contracts/interfaces/ITreasury.sol";
import {Scrip} from "../../../contracts/market/Scrip.sol";
import {Treasury} from "../../../contracts/treasury/Treasury.sol";
import {TreasuryFactory} from "../../../contracts/treasury/TreasuryFactory.sol";
import {StakingFixture} from "../support/StakingFixture.sol";

/// @notice What an attacker of policies, roles, anchored roots, scrip and the factory would try.
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

    function test_rewritingAnAnchoredRoot_isNotPossible() public {
        ReceiptAnchor anchors = new ReceiptAnchor(address(manager));
        anchors.anchor(ReceiptAnchor.Kind.Carbon, 0, "root", 1);
        vm.expectRevert(abi.encodeWithSelector(ReceiptAnchor.ReceiptAnchor_WrongEpoch.selector, 0, 1));
        anchors.anchor(ReceiptAnchor.Kind.Carbon, 0, "another", 1);
        _refusedTo(stranger);
        anchors.anchor(ReceiptAnchor.Kind.Carbon, 1, "mine", 1);
        bytes32[] memory proof = new bytes32[](0);
        assertFalse(anchors.verify(ReceiptAnchor.Kind.Carbon, 0, "mine", proof), "a leaf that is not there");
        vm.expectRevert(
            abi.encodeWithSelector(
                ReceiptAnchor.ReceiptAnchor_UnknownEpoch.selector,
                ReceiptAnchor.Kind.Energy,
                0,
                0
            )
        );
        anchors.verify(ReceiptAnchor.Kind.Energy, 0, "root", proof);
    }

    function test_mintingScrip_orBurningAnothers_isRefused() public {
        Scrip scrip = new Scrip(address(manager));
        scrip.mint(alice, 10);
        _refusedTo(stranger);
        scrip.mint(stranger, 1);
        vm.expectRevert();
        vm.prank(stranger);
        scrip.burnFrom(alice, 1);
        (address owner, uint256 key) = makeAddrAndKey("owner");
        bytes32 message = keccak256(
            abi.encode(
                keccak256(
                    "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
                ),
                owner,
                stranger,
                10,
                0,
                START
            )
        );
        // Signed for AVT, whose domain has another name.
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(
            key,
            keccak256(abi.encodePacked(hex"1901", avt.DOMAIN_SEPARATOR(), message))
        );
        vm.expectPartialRevert(ERC20Permit.ERC2612InvalidSigner.selector);
        scrip.permit(owner, stranger, 10, START, v, r, s);
    }

    function test_takingAPredictedTreasury_isNotPossible() public {
        TreasuryFactory factory = new TreasuryFactory(address(new Treasury(new address[](0), 0)));
        address[] memory owners = new address[](1);
        owners[0] = alice;
        address payable predicted = payable(factory.treasuryOf(owners, 1, "salt"));
        avt.mint(predicted, 100 * AVT);
        vm.startPrank(stranger);
        address[] memory mine = new address[](1);
        mine[0] = stranger;
        assertFalse(factory.createTreasury(mine, 1, "salt") == predicted, "other owners, another address");
        assertEq(factory.createTreasury(owners, 1, "salt"), predicted, "made ahead of its owner");
        vm.expectRevert(ITreasury.Treasury_AlreadyInitialized.selector);
        Treasury(predicted).initialize(mine, 1);
        vm.stopPrank();
        assertEq(Treasury(predicted).owners()[0], alice, "it is alice's all the same");
    }
}
