// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title ERC-3009 token's domain
/// @notice The parts of a token's EIP-712 domain, as tokens with ERC-3009 (USDC among them) publish them.
interface IERC3009Domain {
    /// @notice Name of the token and of its EIP-712 domain.
    function name() external view returns (string memory);

    /// @notice Version of the EIP-712 domain.
    function version() external view returns (string memory);

    // solhint-disable-next-line func-name-mixedcase
    /// @notice Hash of the EIP-712 domain.
    function DOMAIN_SEPARATOR() external view returns (bytes32);
}
