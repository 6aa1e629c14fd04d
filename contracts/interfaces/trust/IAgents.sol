// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Agents
/// @notice What other contracts ask of the ERC-8004 identity registry: who an agent is.
/// @dev IdentityRegistry implements it; Marketplace, VickreyAuction and the other registries call it.
interface IAgents {
    /// @notice Whether `who` owns the agent's token or is approved for it, as ERC-721 has it; false if it is unknown.
    function isAuthorizedOrOwner(address who, uint256 agentId) external view returns (bool authorized);

    /// @notice The wallet that the agent proved (EIP-712 or ERC-1271); address(0) while it has none.
    function getAgentWallet(uint256 agentId) external view returns (address wallet);

    /// @notice Whether the wallet is the agent's, or was and has been left: what an agent was paid at stays its own,
    ///         whoever owns it since.
    function hasProven(uint256 agentId, address wallet) external view returns (bool proven);

    /// @notice The agent's owner (ERC-721).
    function ownerOf(uint256 agentId) external view returns (address owner);

    /// @notice How many agents are registered.
    function agentCount() external view returns (uint256 count);
}
