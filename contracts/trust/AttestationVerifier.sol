// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IAttestationVerifier} from "../interfaces/trust/IAttestationVerifier.sol";
import {IVerifier} from "../interfaces/trust/IVerifier.sol";
import {Signatures} from "../libraries/Signatures.sol";

/// @notice See `IAttestationVerifier`.
contract AttestationVerifier is IAttestationVerifier, AccessManaged, EIP712 {
    bytes32 private constant ATTESTATION_TYPEHASH = keccak256(
        "Attestation(address registry,bytes32 requestHash,uint256 agentId,bytes32 policy,bytes32 nonce,address issuer,uint256 validUntil)" // solhint-disable-line max-line-length
    );
    uint256 private constant INPUTS = 6;
    uint256 private constant POLICY = 2;
    uint256 private constant ISSUER = 4;
    uint256 private constant VALID_UNTIL = 5;

    /// @inheritdoc IAttestationVerifier
    mapping(bytes32 policy => mapping(address issuer => bool)) public isIssuer;

    /// @param authority The AccessManager whose admin registers issuers.
    constructor(address authority) AccessManaged(authority) EIP712("AttestationVerifier", "1") {}

    /// @inheritdoc IAttestationVerifier
    function setIssuer(bytes32 policy, address issuer, bool isIssuer_) external restricted {
        if (issuer == address(0)) revert AttestationVerifier_ZeroIssuer();
        isIssuer[policy][issuer] = isIssuer_;
        emit IssuerSet(policy, issuer, isIssuer_);
    }

    /// @inheritdoc IVerifier
    function verify(bytes calldata proof, bytes32[] calldata publicInputs) external view returns (bool) {
        if (publicInputs.length != INPUTS) return false;
        address issuer = address(uint160(uint256(publicInputs[ISSUER])));
        return
            isIssuer[publicInputs[POLICY]][issuer] &&
            block.timestamp <= uint256(publicInputs[VALID_UNTIL]) &&
            Signatures.isSigned(issuer, attestationDigest(msg.sender, publicInputs), proof);
    }

    /// @inheritdoc IAttestationVerifier
    function attestationDigest(
        address registry,
        bytes32[] calldata publicInputs
    ) public view returns (bytes32) {
        return
            _hashTypedDataV4(
                keccak256(
                    bytes.concat(abi.encode(ATTESTATION_TYPEHASH, registry), abi.encodePacked(publicInputs))
                )
            );
    }
}
