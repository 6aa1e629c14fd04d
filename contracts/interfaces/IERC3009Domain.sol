// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title ERC-3009 token's domain
/// @notice The parts of a token's EIP-712 domain, as tokens with ERC-3009 (USDC among them) publish them.
interface IERC3009Domain {
    function name() external view returns (string memory);

    function version() external view returns (string memory);

    // solhint-disable-next-line func-name-mixedcase
    function DOMAIN_SEPARATOR() external view returns (bytes32);
}
