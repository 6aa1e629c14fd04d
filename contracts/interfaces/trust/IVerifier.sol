// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Verifier
/// @notice Checks a proof without learning what it proves from.
interface IVerifier {
    /// @notice Whether `proof` holds for the public inputs, of which the first binds it to what it is used for.
    function verify(
        bytes calldata proof,
        bytes32[] calldata publicInputs
    ) external view returns (bool isValid);
}
