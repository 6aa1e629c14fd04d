// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {IChannels} from "../interfaces/payments/IChannels.sol";
import {IERC3009Domain} from "../interfaces/payments/IERC3009Domain.sol";
import {ITreasury} from "../interfaces/treasury/ITreasury.sol";
import {Budget} from "./Budget.sol";
import {Spending} from "./Spending.sol";

/// @title ChannelPayer
/// @dev The Treasury as the payer of x402 channels, by ERC-1271. See {ITreasury}.
abstract contract ChannelPayer is Spending, IERC1271 {
    /// @dev A hash that {isValidSignature} accepts.
    struct Authorization {
        address spender;
        uint40 validBefore;
    }

    bytes4 private constant INVALID_SIGNATURE = 0xffffffff;
    /// @dev How long a stolen key holds a recall up by a withdrawal of its own, and how long the recall then takes.
    uint256 private constant MAX_WITHDRAW_DELAY = 1 days;
    /// @dev EIP-712 types of x402's `batch-settlement` scheme and ERC-3009.
    bytes32 private constant CHANNEL_TYPEHASH = keccak256(
        "ChannelConfig(address payer,address payerAuthorizer,address receiver,"
        "address receiverAuthorizer,address token,uint40 withdrawDelay,bytes32 salt)"
    );
    bytes32 private constant RECEIVE_TYPEHASH = keccak256(
        "ReceiveWithAuthorization(address from,address to,uint256 value,"
        "uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );

    mapping(address collector => address settlement) private _settlements;
    mapping(bytes32 hash => Authorization) private _authorizations;

    /// @inheritdoc ITreasury
    function setCollector(address collector, address settlement) external onlySelf {
        _settlements[collector] = settlement;
        emit CollectorSet(collector, settlement);
    }

    /// @inheritdoc ITreasury
    function authorizeDeposit(
        ChannelConfig calldata channel,
        uint128 amount,
        address collector,
        uint256 salt,
        uint256 validBefore
    ) external nonReentrant returns (bytes32 hash) {
        bytes32 channelId = channelIdOf(_requireCollector(collector), channel);
        if (channel.payer != address(this)) {
            revert Treasury_ChannelPayerInvalid(channel.payer, address(this));
        }
        if (channel.payerAuthorizer == address(0)) revert Treasury_ChannelAuthorizerZero();
        if (channel.withdrawDelay > MAX_WITHDRAW_DELAY) {
            revert Treasury_WithdrawDelayTooLong(channel.withdrawDelay, MAX_WITHDRAW_DELAY);
        }
        // Charge and outflow in one bucket: so windows bound deposits over any interval as they bound payments.
        _requireLifetime(validBefore, Budget.bucketEnd(block.timestamp));
        address token = channel.token;
        _charge(msg.sender, token, channel.receiver, amount, 0, false);
        hash = _receiveDigest(
            token,
            keccak256(
                abi.encode(
                    RECEIVE_TYPEHASH,
                    address(this),
                    collector,
                    amount,
                    0,
                    validBefore,
                    keccak256(abi.encode(channelId, salt))
                )
            )
        );
        if (_authorizations[hash].validBefore != 0) revert Treasury_HashAlreadyAuthorized(hash);
        _authorizations[hash] = Authorization(msg.sender, uint40(validBefore));
        emit DepositAuthorized(msg.sender, token, channelId, amount, hash, collector, validBefore);
    }

    /// @inheritdoc ITreasury
    function authorizeHash(bytes32 hash, uint256 validBefore) external onlySelf {
        _requireLifetime(validBefore, type(uint40).max);
        _authorizations[hash] = Authorization(address(0), uint40(validBefore));
        emit HashAuthorized(hash, validBefore);
    }

    /// @inheritdoc ITreasury
    function revokeHash(bytes32 hash) external {
        Authorization memory authorization = _authorizations[hash];
        if (authorization.validBefore == 0) revert Treasury_HashUnknown(hash);
        if (authorization.spender != msg.sender) _requireOwnerOrSelf();
        delete _authorizations[hash];
        emit HashRevoked(hash, msg.sender);
    }

    /// @inheritdoc ITreasury
    function recallChannel(
        address collector,
        ChannelConfig calldata channel,
        uint128 amount
    ) external onlyOwnerOrSelf {
        address settlement = _requireCollector(collector);
        emit ChannelRecalled(channelIdOf(settlement, channel), amount, msg.sender);
        // The channel's key may have a withdrawal of its own pending. One that is due is ended here, so that the key
        // cannot put its next one between.
        LowLevelCall.callNoReturn(settlement, abi.encodeCall(IChannels.finalizeWithdraw, (channel)));
        IChannels(settlement).initiateWithdraw(channel, amount);
    }

    /// @inheritdoc ITreasury
    function finalizeRecall(address collector, ChannelConfig calldata channel) external {
        IChannels(_requireCollector(collector)).finalizeWithdraw(channel);
    }

    /// @notice ERC-1271. Accepts only hashes that the Treasury recorded in a transaction and that still stand;
    /// the signature's bytes do not matter.
    /// @inheritdoc IERC1271
    function isValidSignature(bytes32 hash, bytes calldata) external view returns (bytes4) {
        Authorization memory authorization = _authorizations[hash];
        if (block.timestamp >= authorization.validBefore) return INVALID_SIGNATURE;
        address spender = authorization.spender;
        if (spender != address(0) && _isStopped(spender)) return INVALID_SIGNATURE;
        return IERC1271.isValidSignature.selector;
    }

    /// @inheritdoc ITreasury
    function authorizationOf(bytes32 hash) external view returns (address spender, uint256 validBefore) {
        Authorization memory authorization = _authorizations[hash];
        return (authorization.spender, authorization.validBefore);
    }

    /// @inheritdoc ITreasury
    function settlementOf(address collector) external view returns (address) {
        return _settlements[collector];
    }

    /// @inheritdoc ITreasury
    function channelIdOf(address settlement, ChannelConfig calldata channel) public view returns (bytes32) {
        return
            MessageHashUtils.toTypedDataHash(
                _separator(keccak256("x402 Batch Settlement"), keccak256("1"), settlement),
                keccak256(abi.encode(CHANNEL_TYPEHASH, channel))
            );
    }

    /// @dev The domain is built around the token's own address and then compared with what the token says, so
    /// that no token can pass off another token's domain as its own and have that token's funds authorised.
    function _receiveDigest(address token, bytes32 structHash) private view returns (bytes32) {
        IERC3009Domain named = IERC3009Domain(token);
        bytes32 domain = _separator(keccak256(bytes(named.name())), keccak256(bytes(named.version())), token);
        bytes32 claimed = named.DOMAIN_SEPARATOR();
        if (domain != claimed) revert Treasury_DomainMismatch(claimed, domain);
        return MessageHashUtils.toTypedDataHash(domain, structHash);
    }

    function _requireLifetime(uint256 validBefore, uint256 limit) private view {
        if (validBefore <= block.timestamp) revert Treasury_Expired(block.timestamp, validBefore);
        if (validBefore > limit) revert Treasury_LifetimeTooLong(validBefore, limit);
    }

    function _requireCollector(address collector) private view returns (address settlement) {
        settlement = _settlements[collector];
        if (settlement == address(0)) revert Treasury_CollectorUnknown(collector);
    }
}
