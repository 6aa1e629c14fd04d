// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ITreasury} from "../interfaces/treasury/ITreasury.sol";
import {Bitmap} from "./Bitmap.sol";
import {Domain} from "./Domain.sol";
import {Owners} from "./Owners.sol";
import {Signatures} from "../libraries/Signatures.sol";

/// @title Proposals
/// @dev What the owners do together: batches of calls under unordered nonces. See {ITreasury}.
abstract contract Proposals is Owners, Domain, ReentrancyGuardTransient {
    using Bitmap for mapping(uint256 word => uint256);

    bytes32 private constant CALL_TYPEHASH = keccak256("Call(address to,uint256 value,bytes data)");
    bytes32 private constant PROPOSAL_TYPEHASH = keccak256(
        "Proposal(Call[] calls,uint256 nonce,uint256 deadline,uint256 threshold)"
        "Call(address to,uint256 value,bytes data)"
    );
    /// @dev The last 2^64 nonces are for changes of owners, which no single owner can hold up.
    uint256 private constant OWNERS_NONCES = type(uint256).max - type(uint64).max;
    uint256 private constant MAX_REASON_BYTES = 256;

    mapping(uint256 word => uint256) private _nonces;
    mapping(bytes32 id => mapping(address owner => bool)) private _approvals;

    /// @inheritdoc ITreasury
    function propose(
        Call[] calldata calls,
        uint256 nonce,
        uint256 deadline
    ) external onlyOwner returns (bytes32 id) {
        if (calls.length == 0) revert Treasury_NoCalls();
        _requireInTime(deadline);
        if (isNonceUsed(nonce)) revert Treasury_NonceUsed(nonce);
        _requireMatchingNonce(calls, nonce);
        id = hashProposal(calls, nonce, deadline);
        emit ProposalOpened(id, msg.sender, nonce, calls, deadline, threshold(), 0);
        _approve(id);
    }

    /// @inheritdoc ITreasury
    function approve(bytes32 id) external onlyOwner {
        _approve(id);
    }

    /// @inheritdoc ITreasury
    function cancelProposal(uint256 nonce) external onlyOwnerOrSelf {
        if (nonce >= OWNERS_NONCES) _requireSelf();
        _useNonce(nonce);
        emit ProposalCancelled(nonce, msg.sender);
    }

    /// @inheritdoc ITreasury
    function execute(
        Call[] calldata calls,
        uint256 nonce,
        uint256 deadline,
        bytes[] calldata signatures
    ) external nonReentrant returns (bytes32 id) {
        if (calls.length == 0) revert Treasury_NoCalls();
        _requireInTime(deadline);
        _useNonce(nonce);
        _requireMatchingNonce(calls, nonce);
        id = hashProposal(calls, nonce, deadline);
        _requireQuorum(id, signatures);
        emit ProposalExecuted(id, nonce);
        for (uint256 i; i < calls.length; ++i) {
            _call(i, calls[i]);
        }
    }

    /// @inheritdoc ITreasury
    function isNonceUsed(uint256 nonce) public view returns (bool) {
        return _nonces.isUsed(nonce);
    }

    /// @inheritdoc ITreasury
    function hasApproved(bytes32 id, address owner) external view returns (bool) {
        return _approvals[id][owner];
    }

    /// @inheritdoc ITreasury
    function hashProposal(
        Call[] calldata calls,
        uint256 nonce,
        uint256 deadline
    ) public view returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](calls.length);
        for (uint256 i; i < calls.length; ++i) {
            Call calldata call = calls[i];
            hashes[i] = _hashCall(call.to, call.value, keccak256(call.data));
        }
        bytes32 callsHash;
        // keccak256(abi.encodePacked(hashes)) without the copy.
        assembly ("memory-safe") {
            callsHash := keccak256(add(hashes, 0x20), shl(5, mload(hashes)))
        }
        return _hashProposal(callsHash, nonce, deadline);
    }

    function _hashCall(address to, uint256 value, bytes32 dataHash) internal pure returns (bytes32) {
        return keccak256(abi.encode(CALL_TYPEHASH, to, value, dataHash));
    }

    /// @param callsHash of the hashes of the calls, one after the other
    function _hashProposal(
        bytes32 callsHash,
        uint256 nonce,
        uint256 deadline
    ) internal view returns (bytes32) {
        return
            _hashTypedData(keccak256(abi.encode(PROPOSAL_TYPEHASH, callsHash, nonce, deadline, threshold())));
    }

    function _useNonce(uint256 nonce) internal {
        if (!_nonces.use(nonce)) revert Treasury_NonceUsed(nonce);
    }

    function _requireInTime(uint256 deadline) internal view {
        if (block.timestamp > deadline) revert Treasury_Expired(block.timestamp, deadline);
    }

    /// @dev Under a nonce that no single owner can cancel, owners change and nothing else happens.
    function _requireMatchingNonce(Call[] calldata calls, uint256 nonce) private view {
        if (nonce < OWNERS_NONCES) return;
        for (uint256 i; i < calls.length; ++i) {
            Call calldata call = calls[i];
            if (call.to != address(this) || !_changesOwners(bytes4(call.data))) {
                revert Treasury_NonceReserved(nonce);
            }
        }
    }

    function _approve(bytes32 id) private {
        _approvals[id][msg.sender] = true;
        emit ProposalApproved(id, msg.sender);
    }

    function _requireQuorum(bytes32 id, bytes[] calldata signatures) private view {
        uint256 needed = threshold();
        if (signatures.length < needed) revert Treasury_QuorumNotReached(signatures.length, needed);
        address previous;
        for (uint256 i; i < signatures.length; ++i) {
            address owner = _requireApproval(id, signatures[i]);
            if (owner <= previous) revert Treasury_OwnersNotAscending(owner, previous);
            _requireOwner(owner);
            previous = owner;
        }
    }

    /// @dev Whose approval `signature` is, in the forms that {execute} documents.
    function _requireApproval(bytes32 id, bytes calldata signature) private view returns (address owner) {
        uint256 length = signature.length;
        if (length == 65 || length == 64) {
            owner = Signatures.recover(id, signature);
            if (owner == address(0)) revert Treasury_SignatureInvalid(owner, id);
            return owner;
        }
        if (length < 20) revert Treasury_SignatureInvalid(address(0), id);
        owner = address(bytes20(signature));
        if (length == 20) {
            if (owner != msg.sender && !_approvals[id][owner]) revert Treasury_NotApproved(id, owner);
        } else if (!Signatures.isSigned(owner, id, signature[20:])) {
            revert Treasury_SignatureInvalid(owner, id);
        }
    }

    function _call(uint256 index, Call calldata call) internal {
        address to = call.to;
        uint256 value = call.value;
        if (call.data.length != 0 && to.code.length == 0) revert Treasury_NoCode(to);
        if (value != 0) emit NativeSent(to, value);
        if (!LowLevelCall.callNoReturn(to, value, call.data)) {
            revert Treasury_CallFailed(index, to, _revertReason());
        }
    }

    /// @dev At most {MAX_REASON_BYTES} of what the last call returned, so that no callee can make it costly.
    function _revertReason() private pure returns (bytes memory reason) {
        uint256 size = LowLevelCall.returnDataSize();
        if (size > MAX_REASON_BYTES) size = MAX_REASON_BYTES;
        reason = new bytes(size);
        assembly ("memory-safe") {
            returndatacopy(add(reason, 0x20), 0, size)
        }
    }
}
