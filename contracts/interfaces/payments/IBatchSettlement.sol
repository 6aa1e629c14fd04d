// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Payment channels with cumulative vouchers
/// @notice The ABI and EIP-712 types of x402's `batch-settlement` scheme, plus packed claims and `acceptUntil`.
/// @dev A payer deposits once, then signs off-chain vouchers whose amount only grows. The receiver side claims the
///      latest voucher of many channels in one transaction and settles all of it in one transfer. What is not
///      claimed returns to the payer: at once if the receiver agrees (`refund`), after `withdrawDelay` if not.
///      Amounts are base units of the channel's token; times are seconds since the epoch.
interface IBatchSettlement {
    /// @notice What a channel is; its EIP-712 digest is the channel's id.
    /// @param payer Owns the deposit; refunds and withdrawals go here.
    /// @param payerAuthorizer The key that signs vouchers; zero: the payer itself (a key, or a contract by ERC-1271).
    /// @param receiver Who is paid.
    /// @param receiverAuthorizer Authorises claims and refunds for the receiver; a key or an ERC-1271 contract.
    /// @param token The ERC-20.
    /// @param withdrawDelay Notice that the payer must give before taking unclaimed money out: 900 s to 30 days.
    /// @param salt Tells channels between the same parties apart.
    struct ChannelConfig {
        address payer;
        address payerAuthorizer;
        address receiver;
        address receiverAuthorizer;
        address token;
        uint40 withdrawDelay;
        bytes32 salt;
    }

    /// @notice The payer's promise: in total, at most `maxClaimableAmount` may be claimed from the channel.
    struct Voucher {
        ChannelConfig channel;
        uint128 maxClaimableAmount;
    }

    /// @notice A voucher with its signature and the cumulative total to claim under it.
    struct VoucherClaim {
        Voucher voucher;
        bytes signature;
        uint128 totalClaimed;
    }

    /// @notice First deposit into a channel, or into one that was closed.
    event ChannelCreated(bytes32 indexed channelId, ChannelConfig config);
    /// @notice The number by which packed claims name the channel in `PackedClaimed`; once, beside `ChannelCreated`.
    event ChannelIndexed(bytes32 indexed channelId, uint32 indexed index);
    /// @notice A channel that was never claimed from is empty again.
    event ChannelClosed(bytes32 indexed channelId, ChannelConfig config);
    /// @notice Money came into a channel.
    event Deposited(bytes32 indexed channelId, address indexed sender, uint128 amount, uint128 newBalance);
    /// @notice A receiver claimed a voucher.
    event Claimed(
        bytes32 indexed channelId,
        address indexed sender,
        uint128 claimAmount,
        uint128 newTotalClaimed
    );
    /// @notice Claims of one packed batch.
    /// @param amount The sum that the batch added to what the receiver may settle.
    /// @param rows 16 bytes for each channel that moved: uint32 index, then uint96 new `totalClaimed`.
    event PackedClaimed(
        address indexed receiver,
        address indexed token,
        address indexed sender,
        uint128 amount,
        bytes rows
    );
    /// @notice A receiver was paid what it had claimed.
    event Settled(address indexed receiver, address indexed token, address indexed sender, uint128 amount);
    /// @notice A refund was paid. Each raises the channel's `refundNonce` by one; one that finds nothing to give back
    ///         raises it without this event.
    /// @dev A pending withdrawal shrinks by `amount` and ends at zero.
    event Refunded(bytes32 indexed channelId, address indexed sender, uint128 amount);
    /// @notice The payer takes back up to `amount` of what is unclaimed, once the delay has passed.
    event WithdrawInitiated(bytes32 indexed channelId, uint128 amount, uint40 finalizeAfter);
    /// @notice The pending withdrawal ended; `amount` is what was still unclaimed, at most what was asked.
    event WithdrawFinalized(bytes32 indexed channelId, address indexed sender, uint128 amount);

    /// @notice A party of the config is the zero address.
    error BatchSettlement_ZeroParty();
    /// @notice Something must move.
    error BatchSettlement_ZeroAmount();
    /// @notice A batch has claims.
    error BatchSettlement_EmptyBatch();
    /// @notice The withdrawal delay is out of range.
    error BatchSettlement_WithdrawDelayOutOfRange(uint256 delay, uint256 minimum, uint256 maximum);
    /// @notice Nothing was ever deposited into this channel.
    error BatchSettlement_UnknownChannel(bytes32 channelId);
    /// @notice A channel holds at most 2^96 - 1 base units.
    error BatchSettlement_DepositTooLarge(bytes32 channelId, uint256 got, uint256 limit);
    /// @notice The token moved less or more than was asked: fee-on-transfer and rebasing tokens are not supported.
    error BatchSettlement_DepositNotExact(address token, uint256 received, uint256 amount);
    /// @notice Deposits are frozen from the start of a withdrawal to its end.
    error BatchSettlement_WithdrawalPending(bytes32 channelId, uint256 initiatedAt);
    /// @notice No withdrawal is pending.
    error BatchSettlement_WithdrawalNotPending(bytes32 channelId);
    /// @notice The delay has not passed.
    error BatchSettlement_WithdrawTooEarly(bytes32 channelId, uint256 nowAt, uint256 finalizeAfter);
    /// @notice Less than this is unclaimed.
    error BatchSettlement_WithdrawExceedsAvailable(bytes32 channelId, uint256 got, uint256 limit);
    /// @notice Only the payer or its authorizer may do this.
    error BatchSettlement_NotPayerSide(address caller);
    /// @notice Only the receiver or its authorizer may do this.
    error BatchSettlement_NotReceiverSide(address caller, address receiver, address receiverAuthorizer);
    /// @notice One signed batch holds rows of two receiver authorizers.
    error BatchSettlement_MixedAuthorizers(uint256 row, address got, address wanted);
    /// @notice The voucher is not signed by the payer's side.
    error BatchSettlement_VoucherSignatureInvalid(bytes32 channelId);
    /// @notice The batch or refund is not signed by the receiver's authorizer.
    error BatchSettlement_AuthorizerSignatureInvalid(address authorizer);
    /// @notice The claim is above what the voucher promises.
    error BatchSettlement_ClaimExceedsVoucher(bytes32 channelId, uint256 got, uint256 limit);
    /// @notice The claim is above what the channel holds.
    error BatchSettlement_ClaimExceedsBalance(bytes32 channelId, uint256 got, uint256 limit);
    /// @notice The refund was executed, or another comes first.
    error BatchSettlement_RefundNonceMismatch(bytes32 channelId, uint256 got, uint256 wanted);
    /// @notice Packed rows are a header of 60 bytes and one or more rows of 108.
    error BatchSettlement_RowsMalformed(uint256 length);
    /// @notice A packed row's signer does not authorise the channel, or the channel is of other parties than the
    ///         header's, or its vouchers are not signed by a `payerAuthorizer` key: claim it with `claim`.
    error BatchSettlement_RowNotAuthorized(uint256 row, bytes32 channelId);

    /// @notice Puts `amount` into the channel, opening it if it is new. Anyone may call.
    /// @dev Frozen while a withdrawal is pending, so money never enters a channel on shorter notice than its delay.
    /// @param collector Who brings the tokens by the payer's signed authorisation; zero: the caller's allowance pays.
    function deposit(
        ChannelConfig calldata config,
        uint128 amount,
        address collector,
        bytes calldata collectorData
    ) external;

    /// @notice Claims vouchers; the caller is the receiver or the receiver authorizer of every row.
    /// @dev A row whose total is not above what is already claimed changes nothing.
    function claim(VoucherClaim[] calldata voucherClaims) external;

    /// @notice Claims vouchers under the EIP-712 `ClaimBatch` signature of the rows' one receiver authorizer.
    function claimWithSignature(
        VoucherClaim[] calldata voucherClaims,
        bytes calldata authorizerSignature
    ) external;

    /// @notice Claims many vouchers of one receiver and token at the least gas; the caller is the receiver or its
    ///         authorizer. Channels without a `payerAuthorizer` key cannot be claimed so.
    /// @dev Layout, tightly packed: header `receiver(20) receiverAuthorizer(20) token(20)`, then rows
    ///      `channelId(32) r(32) vs(32) maxClaimableAmount(12)`; `r`, `vs` is the ERC-2098 form of the scheme's
    ///      voucher signature. A row claims all that its voucher promises; one already claimed changes nothing.
    function claimPacked(bytes calldata rows) external;

    /// @notice `claimPacked`, then `settle` for the header's receiver and token.
    function claimPackedAndSettle(bytes calldata rows) external;

    /// @notice Pays the receiver all that is claimed and not settled yet. Anyone may call; nothing due is no error.
    function settle(address receiver, address token) external;

    /// @notice Starts the payer's way out: after `withdrawDelay`, `amount` of what is then unclaimed may leave.
    /// @dev By the payer or its authorizer; one at a time. Vouchers stay claimable until it is finalized.
    function initiateWithdraw(ChannelConfig calldata config, uint128 amount) external;

    /// @notice Ends a withdrawal whose delay has passed: pays the payer at most what was asked and is unclaimed.
    function finalizeWithdraw(ChannelConfig calldata config) external;

    /// @notice The receiver side gives up to `amount` of what is unclaimed back to the payer at once.
    function refund(ChannelConfig calldata config, uint128 amount) external;

    /// @notice `refund` by the receiver authorizer's EIP-712 `Refund` signature over the channel's next nonce.
    function refundWithSignature(
        ChannelConfig calldata config,
        uint128 amount,
        uint256 nonce,
        bytes calldata receiverAuthorizerSignature
    ) external;

    /// @notice Until when a voucher of the channel is safe to accept, read now.
    /// @dev With no withdrawal pending both times are now + `withdrawDelay`: even if the payer starts a withdrawal
    ///      in the next block, it cannot end sooner, so the answer may be cached until then. Once one is started,
    ///      `until` freezes at its start: newer vouchers are not safe, older ones must be claimed before `claimBy`.
    ///      An empty or unknown channel answers 0, 0. A refund that the receiver's side has signed and nobody has spent
    ///      is none of the chain's knowledge, and has no end: whoever signs one counts it as spent from then on.
    /// @return until Vouchers received no later than this are safe, within `channels(id).balance`,
    /// @return claimBy if they are claimed in a block strictly before this time.
    function acceptUntil(bytes32 channelId) external view returns (uint256 until, uint256 claimBy);

    /// @notice A channel's balance and what of it is claimed.
    /// @return balance All deposits less refunds and withdrawals; claims do not lower it.
    /// @return totalClaimed The part of it that is the receiver's.
    function channels(bytes32 channelId) external view returns (uint128 balance, uint128 totalClaimed);

    /// @notice The channel's number in `PackedClaimed`; 0: never opened.
    function channelIndex(bytes32 channelId) external view returns (uint32);

    /// @notice How many channels were ever opened; the newest one's index.
    function channelCount() external view returns (uint32);

    /// @notice A channel's pending withdrawal; all zero when there is none.
    function pendingWithdrawals(bytes32 channelId) external view returns (uint128 amount, uint40 initiatedAt);

    /// @notice What a receiver has claimed of a token, and what of it was paid out.
    function receivers(
        address receiver,
        address token
    ) external view returns (uint128 totalClaimed, uint128 totalSettled);

    /// @notice The nonce of the channel's next signed refund.
    function refundNonce(bytes32 channelId) external view returns (uint256);

    /// @notice The id of a channel: its config's EIP-712 digest.
    function getChannelId(ChannelConfig calldata config) external view returns (bytes32);

    /// @notice What the payer's side signs for a voucher.
    function getVoucherDigest(bytes32 channelId, uint128 maxClaimableAmount) external view returns (bytes32);

    /// @notice What the receiver's authorizer signs for a refund.
    function getRefundDigest(
        bytes32 channelId,
        uint256 nonce,
        uint128 amount
    ) external view returns (bytes32);

    /// @notice What the receiver's authorizer signs for a batch of claims.
    function getClaimBatchDigest(VoucherClaim[] calldata voucherClaims) external view returns (bytes32);

    // solhint-disable-next-line func-name-mixedcase
    /// @notice EIP-712 type hash of a channel's config.
    function CHANNEL_CONFIG_TYPEHASH() external view returns (bytes32);
}
