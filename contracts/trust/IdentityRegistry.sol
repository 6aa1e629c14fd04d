// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {ERC721URIStorage} from "@openzeppelin/contracts/token/ERC721/extensions/ERC721URIStorage.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IAgents} from "../interfaces/trust/IAgents.sol";
import {IIdentityRegistry} from "../interfaces/trust/IIdentityRegistry.sol";
import {Signatures} from "../libraries/Signatures.sol";

/// @notice See `IIdentityRegistry`.
contract IdentityRegistry is IIdentityRegistry, ERC721URIStorage, EIP712 {
    bytes32 private constant WALLET_TYPEHASH = keccak256(
        "AgentWalletSet(uint256 agentId,address newWallet,address owner,uint256 deadline)"
    );
    string private constant WALLET_KEY = "agentWallet";
    uint256 private constant MAX_DEADLINE_DELAY = 5 minutes;

    /// @inheritdoc IAgents
    uint256 public agentCount;
    mapping(uint256 agentId => mapping(string metadataKey => bytes)) private _metadata;
    mapping(uint256 agentId => address) private _wallets;
    /// @dev Written when a wallet is left, so that an agent that keeps its wallet pays nothing for it.
    mapping(uint256 agentId => mapping(address wallet => bool)) private _hasLeft;

    constructor() ERC721("AgentIdentity", "AGENT") EIP712("ERC8004IdentityRegistry", "1") {}

    /// @inheritdoc IIdentityRegistry
    function register() external returns (uint256) {
        return _register("");
    }

    /// @inheritdoc IIdentityRegistry
    function register(string calldata agentURI) external returns (uint256) {
        return _register(agentURI);
    }

    /// @inheritdoc IIdentityRegistry
    function register(
        string calldata agentURI,
        MetadataEntry[] calldata metadata
    ) external returns (uint256 agentId) {
        agentId = _register(agentURI);
        for (uint256 i = 0; i < metadata.length; ++i) {
            _requireFree(metadata[i].metadataKey);
            _setMetadata(agentId, metadata[i].metadataKey, metadata[i].metadataValue);
        }
    }

    /// @inheritdoc IIdentityRegistry
    function setAgentURI(uint256 agentId, string calldata newURI) external {
        _requireAuthorized(agentId);
        _setTokenURI(agentId, newURI);
        emit URIUpdated(agentId, newURI, msg.sender);
    }

    /// @inheritdoc IIdentityRegistry
    function setMetadata(
        uint256 agentId,
        string calldata metadataKey,
        bytes calldata metadataValue
    ) external {
        _requireAuthorized(agentId);
        _requireFree(metadataKey);
        _setMetadata(agentId, metadataKey, metadataValue);
    }

    /// @inheritdoc IIdentityRegistry
    function setAgentWallet(
        uint256 agentId,
        address newWallet,
        uint256 deadline,
        bytes calldata signature
    ) external {
        _requireAuthorized(agentId);
        if (newWallet == address(0)) revert IdentityRegistry_ZeroWallet();
        uint256 latest = block.timestamp + MAX_DEADLINE_DELAY;
        if (deadline < block.timestamp || deadline > latest)
            revert IdentityRegistry_BadDeadline(deadline, block.timestamp, latest);
        bytes32 digest = _hashTypedDataV4(
            keccak256(abi.encode(WALLET_TYPEHASH, agentId, newWallet, ownerOf(agentId), deadline))
        );
        if (!Signatures.isSigned(newWallet, digest, signature))
            revert IdentityRegistry_BadSignature(newWallet);
        _setWallet(agentId, newWallet);
    }

    /// @inheritdoc IIdentityRegistry
    function unsetAgentWallet(uint256 agentId) external {
        _requireAuthorized(agentId);
        _setWallet(agentId, address(0));
    }

    /// @inheritdoc IIdentityRegistry
    function getMetadata(uint256 agentId, string calldata metadataKey) external view returns (bytes memory) {
        return _metadata[agentId][metadataKey];
    }

    /// @inheritdoc IAgents
    function getAgentWallet(uint256 agentId) external view returns (address) {
        return _wallets[agentId];
    }

    /// @inheritdoc IAgents
    function hasProven(uint256 agentId, address wallet) external view returns (bool) {
        return wallet != address(0) && (_wallets[agentId] == wallet || _hasLeft[agentId][wallet]);
    }

    /// @inheritdoc IAgents
    function isAuthorizedOrOwner(address who, uint256 agentId) external view returns (bool) {
        return _isAuthorized(_ownerOf(agentId), who, agentId);
    }

    /// @inheritdoc IAgents
    function ownerOf(uint256 agentId) public view override(ERC721, IERC721, IAgents) returns (address) {
        return super.ownerOf(agentId);
    }

    /// @dev A new owner proves its own wallet.
    function _update(address to, uint256 tokenId, address auth) internal override returns (address from) {
        from = super._update(to, tokenId, auth);
        if (from != address(0)) _setWallet(tokenId, address(0));
    }

    function _register(string memory agentURI) private returns (uint256 agentId) {
        agentId = ++agentCount;
        _mint(msg.sender, agentId);
        _setTokenURI(agentId, agentURI);
        emit Registered(agentId, agentURI, msg.sender);
        _setWallet(agentId, msg.sender);
    }

    function _setWallet(uint256 agentId, address wallet) private {
        address last = _wallets[agentId];
        if (last != address(0) && last != wallet) _hasLeft[agentId][last] = true;
        _wallets[agentId] = wallet;
        _setMetadata(agentId, WALLET_KEY, wallet == address(0) ? bytes("") : abi.encodePacked(wallet));
    }

    function _setMetadata(uint256 agentId, string memory key, bytes memory value) private {
        _metadata[agentId][key] = value;
        emit MetadataSet(agentId, key, key, value);
    }

    function _requireAuthorized(uint256 agentId) private view {
        if (!_isAuthorized(_requireOwned(agentId), msg.sender, agentId))
            revert IdentityRegistry_NotAuthorized(msg.sender, agentId);
    }

    function _requireFree(string calldata key) private pure {
        if (keccak256(bytes(key)) == keccak256(bytes(WALLET_KEY))) revert IdentityRegistry_ReservedKey();
    }
}
