// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

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

    IAgents private immutable _agents;
    mapping(bytes32 requestHash => Status) private _statuses;
    mapping(uint256 agentId => bytes32[]) private _byAgent;
    mapping(address validator => bytes32[]) private _byValidator;

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
        if (_statuses[requestHash].validator != address(0)) revert ValidationRegistry_Requested(requestHash);
        if (!_agents.isAuthorizedOrOwner(msg.sender, agentId))
            revert ValidationRegistry_NotAuthorized(msg.sender, agentId);
        Status storage status = _statuses[requestHash];
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
        if (publicInputs.length == 0 || publicInputs[0] != requestHash)
            revert ValidationRegistry_ProofUnbound(requestHash);
        address verifier = status.validator;
        if (!IVerifier(verifier).verify(proof, publicInputs))
            revert ValidationRegistry_ProofInvalid(verifier);
        bytes32 responseHash = keccak256(proof);
        _respond(status, MAX_RESPONSE, responseHash, tag);
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
    ) external view returns (uint64 count, uint8 averageResponse) {
        bytes32[] storage hashes = _byAgent[agentId];
        uint256 sum;
        for (uint256 i = 0; i < hashes.length; ++i) {
            Status storage status = _statuses[hashes[i]];
            if (status.lastUpdate == 0 || !_isNamed(status.validator, validatorAddresses)) continue;
            if (bytes(tag).length != 0 && keccak256(bytes(tag)) != keccak256(bytes(status.tag))) continue;
            ++count;
            sum += status.response;
        }
        if (count != 0) averageResponse = uint8(sum / count);
    }

    /// @inheritdoc IValidationRegistry
    function getAgentValidations(uint256 agentId) external view returns (bytes32[] memory) {
        return _byAgent[agentId];
    }

    /// @inheritdoc IValidationRegistry
    function getValidatorRequests(address validatorAddress) external view returns (bytes32[] memory) {
        return _byValidator[validatorAddress];
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

    function _known(bytes32 requestHash) private view returns (Status storage status) {
        status = _statuses[requestHash];
        if (status.validator == address(0)) revert ValidationRegistry_UnknownRequest(requestHash);
    }

    function _isNamed(address validator, address[] calldata validators) private pure returns (bool) {
        for (uint256 i = 0; i < validators.length; ++i) if (validators[i] == validator) return true;
        return validators.length == 0;
    }
}
