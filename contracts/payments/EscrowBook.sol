// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IEscrow} from "../interfaces/payments/IEscrow.sol";

/// @notice What Escrow keeps: each job in one slot, the jobs of ERC-8183 in full, and payouts that failed.
abstract contract EscrowBook is IEscrow, EIP712, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @dev One slot. 192 bits of the agreement's hash: a second agreement with the same takes 2^96 tries. `since`
    ///      lasts until the year 2106. Whether the arbiter is an ERC-792 arbitrator is found out once, when it is
    ///      agreed on.
    struct Record {
        bytes24 hash;
        uint32 since;
        bool isArbitrated;
        Status status;
        uint8 settled;
        uint8 paid;
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
    /// @notice The review window of jobs that ERC-8183's `createJob` made.
    uint32 public constant JOB_REVIEW_WINDOW = 3 days;
    /// @notice How long an arbiter may be silent before what was delivered is released.
    uint256 public constant ARBITRATION_LIMIT = 180 days;

    /// @notice The token of ERC-8183's jobs, which name none.
    address public immutable jobToken;
    /// @inheritdoc IEscrow
    uint256 public jobCount;
    mapping(uint256 jobId => Record) internal _records;
    mapping(uint256 jobId => Job) internal _jobs;
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
        IERC20(token).safeTransfer(to, amount);
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
        if (jobId == 0 || jobId > jobCount) revert Escrow_UnknownJob(jobId);
        record = _records[jobId];
    }

    function _require(uint256 jobId, Record storage record, Status wanted) internal view {
        if (record.status != wanted) revert Escrow_WrongStatus(jobId, record.status);
    }

    function _requireCaller(address wanted) internal view {
        if (msg.sender != wanted) revert Escrow_NotAllowed(msg.sender, wanted);
    }

    /// @dev The job's record and its agreement: as handed in, or for a job of ERC-8183 as stored.
    function _resolve(
        uint256 jobId,
        bytes calldata encoded
    ) internal view returns (Record storage record, Agreement memory agreement) {
        record = _records[jobId];
        if (bytes24(keccak256(encoded)) == record.hash) return (record, abi.decode(encoded, (Agreement)));
        _known(jobId);
        // A job of ERC-8183: its `optParams` are for hooks alone, and there are none.
        if (_jobs[jobId].client == address(0)) revert Escrow_AgreementMismatch(jobId);
        if (record.status == Status.Open) revert Escrow_WrongStatus(jobId, Status.Open);
        return (record, _agreementOf(jobId));
    }

    /// @dev Who reviews: the evaluator of an ERC-8183 job, the buyer of an agreement.
    function _reviewerOf(
        uint256 jobId,
        Record storage record,
        Agreement memory agreement
    ) internal view returns (address) {
        return record.hash == 0 ? _jobs[jobId].evaluator : agreement.buyer;
    }

    function _agreementOf(uint256 jobId) internal view returns (Agreement memory) {
        Job storage job = _jobs[jobId];
        uint128[] memory milestones = new uint128[](1);
        milestones[0] = uint128(job.budget);
        return
            Agreement({
                buyer: job.client,
                seller: job.provider,
                token: jobToken,
                milestones: milestones,
                deliverBy: uint40(job.expiredAt),
                reviewWindow: JOB_REVIEW_WINDOW,
                arbiter: address(0),
                termsHash: keccak256(bytes(job.description))
            });
    }

    /// @dev Settles the milestone that is due: `toSeller` of it to the seller, the rest to the buyer.
    function _settleMilestone(
        uint256 jobId,
        Record storage record,
        Agreement memory agreement,
        uint256 toSeller,
        bytes32 reason
    ) internal {
        uint256 milestone = record.settled;
        uint256 amount = agreement.milestones[milestone];
        uint256 toBuyer = amount - toSeller;
        bool isLast = milestone + 1 == agreement.milestones.length;
        record.settled = uint8(milestone + 1);
        record.since = 0;
        record.status = Status.Funded;
        if (toBuyer == 0) ++record.paid;
        if (isLast) _end(jobId, record, toSeller == 0 ? Status.Rejected : Status.Completed, reason);
        if (agreement.milestones.length > 1 || toBuyer != 0)
            emit MilestoneSettled(jobId, milestone, toSeller, toBuyer);
        _paySeller(jobId, agreement, toSeller);
        _payBuyer(jobId, agreement, toBuyer);
    }

    /// @dev Ends the job, and says so in ERC-8183's words.
    function _end(uint256 jobId, Record storage record, Status status, bytes32 reason) internal {
        record.status = status;
        if (status == Status.Completed) emit JobCompleted(jobId, msg.sender, reason);
        else if (status == Status.Rejected) emit JobRejected(jobId, msg.sender, reason);
        else emit JobExpired(jobId);
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

    /// @dev What is in escrow for the milestones that are not settled.
    function _rest(Record storage record, Agreement memory agreement) internal view returns (uint256 rest) {
        for (uint256 i = record.settled; i < agreement.milestones.length; ++i)
            rest += agreement.milestones[i];
    }

    function _pay(address token, address to, uint256 amount) private {
        if (IERC20(token).trySafeTransfer(to, amount)) return;
        _credits[token][to] += amount;
        emit PayoutCredited(token, to, amount);
    }
}
