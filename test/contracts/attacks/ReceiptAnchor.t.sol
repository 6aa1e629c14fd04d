// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {ReceiptAnchor} from "../../../contracts/anchor/ReceiptAnchor.sol";
import {Roles} from "../../../contracts/governance/Roles.sol";
import {Test} from "../support/Test.sol";

/// @notice What an attacker of ReceiptAnchor would try: rewriting the past, and receipts that never were.
contract ReceiptAnchorAttacks is Test {
    ReceiptAnchor.Kind private constant CARBON = ReceiptAnchor.Kind.Carbon;
    ReceiptAnchor.Kind private constant ENERGY = ReceiptAnchor.Kind.Energy;

    AccessManager private manager;
    ReceiptAnchor private anchors;
    address private stranger;

    function setUp() public {
        stranger = makeAddr("stranger");
        manager = new AccessManager(address(this));
        anchors = _book();
        manager.grantRole(Roles.ANCHORER, address(this), 0);
    }

    function _book() private returns (ReceiptAnchor book) {
        book = new ReceiptAnchor(address(manager));
        bytes4[] memory selectors = new bytes4[](1);
        selectors[0] = ReceiptAnchor.anchor.selector;
        manager.setTargetFunctionRole(address(book), selectors, Roles.ANCHORER);
    }

    function _leaf(bytes memory receipt) private pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(receipt)));
    }

    /// @dev Two receipts under one root.
    function _anchorTwo(ReceiptAnchor.Kind kind) private returns (bytes32 one, bytes32 other) {
        (one, other) = (_leaf("one"), _leaf("other"));
        anchors.anchor(kind, anchors.epochCount(kind), Hashes.commutativeKeccak256(one, other), 2);
    }

    function _proof(bytes32 sibling) private pure returns (bytes32[] memory proof) {
        proof = new bytes32[](1);
        proof[0] = sibling;
    }

    function test_anchoringWithoutTheRole_orAfterLosingIt_isRefused() public {
        manager.grantRole(Roles.MINTER, stranger, 0);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
        vm.prank(stranger);
        anchors.anchor(CARBON, 0, "mine", 1);
        manager.revokeRole(Roles.ANCHORER, address(this));
        vm.expectRevert(
            abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, address(this))
        );
        anchors.anchor(CARBON, 0, "late", 1);
        assertEq(anchors.epochCount(CARBON), 0, "nothing stands");
    }

    function test_rewritingARoot_isRefusedToTheAnchorerToo() public {
        anchors.anchor(CARBON, 0, "root", 1);
        vm.expectRevert(abi.encodeWithSelector(ReceiptAnchor.ReceiptAnchor_WrongEpoch.selector, 0, 1));
        anchors.anchor(CARBON, 0, "another", 1);
        assertEq(anchors.anchorOf(CARBON, 0).root, "root", "as it was");
    }

    function testFuzz_leavingAGapToFillLater_isRefused(uint256 epoch) public {
        vm.assume(epoch != 0);
        vm.expectRevert(abi.encodeWithSelector(ReceiptAnchor.ReceiptAnchor_WrongEpoch.selector, epoch, 0));
        anchors.anchor(CARBON, epoch, "later", 1);
    }

    /// @notice The second preimage: an inner node of the tree as a receipt of 64 bytes.
    function test_anInnerNode_isNoReceipt() public {
        (bytes32 one, bytes32 other) = _anchorTwo(CARBON);
        bytes32[] memory none = new bytes32[](0);
        (bytes32 low, bytes32 high) = one < other ? (one, other) : (other, one);
        bytes memory forged = abi.encode(low, high);
        assertEq(keccak256(forged), anchors.anchorOf(CARBON, 0).root, "hashed once it is the root");
        assertFalse(anchors.verify(CARBON, 0, _leaf(forged), none), "hashed twice it is nothing");
        assertTrue(anchors.verify(CARBON, 0, one, _proof(other)), "a receipt");
    }

    function test_aProof_fitsNoOtherEpochNorKind() public {
        (bytes32 one, bytes32 other) = _anchorTwo(CARBON);
        anchors.anchor(CARBON, 1, "root", 1);
        anchors.anchor(ENERGY, 0, "root", 1);
        assertTrue(anchors.verify(CARBON, 0, one, _proof(other)), "its own");
        assertFalse(anchors.verify(CARBON, 1, one, _proof(other)), "another epoch");
        assertFalse(anchors.verify(ENERGY, 0, one, _proof(other)), "another kind");
        vm.expectRevert(
            abi.encodeWithSelector(ReceiptAnchor.ReceiptAnchor_UnknownEpoch.selector, ENERGY, 1, 1)
        );
        anchors.verify(ENERGY, 1, one, _proof(other));
    }

    function testFuzz_aProofWithAnyOtherSibling_provesNothing(bytes32 sibling) public {
        (bytes32 one, bytes32 other) = _anchorTwo(CARBON);
        vm.assume(sibling != other);
        assertFalse(anchors.verify(CARBON, 0, one, _proof(sibling)), "another sibling");
    }

    function test_aKindThatIsNone_isRefused() public {
        bytes memory call = abi.encodeWithSelector(
            ReceiptAnchor.anchor.selector,
            uint256(type(ReceiptAnchor.Kind).max) + 1,
            0,
            bytes32("root"),
            1
        );
        (bool ok, ) = address(anchors).call(call);
        assertFalse(ok, "no such kind");
    }

    /// @notice Whoever shows another past shows another chain from there on, whatever came after.
    function test_anotherPast_isSeenInEveryLaterChain() public {
        ReceiptAnchor forged = _book();
        anchors.anchor(CARBON, 0, "a", 1);
        forged.anchor(CARBON, 0, "a", 2);
        for (uint256 epoch = 1; epoch < 4; ++epoch) {
            anchors.anchor(CARBON, epoch, bytes32(epoch), 1);
            forged.anchor(CARBON, epoch, bytes32(epoch), 1);
            assertFalse(
                anchors.anchorOf(CARBON, epoch).chain == forged.anchorOf(CARBON, epoch).chain,
                "another chain"
            );
        }
    }
}
