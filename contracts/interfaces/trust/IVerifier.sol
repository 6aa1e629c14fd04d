// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Verifier
/// @notice Checks a proof that answers a request to the validation registry which names it.
/// @dev The public inputs begin with the four that the registry checks: the request's hash, the agent's id, the policy
///      (keccak256 of the answer's tag) and a nonce, which the registry takes once for each agent and policy. A
///      verifier accepts a proof only if whoever made it meant all of them, and this chain, this verifier and the
///      calling registry. It must have a secret of somebody whom it has registered to tell that from: what anybody
///      can make proves nothing.
interface IVerifier {
    /// @notice Whether `proof` holds for the public inputs, asked by the caller.
    function verify(
        bytes calldata proof,
        bytes32[] calldata publicInputs
    ) external view returns (bool isValid);
}
