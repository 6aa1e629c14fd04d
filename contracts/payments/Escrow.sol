// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import {ERC165Checker} from "@openzeppelin/contracts/utils/introspection/ERC165Checker.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {IAgreements} from "../interfaces/payments/IAgreements.sol";
import {IArbitrable} from "../interfaces/trust/IArbitrable.sol";
import {IArbitrator} from "../interfaces/trust/IArbitrator.sol";
import {IERC3009Bytes} from "../interfaces/payments/IERC3009Bytes.sol";
import {IERC8183} from "../interfaces/payments/IERC8183.sol";
import {IEscrow} from "../interfaces/payments/IEscrow.sol";
import {Signatures} from "../libraries/Signatures.sol";
import {EscrowBook} from "./EscrowBook.sol";

/// @notice See `IEscrow`: how jobs open, are delivered, released, refunded, disputed and settled.
contract Escrow is EscrowBook, IERC165 {
    using SafeERC20 for IERC20;

    bytes32 private constant SETTLEMENT_TYPEHASH = keccak256(
        "Settlement(uint256 jobId,uint256 sellerAmount,uint256 deadline)"
    );

    /// @dev What an arbitrator's dispute is about. A job goes on when it is settled otherwise, so a ruling that comes
    ///      late must not meet a later milestone.
    struct Subject {
        uint128 jobId;
        uint128 milestone;
    }

    mapping(address arbitrator => mapping(uint256 disputeID => Subject)) private _disputes;
    /// @dev An arbitrator's ruling plus one, by job; 0 before it.
    mapping(uint256 jobId => uint256) private _rulings;

    /// @param jobToken_ The token of ERC-8183's jobs.
    /// @param metaEvidence What a ruling on a dispute means, for arbitrators (ERC-1497): a URI.
    constructor(address jobToken_, string memory metaEvidence) EscrowBook(jobToken_) {
        emit MetaEvidence(0, metaEvidence);
    }

    /// @inheritdoc IAgreements
    function open(Agreement calldata agreement) external nonReentrant returns (uint256 id) {
        id = _open(agreement, msg.sender);
        _takeExactly(agreement.token, msg.sender, _sum(agreement));
    }

    /// @inheritdoc IEscrow
    function openWithPermit(
        Agreement calldata agreement,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external nonReentrant returns (uint256 id) {
        uint256 amount = _sum(agreement);
        // Somebody may have used the permit first, out of the public pool; then the approval stands all the same.
        LowLevelCall.callNoReturn(
            agreement.token,
            abi.encodeCall(IERC20Permit.permit, (msg.sender, address(this), amount, deadline, v, r, s))
        );
        id = _open(agreement, msg.sender);
        _takeExactly(agreement.token, msg.sender, amount);
    }

    /// @inheritdoc IEscrow
    function openWithAuthorization(
        Agreement calldata agreement,
        address payer,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 salt,
        bytes calldata signature
    ) external nonReentrant returns (uint256 id) {
        id = _open(agreement, payer);
        uint256 amount = _sum(agreement);
        bytes32 nonce = authorizationNonce(agreement, salt);
        uint256 before = IERC20(agreement.token).balanceOf(address(this));
        IERC3009Bytes(agreement.token).receiveWithAuthorization(
            payer,
            address(this),
            amount,
            validAfter,
            validBefore,
            nonce,
            signature
        );
        _requireExact(agreement.token, before, amount);
    }

    /// @inheritdoc IERC8183
    function createJob(
        address provider,
        address evaluator,
        uint256 expiredAt,
        string calldata description,
        address hook
    ) external returns (uint256 jobId) {
        if (hook != address(0)) revert Escrow_NoHooks(hook);
        if (evaluator == address(0) || provider == msg.sender)
            revert Escrow_BadParties(msg.sender, provider, evaluator);
        _requireDeadline(expiredAt);
        jobId = ++jobCount;
        Job storage job = _jobs[jobId];
        (job.client, job.provider, job.evaluator) = (msg.sender, provider, evaluator);
        (job.expiredAt, job.description) = (expiredAt, description);
        emit JobCreated(jobId, msg.sender, provider, evaluator, expiredAt);
    }

    /// @inheritdoc IERC8183
    function setProvider(uint256 jobId, address provider, bytes calldata) external {
        Job storage job = _openJob(jobId);
        _requireCaller(job.client);
        if (job.provider != address(0)) revert Escrow_ProviderSet(job.provider);
        if (provider == address(0) || provider == job.client)
            revert Escrow_BadParties(job.client, provider, job.evaluator);
        job.provider = provider;
        emit ProviderSet(jobId, provider);
    }

    /// @inheritdoc IERC8183
    function setBudget(uint256 jobId, uint256 amount, bytes calldata) external {
        Job storage job = _openJob(jobId);
        if (msg.sender != job.provider) _requireCaller(job.client);
        if (amount > type(uint128).max) revert Escrow_ShareTooLarge(amount, type(uint128).max);
        job.budget = amount;
        emit BudgetSet(jobId, amount);
    }

    /// @inheritdoc IERC8183
    function fund(uint256 jobId, uint256 expectedBudget, bytes calldata) external nonReentrant {
        Job storage job = _openJob(jobId);
        _requireCaller(job.client);
        uint256 budget = job.budget;
        if (budget == 0) revert Escrow_ZeroAmount();
        if (budget != expectedBudget) revert Escrow_BudgetMismatch(budget, expectedBudget);
        if (job.provider == address(0)) revert Escrow_BadParties(job.client, address(0), job.evaluator);
        if (block.timestamp >= job.expiredAt) revert Escrow_DeadlinePassed(block.timestamp, job.expiredAt);
        _records[jobId].status = Status.Funded;
        emit JobFunded(jobId, msg.sender, budget);
        _takeExactly(jobToken, msg.sender, budget);
    }

    /// @inheritdoc IERC8183
    function submit(uint256 jobId, bytes32 deliverable, bytes calldata optParams) external {
        (Record storage record, Agreement memory agreement) = _resolve(jobId, optParams);
        _require(jobId, record, Status.Funded);
        _requireCaller(agreement.seller);
        if (block.timestamp >= agreement.deliverBy)
            revert Escrow_DeadlinePassed(block.timestamp, agreement.deliverBy);
        (record.status, record.since) = (Status.Submitted, uint32(block.timestamp));
        emit JobSubmitted(jobId, agreement.seller, deliverable);
    }

    /// @inheritdoc IERC8183
    function complete(uint256 jobId, bytes32 reason, bytes calldata optParams) external nonReentrant {
        (Record storage record, Agreement memory agreement) = _resolve(jobId, optParams);
        _require(jobId, record, Status.Submitted);
        _requireCaller(_reviewerOf(jobId, record, agreement));
        _settleMilestone(jobId, record, agreement, agreement.milestones[record.settled], reason);
    }

    /// @inheritdoc IERC8183
    function reject(uint256 jobId, bytes32 reason, bytes calldata optParams) external nonReentrant {
        Record storage record = _known(jobId);
        Job storage job = _jobs[jobId];
        if (job.client != address(0) && record.status == Status.Open) {
            _requireCaller(job.client);
            return _end(jobId, record, Status.Rejected, reason);
        }
        Agreement memory agreement;
        (record, agreement) = _resolve(jobId, optParams);
        if (record.status != Status.Submitted) _require(jobId, record, Status.Funded);
        // The buyer of an agreement disputes what it does not accept; only an evaluator judges by itself.
        if (job.evaluator == address(0)) revert Escrow_NotAllowed(msg.sender, agreement.arbiter);
        _requireCaller(job.evaluator);
        _end(jobId, record, Status.Rejected, reason);
        _payBuyer(jobId, agreement, _rest(record, agreement));
    }

    /// @inheritdoc IERC8183
    function claimRefund(uint256 jobId) external nonReentrant {
        _claimRefund(jobId, msg.data[msg.data.length:]);
    }

    /// @inheritdoc IEscrow
    function claimRefund(uint256 jobId, bytes calldata agreement) external nonReentrant {
        _claimRefund(jobId, agreement);
    }

    /// @inheritdoc IEscrow
    function release(uint256 jobId, bytes calldata encoded) external nonReentrant {
        (Record storage record, Agreement memory agreement) = _resolve(jobId, encoded);
        Status status = record.status;
        if (status == Status.Disputed) {
            if (msg.sender != agreement.buyer) {
                if (_rulings[jobId] != 0) revert Escrow_Ruled(jobId);
                _requireReached(record.since + ARBITRATION_LIMIT);
            }
            delete _rulings[jobId];
        } else if (status == Status.Submitted) {
            if (msg.sender != agreement.buyer)
                _requireReached(uint256(record.since) + agreement.reviewWindow);
        } else {
            _require(jobId, record, Status.Funded);
            _requireCaller(agreement.buyer);
        }
        _settleMilestone(jobId, record, agreement, agreement.milestones[record.settled], 0);
    }

    /// @inheritdoc IEscrow
    function refund(uint256 jobId, bytes calldata encoded) external nonReentrant {
        (Record storage record, Agreement memory agreement) = _resolve(jobId, encoded);
        _requireLive(jobId, record);
        _requireCaller(agreement.seller);
        _end(jobId, record, Status.Rejected, 0);
        _payBuyer(jobId, agreement, _rest(record, agreement));
    }

    /// @inheritdoc IEscrow
    function dispute(uint256 jobId, bytes calldata encoded) external payable nonReentrant {
        (Record storage record, Agreement memory agreement) = _resolve(jobId, encoded);
        _require(jobId, record, Status.Submitted);
        if (msg.sender != agreement.seller) _requireCaller(agreement.buyer);
        uint256 until = uint256(record.since) + agreement.reviewWindow;
        if (block.timestamp >= until) revert Escrow_ReviewOver(block.timestamp, until);
        address arbiter = agreement.arbiter;
        if (arbiter == address(0)) revert Escrow_NoArbiter(jobId);
        (record.status, record.since) = (Status.Disputed, uint32(block.timestamp));
        emit Disputed(jobId, msg.sender, arbiter);
        if (record.isArbitrated) _createDispute(jobId, IArbitrator(arbiter));
        else if (msg.value != 0) revert Escrow_WrongFee(msg.value, 0);
    }

    /// @inheritdoc IEscrow
    function submitEvidence(uint256 jobId, string calldata evidence, bytes calldata encoded) external {
        (Record storage record, Agreement memory agreement) = _resolve(jobId, encoded);
        _require(jobId, record, Status.Disputed);
        if (msg.sender != agreement.seller) _requireCaller(agreement.buyer);
        emit Evidence(IArbitrator(agreement.arbiter), jobId, msg.sender, evidence);
    }

    /// @inheritdoc IEscrow
    function resolve(uint256 jobId, uint256 sellerBps, bytes calldata encoded) external nonReentrant {
        (Record storage record, Agreement memory agreement) = _resolve(jobId, encoded);
        _require(jobId, record, Status.Disputed);
        _requireCaller(agreement.arbiter);
        if (sellerBps > BPS) revert Escrow_ShareTooLarge(sellerBps, BPS);
        _split(jobId, record, agreement, sellerBps);
    }

    /// @inheritdoc IArbitrable
    function rule(uint256 disputeID, uint256 ruling) external {
        Subject memory subject = _disputes[msg.sender][disputeID];
        if (subject.jobId == 0) revert Escrow_UnknownDispute(msg.sender, disputeID);
        if (ruling > BPS + 1) revert Escrow_ShareTooLarge(ruling, BPS + 1);
        delete _disputes[msg.sender][disputeID];
        Record memory record = _records[subject.jobId];
        if (record.status == Status.Disputed && record.settled == subject.milestone)
            _rulings[subject.jobId] = ruling + 1;
        emit Ruling(IArbitrator(msg.sender), disputeID, ruling);
    }

    /// @inheritdoc IEscrow
    function executeRuling(uint256 jobId, bytes calldata encoded) external nonReentrant {
        (Record storage record, Agreement memory agreement) = _resolve(jobId, encoded);
        _require(jobId, record, Status.Disputed);
        uint256 ruling = _rulings[jobId];
        if (ruling == 0) revert Escrow_NotRuled(jobId);
        delete _rulings[jobId];
        _split(jobId, record, agreement, ruling == 1 ? BPS / 2 : ruling - 2);
    }

    /// @inheritdoc IEscrow
    function settle(
        uint256 jobId,
        uint256 sellerAmount,
        uint256 deadline,
        bytes calldata buyerSignature,
        bytes calldata sellerSignature,
        bytes calldata encoded
    ) external nonReentrant {
        (Record storage record, Agreement memory agreement) = _resolve(jobId, encoded);
        _requireLive(jobId, record);
        if (block.timestamp > deadline) revert Escrow_DeadlinePassed(block.timestamp, deadline);
        bytes32 digest = settlementDigest(jobId, sellerAmount, deadline);
        _requireSigned(agreement.buyer, digest, buyerSignature);
        _requireSigned(agreement.seller, digest, sellerSignature);
        uint256 rest = _rest(record, agreement);
        if (sellerAmount > rest) revert Escrow_ShareTooLarge(sellerAmount, rest);
        _end(jobId, record, sellerAmount == 0 ? Status.Rejected : Status.Completed, 0);
        emit JointlySettled(jobId, sellerAmount, rest - sellerAmount);
        _paySeller(jobId, agreement, sellerAmount);
        _payBuyer(jobId, agreement, rest - sellerAmount);
    }

    /// @inheritdoc IAgreements
    function outcomeOf(
        uint256 id,
        Agreement calldata agreement
    ) external view returns (uint256 paid, bool closed) {
        Record memory record = _known(id);
        if (bytes24(keccak256(abi.encode(agreement))) != record.hash) revert Escrow_AgreementMismatch(id);
        closed =
            record.status == Status.Completed ||
            record.status == Status.Rejected ||
            record.status == Status.Expired;
        paid = record.paid;
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return
            interfaceId == type(IERC165).interfaceId ||
            interfaceId == type(IArbitrable).interfaceId ||
            interfaceId == type(IERC8183).interfaceId ||
            interfaceId == type(IAgreements).interfaceId;
    }

    /// @inheritdoc IEscrow
    function authorizationNonce(Agreement calldata agreement, bytes32 salt) public pure returns (bytes32) {
        return keccak256(abi.encode(agreement, salt));
    }

    /// @inheritdoc IEscrow
    function settlementDigest(
        uint256 jobId,
        uint256 sellerAmount,
        uint256 deadline
    ) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(SETTLEMENT_TYPEHASH, jobId, sellerAmount, deadline)));
    }

    function _open(Agreement calldata agreement, address payer) private returns (uint256 id) {
        _requireSound(agreement);
        id = ++jobCount;
        bytes24 hash = bytes24(keccak256(abi.encode(agreement)));
        bool isArbitrated = _isArbitrator(agreement.arbiter);
        _records[id] = Record(hash, 0, isArbitrated, Status.Funded, 0, 0);
        emit AgreementOpened(id, payer, isArbitrated, agreement);
    }

    function _claimRefund(uint256 jobId, bytes calldata encoded) private {
        (Record storage record, Agreement memory agreement) = _resolve(jobId, encoded);
        _require(jobId, record, Status.Funded);
        _requireReached(agreement.deliverBy);
        _end(jobId, record, Status.Expired, 0);
        _payBuyer(jobId, agreement, _rest(record, agreement));
    }

    function _createDispute(uint256 jobId, IArbitrator arbitrator) private {
        bytes memory extraData = abi.encode(jobId);
        uint256 cost = arbitrator.arbitrationCost(extraData);
        if (msg.value != cost) revert Escrow_WrongFee(msg.value, cost);
        uint256 disputeID = arbitrator.createDispute{value: cost}(BPS + 1, extraData);
        _disputes[address(arbitrator)][disputeID] = Subject(uint128(jobId), _records[jobId].settled);
        emit Dispute(arbitrator, disputeID, 0, jobId);
    }

    function _split(
        uint256 jobId,
        Record storage record,
        Agreement memory agreement,
        uint256 sellerBps
    ) private {
        uint256 toSeller = (uint256(agreement.milestones[record.settled]) * sellerBps) / BPS;
        _settleMilestone(jobId, record, agreement, toSeller, 0);
    }

    function _takeExactly(address token, address from, uint256 amount) private {
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(from, address(this), amount);
        _requireExact(token, before, amount);
    }

    function _requireExact(address token, uint256 before, uint256 amount) private view {
        uint256 received = IERC20(token).balanceOf(address(this)) - before;
        if (received != amount) revert Escrow_AmountNotExact(token, received, amount);
    }

    function _openJob(uint256 jobId) private view returns (Job storage job) {
        Record storage record = _known(jobId);
        job = _jobs[jobId];
        _require(jobId, record, Status.Open);
    }

    function _requireSound(Agreement calldata agreement) private view {
        (address buyer, address seller, address arbiter) = (
            agreement.buyer,
            agreement.seller,
            agreement.arbiter
        );
        if (
            buyer == address(0) ||
            seller == address(0) ||
            buyer == seller ||
            arbiter == buyer ||
            arbiter == seller
        ) revert Escrow_BadParties(buyer, seller, arbiter);
        if (agreement.token.code.length == 0) revert Escrow_NotAToken(agreement.token);
        uint256 count = agreement.milestones.length;
        if (count == 0 || count > MAX_MILESTONES) revert Escrow_BadMilestones(count, MAX_MILESTONES);
        for (uint256 i = 0; i < count; ++i) if (agreement.milestones[i] == 0) revert Escrow_ZeroAmount();
        _requireDeadline(agreement.deliverBy);
        uint256 window = agreement.reviewWindow;
        if (window < MIN_REVIEW_WINDOW || window > MAX_REVIEW_WINDOW)
            revert Escrow_BadReviewWindow(window, MIN_REVIEW_WINDOW, MAX_REVIEW_WINDOW);
    }

    function _requireDeadline(uint256 deadline) private view {
        uint256 latest = block.timestamp + MAX_DURATION;
        if (deadline <= block.timestamp || deadline > latest)
            revert Escrow_BadDeadline(deadline, block.timestamp + 1, latest);
    }

    function _requireLive(uint256 jobId, Record storage record) private view {
        Status status = record.status;
        if (status != Status.Funded && status != Status.Submitted && status != Status.Disputed)
            revert Escrow_WrongStatus(jobId, status);
    }

    function _requireReached(uint256 time) private view {
        if (block.timestamp < time) revert Escrow_TooEarly(block.timestamp, time);
    }

    function _requireSigned(address party, bytes32 digest, bytes calldata signature) private view {
        if (!Signatures.isSigned(party, digest, signature)) revert Escrow_BadSignature(party);
    }

    /// @dev Who brings too little gas for the question has too little for what follows, too.
    function _isArbitrator(address arbiter) private view returns (bool) {
        return
            arbiter != address(0) && ERC165Checker.supportsInterface(arbiter, type(IArbitrator).interfaceId);
    }

    function _sum(Agreement calldata agreement) private pure returns (uint256 sum) {
        for (uint256 i = 0; i < agreement.milestones.length; ++i) sum += agreement.milestones[i];
    }
}
