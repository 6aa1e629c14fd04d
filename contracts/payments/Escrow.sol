// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import {ERC165Checker} from "@openzeppelin/contracts/utils/introspection/ERC165Checker.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
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
        "Settlement(uint256 jobId,uint256 sellerAmount,uint256 buyerAmount,uint256 deadline)"
    );

    /// @dev What an arbitrator's dispute is about. A job goes on when it is settled otherwise, so a ruling that comes
    ///      late must not meet a later milestone.
    struct Subject {
        uint256 jobId;
        uint256 milestone;
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
        _requireWithin(expiredAt, block.timestamp + 1, block.timestamp + MAX_DURATION);
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
        _requireBefore(job.expiredAt);
        _records[jobId].status = Status.Funded;
        emit JobFunded(jobId, msg.sender, budget);
        _takeExactly(jobToken, msg.sender, budget);
    }

    /// @inheritdoc IERC8183
    function submit(uint256 jobId, bytes32 deliverable, bytes calldata optParams) external {
        (Record storage record, Agreement memory agreement) = _resolve(jobId, optParams);
        _require(jobId, record, Status.Funded);
        _requireCaller(agreement.seller);
        _requireBefore(_deadlineOf(record, agreement));
        if (!_isAccepted(record, agreement)) _accept(jobId, record, agreement);
        _await(record, Status.Submitted);
        emit JobSubmitted(jobId, agreement.seller, deliverable);
    }

    /// @inheritdoc IERC8183
    function complete(uint256 jobId, bytes32 reason, bytes calldata optParams) external nonReentrant {
        (Record storage record, Agreement memory agreement) = _resolve(jobId, optParams);
        _require(jobId, record, Status.Submitted);
        _requireCaller(_hasEvaluator(agreement) ? agreement.arbiter : agreement.buyer);
        _settleMilestone(jobId, record, agreement, agreement.milestones[record.settled].amount, reason);
    }

    /// @inheritdoc IERC8183
    function reject(uint256 jobId, bytes32 reason, bytes calldata optParams) external nonReentrant {
        Record storage record = _known(jobId);
        if (record.status == Status.Open) {
            _requireCaller(_jobs[jobId].client);
            return _end(jobId, record, Status.Rejected, reason);
        }
        Agreement memory agreement;
        (record, agreement) = _resolve(jobId, optParams);
        if (record.status != Status.Submitted) _require(jobId, record, Status.Funded);
        // The buyer of an agreement disputes what it does not accept; only an evaluator judges by itself.
        if (!_hasEvaluator(agreement)) revert Escrow_NotAllowed(msg.sender, agreement.arbiter);
        _requireCaller(agreement.arbiter);
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
    function accept(uint256 jobId, bytes calldata encoded) external {
        (Record storage record, Agreement memory agreement) = _resolve(jobId, encoded);
        _require(jobId, record, Status.Funded);
        _requireCaller(agreement.seller);
        if (_isAccepted(record, agreement)) revert Escrow_Accepted(jobId);
        _accept(jobId, record, agreement);
    }

    /// @inheritdoc IEscrow
    function extend(uint256 jobId, uint256 deadline, bytes calldata encoded) external {
        (Record storage record, Agreement memory agreement) = _resolve(jobId, encoded);
        _require(jobId, record, Status.Funded);
        _requireCaller(agreement.buyer);
        uint256 present = _deadlineOf(record, agreement);
        uint256 latest = block.timestamp + MAX_DURATION;
        if (deadline <= present || deadline > latest)
            revert Escrow_BadDeadline(deadline, present + 1, latest);
        // A job of ERC-8183 says its deadline itself.
        if (_hasEvaluator(agreement)) _jobs[jobId].expiredAt = deadline;
        else record.waited += uint40(deadline - present);
        emit DeadlineExtended(jobId, record.settled, deadline);
    }

    /// @inheritdoc IEscrow
    function release(uint256 jobId, bytes calldata encoded) external nonReentrant {
        (Record storage record, Agreement memory agreement) = _resolve(jobId, encoded);
        Status status = record.status;
        bool isBuyer = msg.sender == agreement.buyer;
        if (_hasEvaluator(agreement)) {
            _require(jobId, record, Status.Submitted);
            _requireCaller(agreement.arbiter);
        } else if (status == Status.Disputed) {
            if (!isBuyer) _requireSilence(jobId, record);
            delete _rulings[jobId];
            _shareFee(jobId, agreement, isBuyer ? BPS : BPS / 2);
        } else if (status == Status.Submitted) {
            if (!isBuyer) _requireReached(uint256(record.since) + agreement.reviewWindow);
        } else {
            _require(jobId, record, Status.Funded);
            _requireCaller(agreement.buyer);
        }
        _settleMilestone(jobId, record, agreement, agreement.milestones[record.settled].amount, 0);
    }

    /// @inheritdoc IEscrow
    function refund(uint256 jobId, bytes calldata encoded) external nonReentrant {
        (Record storage record, Agreement memory agreement) = _resolve(jobId, encoded);
        _requireLive(jobId, record);
        _requireCaller(agreement.seller);
        _shareFee(jobId, agreement, 0);
        _end(jobId, record, Status.Rejected, 0);
        _payBuyer(jobId, agreement, _rest(record, agreement));
    }

    /// @inheritdoc IEscrow
    function dispute(uint256 jobId, bytes calldata encoded) external payable {
        (Record storage record, Agreement memory agreement) = _resolve(jobId, encoded);
        _require(jobId, record, Status.Submitted);
        if (msg.sender != agreement.seller) _requireCaller(agreement.buyer);
        address arbiter = agreement.arbiter;
        if (arbiter == address(0) || _hasEvaluator(agreement)) revert Escrow_NoArbiter(jobId);
        uint256 until = uint256(record.since) + agreement.reviewWindow;
        if (block.timestamp >= until) revert Escrow_ReviewOver(block.timestamp, until);
        uint80 fee = record.fee;
        _requireFee(fee);
        if (record.isArbitrated) _stakes[jobId] = Stake(msg.sender, fee, Stand.Unanswered);
        _await(record, Status.Disputed);
        emit Disputed(jobId, msg.sender, arbiter);
    }

    /// @inheritdoc IEscrow
    function answer(uint256 jobId, bytes calldata encoded) external payable nonReentrant {
        (Record storage record, Agreement memory agreement) = _resolve(jobId, encoded);
        _require(jobId, record, Status.Disputed);
        Stake storage stake = _stakes[jobId];
        if (stake.payer == address(0) || stake.stand != Stand.Unanswered)
            revert Escrow_NothingToAnswer(jobId);
        _requireCaller(stake.payer == agreement.buyer ? agreement.seller : agreement.buyer);
        _requireBefore(uint256(record.since) + agreement.reviewWindow);
        uint80 fee = record.fee;
        _requireFee(fee);
        (stake.amount, stake.stand) = (2 * uint88(fee), Stand.Answered);
        _await(record, Status.Disputed);
        IArbitrator arbitrator = IArbitrator(agreement.arbiter);
        uint256 cost = _costOf(jobId, arbitrator);
        // If it asks for more than both have put down, that is nobody's fault who is here.
        if (cost <= stake.amount) _ask(jobId, record, arbitrator, cost);
    }

    /// @inheritdoc IEscrow
    function askArbitrator(uint256 jobId, bytes calldata encoded) external payable nonReentrant {
        (Record storage record, Agreement memory agreement) = _resolve(jobId, encoded);
        _require(jobId, record, Status.Disputed);
        Stake storage stake = _stakes[jobId];
        if (stake.stand != Stand.Answered) revert Escrow_NothingToAsk(jobId);
        IArbitrator arbitrator = IArbitrator(agreement.arbiter);
        uint256 cost = _costOf(jobId, arbitrator);
        uint256 missing = Math.saturatingSub(cost, stake.amount);
        if (msg.value < missing) revert Escrow_WrongFee(msg.value, missing);
        stake.amount += uint88(missing);
        _await(record, Status.Disputed);
        _credit(address(0), msg.sender, msg.value - missing);
        _ask(jobId, record, arbitrator, cost);
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
        // An arbitrator rules: its fee is settled then, and no ruling of it is left for another milestone.
        if (record.isArbitrated) revert Escrow_Arbitrated(jobId);
        if (sellerBps > BPS) revert Escrow_ShareTooLarge(sellerBps, BPS);
        _split(jobId, record, agreement, sellerBps);
    }

    /// @inheritdoc IArbitrable
    function rule(uint256 disputeID, uint256 ruling) external {
        Subject memory subject = _disputes[msg.sender][disputeID];
        if (subject.jobId == 0) revert Escrow_UnknownDispute(msg.sender, disputeID);
        if (ruling > BPS + 1) revert Escrow_ShareTooLarge(ruling, BPS + 1);
        delete _disputes[msg.sender][disputeID];
        Record storage record = _records[subject.jobId];
        if (record.status == Status.Disputed && record.settled == subject.milestone)
            _rulings[subject.jobId] = ruling + 1;
        emit Ruling(IArbitrator(msg.sender), disputeID, ruling);
    }

    /// @inheritdoc IEscrow
    function executeRuling(uint256 jobId, bytes calldata encoded) external nonReentrant {
        (Record storage record, Agreement memory agreement) = _resolve(jobId, encoded);
        _require(jobId, record, Status.Disputed);
        uint256 sellerBps = _rulingOf(jobId, record, agreement);
        delete _rulings[jobId];
        _shareFee(jobId, agreement, sellerBps);
        _split(jobId, record, agreement, sellerBps);
    }

    /// @inheritdoc IEscrow
    function settle(
        Settlement calldata settlement,
        bytes calldata buyerSignature,
        bytes calldata sellerSignature,
        bytes calldata encoded
    ) external nonReentrant {
        (Record storage record, Agreement memory agreement) = _resolve(settlement.jobId, encoded);
        _requireLive(settlement.jobId, record);
        if (_hasEvaluator(agreement)) revert Escrow_NotAllowed(msg.sender, agreement.arbiter);
        if (block.timestamp > settlement.deadline)
            revert Escrow_DeadlinePassed(block.timestamp, settlement.deadline);
        // What both signed is all of what is left: a milestone that was settled since is not paid on top.
        (uint256 toSeller, uint256 toBuyer) = (settlement.sellerAmount, settlement.buyerAmount);
        uint256 rest = _rest(record, agreement);
        if (toSeller > rest || toBuyer != rest - toSeller) revert Escrow_NotTheRest(toSeller, toBuyer, rest);
        bytes32 digest = settlementDigest(settlement);
        _requireSigned(agreement.buyer, digest, buyerSignature);
        _requireSigned(agreement.seller, digest, sellerSignature);
        _shareFee(settlement.jobId, agreement, BPS / 2);
        _end(settlement.jobId, record, toSeller == 0 ? Status.Rejected : Status.Completed, 0);
        emit JointlySettled(settlement.jobId, toSeller, toBuyer);
        _paySeller(settlement.jobId, agreement, toSeller);
        _payBuyer(settlement.jobId, agreement, toBuyer);
    }

    /// @inheritdoc IAgreements
    function outcomeOf(
        uint256 id,
        Agreement calldata agreement
    ) external view returns (uint256 paid, bool closed) {
        Record memory record = _known(id);
        if (_idOf(agreement) != id) revert Escrow_AgreementMismatch(id);
        closed =
            record.status == Status.Completed ||
            record.status == Status.Rejected ||
            record.status == Status.Expired;
        paid = record.paid;
    }

    /// @inheritdoc IEscrow
    function feeOf(uint256 jobId) external view returns (uint256) {
        return _known(jobId).fee;
    }

    /// @inheritdoc IEscrow
    function deadlineOf(uint256 jobId, bytes calldata encoded) external view returns (uint256) {
        (Record storage record, Agreement memory agreement) = _resolve(jobId, encoded);
        if (record.settled == agreement.milestones.length) revert Escrow_WrongStatus(jobId, record.status);
        return _deadlineOf(record, agreement);
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
    function settlementDigest(Settlement calldata settlement) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(SETTLEMENT_TYPEHASH, settlement)));
    }

    function _open(Agreement calldata agreement, address payer) private returns (uint256 id) {
        _requireSound(agreement);
        id = _idOf(agreement);
        Record storage record = _records[id];
        if (record.status != Status.Open) revert Escrow_AlreadyOpened(id);
        bool isArbitrated = _isArbitrator(agreement.arbiter);
        (record.status, record.isArbitrated) = (Status.Funded, isArbitrated);
        if (isArbitrated) {
            uint256 fee = _costOf(id, IArbitrator(agreement.arbiter));
            if (fee > type(uint80).max) revert Escrow_WrongFee(fee, type(uint80).max);
            record.fee = uint80(fee);
        }
        emit AgreementOpened(id, payer, isArbitrated, agreement);
    }

    function _accept(uint256 jobId, Record storage record, Agreement memory agreement) private {
        _requireBefore(agreement.acceptBy);
        record.isAccepted = true;
        emit AgreementAccepted(jobId, agreement.seller);
    }

    function _claimRefund(uint256 jobId, bytes calldata encoded) private {
        (Record storage record, Agreement memory agreement) = _resolve(jobId, encoded);
        if (_hasEvaluator(agreement) && record.status == Status.Submitted) {
            // As ERC-8183 has it, but not before the evaluator had its time.
            _requireReached(Math.max(_deadlineOf(record, agreement), record.since + ARBITRATION_LIMIT));
        } else {
            _require(jobId, record, Status.Funded);
            if (_isAccepted(record, agreement)) _requireReached(_deadlineOf(record, agreement));
            else if (msg.sender != agreement.buyer) _requireReached(agreement.acceptBy);
        }
        _end(jobId, record, Status.Expired, 0);
        _payBuyer(jobId, agreement, _rest(record, agreement));
    }

    /// @dev Pays the arbitrator from what was put down.
    function _ask(uint256 jobId, Record storage record, IArbitrator arbitrator, uint256 cost) private {
        Stake storage stake = _stakes[jobId];
        (stake.amount, stake.stand) = (stake.amount - uint88(cost), Stand.Asked);
        uint256 disputeID = arbitrator.createDispute{value: cost}(BPS + 1, abi.encode(jobId));
        _disputes[address(arbitrator)][disputeID] = Subject(jobId, record.settled);
        emit Dispute(arbitrator, disputeID, 0, jobId);
    }

    function _split(
        uint256 jobId,
        Record storage record,
        Agreement memory agreement,
        uint256 sellerBps
    ) private {
        uint256 toSeller = (uint256(agreement.milestones[record.settled].amount) * sellerBps) / BPS;
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
        uint256 earliest = block.timestamp + 1;
        uint256 latest = block.timestamp + MAX_DURATION;
        uint256 acceptBy = agreement.acceptBy;
        if (acceptBy != 0) _requireWithin(acceptBy, earliest, latest);
        for (uint256 i = 0; i < count; ++i) {
            if (agreement.milestones[i].amount == 0) revert Escrow_ZeroAmount();
            uint256 deliverBy = agreement.milestones[i].deliverBy;
            _requireWithin(deliverBy, earliest, latest);
            earliest = deliverBy;
        }
        uint256 window = agreement.reviewWindow;
        if (window < MIN_REVIEW_WINDOW || window > MAX_REVIEW_WINDOW)
            revert Escrow_BadReviewWindow(window, MIN_REVIEW_WINDOW, MAX_REVIEW_WINDOW);
    }

    function _requireWithin(uint256 deadline, uint256 earliest, uint256 latest) private pure {
        if (deadline < earliest || deadline > latest) revert Escrow_BadDeadline(deadline, earliest, latest);
    }

    function _requireLive(uint256 jobId, Record storage record) private view {
        Status status = record.status;
        if (status != Status.Funded && status != Status.Submitted && status != Status.Disputed)
            revert Escrow_WrongStatus(jobId, status);
    }

    function _requireReached(uint256 time) private view {
        if (block.timestamp < time) revert Escrow_TooEarly(block.timestamp, time);
    }

    function _requireBefore(uint256 deadline) private view {
        if (block.timestamp >= deadline) revert Escrow_DeadlinePassed(block.timestamp, deadline);
    }

    function _requireFee(uint256 wanted) private view {
        if (msg.value != wanted) revert Escrow_WrongFee(msg.value, wanted);
    }

    /// @dev An arbitrator that was asked and has not ruled for long enough; who has not answered is not waited for.
    function _requireSilence(uint256 jobId, Record storage record) private view {
        if (_rulings[jobId] != 0) revert Escrow_Ruled(jobId);
        if (record.isArbitrated && _stakes[jobId].stand == Stand.Unanswered) revert Escrow_NotAnswered(jobId);
        _requireReached(record.since + ARBITRATION_LIMIT);
    }

    /// @dev What the arbitrator ruled; if the other side has not answered in time, all for who disputed.
    function _rulingOf(
        uint256 jobId,
        Record storage record,
        Agreement memory agreement
    ) private view returns (uint256 sellerBps) {
        Stake memory stake = _stakes[jobId];
        if (stake.payer != address(0) && stake.stand == Stand.Unanswered) {
            _requireReached(uint256(record.since) + agreement.reviewWindow);
            return stake.payer == agreement.seller ? BPS : 0;
        }
        uint256 ruling = _rulings[jobId];
        if (ruling == 0) revert Escrow_NotRuled(jobId);
        return ruling == 1 ? BPS / 2 : ruling - 2;
    }

    function _requireSigned(address party, bytes32 digest, bytes calldata signature) private view {
        if (!Signatures.isSigned(party, digest, signature)) revert Escrow_BadSignature(party);
    }

    /// @dev Who brings too little gas for the question has too little for what follows, too.
    function _isArbitrator(address arbiter) private view returns (bool) {
        return
            arbiter != address(0) && ERC165Checker.supportsInterface(arbiter, type(IArbitrator).interfaceId);
    }

    function _costOf(uint256 jobId, IArbitrator arbitrator) private view returns (uint256) {
        return arbitrator.arbitrationCost(abi.encode(jobId));
    }

    function _isAccepted(Record storage record, Agreement memory agreement) private view returns (bool) {
        return agreement.acceptBy == 0 || record.isAccepted;
    }

    function _idOf(Agreement calldata agreement) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(agreement)));
    }

    function _sum(Agreement calldata agreement) private pure returns (uint256 sum) {
        for (uint256 i = 0; i < agreement.milestones.length; ++i) sum += agreement.milestones[i].amount;
    }
}
