// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IEscrow} from "../interfaces/payments/IEscrow.sol";

/// @notice What Escrow keeps: each job in one slot, the jobs of ERC-8183 in full, and payouts that failed.
abstract contract EscrowBook is IEscrow, EIP712, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @dev One slot. `since` is when what is waited for began: a review, an answer, a ruling. `waited` is how long
    ///      that took so far, and what the buyer granted beyond it. Whether the arbiter is an ERC-792 arbitrator is
    ///      found out once, when it is agreed on, and so is its `fee`, which either side puts down in a dispute.
    struct Record {
        uint40 since;
        uint40 waited;
        bool isArbitrated;
        bool isAccepted;
        Status status;
        uint8 settled;
        uint8 paid;
        uint80 fee;
    }

    /// @dev What was put down for an arbitrator, by `payer` alone or, if it was answered, by both sides. The arbitrator
    ///      is paid from it once it is asked; what is left is the winner's.
    struct Stake {
        address payer;
        uint88 amount;
        Stand stand;
    }

    enum Stand {
        Unanswered,
        Answered,
        Asked
    }

    uint256 internal constant BPS = 10_000;
    /// @notice Most milestones of an agreement.
    uint256 public constant MAX_MILESTONES = 50;
    /// @notice Longest time to deliver, seconds.
    uint256 public constant MAX_DURATION = 5 * 365 days;
    /// @notice Shortest review, seconds.
    uint256 public constant MIN_REVIEW_WINDOW = 1 hours;
    /// @notice Longest review, seconds.
    uint256 public constant MAX_REVIEW_WINDOW = 90 days;
    /// @notice How long an arbiter may be silent before what was delivered is released, and the evaluator of an
    ///         ERC-8183 job before its client is refunded.
    uint256 public constant ARBITRATION_LIMIT = 180 days;

    /// @notice The token of ERC-8183's jobs, which name none.
    address public immutable jobToken;
    /// @inheritdoc IEscrow
    uint256 public jobCount;
    mapping(uint256 jobId => Record) internal _records;
    mapping(uint256 jobId => Job) internal _jobs;
    mapping(uint256 jobId => Stake) internal _stakes;
    /// @dev The chain's coin, which arbitrators are paid in, stands under address(0).
    mapping(address token => mapping(address account => uint256)) private _credits;

    constructor(address jobToken_) EIP712("Escrow", "1") {
        jobToken = jobToken_;
    }

    /// @inheritdoc IEscrow
    function withdrawCredit(address token, address to) external nonReentrant returns (uint256 amount) {
        amount = _credits[token][msg.sender];
        if (amount == 0) revert Escrow_NoCredit(token, msg.sender);
        _credits[token][msg.sender] = 0;
        emit CreditWithdrawn(token, msg.sender, to, amount);
        if (token != address(0)) IERC20(token).safeTransfer(to, amount);
        else if (!LowLevelCall.callNoReturn(to, amount, "")) revert Escrow_PaymentFailed(to, amount);
    }

    /// @inheritdoc IEscrow
    function creditOf(address token, address account) external view returns (uint256) {
        return _credits[token][account];
    }

    /// @inheritdoc IEscrow
    function getJob(uint256 jobId) external view returns (Job memory job) {
        job = _jobs[jobId];
        job.status = _known(jobId).status;
    }

    /// @inheritdoc IEscrow
    function statusOf(uint256 jobId) external view returns (Status, uint256, uint256) {
        Record memory record = _known(jobId);
        return (record.status, record.settled, record.since);
    }

    function _known(uint256 jobId) internal view returns (Record storage record) {
        record = _records[jobId];
        if (record.status == Status.Open && _jobs[jobId].client == address(0))
            revert Escrow_UnknownJob(jobId);
    }

    function _require(uint256 jobId, Record storage record, Status wanted) internal view {
        if (record.status != wanted) revert Escrow_WrongStatus(jobId, record.status);
    }

    function _requireCaller(address wanted) internal view {
        if (msg.sender != wanted) revert Escrow_NotAllowed(msg.sender, wanted);
    }

    /// @dev The job's record and its agreement: as handed in, whose hash is its number, or for a job of ERC-8183 as
    ///      stored.
    function _resolve(
        uint256 jobId,
        bytes calldata encoded
    ) internal view returns (Record storage record, Agreement memory agreement) {
        record = _records[jobId];
        // A job that `createJob` numbered has no such hash: that takes 2^192 tries at the least.
        if (keccak256(encoded) == bytes32(jobId) && record.status != Status.Open)
            return (record, abi.decode(encoded, (Agreement)));
        _known(jobId);
        // A job of ERC-8183: its `optParams` are for hooks alone, and there are none.
        if (_jobs[jobId].client == address(0)) revert Escrow_AgreementMismatch(jobId);
        if (record.status == Status.Open) revert Escrow_WrongStatus(jobId, Status.Open);
        return (record, _agreementOf(jobId));
    }

    /// @dev A job of ERC-8183 as an agreement: its arbiter is the evaluator, and there is no review, which no agreement
    ///      lacks.
    function _agreementOf(uint256 jobId) internal view returns (Agreement memory) {
        Job storage job = _jobs[jobId];
        Milestone[] memory milestones = new Milestone[](1);
        milestones[0] = Milestone(uint128(job.budget), uint40(job.expiredAt));
        return
            Agreement({
                buyer: job.client,
                seller: job.provider,
                token: jobToken,
                milestones: milestones,
                acceptBy: 0,
                reviewWindow: 0,
                arbiter: job.evaluator,
                termsHash: keccak256(bytes(job.description))
            });
    }

    /// @dev Whether it is a job of ERC-8183, whose evaluator alone accepts or rejects.
    function _hasEvaluator(Agreement memory agreement) internal pure returns (bool) {
        return agreement.reviewWindow == 0;
    }

    /// @dev When the milestone is due that is not settled yet.
    function _deadlineOf(Record storage record, Agreement memory agreement) internal view returns (uint256) {
        return uint256(agreement.milestones[record.settled].deliverBy) + record.waited;
    }

    /// @dev Something is waited for from now on; what was before took its time.
    function _await(Record storage record, Status status) internal {
        uint40 since = record.since;
        if (since != 0) record.waited += uint40(block.timestamp) - since;
        (record.since, record.status) = (uint40(block.timestamp), status);
    }

    /// @dev Settles the milestone that is due: `toSeller` of it to the seller, the rest to the buyer.
    function _settleMilestone(
        uint256 jobId,
        Record memory record,
        Agreement memory agreement,
        uint256 toSeller,
        bytes32 reason
    ) internal {
        uint256 milestone = record.settled;
        uint256 toBuyer = agreement.milestones[milestone].amount - toSeller;
        if (record.since != 0) record.waited += uint40(block.timestamp) - record.since;
        (record.since, record.status, record.settled) = (0, Status.Funded, uint8(milestone + 1));
        if (toBuyer == 0) ++record.paid;
        if (milestone + 1 == agreement.milestones.length) {
            record.status = toSeller == 0 ? Status.Rejected : Status.Completed;
            _emitEnd(jobId, record.status, reason);
        }
        _records[jobId] = record;
        if (agreement.milestones.length > 1 || toBuyer != 0)
            emit MilestoneSettled(jobId, milestone, toSeller, toBuyer);
        _paySeller(jobId, agreement, toSeller);
        _payBuyer(jobId, agreement, toBuyer);
    }

    function _end(uint256 jobId, Record storage record, Status status, bytes32 reason) internal {
        record.status = status;
        _emitEnd(jobId, status, reason);
    }

    /// @dev What was put down for an arbitrator, as far as it was not paid: back to who did if the other side has not
    ///      answered, else to whoever was given more than half, or a half to each.
    function _shareFee(uint256 jobId, Agreement memory agreement, uint256 sellerBps) internal {
        Stake memory stake = _stakes[jobId];
        if (stake.payer == address(0)) return;
        delete _stakes[jobId];
        if (stake.stand == Stand.Unanswered) return _credit(address(0), stake.payer, stake.amount);
        uint256 toSeller =
            sellerBps == BPS / 2
                ? stake.amount / 2
                : sellerBps > BPS / 2
                    ? stake.amount
                    : 0;
        _credit(address(0), agreement.seller, toSeller);
        _credit(address(0), agreement.buyer, stake.amount - toSeller);
    }

    function _paySeller(uint256 jobId, Agreement memory agreement, uint256 amount) internal {
        if (amount == 0) return;
        emit PaymentReleased(jobId, agreement.seller, amount);
        _pay(agreement.token, agreement.seller, amount);
    }

    function _payBuyer(uint256 jobId, Agreement memory agreement, uint256 amount) internal {
        if (amount == 0) return;
        emit Refunded(jobId, agreement.buyer, amount);
        _pay(agreement.token, agreement.buyer, amount);
    }

    function _credit(address token, address to, uint256 amount) internal {
        if (amount == 0) return;
        _credits[token][to] += amount;
        emit PayoutCredited(token, to, amount);
    }

    /// @dev What is in escrow for the milestones that are not settled.
    function _rest(Record storage record, Agreement memory agreement) internal view returns (uint256 rest) {
        for (uint256 i = record.settled; i < agreement.milestones.length; ++i)
            rest += agreement.milestones[i].amount;
    }

    function _pay(address token, address to, uint256 amount) private {
        if (!IERC20(token).trySafeTransfer(to, amount)) _credit(token, to, amount);
    }

    /// @dev Says in ERC-8183's words how a job has ended.
    function _emitEnd(uint256 jobId, Status status, bytes32 reason) private {
        if (status == Status.Completed) emit JobCompleted(jobId, msg.sender, reason);
        else if (status == Status.Rejected) emit JobRejected(jobId, msg.sender, reason);
        else emit JobExpired(jobId);
    }
}
