// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {IERC1155Receiver} from "@openzeppelin/contracts/token/ERC1155/IERC1155Receiver.sol";
import {IERC721Receiver} from "@openzeppelin/contracts/token/ERC721/IERC721Receiver.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {IScopes} from "../interfaces/treasury/IScopes.sol";
import {ITreasury} from "../interfaces/treasury/ITreasury.sol";
import {ChannelPayer} from "./ChannelPayer.sol";
import {Spending} from "./Spending.sol";

/// @title Treasury
/// @dev Immutable; a TreasuryFactory makes ERC-1167 clones of it. See {ITreasury}.
contract Treasury is ChannelPayer, IERC721Receiver, IERC1155Receiver {
    /// @param owners_ first owners; none makes an implementation for clones, unusable itself
    /// @param scopes_ where owners say which calls spenders may make
    constructor(address[] memory owners_, uint256 threshold_, IScopes scopes_) Spending(scopes_) {
        if (owners_.length == 0) _makeUnusable();
        else _initialize(owners_, threshold_);
    }

    receive() external payable {
        emit NativeReceived(msg.sender, msg.value);
    }

    /// @inheritdoc ITreasury
    function initialize(address[] calldata owners_, uint256 threshold_) external {
        if (threshold() != 0) revert Treasury_AlreadyInitialized();
        _initialize(owners_, threshold_);
    }

    /// @inheritdoc IERC721Receiver
    function onERC721Received(address, address, uint256, bytes calldata) external pure returns (bytes4) {
        return IERC721Receiver.onERC721Received.selector;
    }

    /// @inheritdoc IERC1155Receiver
    function onERC1155Received(
        address,
        address,
        uint256,
        uint256,
        bytes calldata
    ) external pure returns (bytes4) {
        return IERC1155Receiver.onERC1155Received.selector;
    }

    /// @inheritdoc IERC1155Receiver
    function onERC1155BatchReceived(
        address,
        address,
        uint256[] calldata,
        uint256[] calldata,
        bytes calldata
    ) external pure returns (bytes4) {
        return IERC1155Receiver.onERC1155BatchReceived.selector;
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return
            interfaceId == type(IERC165).interfaceId ||
            interfaceId == type(ITreasury).interfaceId ||
            interfaceId == type(IERC1271).interfaceId ||
            interfaceId == type(IERC721Receiver).interfaceId ||
            interfaceId == type(IERC1155Receiver).interfaceId;
    }
}
