// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAgreements} from "./IAgreements.sol";
import {IArbitrable} from "../trust/IArbitrable.sol";
import {IERC8183} from "./IERC8183.sol";
import {IEvidence} from "../trust/IEvidence.sol";

/// @title Escrow
/// @notice Pay on delivery: milestones, a review window, arbitration, and joint settlement.
/// @dev A superset of ERC-8183. An agreement's number is its hash, so whoever acts on it hands it in again,
///      ABI-encoded, as `agreement` (in ERC-8183's functions: `optParams`); for a job of `createJob` that argument is
///      ignored. In an agreement silence after delivery pays the seller, never the buyer. A job of `createJob` is its
///      evaluator's: it alone accepts or rejects what was submitted; if it is silent for `ARBITRATION_LIMIT`, the
///      client is refunded, as the standard has it.
///      An ERC-792 arbitrator is paid by who loses. Whoever disputes puts down what the arbitrator cost when the
///      agreement was opened; the other side answers within as long as a review takes, by putting down the same, or
///      loses the milestone. So no price that rises later keeps either side from its word. The arbitrator is paid from
///      both; what is left is the winner's. If it costs more than both by then, anybody asks it within
///      `ARBITRATION_LIMIT`, when it is cheaper again or by paying what is missing.
///      What a recipient cannot or will not receive is credited and can be withdrawn, so nobody jams the other side;
///      so is what was put down for an arbitrator, as the token address(0).
interface IEscrow is IAgreements, IERC8183, IArbitrable, IEvidence {
    /// @notice How both sides share all that is left.
    /// @param jobId The agreement's number.
    /// @param sellerAmount What the seller gets, in base units.
    /// @param buyerAmount What the buyer gets: the rest, to the unit.
    /// @param deadline Until when it can be carried out, Unix seconds.
    struct Settlement {
        uint256 jobId;
        uint256 sellerAmount;
        uint256 buyerAmount;
        uint256 deadline;
    }

    /// @notice An agreement was opened and funded by `payer`.
    /// @param isArbitrated Whether the arbiter says by ERC-165 that it is an ERC-792 arbitrator. It is asked now and
    ///        never again: an arbitrator rules, anybody else calls `resolve`.
    event AgreementOpened(
        uint256 indexed jobId,
        address indexed payer,
        bool isArbitrated,
        Agreement agreement
    );
    /// @notice A milestone was settled: paid, or split by a ruling.
    event MilestoneSettled(
        uint256 indexed jobId,
        uint256 indexed milestone,
        uint256 toSeller,
        uint256 toBuyer
    );
    /// @notice The seller accepted, by `accept` or by its first delivery.
    event AgreementAccepted(uint256 indexed jobId, address indexed seller);
    /// @notice The buyer granted more time for a milestone; those that follow move with it.
    event DeadlineExtended(uint256 indexed jobId, uint256 indexed milestone, uint256 deadline);
    /// @notice One side disputes what was delivered.
    event Disputed(uint256 indexed jobId, address indexed by, address indexed arbiter);
    /// @notice Both sides signed how to share what was left.
    event JointlySettled(uint256 indexed jobId, uint256 toSeller, uint256 toBuyer);
    /// @notice A payout failed, or is an arbitrator's fee that was not spent, and waits to be withdrawn.
    event PayoutCredited(address indexed token, address indexed account, uint256 amount);
    /// @notice A credited payout was withdrawn.
    event CreditWithdrawn(address indexed token, address indexed account, address indexed to, uint256 amount);

    /// @notice There is no such job.
    error Escrow_UnknownJob(uint256 jobId);
    /// @notice The agreement handed in is not the one that was opened.
    error Escrow_AgreementMismatch(uint256 jobId);
    /// @notice The job is not where this can be done.
    error Escrow_WrongStatus(uint256 jobId, Status status);
    /// @notice This is for somebody else to do.
    error Escrow_NotAllowed(address caller, address wanted);
    /// @notice A party is missing, or is on both sides.
    error Escrow_BadParties(address buyer, address seller, address arbiter);
    /// @notice There is no token at this address.
    error Escrow_NotAToken(address token);
    /// @notice Milestones must be 1 to `limit`.
    error Escrow_BadMilestones(uint256 got, uint256 limit);
    /// @notice Every milestone has an amount.
    error Escrow_ZeroAmount();
    /// @notice This agreement was opened before; another `termsHash` makes it another one.
    error Escrow_AlreadyOpened(uint256 jobId);
    /// @notice The agreement needs no acceptance, or has it.
    error Escrow_Accepted(uint256 jobId);
    /// @notice The deadline must lie ahead, not before an earlier one's, and not too far.
    error Escrow_BadDeadline(uint256 got, uint256 earliest, uint256 latest);
    /// @notice The review window is out of range.
    error Escrow_BadReviewWindow(uint256 got, uint256 least, uint256 most);
    /// @notice Hooks are not supported.
    error Escrow_NoHooks(address hook);
    /// @notice The provider is set already.
    error Escrow_ProviderSet(address provider);
    /// @notice The budget is not the one that the client expects.
    error Escrow_BudgetMismatch(uint256 got, uint256 expected);
    /// @notice The token moved less or more than was asked: fee-on-transfer tokens are not supported.
    error Escrow_AmountNotExact(address token, uint256 received, uint256 amount);
    /// @notice It is too late for this.
    error Escrow_DeadlinePassed(uint256 time, uint256 deadline);
    /// @notice It is too early for this.
    error Escrow_TooEarly(uint256 time, uint256 from);
    /// @notice It is too late to dispute.
    error Escrow_ReviewOver(uint256 time, uint256 until);
    /// @notice The agreement names nobody to decide.
    error Escrow_NoArbiter(uint256 jobId);
    /// @notice There is no dispute before an arbitrator, or it is answered.
    error Escrow_NothingToAnswer(uint256 jobId);
    /// @notice The dispute is not answered, or the arbitrator is asked already.
    error Escrow_NothingToAsk(uint256 jobId);
    /// @notice The other side has not answered: `executeRuling` decides for who disputed, when it is time.
    error Escrow_NotAnswered(uint256 jobId);
    /// @notice What was signed is not all that is left: a milestone was settled in between.
    error Escrow_NotTheRest(uint256 sellerAmount, uint256 buyerAmount, uint256 rest);
    /// @notice In a dispute each side puts down what `feeOf` says, and a person has nothing here. Or what comes with
    ///         `askArbitrator` is not all that is missing; or the arbitrator costs more than anybody could pay.
    error Escrow_WrongFee(uint256 got, uint256 wanted);
    /// @notice More than the whole.
    error Escrow_ShareTooLarge(uint256 got, uint256 limit);
    /// @notice This arbitrator has no such dispute of ours, or has ruled on it.
    error Escrow_UnknownDispute(address arbitrator, uint256 disputeID);
    /// @notice The arbitrator has not ruled.
    error Escrow_NotRuled(uint256 jobId);
    /// @notice The arbitrator has ruled: that is what must be carried out.
    error Escrow_Ruled(uint256 jobId);
    /// @notice The arbiter is an ERC-792 arbitrator, which rules and does not resolve.
    error Escrow_Arbitrated(uint256 jobId);
    /// @notice The signature is not by this party, or has expired.
    error Escrow_BadSignature(address party);
    /// @notice There is nothing to withdraw.
    error Escrow_NoCredit(address token, address account);
    /// @notice The recipient did not take the coin.
    error Escrow_PaymentFailed(address to, uint256 amount);

    /// @notice Opens an agreement with an EIP-2612 permit of the caller's, in one transaction.
    /// @return id Its number, the agreement's hash.
    function openWithPermit(
        Agreement calldata agreement,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external returns (uint256 id);

    /// @notice Opens an agreement that `payer` funds by an ERC-3009 authorisation; anyone may bring it. The
    ///         authorisation's nonce must be `authorizationNonce(agreement, salt)`, so it opens nothing else.
    /// @return id Its number, the agreement's hash.
    function openWithAuthorization(
        Agreement calldata agreement,
        address payer,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 salt,
        bytes calldata signature
    ) external returns (uint256 id);

    /// @notice Accepts an agreement that asks for it, before its `acceptBy`. For the seller; delivering accepts, too.
    function accept(uint256 jobId, bytes calldata agreement) external;

    /// @notice Grants more time: the milestone that is due may be delivered before `deadline`, Unix seconds, and those
    ///         that follow as much later. For the buyer.
    function extend(uint256 jobId, uint256 deadline, bytes calldata agreement) external;

    /// @notice Releases the milestone that is due: the buyer at any time, anyone once the review window has passed
    ///         without a dispute, or once the arbiter has been silent for `ARBITRATION_LIMIT`. Of a job of ERC-8183 its
    ///         evaluator alone.
    function release(uint256 jobId, bytes calldata agreement) external;

    /// @notice The seller gives back all that is left.
    function refund(uint256 jobId, bytes calldata agreement) external;

    /// @notice Refunds the buyer of an agreement whose due milestone was not delivered in time, or which the seller has
    ///         not accepted in time; anyone may call. What is not accepted yet the buyer may take back at any time.
    function claimRefund(uint256 jobId, bytes calldata agreement) external;

    /// @notice Disputes what was delivered, within the review window. What `feeOf` says comes with the call.
    function dispute(uint256 jobId, bytes calldata agreement) external payable;

    /// @notice Answers a dispute, for the other side, within as long as a review takes: what `feeOf` says comes with
    ///         the call. The ERC-792 arbitrator is asked now, unless it costs more than both sides have put down.
    function answer(uint256 jobId, bytes calldata agreement) external payable;

    /// @notice Asks the arbitrator about an answered dispute that it was too dear for. What it costs more than both
    ///         sides have put down comes with the call; what comes in excess is credited. Anyone may call.
    function askArbitrator(uint256 jobId, bytes calldata agreement) external payable;

    /// @notice Hands in evidence on a disputed milestone (ERC-1497).
    function submitEvidence(uint256 jobId, string calldata evidence, bytes calldata agreement) external;

    /// @notice A person who is the arbiter splits the disputed milestone: `sellerBps` of it to the seller. An ERC-792
    ///         arbitrator rules instead.
    function resolve(uint256 jobId, uint256 sellerBps, bytes calldata agreement) external;

    /// @notice Carries out an ERC-792 arbitrator's ruling r: r - 1 basis points to the seller, halves for 0; or gives
    ///         the milestone to who disputed, if the other side has not answered in time. Anyone may call.
    function executeRuling(uint256 jobId, bytes calldata agreement) external;

    /// @notice Shares all that is left as both sides signed: EIP-712
    ///         `Settlement(uint256 jobId,uint256 sellerAmount,uint256 buyerAmount,uint256 deadline)`, a key's or an
    ///         ERC-1271 signature. Not for jobs of ERC-8183, which are their evaluators'.
    function settle(
        Settlement calldata settlement,
        bytes calldata buyerSignature,
        bytes calldata sellerSignature,
        bytes calldata agreement
    ) external;

    /// @notice Withdraws the caller's credited payouts to `to`; address(0) is the chain's coin.
    /// @return amount What was paid.
    function withdrawCredit(address token, address to) external returns (uint256 amount);

    /// @notice What waits to be withdrawn.
    function creditOf(address token, address account) external view returns (uint256 amount);

    /// @notice A job of `createJob`, with its present status; for an agreement only the status.
    function getJob(uint256 jobId) external view returns (Job memory job);

    /// @notice Where a job stands: its status, how many milestones are settled, and since when it waits (for a review,
    ///         an answer or a ruling; 0 for none).
    function statusOf(uint256 jobId) external view returns (Status status, uint256 settled, uint256 since);

    /// @notice What either side puts down in a dispute, in wei: what the agreement's ERC-792 arbitrator cost when it
    ///         was opened.
    function feeOf(uint256 jobId) external view returns (uint256 fee);

    /// @notice Before when the milestone that is due must be delivered, Unix seconds, as far as it is known now.
    function deadlineOf(uint256 jobId, bytes calldata agreement) external view returns (uint256 deadline);

    /// @notice The nonce of the ERC-3009 authorisation that opens this agreement.
    function authorizationNonce(
        Agreement calldata agreement,
        bytes32 salt
    ) external view returns (bytes32 nonce);

    /// @notice What both sides sign to share what is left.
    function settlementDigest(Settlement calldata settlement) external view returns (bytes32 digest);

    /// @notice How many jobs `createJob` has made; the last one's number.
    function jobCount() external view returns (uint256 count);
}
