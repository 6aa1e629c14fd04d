// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IChannels} from "../../../contracts/interfaces/payments/IChannels.sol";
import {ITreasury} from "../../../contracts/interfaces/treasury/ITreasury.sol";
import {AuthorizedToken} from "./tokens/AuthorizedToken.sol";

/// @notice Channels and their deposit collector in one, as far as a payer sees them.
contract ChannelStand is IChannels, EIP712("x402 Batch Settlement", "1") {
    bytes32 private constant CHANNEL_TYPEHASH = keccak256(
        "ChannelConfig(address payer,address payerAuthorizer,address receiver,"
        "address receiverAuthorizer,address token,uint40 withdrawDelay,bytes32 salt)"
    );

    mapping(bytes32 channelId => uint256) public balanceOf;
    mapping(bytes32 channelId => uint256) public withdrawing;

    error ChannelStand_NotPayer(address caller);

    function deposit(
        ITreasury.ChannelConfig calldata config,
        uint128 amount,
        uint256 salt,
        uint256 validBefore
    ) external {
        bytes32 channelId = getChannelId(config);
        bytes32 nonce = keccak256(abi.encode(channelId, salt));
        AuthorizedToken(config.token).receiveWithAuthorization(
            config.payer,
            address(this),
            amount,
            0,
            validBefore,
            nonce,
            ""
        );
        balanceOf[channelId] += amount;
    }

    function initiateWithdraw(ITreasury.ChannelConfig calldata config, uint128 amount) external {
        if (msg.sender != config.payer) revert ChannelStand_NotPayer(msg.sender);
        withdrawing[getChannelId(config)] = amount;
    }

    function finalizeWithdraw(ITreasury.ChannelConfig calldata config) external {
        if (msg.sender != config.payer) revert ChannelStand_NotPayer(msg.sender);
        bytes32 channelId = getChannelId(config);
        uint256 amount = withdrawing[channelId];
        withdrawing[channelId] = 0;
        balanceOf[channelId] -= amount;
        AuthorizedToken(config.token).transfer(config.payer, amount);
    }

    function getChannelId(ITreasury.ChannelConfig calldata config) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(CHANNEL_TYPEHASH, config)));
    }
}
