// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice ERC-3009 with the signature as bytes, so that a contract may be the payer (ERC-1271); as in Circle's USDC
///         since version 2.2.
interface IERC3009Bytes {
    /// @notice Moves tokens as their owner signed it; anyone may bring it.
    function transferWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external;

    /// @notice Moves tokens to the caller as their owner signed it.
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external;

    /// @notice Makes an authorisation that was not used void.
    function cancelAuthorization(address authorizer, bytes32 nonce, bytes calldata signature) external;
}
