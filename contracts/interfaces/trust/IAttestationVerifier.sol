// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVerifier} from "./IVerifier.sol";

/// @title Attestation verifier
/// @notice Proofs are attestations that an issuer has signed, whom governance has registered for the policy.
/// @dev Public inputs: the registry's four (see `IVerifier`), then the issuer's address and the time, in Unix seconds,
///      until which the attestation may be brought. The proof is the issuer's EIP-712 signature of an `Attestation` of
///      (address registry, bytes32 requestHash, uint256 agentId, bytes32 policy, bytes32 nonce, address issuer,
///      uint256 validUntil): 65 bytes or 64 (ERC-2098) by its key, or what its code accepts (ERC-1271). The domain
///      names the chain and the verifier. An answer that was given stays when its issuer is no longer registered.
interface IAttestationVerifier is IVerifier {
    /// @notice An issuer may attest a policy from now on, or may no longer.
    event IssuerSet(bytes32 indexed policy, address indexed issuer, bool isIssuer);

    /// @notice An issuer is an address.
    error AttestationVerifier_ZeroIssuer();

    /// @notice Registers an issuer for a policy, or takes it off.
    /// @param policy keccak256 of the tag that its answers have.
    /// @custom:role admin
    function setIssuer(bytes32 policy, address issuer, bool isIssuer_) external;

    /// @notice Whether an issuer may attest a policy.
    function isIssuer(bytes32 policy, address issuer) external view returns (bool isRegistered);

    /// @notice What an issuer signs.
    /// @param registry The validation registry that it answers to.
    /// @param publicInputs As `verify` takes them.
    function attestationDigest(
        address registry,
        bytes32[] calldata publicInputs
    ) external view returns (bytes32 digest);
}
