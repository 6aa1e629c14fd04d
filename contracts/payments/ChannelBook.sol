// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {IBatchSettlement} from "../interfaces/payments/IBatchSettlement.sol";
import {ChannelHash} from "../libraries/ChannelHash.sol";
import {Signatures} from "../libraries/Signatures.sol";

/// @notice What channels there are: their records, ids and digests, who may act on them, and what may be read.
/// @dev No constructor storage: the runtime code may stand at any address (the scheme's canonical one on a local
///      chain), and OpenZeppelin's EIP712 then derives the domain from where it stands.
abstract contract ChannelBook is IBatchSettlement, EIP712 {
    /// @dev One slot, in the order that `PackedClaims` relies on: from the low bits up.
    struct Channel {
        uint96 balance;
        uint32 withdrawDelay;
        uint96 totalClaimed;
        uint32 index;
    }

    struct Withdrawal {
        uint128 amount;
        uint40 initiatedAt;
    }

    struct Receiver {
        uint128 totalClaimed;
        uint128 totalSettled;
    }

    /// @notice Shortest withdrawal delay, seconds.
    uint256 public constant MIN_WITHDRAW_DELAY = 15 minutes;
    /// @notice Longest withdrawal delay, seconds.
    uint256 public constant MAX_WITHDRAW_DELAY = 30 days;

    /// @inheritdoc IBatchSettlement
    mapping(bytes32 channelId => Withdrawal) public pendingWithdrawals;
    /// @inheritdoc IBatchSettlement
    mapping(bytes32 channelId => uint256) public refundNonce;
    /// @inheritdoc IBatchSettlement
    mapping(address receiver => mapping(address token => Receiver)) public receivers;
    /// @dev Where each channel's record stands, for views that know only the id.
    mapping(bytes32 channelId => bytes32) internal _slots;
    /// @inheritdoc IBatchSettlement
    uint32 public channelCount;

    constructor() EIP712("x402 Batch Settlement", "1") {}

    /// @inheritdoc IBatchSettlement
    function acceptUntil(bytes32 channelId) external view returns (uint256 until, uint256 claimBy) {
        bytes32 slot = _slots[channelId];
        if (slot == 0) return (0, 0);
        Channel memory channel = _at(slot);
        if (channel.balance == channel.totalClaimed) return (0, 0);
        uint256 initiatedAt = pendingWithdrawals[channelId].initiatedAt;
        until = initiatedAt == 0 ? block.timestamp + channel.withdrawDelay : initiatedAt;
        claimBy = initiatedAt == 0 ? until : initiatedAt + channel.withdrawDelay;
    }

    /// @inheritdoc IBatchSettlement
    function channels(bytes32 channelId) external view returns (uint128 balance, uint128 totalClaimed) {
        bytes32 slot = _slots[channelId];
        if (slot == 0) return (0, 0);
        Channel memory channel = _at(slot);
        return (channel.balance, channel.totalClaimed);
    }

    /// @inheritdoc IBatchSettlement
    function channelIndex(bytes32 channelId) external view returns (uint32) {
        bytes32 slot = _slots[channelId];
        return slot == 0 ? 0 : _at(slot).index;
    }

    /// @inheritdoc IBatchSettlement
    function getVoucherDigest(bytes32 channelId, uint128 maxClaimableAmount) external view returns (bytes32) {
        return _hashTypedDataV4(ChannelHash.voucher(channelId, maxClaimableAmount));
    }

    /// @inheritdoc IBatchSettlement
    function getClaimBatchDigest(VoucherClaim[] calldata voucherClaims) external view returns (bytes32) {
        return _hashTypedDataV4(ChannelHash.claimBatch(voucherClaims, _channelIds(voucherClaims)));
    }

    /// @inheritdoc IBatchSettlement
    // solhint-disable-next-line func-name-mixedcase
    function CHANNEL_CONFIG_TYPEHASH() external pure returns (bytes32) {
        return ChannelHash.CHANNEL_CONFIG_TYPEHASH;
    }

    /// @inheritdoc IBatchSettlement
    function getRefundDigest(bytes32 channelId, uint256 nonce, uint128 amount) public view returns (bytes32) {
        return _hashTypedDataV4(ChannelHash.refund(channelId, nonce, amount));
    }

    /// @inheritdoc IBatchSettlement
    function getChannelId(ChannelConfig calldata config) public view returns (bytes32) {
        return _hashTypedDataV4(ChannelHash.config(config));
    }

    function _open(bytes32 channelId, ChannelConfig calldata config, Channel storage channel) internal {
        if (
            config.payer == address(0) ||
            config.receiver == address(0) ||
            config.receiverAuthorizer == address(0) ||
            config.token == address(0)
        ) revert BatchSettlement_ZeroParty();
        uint256 delay = config.withdrawDelay;
        if (delay < MIN_WITHDRAW_DELAY || delay > MAX_WITHDRAW_DELAY)
            revert BatchSettlement_WithdrawDelayOutOfRange(delay, MIN_WITHDRAW_DELAY, MAX_WITHDRAW_DELAY);
        uint32 index = ++channelCount;
        channel.index = index;
        channel.withdrawDelay = uint32(delay);
        _slots[channelId] = _slotOf(channelId, config);
        emit ChannelCreated(channelId, config);
        emit ChannelIndexed(channelId, index);
    }

    function _isVoucherSigned(
        ChannelConfig calldata config,
        bytes32 digest,
        bytes calldata signature
    ) internal view returns (bool) {
        if (config.payerAuthorizer == address(0)) return Signatures.isSigned(config.payer, digest, signature);
        (address signer, ECDSA.RecoverError err, ) = ECDSA.tryRecoverCalldata(digest, signature);
        return err == ECDSA.RecoverError.NoError && signer == config.payerAuthorizer;
    }

    function _requireAuthorizerSignature(
        address authorizer,
        bytes32 digest,
        bytes calldata signature
    ) internal view {
        if (!Signatures.isSigned(authorizer, digest, signature))
            revert BatchSettlement_AuthorizerSignatureInvalid(authorizer);
    }

    function _requireReceiverSide(address receiver, address receiverAuthorizer) internal view {
        if (msg.sender != receiver && msg.sender != receiverAuthorizer)
            revert BatchSettlement_NotReceiverSide(msg.sender, receiver, receiverAuthorizer);
    }

    function _requirePayerSide(ChannelConfig calldata config) internal view {
        if (msg.sender != config.payer && msg.sender != config.payerAuthorizer)
            revert BatchSettlement_NotPayerSide(msg.sender);
    }

    function _channelIds(VoucherClaim[] calldata voucherClaims) internal view returns (bytes32[] memory ids) {
        bytes32 separator = _domainSeparatorV4();
        ids = new bytes32[](voucherClaims.length);
        for (uint256 i = 0; i < ids.length; ++i) {
            bytes32 hash = ChannelHash.config(voucherClaims[i].voucher.channel);
            ids[i] = MessageHashUtils.toTypedDataHash(separator, hash);
        }
    }

    function _known(
        ChannelConfig calldata config
    ) internal view returns (bytes32 channelId, Channel storage channel) {
        channelId = getChannelId(config);
        channel = _record(channelId, config);
        if (channel.index == 0) revert BatchSettlement_UnknownChannel(channelId);
    }

    function _record(
        bytes32 channelId,
        ChannelConfig calldata config
    ) internal view returns (Channel storage) {
        return _at(_slotOf(channelId, config));
    }

    /// @dev The slot proves the parties and the voucher key of a packed row, see `PackedClaims`. Without a
    ///      `payerAuthorizer` the contract's own address stands for the signer: nobody has its key, so such
    ///      channels, whose payer may be a contract with rules of its own, are claimed by `claim` only.
    function _slotOf(bytes32 channelId, ChannelConfig calldata config) internal view returns (bytes32) {
        bytes32 parties = keccak256(
            abi.encodePacked(config.receiver, config.receiverAuthorizer, config.token)
        );
        address signer = config.payerAuthorizer == address(0) ? address(this) : config.payerAuthorizer;
        return keccak256(abi.encode(parties, signer, channelId));
    }

    function _at(bytes32 slot) internal pure returns (Channel storage channel) {
        assembly ("memory-safe") {
            channel.slot := slot
        }
    }
}
