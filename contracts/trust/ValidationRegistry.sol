// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IAgents} from "../interfaces/trust/IAgents.sol";
import {IValidationRegistry} from "../interfaces/trust/IValidationRegistry.sol";
import {IVerifier} from "../interfaces/trust/IVerifier.sol";

/// @notice See `IValidationRegistry`.
contract ValidationRegistry is IValidationRegistry {
    struct Status {
        address validator;
        uint8 response;
        uint40 lastUpdate;
        uint256 agentId;
        bytes32 responseHash;
        string tag;
    }

    uint8 private constant MAX_RESPONSE = 100;
    /// @dev The public inputs that the registry checks, see `IVerifier`.
    uint256 private constant CHECKED_INPUTS = 4;
    /// @dev How a bound name begins: ERC-8004 twice, so that counters and text do not.
    bytes4 private constant BOUND = 0x80048004;

    IAgents private immutable _agents;
    mapping(bytes32 requestHash => Status) private _statuses;
    /// @dev The policies that were proven for a request beside the one that its status names.
    mapping(bytes32 requestHash => mapping(bytes32 policy => bool)) private _isProven;
    mapping(uint256 agentId => bytes32[]) private _byAgent;
    mapping(address validator => bytes32[]) private _byValidator;
    mapping(address verifier => mapping(bytes32 nonce => bool)) private _used;

    /// @param agents The identity registry.
    constructor(IAgents agents) {
        _agents = agents;
    }

    /// @inheritdoc IValidationRegistry
    function validationRequest(
        address validatorAddress,
        uint256 agentId,
        string calldata requestURI,
        bytes32 requestHash
    ) external {
        if (validatorAddress == address(0)) revert ValidationRegistry_NoValidator();
        if (!_agents.isAuthorizedOrOwner(msg.sender, agentId))
            revert ValidationRegistry_NotAuthorized(msg.sender, agentId);
        if (bytes4(requestHash) == BOUND) {
            bytes32 own = requestHashOf(validatorAddress, agentId, requestURI);
            if (requestHash != own) revert ValidationRegistry_ForeignName(requestHash, own);
        }
        Status storage status = _statuses[requestHash];
        if (status.validator != address(0)) revert ValidationRegistry_Requested(requestHash);
        (status.validator, status.agentId) = (validatorAddress, agentId);
        _byAgent[agentId].push(requestHash);
        _byValidator[validatorAddress].push(requestHash);
        emit ValidationRequest(validatorAddress, agentId, requestURI, requestHash);
    }

    /// @inheritdoc IValidationRegistry
    function validationResponse(
        bytes32 requestHash,
        uint8 response,
        string calldata responseURI,
        bytes32 responseHash,
        string calldata tag
    ) external {
        Status storage status = _known(requestHash);
        if (msg.sender != status.validator)
            revert ValidationRegistry_NotValidator(msg.sender, status.validator);
        if (response > MAX_RESPONSE) revert ValidationRegistry_ResponseTooHigh(response, MAX_RESPONSE);
        _respond(status, response, responseHash, tag);
        emit ValidationResponse(
            msg.sender,
            status.agentId,
            requestHash,
            response,
            responseURI,
            responseHash,
            tag
        );
    }

    /// @inheritdoc IValidationRegistry
    function attest(
        bytes32 requestHash,
        bytes calldata proof,
        bytes32[] calldata publicInputs,
        string calldata tag
    ) external {
        Status storage status = _known(requestHash);
        bytes32 policy = keccak256(bytes(tag));
        if (
            publicInputs.length < CHECKED_INPUTS ||
            publicInputs[0] != requestHash ||
            publicInputs[1] != bytes32(status.agentId) ||
            publicInputs[2] != policy
        ) revert ValidationRegistry_ProofUnbound(requestHash);
        address verifier = status.validator;
        bytes32 nonce = keccak256(abi.encode(status.agentId, policy, publicInputs[3]));
        if (_used[verifier][nonce]) revert ValidationRegistry_NonceUsed(verifier, publicInputs[3]);
        if (verifier.code.length == 0 || !IVerifier(verifier).verify(proof, publicInputs))
            revert ValidationRegistry_ProofInvalid(verifier);
        _used[verifier][nonce] = true;
        bytes32 responseHash = keccak256(proof);
        // A verifier has issuers of many policies: the answer by one is not another's to replace.
        if (status.lastUpdate == 0 || keccak256(bytes(status.tag)) == policy)
            _respond(status, MAX_RESPONSE, responseHash, tag);
        else _isProven[requestHash][policy] = true;
        emit ValidationResponse(verifier, status.agentId, requestHash, MAX_RESPONSE, "", responseHash, tag);
    }

    /// @inheritdoc IValidationRegistry
    function getIdentityRegistry() external view returns (address) {
        return address(_agents);
    }

    /// @inheritdoc IValidationRegistry
    function getValidationStatus(
        bytes32 requestHash
    ) external view returns (address, uint256, uint8, bytes32, string memory, uint256) {
        Status storage status = _known(requestHash);
        return (
            status.validator,
            status.agentId,
            status.response,
            status.responseHash,
            status.tag,
            status.lastUpdate
        );
    }

    /// @inheritdoc IValidationRegistry
    function getSummary(
        uint256 agentId,
        address[] calldata validatorAddresses,
        string calldata tag
    ) external view returns (uint64, uint8) {
        (uint64 count, uint256 sum) = _sum(agentId, validatorAddresses, _kind(tag), 0, type(uint256).max);
        return (count, count == 0 ? 0 : uint8(sum / count));
    }

    /// @inheritdoc IValidationRegistry
    function getSummaryPage(
        uint256 agentId,
        address[] calldata validatorAddresses,
        string calldata tag,
        uint256 from,
        uint256 limit
    ) external view returns (uint64 count, uint256 sum, uint256 total) {
        (count, sum) = _sum(agentId, validatorAddresses, _kind(tag), from, limit);
        total = _byAgent[agentId].length;
    }

    /// @inheritdoc IValidationRegistry
    function getAgentValidations(uint256 agentId) external view returns (bytes32[] memory) {
        return _byAgent[agentId];
    }

    /// @inheritdoc IValidationRegistry
    function getAgentValidationsPage(
        uint256 agentId,
        uint256 from,
        uint256 limit
    ) external view returns (bytes32[] memory, uint256) {
        return _page(_byAgent[agentId], from, limit);
    }

    /// @inheritdoc IValidationRegistry
    function getValidatorRequests(address validatorAddress) external view returns (bytes32[] memory) {
        return _byValidator[validatorAddress];
    }

    /// @inheritdoc IValidationRegistry
    function getValidatorRequestsPage(
        address validatorAddress,
        uint256 from,
        uint256 limit
    ) external view returns (bytes32[] memory, uint256) {
        return _page(_byValidator[validatorAddress], from, limit);
    }

    /// @inheritdoc IValidationRegistry
    function requestHashOf(
        address validatorAddress,
        uint256 agentId,
        string calldata requestURI
    ) public view returns (bytes32) {
        bytes32 hash = keccak256(
            abi.encode(block.chainid, address(this), validatorAddress, agentId, keccak256(bytes(requestURI)))
        );
        return bytes32(BOUND) | (hash >> 32);
    }

    function _respond(
        Status storage status,
        uint8 response,
        bytes32 responseHash,
        string calldata tag
    ) private {
        status.response = response;
        status.lastUpdate = uint40(block.timestamp);
        status.responseHash = responseHash;
        status.tag = tag;
    }

    function _page(
        bytes32[] storage all,
        uint256 from,
        uint256 limit
    ) private view returns (bytes32[] memory hashes, uint256 total) {
        total = all.length;
        hashes = new bytes32[](from < total ? Math.min(limit, total - from) : 0);
        for (uint256 i = 0; i < hashes.length; ++i) hashes[i] = all[from + i];
    }

    /// @dev Of the answers about an agent's requests from place `from` on.
    function _sum(
        uint256 agentId,
        address[] calldata validators,
        bytes32 kind,
        uint256 from,
        uint256 limit
    ) private view returns (uint64 count, uint256 sum) {
        bytes32[] storage hashes = _byAgent[agentId];
        for (uint256 i = from; i < hashes.length && i - from < limit; ++i) {
            Status storage status = _statuses[hashes[i]];
            if (status.lastUpdate == 0 || !_isNamed(status.validator, validators)) continue;
            bool isOther = kind != 0 && kind != keccak256(bytes(status.tag));
            if (isOther && !_isProven[hashes[i]][kind]) continue;
            ++count;
            sum += isOther ? MAX_RESPONSE : status.response;
        }
    }

    function _known(bytes32 requestHash) private view returns (Status storage status) {
        status = _statuses[requestHash];
        if (status.validator == address(0)) revert ValidationRegistry_UnknownRequest(requestHash);
    }

    /// @dev A tag's hash; zero for the empty tag, which stands for any.
    function _kind(string calldata tag) private pure returns (bytes32) {
        return bytes(tag).length == 0 ? bytes32(0) : keccak256(bytes(tag));
    }

    function _isNamed(address validator, address[] calldata validators) private pure returns (bool) {
        for (uint256 i = 0; i < validators.length; ++i) if (validators[i] == validator) return true;
        return validators.length == 0;
    }
}
