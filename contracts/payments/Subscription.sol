// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IParameters} from "../interfaces/governance/IParameters.sol";
import {ISubscription} from "../interfaces/payments/ISubscription.sol";

/// @notice See `ISubscription`.
contract Subscription is ISubscription, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @dev Two slots; what a charge writes is the second.
    struct Record {
        address subscriber;
        uint64 planId;
        uint32 period;
        uint128 price;
        uint32 periodsLeft;
        uint40 nextAt;
        uint40 chargedAt;
    }

    uint256 private constant BPS = 10_000;
    bytes32 private constant FEE = "subscriptionFeeBps";
    /// @notice Shortest period, seconds.
    uint256 public constant MIN_PERIOD = 1 hours;
    /// @notice Longest period or trial, seconds.
    uint256 public constant MAX_PERIOD = 366 days;
    /// @notice Gas that one charge of a batch may use, enough for any honest token.
    uint256 public constant CHARGE_GAS = 300_000;
    /// @notice Gas that a batch must have left before each charge: a call gets at most 63/64 of it, and the batch's own
    ///         steps take some. Sent with this much for each of its charges, a batch never reverts, whatever they do.
    uint256 public constant BATCH_GAS = (CHARGE_GAS * 64) / 63 + 30_000;

    /// @notice Where the fee is read.
    IParameters public immutable parameters;
    /// @notice Who receives the fees.
    address public immutable feeRecipient;

    /// @notice How many plans there are; the last one's number.
    uint256 public planCount;
    /// @notice How many subscriptions there were; the last one's number.
    uint256 public subscriptionCount;
    mapping(uint256 planId => Plan) private _plans;
    mapping(uint256 subscriptionId => Record) private _records;
    mapping(uint256 subscriptionId => uint128) private _held;
    mapping(address token => mapping(address account => uint256)) private _credits;

    /// @param parameters_ Where the fee is read.
    /// @param feeRecipient_ Who receives the fees.
    constructor(IParameters parameters_, address feeRecipient_) {
        (parameters, feeRecipient) = (parameters_, feeRecipient_);
    }

    /// @inheritdoc ISubscription
    function createPlan(
        address token,
        uint128 price,
        uint32 period,
        uint32 trial,
        bool isRefundable
    ) external returns (uint256 planId) {
        if (token.code.length == 0) revert Subscription_NotAToken(token);
        if (price == 0) revert Subscription_ZeroPrice();
        if (period < MIN_PERIOD || period > MAX_PERIOD)
            revert Subscription_BadPeriod(period, MIN_PERIOD, MAX_PERIOD);
        if (trial > MAX_PERIOD) revert Subscription_BadPeriod(trial, 0, MAX_PERIOD);
        planId = ++planCount;
        Plan memory plan = Plan({
            merchant: msg.sender,
            token: token,
            price: price,
            period: period,
            trial: trial,
            isActive: true,
            isRefundable: isRefundable,
            feeBps: uint16(parameters.valueOf(FEE))
        });
        _plans[planId] = plan;
        emit PlanCreated(planId, msg.sender, plan);
    }

    /// @inheritdoc ISubscription
    function changePlan(uint256 planId, uint128 price, bool isActive) external {
        Plan storage plan = _knownPlan(planId);
        if (msg.sender != plan.merchant) revert Subscription_NotAllowed(msg.sender, plan.merchant);
        if (price == 0) revert Subscription_ZeroPrice();
        (plan.price, plan.isActive) = (price, isActive);
        emit PlanChanged(planId, price, isActive);
    }

    /// @inheritdoc ISubscription
    function subscribe(
        uint256 planId,
        uint128 maxPrice,
        uint32 maxPeriods
    ) external returns (uint256 subscriptionId) {
        return _subscribe(planId, maxPrice, maxPeriods);
    }

    /// @inheritdoc ISubscription
    function subscribeWithPermit(
        uint256 planId,
        uint128 maxPrice,
        uint32 maxPeriods,
        uint256 value,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external returns (uint256 subscriptionId) {
        subscriptionId = _subscribe(planId, maxPrice, maxPeriods);
        // Somebody may have used the permit first, out of the public pool; then the approval stands all the same.
        LowLevelCall.callNoReturn(
            _plans[planId].token,
            abi.encodeCall(IERC20Permit.permit, (msg.sender, address(this), value, deadline, v, r, s))
        );
    }

    /// @inheritdoc ISubscription
    function acceptTerms(uint256 subscriptionId, uint128 maxPrice) external {
        Record storage record = _known(subscriptionId);
        if (msg.sender != record.subscriber) revert Subscription_NotAllowed(msg.sender, record.subscriber);
        uint128 price = _plans[record.planId].price;
        if (price > maxPrice) revert Subscription_PriceTooHigh(price, maxPrice);
        record.price = price;
        emit TermsAccepted(subscriptionId, price);
    }

    /// @inheritdoc ISubscription
    function charge(uint256 subscriptionId) external nonReentrant {
        Record storage record = _known(subscriptionId);
        (uint256 nextAt, uint256 periodsLeft) = (record.nextAt, record.periodsLeft);
        if (block.timestamp < nextAt) revert Subscription_NotDue(block.timestamp, nextAt);
        if (periodsLeft == 0) revert Subscription_CapReached(subscriptionId);
        Plan storage plan = _plans[record.planId];
        (address token, uint256 price) = (plan.token, record.price);
        nextAt = block.timestamp + record.period;
        record.periodsLeft = uint32(periodsLeft - 1);
        record.nextAt = uint40(nextAt);
        record.chargedAt = uint40(block.timestamp);
        uint256 fee = (price * plan.feeBps) / BPS;
        emit Charged(subscriptionId, price, fee, nextAt);

        if (plan.isRefundable) {
            _collect(subscriptionId, plan);
            _held[subscriptionId] = uint128(price - fee);
            _take(token, record.subscriber, address(this), price - fee);
        } else {
            _take(token, record.subscriber, plan.merchant, price - fee);
        }
        if (fee != 0) _takeFee(token, record.subscriber, fee);
    }

    /// @inheritdoc ISubscription
    function chargeBatch(uint256[] calldata subscriptionIds) external returns (uint256 charged) {
        for (uint256 i = 0; i < subscriptionIds.length; ++i) {
            if (gasleft() < BATCH_GAS) revert Subscription_OutOfGas(gasleft(), BATCH_GAS);
            try this.charge{gas: CHARGE_GAS}(subscriptionIds[i]) {
                ++charged;
            } catch {
                emit ChargeFailed(subscriptionIds[i], _errorOf());
            }
        }
    }

    /// @inheritdoc ISubscription
    function cancel(uint256 subscriptionId) external nonReentrant {
        Record storage record = _known(subscriptionId);
        Plan storage plan = _plans[record.planId];
        if (msg.sender != plan.merchant && msg.sender != record.subscriber)
            revert Subscription_NotAllowed(msg.sender, record.subscriber);
        uint256 held = _held[subscriptionId];
        uint256 refund;
        if (block.timestamp < record.nextAt)
            refund = (held * (record.nextAt - block.timestamp)) / record.period;
        record.nextAt = 0;
        _held[subscriptionId] = 0;
        emit Cancelled(subscriptionId, msg.sender, refund);
        _pay(plan.token, record.subscriber, refund);
        _pay(plan.token, plan.merchant, held - refund);
    }

    /// @inheritdoc ISubscription
    function collect(uint256 subscriptionId) external nonReentrant {
        Record storage record = _known(subscriptionId);
        if (block.timestamp < record.nextAt) revert Subscription_NotDue(block.timestamp, record.nextAt);
        _collect(subscriptionId, _plans[record.planId]);
    }

    /// @inheritdoc ISubscription
    function withdrawCredit(address token, address to) external nonReentrant returns (uint256 amount) {
        amount = _credits[token][msg.sender];
        if (amount == 0) revert Subscription_NoCredit(token, msg.sender);
        _credits[token][msg.sender] = 0;
        emit CreditWithdrawn(token, msg.sender, to, amount);
        IERC20(token).safeTransfer(to, amount);
    }

    /// @inheritdoc ISubscription
    function planOf(uint256 planId) external view returns (Plan memory) {
        return _knownPlan(planId);
    }

    /// @inheritdoc ISubscription
    function subscriptionOf(uint256 subscriptionId) external view returns (Subscriber memory) {
        Record memory record = _records[subscriptionId];
        return
            Subscriber({
                subscriber: record.subscriber,
                planId: record.planId,
                price: record.price,
                period: record.period,
                periodsLeft: record.periodsLeft,
                nextAt: record.nextAt,
                chargedAt: record.chargedAt,
                held: _held[subscriptionId]
            });
    }

    /// @inheritdoc ISubscription
    function isDue(uint256 subscriptionId) external view returns (bool) {
        Record memory record = _records[subscriptionId];
        return record.nextAt != 0 && block.timestamp >= record.nextAt && record.periodsLeft != 0;
    }

    /// @inheritdoc ISubscription
    function creditOf(address token, address account) external view returns (uint256) {
        return _credits[token][account];
    }

    function _subscribe(uint256 planId, uint128 maxPrice, uint32 maxPeriods) private returns (uint256 id) {
        Plan memory plan = _knownPlan(planId);
        if (!plan.isActive) revert Subscription_PlanInactive(planId);
        if (plan.price > maxPrice) revert Subscription_PriceTooHigh(plan.price, maxPrice);
        if (maxPeriods == 0) revert Subscription_ZeroPeriods();
        if (msg.sender == plan.merchant) revert Subscription_OwnPlan(msg.sender);
        id = ++subscriptionCount;
        uint256 nextAt = block.timestamp + plan.trial;
        _records[id] = Record({
            subscriber: msg.sender,
            planId: uint64(planId),
            period: plan.period,
            price: plan.price,
            periodsLeft: maxPeriods,
            nextAt: uint40(nextAt),
            chargedAt: 0
        });
        emit Subscribed(id, planId, msg.sender, plan.price, plan.period, maxPeriods, nextAt);
    }

    /// @dev Pays the merchant what is held for a period that is over.
    function _collect(uint256 subscriptionId, Plan storage plan) private {
        uint256 held = _held[subscriptionId];
        if (held == 0) return;
        _held[subscriptionId] = 0;
        _pay(plan.token, plan.merchant, held);
    }

    function _pay(address token, address to, uint256 amount) private {
        if (amount != 0 && !IERC20(token).trySafeTransfer(to, amount)) _credit(token, to, amount);
    }

    function _credit(address token, address to, uint256 amount) private {
        _credits[token][to] += amount;
        emit PayoutCredited(token, to, amount);
    }

    /// @dev A fee's recipient that cannot be paid is credited, and one that subscribes pays itself nothing: neither may
    ///      stand between a merchant and its subscribers.
    function _takeFee(address token, address from, uint256 fee) private {
        if (from == feeRecipient || IERC20(token).trySafeTransferFrom(from, feeRecipient, fee)) return;
        _take(token, from, address(this), fee);
        _credit(token, feeRecipient, fee);
    }

    function _take(address token, address from, address to, uint256 amount) private {
        uint256 before = IERC20(token).balanceOf(to);
        IERC20(token).safeTransferFrom(from, to, amount);
        uint256 received = IERC20(token).balanceOf(to) - before;
        if (received != amount) revert Subscription_AmountNotExact(token, received, amount);
    }

    /// @dev The first four bytes of what the last call reverted with, and no more: an error may be of any length, and
    ///      who copies it pays for it.
    function _errorOf() private pure returns (bytes4 selector) {
        assembly ("memory-safe") {
            if gt(returndatasize(), 3) {
                mstore(0, 0)
                returndatacopy(0, 0, 4)
                selector := mload(0)
            }
        }
    }

    function _knownPlan(uint256 planId) private view returns (Plan storage plan) {
        plan = _plans[planId];
        if (plan.merchant == address(0)) revert Subscription_UnknownPlan(planId);
    }

    function _known(uint256 subscriptionId) private view returns (Record storage record) {
        record = _records[subscriptionId];
        if (record.nextAt == 0) revert Subscription_NotSubscribed(subscriptionId);
    }
}
