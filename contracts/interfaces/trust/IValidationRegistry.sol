// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Validation registry
/// @notice Agents ask validators to check their work, and the answers stand here, 0 to 100.
/// @dev Source: ERC-8004 (2025), validation registry. Added: a validator may be an `IVerifier`; then a proof that it
///      accepts is the answer, whoever brings it.
///
///      The standard names a request by a hash of its content, which anybody can copy out of the public pool and
///      register first for an agent of its own. So a request may have the name `requestHashOf`, which is bound to its
///      agent, validator, content, registry and chain. It begins with 0x80048004, and no other request may have a name
///      that begins so: nobody can take it first. Any other name is first come, first served, as in the standard's
///      reference. No name changes hands, so what was answered stays. A bound name commits to the content by its URI,
///      which should name the content by hash itself (`ipfs:`, `data:`).
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
    /// @notice The name begins as bound ones do and is another request's; this one's bound name is `own`.
    error ValidationRegistry_ForeignName(bytes32 requestHash, bytes32 own);
    /// @notice The caller neither owns the agent nor is approved for it.
    error ValidationRegistry_NotAuthorized(address caller, uint256 agentId);
    /// @notice There is no such request.
    error ValidationRegistry_UnknownRequest(bytes32 requestHash);
    /// @notice Only the validator answers.
    error ValidationRegistry_NotValidator(address caller, address validator);
    /// @notice A response is at most 100.
    error ValidationRegistry_ResponseTooHigh(uint256 got, uint256 limit);
    /// @notice A proof's public inputs begin with the request's hash, its agent, keccak256 of the tag, and a nonce.
    error ValidationRegistry_ProofUnbound(bytes32 requestHash);
    /// @notice The nonce was used: a proof answers once.
    error ValidationRegistry_NonceUsed(address verifier, bytes32 nonce);
    /// @notice The verifier does not accept the proof.
    error ValidationRegistry_ProofInvalid(address verifier);

    /// @notice Asks a validator. For the agent's owner and who is approved for it.
    /// @param requestURI What is to be checked.
    /// @param requestHash The request's name: `requestHashOf`, which nobody can take first, or keccak-256 of the
    ///        content.
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

    /// @notice Answers with 100 by a proof that the validator, an `IVerifier`, accepts. Anyone may bring it, once. An
    ///         answer with another tag stays what `getValidationStatus` says; the summary of each tag counts its own.
    /// @param publicInputs As `IVerifier` has them.
    /// @param tag Names the policy that the proof is about.
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

    /// @notice The same of the agent's requests from place `from` on, which is 0 at first, at most `limit` of them.
    /// @return count Answers counted.
    /// @return sum Of their responses.
    /// @return total How many requests there are.
    function getSummaryPage(
        uint256 agentId,
        address[] calldata validatorAddresses,
        string calldata tag,
        uint256 from,
        uint256 limit
    ) external view returns (uint64 count, uint256 sum, uint256 total);

    /// @notice The name of a request that nobody else can take.
    function requestHashOf(
        address validatorAddress,
        uint256 agentId,
        string calldata requestURI
    ) external view returns (bytes32 requestHash);

    /// @notice The requests about an agent, which its owner and who is approved for it make.
    function getAgentValidations(uint256 agentId) external view returns (bytes32[] memory requestHashes);

    /// @notice The agent's requests from place `from` on, which is 0 at first, at most `limit` of them.
    /// @return requestHashes Those of this page.
    /// @return total How many there are.
    function getAgentValidationsPage(
        uint256 agentId,
        uint256 from,
        uint256 limit
    ) external view returns (bytes32[] memory requestHashes, uint256 total);

    /// @notice The requests to a validator. Anybody with an agent can make this longer, and each costs its reader 2,200
    ///         gas: who must not run out of it reads `getValidatorRequestsPage`.
    function getValidatorRequests(
        address validatorAddress
    ) external view returns (bytes32[] memory requestHashes);

    /// @notice The validator's requests from place `from` on, which is 0 at first, at most `limit` of them.
    /// @return requestHashes Those of this page.
    /// @return total How many there are.
    function getValidatorRequestsPage(
        address validatorAddress,
        uint256 from,
        uint256 limit
    ) external view returns (bytes32[] memory requestHashes, uint256 total);
}
