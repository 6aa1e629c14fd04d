// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAgents} from "./IAgents.sol";

/// @title Identity registry
/// @notice Each agent is an ERC-721 token with a registration file, metadata and a wallet that it has proved.
/// @dev Source: ERC-8004 (2025), identity registry. Immutable; agent ids start at 1, so that 0 means none. Added: what
///      wallets an agent has left is remembered, see `hasProven`.
interface IIdentityRegistry is IAgents {
    /// @notice One entry of an agent's on-chain metadata.
    struct MetadataEntry {
        string metadataKey;
        bytes metadataValue;
    }

    /// @notice An agent was registered.
    event Registered(uint256 indexed agentId, string agentURI, address indexed owner);
    /// @notice An agent's registration file moved.
    event URIUpdated(uint256 indexed agentId, string newURI, address indexed updatedBy);
    /// @notice An agent's metadata changed.
    event MetadataSet(
        uint256 indexed agentId,
        string indexed indexedMetadataKey,
        string metadataKey,
        bytes metadataValue
    );

    /// @notice The key `agentWallet` is set by `setAgentWallet` only.
    error IdentityRegistry_ReservedKey();
    /// @notice The caller neither owns the agent nor is approved for it.
    error IdentityRegistry_NotAuthorized(address caller, uint256 agentId);
    /// @notice A wallet is an address.
    error IdentityRegistry_ZeroWallet();
    /// @notice The proof has expired, or reaches too far ahead.
    error IdentityRegistry_BadDeadline(uint256 deadline, uint256 time, uint256 latest);
    /// @notice The proof is not signed by the wallet.
    error IdentityRegistry_BadSignature(address wallet);

    /// @notice Registers an agent without a file or metadata.
    /// @return agentId Its number; the caller owns it, and its wallet is the caller.
    function register() external returns (uint256 agentId);

    /// @notice Registers an agent with its registration file.
    /// @return agentId Its number; the caller owns it, and its wallet is the caller.
    function register(string calldata agentURI) external returns (uint256 agentId);

    /// @notice Registers an agent with its registration file and metadata.
    /// @return agentId Its number; the caller owns it, and its wallet is the caller.
    function register(
        string calldata agentURI,
        MetadataEntry[] calldata metadata
    ) external returns (uint256 agentId);

    /// @notice Moves an agent's registration file.
    function setAgentURI(uint256 agentId, string calldata newURI) external;

    /// @notice Sets one entry of an agent's metadata.
    function setMetadata(uint256 agentId, string calldata metadataKey, bytes calldata metadataValue) external;

    /// @notice Gives the agent a wallet that proves that it wants to be, by a signature of EIP-712
    ///         `AgentWalletSet(uint256 agentId,address newWallet,address owner,uint256 deadline)` by its key (which
    ///         counts also if the account has code: EIP-7702) or by ERC-1271. The deadline is at most five minutes
    ///         ahead.
    function setAgentWallet(
        uint256 agentId,
        address newWallet,
        uint256 deadline,
        bytes calldata signature
    ) external;

    /// @notice Takes the agent's wallet away; `hasProven` remembers it.
    function unsetAgentWallet(uint256 agentId) external;

    /// @notice One entry of an agent's metadata; empty when it is not set.
    function getMetadata(
        uint256 agentId,
        string calldata metadataKey
    ) external view returns (bytes memory metadataValue);
}
