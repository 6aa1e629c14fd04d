// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Validation registry
/// @notice Agents ask validators to check their work, and the answers stand here, 0 to 100.
/// @dev Source: ERC-8004 (2025), validation registry. Added: a validator may be an `IVerifier`; then a proof
///         that it accepts
///      is the answer, whoever brings it.
interface IValidationRegistry {
    /// @notice An agent asks a validator.
    event ValidationRequest(
        address indexed validatorAddress,
        uint256 indexed agentId,
        string requestURI,
        bytes32 indexed requestHash
    );
    /// @notice A validator answered.
    event ValidationResponse(
        address indexed validatorAddress,
        uint256 indexed agentId,
        bytes32 indexed requestHash,
        uint8 response,
        string responseURI,
        bytes32 responseHash,
        string tag
    );

    /// @notice A request names a validator.
    error ValidationRegistry_NoValidator();
    /// @notice The request was made already.
    error ValidationRegistry_Requested(bytes32 requestHash);
    /// @notice The caller neither owns the agent nor is approved for it.
    error ValidationRegistry_NotAuthorized(address caller, uint256 agentId);
    /// @notice There is no such request.
    error ValidationRegistry_UnknownRequest(bytes32 requestHash);
    /// @notice Only the validator answers.
    error ValidationRegistry_NotValidator(address caller, address validator);
    /// @notice A response is at most 100.
    error ValidationRegistry_ResponseTooHigh(uint256 got, uint256 limit);
    /// @notice A proof is bound to its request by its first public input.
    error ValidationRegistry_ProofUnbound(bytes32 requestHash);
    /// @notice The verifier does not accept the proof.
    error ValidationRegistry_ProofInvalid(address verifier);

    /// @notice Asks a validator. For the agent's owner and who is approved for it.
    /// @param requestURI What is to be checked.
    /// @param requestHash Keccak-256 of that; the request's name.
    function validationRequest(
        address validatorAddress,
        uint256 agentId,
        string calldata requestURI,
        bytes32 requestHash
    ) external;

    /// @notice Answers, or answers again. For the validator.
    /// @param response 0 to 100.
    /// @param responseURI Evidence.
    /// @param responseHash Keccak-256 of that.
    /// @param tag A class.
    function validationResponse(
        bytes32 requestHash,
        uint8 response,
        string calldata responseURI,
        bytes32 responseHash,
        string calldata tag
    ) external;

    /// @notice Answers with 100 by a proof that the validator, an `IVerifier`, accepts. Anyone may bring it.
    /// @param publicInputs The first is the request's hash.
    function attest(
        bytes32 requestHash,
        bytes calldata proof,
        bytes32[] calldata publicInputs,
        string calldata tag
    ) external;

    /// @notice The registry whose agents these are.
    function getIdentityRegistry() external view returns (address identityRegistry);

    /// @notice Where a request stands; `lastUpdate` 0 before an answer.
    function getValidationStatus(
        bytes32 requestHash
    )
        external
        view
        returns (
            address validatorAddress,
            uint256 agentId,
            uint8 response,
            bytes32 responseHash,
            string memory tag,
            uint256 lastUpdate
        );

    /// @notice Count and average of the answers about an agent, by these validators (none: any) with this tag
    ///         ("": any).
    function getSummary(
        uint256 agentId,
        address[] calldata validatorAddresses,
        string calldata tag
    ) external view returns (uint64 count, uint8 averageResponse);

    /// @notice The requests about an agent.
    function getAgentValidations(uint256 agentId) external view returns (bytes32[] memory requestHashes);

    /// @notice The requests to a validator.
    function getValidatorRequests(
        address validatorAddress
    ) external view returns (bytes32[] memory requestHashes);
}
