// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IScopes} from "./IScopes.sol";

/// @title Treasury
/// @notice Holds an organisation's money. M-of-N owners hold it together; agents spend from it, each inside a
/// budget that owners set. Any owner alone may tighten (freeze, pause, lower, cancel, revoke); every loosening
/// is a call that the Treasury makes to itself after a quorum.
/// @dev Native coin is `address(0)` wherever a token is named. EIP-712 domain: name "Bursar Treasury", version
/// "1", the chain's id, this Treasury's address. Times are Unix seconds, amounts are base units of the token.
/// Tokens that debit the sender more than the transferred amount must not be given a budget.
interface ITreasury {
    /// @notice What {pay} would do with a payment.
    enum Verdict {
        Deny,
        Propose,
        Execute
    }

    /// @notice Why a payment is denied, or needs owners. `None` goes with `Execute`, `ApprovalAbove` with `Propose`.
    enum Reason {
        None,
        Paused,
        AmountZero,
        NoBudget,
        Frozen,
        Expired,
        Recipient,
        PerTransaction,
        ApprovalAbove,
        Hourly,
        Daily,
        Weekly,
        Monthly,
        Balance
    }

    /// @notice What a spender may spend of one token.
    /// @dev 0 allows nothing, `type(uint128).max` sets no limit; any other limit must be exact with eight
    /// significant digits (so that six limits share one storage slot) or setting it reverts. A window counts in
    /// steps of the power of ten that the limit was stored with: at most limit / 2.6e7, 1 up to 268,435,454.
    /// @param perTransaction most that one payment may move; beyond it nothing but a quorum's own proposal helps
    /// @param approvalAbove a payment above this opens a proposal instead of executing; see also {setDelay}
    /// @param hourly most that may be spent in ANY interval of 1 hour
    /// @param daily most that may be spent in ANY interval of 24 hours
    /// @param weekly most that may be spent in ANY interval of 7 days
    /// @param monthly most that may be spent in ANY interval of 30 days
    /// @param validUntil last second in which the budget may be used
    /// @param recipientsOnly whether only allowed recipients may be paid
    struct BudgetTerms {
        uint128 perTransaction;
        uint128 approvalAbove;
        uint128 hourly;
        uint128 daily;
        uint128 weekly;
        uint128 monthly;
        uint40 validUntil;
        bool recipientsOnly;
    }

    /// @notice One window of a budget, now.
    /// @param limit most that may be spent in any interval of the window's length; `type(uint256).max` if any
    /// @param left what may be spent in the window now
    /// @param nextReleaseAt when `left` grows next; 0 if nothing is used
    /// @param freeAt when the whole limit is available again if nothing more is spent; 0 if it is now
    struct WindowUsage {
        uint256 limit;
        uint256 left;
        uint256 nextReleaseAt;
        uint256 freeAt;
    }

    /// @notice One payment of a batch.
    struct Payment {
        address token;
        address to;
        uint256 amount;
        bytes32 ref;
    }

    /// @notice A payment that an agent signs and anyone relays.
    /// @dev EIP-712 type: `Spend(address agent,address token,address to,uint256 amount,bytes32 reference,uint256
    /// nonce,uint256 validBefore)`; `ref` is `reference` there (a reserved word in Solidity).
    struct Spend {
        address agent;
        address token;
        address to;
        uint256 amount;
        bytes32 ref;
        uint256 nonce;
        uint256 validBefore;
    }

    /// @notice One call of a proposal.
    struct Call {
        address to;
        uint256 value;
        bytes data;
    }

    /// @notice A payment channel of x402's `batch-settlement` scheme; its EIP-712 digest is the channel's id.
    struct ChannelConfig {
        address payer;
        address payerAuthorizer;
        address receiver;
        address receiverAuthorizer;
        address token;
        uint40 withdrawDelay;
        bytes32 salt;
    }

    /// @notice An account is an owner.
    event OwnerAdded(address indexed owner);
    /// @notice An account is an owner no more.
    event OwnerRemoved(address indexed owner);
    /// @notice Another number of owners must agree from now on.
    event ThresholdSet(uint256 threshold);
    /// @notice No spender may move anything any more.
    event Paused(address indexed by);
    /// @notice Spenders may move again what their budgets allow.
    event Unpaused();
    /// @notice A spender may move nothing any more.
    event SpenderFrozen(address indexed spender, address indexed by);
    /// @notice A spender may spend again.
    event SpenderUnfrozen(address indexed spender);
    /// @notice A spender's budget was set.
    event BudgetSet(address indexed spender, address indexed token, BudgetTerms terms);
    /// @notice A spender's budget was tightened by one owner.
    event BudgetLowered(
        address indexed spender,
        address indexed token,
        BudgetTerms terms,
        address indexed by
    );
    /// @notice A spender has no budget in this token any more.
    event BudgetRemoved(address indexed spender, address indexed token, address indexed by);
    /// @notice What a spender's payment above its approval line waits if owners neither approve nor cancel it, in
    /// seconds; 0: for the owners.
    event DelaySet(address indexed spender, address indexed token, uint256 delay, address indexed by);
    /// @notice What a spender spends counts for this group's budgets too; zero: for none.
    event GroupSet(address indexed spender, address indexed group);
    /// @notice A recipient is on a spender's allowlist.
    event RecipientAllowed(address indexed spender, address indexed recipient);
    /// @notice A recipient is off a spender's allowlist.
    event RecipientDenied(address indexed spender, address indexed recipient, address indexed by);
    /// @notice A spender paid inside its budget; the amount is charged to its windows.
    event Paid(
        address indexed spender,
        address indexed token,
        address indexed to,
        uint256 amount,
        bytes32 ref
    );
    /// @notice The owners paid by quorum for a spender; no window is charged.
    event Disbursed(
        address indexed spender,
        address indexed token,
        address indexed to,
        uint256 amount,
        bytes32 ref
    );
    /// @notice A proposal that a spender's payment opened waits under a delay: from `readyAt` on anybody may have it
    /// paid, unless it is cancelled, or the delay was set again meanwhile.
    /// @param readyAt the end of the spender's delay or its group's, whichever's approval line the payment is above;
    /// of the longer one, if it is above both
    event PaymentQueued(bytes32 indexed id, address indexed spender, uint256 readyAt);
    /// @notice A spender made a call that owners allow; what left is charged to its budgets.
    /// @param taken how much of `token` left
    /// @param value how much coin left
    event CalledWithin(
        address indexed spender,
        address indexed to,
        address indexed token,
        bytes4 selector,
        uint256 taken,
        uint256 value,
        bytes32 ref
    );
    /// @notice The Treasury's money moves to another one.
    event Migrated(address indexed successor);
    /// @notice A signed spend was used.
    event SpendNonceUsed(address indexed agent, uint256 indexed nonce);
    /// @notice All that is needed to show a proposal and hand it in again.
    /// @param threshold how many owners decided when it was opened: with any other number its approvals count nothing
    /// @param ref the payment's reference if a spender's payment opened it, else 0
    event ProposalOpened(
        bytes32 indexed id,
        address indexed proposer,
        uint256 indexed nonce,
        Call[] calls,
        uint256 deadline,
        uint256 threshold,
        bytes32 ref
    );
    /// @notice An owner approved a proposal on-chain.
    event ProposalApproved(bytes32 indexed id, address indexed owner);
    /// @notice A proposal can be executed no more.
    event ProposalCancelled(uint256 indexed nonce, address indexed by);
    /// @notice A proposal was executed.
    event ProposalExecuted(bytes32 indexed id, uint256 indexed nonce);
    /// @notice Coin left the Treasury.
    event NativeSent(address indexed to, uint256 amount);
    /// @notice Coin came in.
    event NativeReceived(address indexed from, uint256 amount);
    /// @notice The owners named a collector, and the settlement contract that it serves.
    event CollectorSet(address indexed collector, address indexed settlement);
    /// @notice A hash is valid by ERC-1271 from now on.
    event HashAuthorized(bytes32 indexed hash, uint256 validBefore);
    /// @notice A recorded hash is valid no more.
    event HashRevoked(bytes32 indexed hash, address indexed by);
    /// @notice A channel deposit was charged to a spender's budget and may now be collected.
    event DepositAuthorized(
        address indexed spender,
        address indexed token,
        bytes32 indexed channelId,
        uint256 amount,
        bytes32 hash,
        address collector,
        uint256 validBefore
    );
    /// @notice The Treasury takes back what is unclaimed in a channel.
    event ChannelRecalled(bytes32 indexed channelId, uint256 amount, address indexed by);

    /// @notice The Treasury has its owners already.
    error Treasury_AlreadyInitialized();
    /// @notice Only the Treasury itself, by a quorum, may do this.
    error Treasury_NotSelf(address caller);
    /// @notice Only an owner may do this.
    error Treasury_NotOwner(address caller);
    /// @notice This account cannot be an owner.
    error Treasury_OwnerInvalid(address owner);
    /// @notice This account is an owner already.
    error Treasury_OwnerExists(address owner);
    /// @notice There are as many owners as are allowed.
    error Treasury_TooManyOwners(uint256 got, uint256 limit);
    /// @notice The threshold must be 1 to the number of owners.
    error Treasury_ThresholdOutOfRange(uint256 got, uint256 owners);
    /// @notice The same answer that {canSpend} gives beforehand; `ApprovalAbove` where no proposal can be opened
    /// instead.
    error Treasury_SpendDenied(Reason reason, uint256 amount, uint256 left, uint256 resetsAt);
    /// @notice The spender has used this reference.
    error Treasury_ReferenceUsed(address spender, bytes32 ref);
    /// @notice The signed spend was used already.
    error Treasury_SpendNonceUsed(address agent, uint256 nonce);
    /// @notice The proposal was executed or cancelled.
    error Treasury_NonceUsed(uint256 nonce);
    /// @notice Under the last 2^64 nonces owners are changed, and nothing else is done.
    error Treasury_NonceReserved(uint256 nonce);
    /// @notice It is too late for this.
    error Treasury_Expired(uint256 got, uint256 limit);
    /// @notice Too few owners have signed.
    error Treasury_QuorumNotReached(uint256 got, uint256 limit);
    /// @notice Signatures come in the order of their owners' addresses.
    error Treasury_OwnersNotAscending(address got, address previous);
    /// @notice The owner has not approved this proposal.
    error Treasury_NotApproved(bytes32 id, address owner);
    /// @notice The signature is not by this account.
    error Treasury_SignatureInvalid(address signer, bytes32 digest);
    /// @notice A proposal does something.
    error Treasury_NoCalls();
    /// @notice There is no contract at this address.
    error Treasury_NoCode(address to);
    /// @notice A call of the proposal failed; `reason` is what it reverted with.
    /// @param reason the first 256 bytes of what the call returned
    error Treasury_CallFailed(uint256 index, address to, bytes reason);
    /// @notice The recipient did not take the coin.
    error Treasury_NativeTransferFailed(address to, uint256 amount);
    /// @notice This account cannot be a spender.
    error Treasury_SpenderInvalid(address spender);
    /// @notice The spender has no budget in this token.
    error Treasury_BudgetMissing(address spender, address token);
    /// @notice A spender has budgets in as many tokens as are allowed.
    error Treasury_TooManyTokens(uint256 got, uint256 limit);
    /// @notice The limit has more significant digits than are stored.
    /// @param nearest the nearest smaller limit that can be stored
    error Treasury_LimitNotRepresentable(uint256 got, uint256 nearest);
    /// @notice A single owner may only lower a budget's terms.
    /// @param field which member of {BudgetTerms} would loosen, counted from 0
    error Treasury_NotTightening(uint256 field, uint256 got, uint256 limit);
    /// @notice A delay is of whole hours.
    error Treasury_DelayInvalid(uint256 got, uint256 limit);
    /// @notice No such payment waits under a delay.
    error Treasury_PaymentNotQueued(address spender, bytes32 ref);
    /// @notice This is no Treasury with owners enough to decide.
    error Treasury_SuccessorInvalid(address successor);
    /// @notice The owners have not named this collector.
    error Treasury_CollectorUnknown(address collector);
    /// @notice The channel's payer is not this Treasury.
    error Treasury_ChannelPayerInvalid(address got, address wanted);
    /// @notice A channel of the Treasury needs a key that signs its vouchers.
    error Treasury_ChannelAuthorizerZero();
    /// @notice A channel of the Treasury gives back what is unclaimed within a day of the notice.
    error Treasury_WithdrawDelayTooLong(uint256 got, uint256 limit);
    /// @notice The authorisation would be valid for too long.
    /// @param limit the latest end that it may have
    error Treasury_LifetimeTooLong(uint256 got, uint256 limit);
    /// @notice The token's EIP-712 domain is not the one that it names.
    error Treasury_DomainMismatch(bytes32 got, bytes32 wanted);
    /// @notice The hash is recorded already.
    error Treasury_HashAlreadyAuthorized(bytes32 hash);
    /// @notice No such hash is recorded.
    error Treasury_HashUnknown(bytes32 hash);

    /// @notice Sets the first owners of a fresh clone, once; the factory calls it in the clone's own transaction.
    /// @dev A directly deployed Treasury is initialised by its constructor; one deployed without owners is an
    /// implementation for clones and stays unusable.
    function initialize(address[] calldata owners_, uint256 threshold_) external;

    // ------------------------------------------------------------------ owners (self-calls after a quorum)

    /// @notice Adds an owner, of at most 32; the threshold stays.
    function addOwner(address owner) external;

    /// @notice Removes an owner, whose signatures and approvals count no more, unless it is added again.
    /// @dev An owner that wants to stay could cancel its removal's nonce each time: take one of the last 2^64, which
    /// no owner alone can cancel. Reverts if fewer owners than the threshold would remain: lower the threshold first,
    /// in the same batch.
    function removeOwner(address owner) external;

    /// @notice Puts a successor in an owner's place. For the Treasury itself.
    function replaceOwner(address owner, address successor) external;

    /// @notice Sets how many owners it takes: at least 1, at most as many as there are.
    /// @dev Approvals name the threshold that they were given under and count under no other, so a lower one revives
    /// nothing that too few had approved.
    function setThreshold(uint256 threshold_) external;

    // ------------------------------------------------------------------ budgets

    /// @notice Gives `spender` a budget in `token`, or replaces it. Self-call only; at most 32 tokens per spender.
    /// @dev What the windows hold stays counted, converted to the new limits and rounded up; of a time when a
    /// window had no limit nothing is remembered. A limit 2.6e8 times lower than what its window holds in base units is
    /// stored in larger steps, rounded down: {BudgetSet} and {BudgetLowered} tell the terms as they are stored.
    function setBudget(address spender, address token, BudgetTerms calldata terms) external;

    /// @notice Lowers a budget at once. Any owner alone, or the Treasury itself; no member may grow.
    function lowerBudget(address spender, address token, BudgetTerms calldata terms) external;

    /// @notice Takes a budget away at once. Any owner alone, or the Treasury itself. Windows are not forgotten.
    function removeBudget(address spender, address token) external;

    /// @notice Lets payments of `spender` above `approvalAbove` wait for `delay` seconds instead of the owners: unless
    /// one of them cancels the proposal that the payment opens, anybody may then have it paid by {payQueued}.
    /// Self-call only; any owner alone may set it to 0. What was queued before it was set waits for the owners.
    /// @param delay whole hours, at most 6 days; 0: payments wait for the owners. {setBudget} sets it to 0
    function setDelay(address spender, address token, uint256 delay) external;

    /// @notice Lets what `spender` spends count for the budgets of `group` too, which is a spender that any number of
    /// them share: all of its terms, lists and stops hold for each of them. Self-call only.
    /// @dev A member needs a budget of its own in a token, and its group one too. Groups don't nest: a group's own
    /// group counts for the group's own spending only.
    /// @param group any address; zero: no group
    function setGroup(address spender, address group) external;

    /// @notice Lets `spender` pay these recipients when its budget says `recipientsOnly`. Self-call only.
    function allowRecipients(address spender, address[] calldata recipients) external;

    /// @notice Takes recipients off the list at once. Any owner alone, or the Treasury itself.
    function denyRecipients(address spender, address[] calldata recipients) external;

    /// @notice Stops everything that `spender` may do, in every token, including deposits authorised but not yet
    /// collected. Any owner alone, or the Treasury itself.
    function freeze(address spender) external;

    /// @notice Lifts a freeze, also of what the owners had approved for the spender before. Self-call only.
    function unfreeze(address spender) external;

    /// @notice Stops the spending of all agents, as {freeze} does for one. Any owner alone, or the Treasury itself.
    /// @dev Proposals stay executable but for payments that spenders asked for: it takes a quorum to lift the pause,
    /// and owners must be able to move funds.
    function pause() external;

    /// @notice Lifts the pause. Self-call only.
    function unpause() external;

    // ------------------------------------------------------------------ spending

    /// @notice Pays from the caller's budget: executes now, or opens a proposal if above `approvalAbove`, or
    /// reverts with {Treasury_SpendDenied}.
    /// @dev Windows are charged here, at execution; neither a proposal nor a payment by quorum charges them. Each
    /// window guarantees Σ payments ≤ limit over any interval of its length: amounts are counted in buckets of a
    /// third of the window, and a bucket counts in full until its last second is a window ago. So an amount is
    /// released between one window and four thirds of a window after it was spent.
    /// @param ref idempotency key, per spender: a key pays (or proposes) once. Keys that share their first 31
    /// bytes share a storage slot, so counting in the last byte is the cheapest scheme.
    /// @return proposalId 0 if paid, else the proposal that was opened; it lapses after 7 days
    function pay(
        address token,
        address to,
        uint256 amount,
        bytes32 ref
    ) external returns (bytes32 proposalId);

    /// @notice {pay}s several times; all or nothing.
    function payBatch(Payment[] calldata payments) external returns (bytes32[] memory proposalIds);

    /// @notice {pay}s for an agent that signed instead of sending. Anyone may relay.
    /// @param signature of {hashSpend} by `spend.agent`: 65 or 64 bytes by its key (an EOA, EIP-7702 included), or
    /// whatever its ERC-1271 contract takes
    function paySigned(Spend calldata spend, bytes calldata signature) external returns (bytes32 proposalId);

    /// @notice Pays what waits under a delay ({setDelay}) as {pay} does, charged to the budget now. Anyone may send;
    /// once, and not after its proposal was executed or cancelled, or 7 days have passed.
    function payQueued(address spender, address token, address to, uint256 amount, bytes32 ref) external;

    /// @notice Makes a call that the owners allow the caller ({IScopes}), and charges what leaves by it to the caller's
    /// budgets: the coin that it sends, and what it takes of the token that its scope names.
    /// @dev What the call takes must fit the budgets as a payment does, and is never put before the owners. Recipient
    /// lists are not asked: they are about payments, and the scope says to whom calls may go. Other tokens leave only
    /// if owners have given `call.to`, or whom it calls, a standing allowance in them.
    /// @param amount of the scope's token, that the scope's puller may take while the call runs, at most what is there;
    /// what it leaves is taken back
    /// @param ref idempotency key, as {pay}'s
    function callWithin(Call calldata call, uint128 amount, bytes32 ref) external;

    /// @notice Uses up one of the caller's own {Spend} nonces, so that a signature given away is worth nothing.
    function cancelSpend(uint256 nonce) external;

    /// @notice Says what {pay} would do now, with a fresh `ref`.
    /// @return verdict execute, propose or deny
    /// @return reason why not execute
    /// @return left what the named limit leaves; with `Execute`, the most that would execute in one payment
    /// @return resetsAt when the named window will have room for `amount`; 0 if never, or if it is no window
    function canSpend(
        address spender,
        address token,
        address to,
        uint256 amount
    ) external view returns (Verdict verdict, Reason reason, uint256 left, uint256 resetsAt);

    // ------------------------------------------------------------------ proposals

    /// @notice Shows a batch of calls to the other owners by an event, and approves it. Owners only.
    /// @param nonce any number not used yet; numbers need no order. The last 2^64 are for batches of {addOwner},
    /// {removeOwner}, {replaceOwner} and {setThreshold} only, and are out of reach of {cancelProposal} by one owner
    function propose(Call[] calldata calls, uint256 nonce, uint256 deadline) external returns (bytes32 id);

    /// @notice Approves a proposal on-chain. Owners only. Binds to the content by its hash: see {hashProposal}.
    function approve(bytes32 id) external;

    /// @notice Makes a nonce unusable, whatever it would have executed. Any owner alone, or the Treasury itself; of the
    /// last 2^64 nonces the Treasury only, so that no owner holds up its own removal.
    function cancelProposal(uint256 nonce) external;

    /// @notice Executes a batch of calls that enough owners approve; all calls or none. Anyone may send.
    /// @param deadline last second in which it may execute
    /// @param signatures approvals of current owners, ascending by owner, at least as many as the threshold; each is
    /// one of: 65 bytes, an ECDSA signature (r, s, v) of the proposal's id; 64 bytes, the same in compact form (r, vs;
    /// ERC-2098); 20 bytes, the address of an owner who sends this transaction or has called {approve}; any other
    /// length above 20, the address of an owner and its signature: 65 or 64 bytes by its key, or whatever its code
    /// takes (ERC-1271; a signature of 44 or 45 bytes, which would make 64 or 65 in all, must be padded)
    function execute(
        Call[] calldata calls,
        uint256 nonce,
        uint256 deadline,
        bytes[] calldata signatures
    ) external returns (bytes32 id);

    /// @notice Pays by quorum, for `spender` (the owners themselves: `address(0)`). Self-call only; this is the call
    /// in the proposals that {pay} opens. No budget is charged. Reverts while the spender is frozen or spenders are
    /// paused: to pay all the same, owners unfreeze it in the same batch or pay for themselves.
    function disburse(address spender, address token, address to, uint256 amount, bytes32 ref) external;

    /// @notice Moves all that the Treasury holds of these tokens to another Treasury, and pauses its spenders.
    /// Self-call only; may be done again for what comes in later.
    /// @param successor a Treasury with owners enough to decide, of whatever version; its budgets count anew
    /// @param tokens the coin is `address(0)`
    function migrate(address successor, address[] calldata tokens) external;

    // ------------------------------------------------------------------ ERC-1271: the Treasury as x402 payer

    /// @notice Trusts `collector` as the ERC-3009 deposit collector of the channels contract `settlement` (zero:
    /// trust no more). Self-call only. Deny by default.
    function setCollector(address collector, address settlement) external;

    /// @notice Charges a channel deposit to the caller's budget and makes the Treasury's ERC-1271 signature valid
    /// for exactly this ERC-3009 `ReceiveWithAuthorization`, until `validBefore`, {revokeHash} or {freeze}.
    /// @dev The authorization's `from` is the Treasury, its `to` the collector, its `validAfter` 0, its nonce
    /// `keccak256(abi.encode(channelId, salt))`; hand `abi.encode(0, validBefore, salt, "")` to the collector. The
    /// budget's recipient list is checked against the channel's receiver. What is charged stays charged if
    /// the deposit is never collected or partly refunded.
    /// @param channel `payer` must be this Treasury, `payerAuthorizer` the key that signs vouchers (not zero),
    /// `withdrawDelay` a day at most
    /// @param validBefore at most the next full 20 minutes (Unix time), where the bucket ends that the deposit is
    /// charged to: outflow in the bucket of its charge keeps the windows' guarantee as a payment does
    /// @return hash the ERC-3009 digest that {isValidSignature} now accepts
    function authorizeDeposit(
        ChannelConfig calldata channel,
        uint128 amount,
        address collector,
        uint256 salt,
        uint256 validBefore
    ) external returns (bytes32 hash);

    /// @notice Makes the Treasury's ERC-1271 signature valid for `hash` until `validBefore`. Self-call only.
    function authorizeHash(bytes32 hash, uint256 validBefore) external;

    /// @notice Takes an authorised hash back. Any owner alone, the spender it was charged to, or the Treasury.
    function revokeHash(bytes32 hash) external;

    /// @notice Starts withdrawing a channel's unclaimed rest to the Treasury. Any owner alone, or the Treasury.
    /// @dev The channel's key may start withdrawals, too, and only one is pending at a time: one that is due is ended
    /// first.
    function recallChannel(address collector, ChannelConfig calldata channel, uint128 amount) external;

    /// @notice Ends a withdrawal that {recallChannel} started, after the channel's delay. Anyone may send.
    function finalizeRecall(address collector, ChannelConfig calldata channel) external;

    // ------------------------------------------------------------------ views

    /// @notice The owners.
    function owners() external view returns (address[] memory);

    /// @notice Whether an account is an owner.
    function isOwner(address account) external view returns (bool);

    /// @notice How many owners must agree.
    function threshold() external view returns (uint256);

    /// @notice Whether no spender may move anything.
    function isPaused() external view returns (bool);

    /// @notice Whether a spender may move nothing.
    function isFrozen(address spender) external view returns (bool);

    /// @notice The group whose budgets a spender shares; zero if none.
    function groupOf(address spender) external view returns (address);

    /// @notice Where owners say which calls spenders may make.
    function scopes() external view returns (IScopes);

    /// @notice A spender's budget in a token, and whether it has one.
    /// @return terms what was set last, also if removed since
    /// @return active whether there is a budget (it may still be frozen or past `validUntil`)
    /// @return delay what a payment above `approvalAbove` waits if owners neither approve nor cancel it, in seconds; 0:
    /// for them
    function budgetOf(
        address spender,
        address token
    ) external view returns (BudgetTerms memory terms, bool active, uint256 delay);

    /// @notice What of each window of a budget is used, and when it is free again.
    /// @return usage hour, day, week, month
    function usageOf(address spender, address token) external view returns (WindowUsage[4] memory usage);

    /// @notice The tokens in which `spender` has a budget.
    function tokensOf(address spender) external view returns (address[] memory);

    /// @notice Whether a recipient is on a spender's allowlist.
    function isRecipientAllowed(address spender, address recipient) external view returns (bool);

    /// @notice Whether a spender has used this reference.
    function isReferenceUsed(address spender, bytes32 ref) external view returns (bool);

    /// @notice Whether an agent's signed spend with this nonce was used.
    function isSpendNonceUsed(address agent, uint256 nonce) external view returns (bool);

    /// @notice Whether a proposal with this nonce was executed or cancelled.
    function isNonceUsed(uint256 nonce) external view returns (bool);

    /// @notice Whether an owner has approved a proposal on-chain.
    function hasApproved(bytes32 id, address owner) external view returns (bool);

    /// @notice Who recorded a hash for ERC-1271, and until when it is valid.
    /// @return spender whose budget was charged; zero if authorised by quorum
    /// @return validBefore 0 if not authorised
    function authorizationOf(bytes32 hash) external view returns (address spender, uint256 validBefore);

    /// @notice The settlement contract that a collector serves; zero if the collector is unknown.
    function settlementOf(address collector) external view returns (address);

    /// @notice A proposal's id: the EIP-712 digest of `Proposal(Call[] calls,uint256 nonce,uint256
    /// deadline,uint256 threshold)Call(address to,uint256 value,bytes data)`, which is what owners sign; `threshold` is
    /// the present one.
    function hashProposal(
        Call[] calldata calls,
        uint256 nonce,
        uint256 deadline
    ) external view returns (bytes32);

    /// @notice The EIP-712 digest that an agent signs.
    function hashSpend(Spend calldata spend) external view returns (bytes32);

    /// @notice The EIP-712 digest of a channel in the domain of `settlement`.
    function channelIdOf(address settlement, ChannelConfig calldata channel) external view returns (bytes32);

    /// @notice The nonce of the proposal that a payment of `spender` with `ref` opens.
    function proposalNonceOf(address spender, bytes32 ref) external pure returns (uint256);
}
