// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";

/// @title ReceiptAnchor
/// @notice Merkle roots of carbon, energy and ledger receipts, one after another and never changed, so that whoever
///         holds a receipt can show that it was issued when it says.
/// @dev Leaves are hashed twice, as OpenZeppelin's standard Merkle trees are. Each anchor carries on the hash of all
///      before it, so that two readers who agree on the last agree on all.
contract ReceiptAnchor is AccessManaged {
    /// @notice What the receipts are about.
    enum Kind {
        Carbon,
        Energy,
        Ledger
    }

    /// @notice One anchored root.
    /// @param root The Merkle root.
    /// @param count How many receipts it covers.
    /// @param anchoredAt When, Unix seconds.
    /// @param chain Hash of this and all anchors of its kind before.
    struct Anchor {
        bytes32 root;
        bytes32 chain;
        uint64 count;
        uint40 anchoredAt;
    }

    mapping(Kind kind => Anchor[]) private _anchors;

    /// @notice A root was anchored as number `epoch` of its kind, from 0.
    event Anchored(
        Kind indexed kind,
        uint256 indexed epoch,
        bytes32 indexed root,
        uint256 count,
        bytes32 chain
    );

    /// @notice A root and its count are never zero.
    error ReceiptAnchor_Empty(bytes32 root, uint256 count);
    /// @notice There is no such epoch of this kind.
    error ReceiptAnchor_UnknownEpoch(Kind kind, uint256 epoch, uint256 count);
    /// @notice The next epoch is another: somebody anchored meanwhile, or this one was anchored already.
    error ReceiptAnchor_WrongEpoch(uint256 got, uint256 wanted);

    /// @param authority The AccessManager that says who may anchor.
    constructor(address authority) AccessManaged(authority) {}

    /// @notice Anchors the root of the receipts of an epoch.
    /// @param kind What they are about.
    /// @param epoch Must be the next of its kind, so that a repeated transaction anchors nothing twice.
    /// @param root The Merkle root.
    /// @param count How many receipts it covers.
    /// @custom:role anchorer
    function anchor(Kind kind, uint256 epoch, bytes32 root, uint64 count) external restricted {
        if (root == 0 || count == 0) revert ReceiptAnchor_Empty(root, count);
        Anchor[] storage anchors = _anchors[kind];
        if (epoch != anchors.length) revert ReceiptAnchor_WrongEpoch(epoch, anchors.length);
        bytes32 before = epoch == 0 ? bytes32(0) : anchors[epoch - 1].chain;
        bytes32 chain = keccak256(abi.encode(before, kind, epoch, root, count));
        anchors.push(Anchor(root, chain, count, uint40(block.timestamp)));
        emit Anchored(kind, epoch, root, count, chain);
    }

    /// @notice Whether a receipt's leaf lies under the root of its epoch.
    /// @param leaf keccak256(keccak256(abi.encode(the receipt))).
    /// @return isAnchored Whether the proof leads from the leaf to the root.
    function verify(
        Kind kind,
        uint256 epoch,
        bytes32 leaf,
        bytes32[] calldata proof
    ) external view returns (bool isAnchored) {
        return MerkleProof.verifyCalldata(proof, anchorOf(kind, epoch).root, leaf);
    }

    /// @notice How many roots of a kind are anchored.
    /// @return count The next epoch's number.
    function epochCount(Kind kind) external view returns (uint256 count) {
        return _anchors[kind].length;
    }

    /// @notice The root of an epoch and what came with it.
    /// @return anchored The record.
    function anchorOf(Kind kind, uint256 epoch) public view returns (Anchor memory anchored) {
        uint256 count = _anchors[kind].length;
        if (epoch >= count) revert ReceiptAnchor_UnknownEpoch(kind, epoch, count);
        return _anchors[kind][epoch];
    }
}
