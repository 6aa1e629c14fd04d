// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title AgentToken
/// @notice What AVT has beside the standards that it implements: ERC-20, EIP-2612, ERC-3009, ERC-5805 and ERC-6372.
interface IAgentToken {
    /// @notice Makes new AVT, as far as the cap allows (ERC20ExceededSafeSupply beyond it).
    /// @param to Who receives it.
    /// @param amount Base units.
    /// @custom:role minter
    function mint(address to, uint256 amount) external;

    /// @notice Destroys AVT of the caller, and of nobody else.
    /// @param amount Base units.
    function burn(uint256 amount) external;

    /// @notice The most AVT that can ever exist, base units; fits 96 bits, which Staking relies on.
    // solhint-disable-next-line func-name-mixedcase
    function CAP() external view returns (uint256 amount);
}
