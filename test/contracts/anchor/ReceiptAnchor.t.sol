// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {ReceiptAnchor} from "../../../contracts/anchor/ReceiptAnchor.sol";
import {Roles} from "../../../contracts/governance/Roles.sol";
import {Test} from "../support/Test.sol";

/// @notice Roots that are anchored once, in order, by the anchorer, and receipts that verify under them.
contract ReceiptAnchorTest is Test {
    ReceiptAnchor private anchors;
    address private stranger;
    ReceiptAnchor.Kind private constant CARBON = ReceiptAnchor.Kind.Carbon;

    function setUp() public {
        vm.warp(1_700_000_000);
        stranger = makeAddr("stranger");
        AccessManager manager = new AccessManager(address(this));
        anchors = new ReceiptAnchor(address(manager));
        bytes4[] memory selectors = new bytes4[](1);
        selectors[0] = ReceiptAnchor.anchor.selector;
        manager.setTargetFunctionRole(address(anchors), selectors, Roles.ANCHORER);
        manager.grantRole(Roles.ANCHORER, address(this), 0);
    }

    function test_anchor_oneAfterAnother() public {
        bytes32 first = keccak256(abi.encode(bytes32(0), CARBON, 0, bytes32("a"), 3));
        vm.expectEmit(true, true, true, true);
        emit ReceiptAnchor.Anchored(CARBON, 0, "a", 3, first);
        anchors.anchor(CARBON, 0, "a", 3);
        bytes32 second = keccak256(abi.encode(first, CARBON, 1, bytes32("b"), 4));
        vm.expectEmit(true, true, true, true);
        emit ReceiptAnchor.Anchored(CARBON, 1, "b", 4, second);
        anchors.anchor(CARBON, 1, "b", 4);
        ReceiptAnchor.Anchor memory anchored = anchors.anchorOf(CARBON, 1);
        assertEq(anchored.root, "b", "root");
        assertEq(anchored.chain, second, "chain");
        assertEq(anchored.count, 4, "count");
        assertEq(anchored.anchoredAt, 1_700_000_000, "time");
        assertEq(anchors.epochCount(CARBON), 2, "epochs");
        assertEq(anchors.epochCount(ReceiptAnchor.Kind.Ledger), 0, "each kind by itself");
    }

    function test_anchor_refusals() public {
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
        vm.prank(stranger);
        anchors.anchor(CARBON, 0, "a", 1);
        vm.expectRevert(abi.encodeWithSelector(ReceiptAnchor.ReceiptAnchor_Empty.selector, 0, 1));
        anchors.anchor(CARBON, 0, 0, 1);
        vm.expectRevert(abi.encodeWithSelector(ReceiptAnchor.ReceiptAnchor_Empty.selector, bytes32("a"), 0));
        anchors.anchor(CARBON, 0, "a", 0);
        vm.expectRevert(abi.encodeWithSelector(ReceiptAnchor.ReceiptAnchor_WrongEpoch.selector, 1, 0));
        anchors.anchor(CARBON, 1, "a", 1);
        anchors.anchor(CARBON, 0, "a", 1);
        vm.expectRevert(abi.encodeWithSelector(ReceiptAnchor.ReceiptAnchor_WrongEpoch.selector, 0, 1));
        anchors.anchor(CARBON, 0, "b", 1);
        vm.expectRevert(
            abi.encodeWithSelector(ReceiptAnchor.ReceiptAnchor_UnknownEpoch.selector, CARBON, 1, 1)
        );
        anchors.anchorOf(CARBON, 1);
    }

    function testFuzz_verify(bytes32 one, bytes32 other, bytes32 forged) public {
        vm.assume(forged != one && forged != other && one != other);
        anchors.anchor(CARBON, 0, Hashes.commutativeKeccak256(one, other), 2);
        bytes32[] memory proof = new bytes32[](1);
        proof[0] = other;
        assertTrue(anchors.verify(CARBON, 0, one, proof), "a receipt");
        assertFalse(anchors.verify(CARBON, 0, forged, proof), "no receipt");
        proof[0] = one;
        assertTrue(anchors.verify(CARBON, 0, other, proof), "the other");
    }
}
