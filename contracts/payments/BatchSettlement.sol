// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IBatchSettlement} from "../interfaces/payments/IBatchSettlement.sol";
import {IDepositCollector} from "../interfaces/payments/IDepositCollector.sol";
import {ChannelHash} from "../libraries/ChannelHash.sol";
import {PackedClaims} from "../libraries/PackedClaims.sol";
import {ChannelBook} from "./ChannelBook.sol";

/// @notice Payment channels with cumulative vouchers: how money goes in, is claimed, paid out and returned; see
///         `IBatchSettlement`.
contract BatchSettlement is ChannelBook, Multicall, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @inheritdoc IBatchSettlement
    function deposit(
        ChannelConfig calldata config,
        uint128 amount,
        address collector,
        bytes calldata collectorData
    ) external nonReentrant {
        if (amount == 0) revert BatchSettlement_ZeroAmount();
        bytes32 channelId = getChannelId(config);
        uint256 initiatedAt = pendingWithdrawals[channelId].initiatedAt;
        if (initiatedAt != 0) revert BatchSettlement_WithdrawalPending(channelId, initiatedAt);

        Channel storage channel = _record(channelId, config);
        if (channel.index == 0) _open(channelId, config, channel);
        else if (channel.balance == 0) emit ChannelCreated(channelId, config);
        uint256 room = type(uint96).max - channel.balance;
        if (amount > room) revert BatchSettlement_DepositTooLarge(channelId, amount, room);
        uint96 balance = channel.balance + uint96(amount);
        channel.balance = balance;
        emit Deposited(channelId, msg.sender, amount, balance);

        _collect(config, channelId, amount, collector, collectorData);
    }

    /// @inheritdoc IBatchSettlement
    function claim(VoucherClaim[] calldata voucherClaims) external nonReentrant {
        for (uint256 i = 0; i < voucherClaims.length; ++i) {
            ChannelConfig calldata config = voucherClaims[i].voucher.channel;
            _requireReceiverSide(config.receiver, config.receiverAuthorizer);
        }
        _claim(voucherClaims, _channelIds(voucherClaims));
    }

    /// @inheritdoc IBatchSettlement
    function claimWithSignature(
        VoucherClaim[] calldata voucherClaims,
        bytes calldata authorizerSignature
    ) external nonReentrant {
        if (voucherClaims.length == 0) revert BatchSettlement_EmptyBatch();
        address authorizer = voucherClaims[0].voucher.channel.receiverAuthorizer;
        for (uint256 i = 1; i < voucherClaims.length; ++i) {
            address other = voucherClaims[i].voucher.channel.receiverAuthorizer;
            if (other != authorizer) revert BatchSettlement_MixedAuthorizers(i, other, authorizer);
        }
        bytes32[] memory channelIds = _channelIds(voucherClaims);
        bytes32 digest = _hashTypedDataV4(ChannelHash.claimBatch(voucherClaims, channelIds));
        _requireAuthorizerSignature(authorizer, digest, authorizerSignature);
        _claim(voucherClaims, channelIds);
    }

    /// @inheritdoc IBatchSettlement
    function claimPacked(bytes calldata rows) external nonReentrant {
        _claimPacked(rows);
    }

    /// @inheritdoc IBatchSettlement
    function claimPackedAndSettle(bytes calldata rows) external nonReentrant {
        (address receiver, address token) = _claimPacked(rows);
        _settle(receiver, token);
    }

    /// @inheritdoc IBatchSettlement
    function settle(address receiver, address token) external nonReentrant {
        _settle(receiver, token);
    }

    /// @inheritdoc IBatchSettlement
    function initiateWithdraw(ChannelConfig calldata config, uint128 amount) external nonReentrant {
        _requirePayerSide(config);
        if (amount == 0) revert BatchSettlement_ZeroAmount();
        (bytes32 channelId, Channel storage channel) = _known(config);
        Withdrawal storage pending = pendingWithdrawals[channelId];
        if (pending.initiatedAt != 0)
            revert BatchSettlement_WithdrawalPending(channelId, pending.initiatedAt);
        uint256 available = channel.balance - channel.totalClaimed;
        if (amount > available) revert BatchSettlement_WithdrawExceedsAvailable(channelId, amount, available);

        pending.amount = amount;
        pending.initiatedAt = uint40(block.timestamp);
        emit WithdrawInitiated(channelId, amount, uint40(block.timestamp) + config.withdrawDelay);
    }

    /// @inheritdoc IBatchSettlement
    function finalizeWithdraw(ChannelConfig calldata config) external nonReentrant {
        _requirePayerSide(config);
        (bytes32 channelId, Channel storage channel) = _known(config);
        Withdrawal memory pending = pendingWithdrawals[channelId];
        if (pending.initiatedAt == 0) revert BatchSettlement_WithdrawalNotPending(channelId);
        uint256 finalizeAfter = uint256(pending.initiatedAt) + config.withdrawDelay;
        if (block.timestamp < finalizeAfter)
            revert BatchSettlement_WithdrawTooEarly(channelId, block.timestamp, finalizeAfter);

        delete pendingWithdrawals[channelId];
        uint96 amount = _takeUnclaimed(channel, pending.amount);
        emit WithdrawFinalized(channelId, msg.sender, amount);
        if (amount != 0) _payBack(config, channelId, channel, amount);
    }

    /// @inheritdoc IBatchSettlement
    function refund(ChannelConfig calldata config, uint128 amount) external nonReentrant {
        _requireReceiverSide(config.receiver, config.receiverAuthorizer);
        (bytes32 channelId, Channel storage channel) = _known(config);
        _refund(config, channelId, channel, amount);
    }

    /// @inheritdoc IBatchSettlement
    function refundWithSignature(
        ChannelConfig calldata config,
        uint128 amount,
        uint256 nonce,
        bytes calldata receiverAuthorizerSignature
    ) external nonReentrant {
        (bytes32 channelId, Channel storage channel) = _known(config);
        uint256 expected = refundNonce[channelId];
        if (nonce != expected) revert BatchSettlement_RefundNonceMismatch(channelId, nonce, expected);
        bytes32 digest = getRefundDigest(channelId, nonce, amount);
        _requireAuthorizerSignature(config.receiverAuthorizer, digest, receiverAuthorizerSignature);
        _refund(config, channelId, channel, amount);
    }

    /// @dev The guard lets nothing else of this contract run meanwhile, so the difference is this deposit's alone.
    function _collect(
        ChannelConfig calldata config,
        bytes32 channelId,
        uint256 amount,
        address collector,
        bytes calldata collectorData
    ) private {
        IERC20 token = IERC20(config.token);
        uint256 held = token.balanceOf(address(this));
        if (collector == address(0)) {
            token.safeTransferFrom(msg.sender, address(this), amount);
        } else {
            IDepositCollector(collector).collect(
                config.payer,
                address(token),
                amount,
                channelId,
                collectorData
            );
        }
        uint256 holds = token.balanceOf(address(this));
        if (holds != held + amount)
            revert BatchSettlement_DepositNotExact(address(token), holds > held ? holds - held : 0, amount);
    }

    /// @dev Sums neighbouring rows of the same receiver and token before storing, as receivers claim in runs.
    function _claim(VoucherClaim[] calldata voucherClaims, bytes32[] memory channelIds) private {
        bytes32 separator = _domainSeparatorV4();
        address receiver;
        address token;
        uint128 sum;
        for (uint256 i = 0; i < voucherClaims.length; ++i) {
            ChannelConfig calldata config = voucherClaims[i].voucher.channel;
            if (config.receiver != receiver || config.token != token) {
                if (sum != 0) receivers[receiver][token].totalClaimed += sum;
                (receiver, token, sum) = (config.receiver, config.token, 0);
            }
            sum += _claimRow(voucherClaims[i], config, channelIds[i], separator);
        }
        if (sum != 0) receivers[receiver][token].totalClaimed += sum;
    }

    function _claimRow(
        VoucherClaim calldata row,
        ChannelConfig calldata config,
        bytes32 channelId,
        bytes32 separator
    ) private returns (uint128 rise) {
        uint128 limit = row.voucher.maxClaimableAmount;
        uint128 total = row.totalClaimed;
        if (total > limit) revert BatchSettlement_ClaimExceedsVoucher(channelId, total, limit);
        Channel storage record = _record(channelId, config);
        Channel memory channel = record;
        if (channel.index == 0) revert BatchSettlement_UnknownChannel(channelId);
        if (total <= channel.totalClaimed) return 0;
        if (total > channel.balance)
            revert BatchSettlement_ClaimExceedsBalance(channelId, total, channel.balance);
        bytes32 digest = MessageHashUtils.toTypedDataHash(separator, ChannelHash.voucher(channelId, limit));
        if (!_isVoucherSigned(config, digest, row.signature))
            revert BatchSettlement_VoucherSignatureInvalid(channelId);

        rise = total - channel.totalClaimed;
        record.totalClaimed = uint96(total);
        emit Claimed(channelId, msg.sender, rise, total);
    }

    function _claimPacked(bytes calldata rows) private returns (address receiver, address token) {
        uint256 length = rows.length;
        if (
            length < PackedClaims.HEADER_BYTES + PackedClaims.ROW_BYTES ||
            (length - PackedClaims.HEADER_BYTES) % PackedClaims.ROW_BYTES != 0
        ) revert BatchSettlement_RowsMalformed(length);
        receiver = address(bytes20(rows[:20]));
        token = address(bytes20(rows[40:60]));
        _requireReceiverSide(receiver, address(bytes20(rows[20:40])));

        bytes32 parties = keccak256(rows[:PackedClaims.HEADER_BYTES]);
        bytes32 separator = _domainSeparatorV4();
        (uint256 amount, uint256 failed, bytes memory moved) = PackedClaims.raise(rows, parties, separator);
        if (failed != 0) _revertRow(rows, parties, separator, failed - 1);
        // each rise is below 2^96 and calldata holds far fewer than 2^32 rows
        receivers[receiver][token].totalClaimed += uint128(amount);
        emit PackedClaimed(receiver, token, msg.sender, uint128(amount), moved);
    }

    /// @dev The slow path: names what is wrong with a row that the loop refused.
    function _revertRow(bytes calldata rows, bytes32 parties, bytes32 separator, uint256 row) private view {
        uint256 start = PackedClaims.HEADER_BYTES + row * PackedClaims.ROW_BYTES;
        bytes32 channelId = bytes32(rows[start:start + 32]);
        uint96 total = uint96(bytes12(rows[start + 96:start + 108]));
        bytes32 slot = _slots[channelId];
        if (slot == 0) revert BatchSettlement_UnknownChannel(channelId);
        (address signer, , ) = ECDSA.tryRecover(
            MessageHashUtils.toTypedDataHash(separator, ChannelHash.voucher(channelId, total)),
            bytes32(rows[start + 32:start + 64]),
            bytes32(rows[start + 64:start + 96])
        );
        if (slot != keccak256(abi.encode(parties, signer, channelId)))
            revert BatchSettlement_RowNotAuthorized(row, channelId);
        revert BatchSettlement_ClaimExceedsBalance(channelId, total, _at(slot).balance);
    }

    function _settle(address receiver, address token) private {
        Receiver storage account = receivers[receiver][token];
        uint128 amount = account.totalClaimed - account.totalSettled;
        if (amount == 0) return;
        account.totalSettled = account.totalClaimed;
        emit Settled(receiver, token, msg.sender, amount);
        IERC20(token).safeTransfer(receiver, amount);
    }

    function _refund(
        ChannelConfig calldata config,
        bytes32 channelId,
        Channel storage channel,
        uint128 asked
    ) private {
        if (asked == 0) revert BatchSettlement_ZeroAmount();
        // also when nothing is left to give, so a signed refund can be spent only once
        ++refundNonce[channelId];
        uint96 amount = _takeUnclaimed(channel, asked);
        if (amount == 0) return;
        Withdrawal storage pending = pendingWithdrawals[channelId];
        if (pending.initiatedAt != 0) {
            if (amount < pending.amount) pending.amount -= amount;
            else delete pendingWithdrawals[channelId];
        }
        emit Refunded(channelId, msg.sender, amount);
        _payBack(config, channelId, channel, amount);
    }

    function _payBack(
        ChannelConfig calldata config,
        bytes32 channelId,
        Channel storage channel,
        uint96 amount
    ) private {
        // What is claimed stays in the balance.
        if (channel.balance == 0) emit ChannelClosed(channelId, config);
        IERC20(config.token).safeTransfer(config.payer, amount);
    }

    /// @dev Takes at most `asked` of what is unclaimed out of the channel's balance.
    function _takeUnclaimed(Channel storage channel, uint128 asked) private returns (uint96 amount) {
        amount = uint96(Math.min(asked, channel.balance - channel.totalClaimed));
        channel.balance -= amount;
    }
}
