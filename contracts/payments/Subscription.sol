// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IParameters} from "../interfaces/governance/IParameters.sol";
import {ISubscription} from "../interfaces/payments/ISubscription.sol";

/// @notice See `ISubscription`. What is charged is held in the subscriber's own slot, so that a charge moves tokens
///         once.
contract Subscription is ISubscription, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    uint256 private constant BPS = 10_000;
    bytes32 private constant FEE = "subscriptionFeeBps";
    /// @notice Shortest period or grace, seconds.
    uint256 public constant MIN_PERIOD = 1 hours;
    /// @notice Longest period or trial, seconds.
    uint256 public constant MAX_PERIOD = 366 days;
    /// @notice Gas that one charge of a batch may use, enough for any honest token.
    uint256 public constant CHARGE_GAS = 300_000;
    /// @notice Gas that a batch must have left before each charge: a call gets at most 63/64 of it, and the batch's
    ///         own steps take some. Sent with this much for each of its charges, a batch never reverts, whatever they
    ///         do.
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
    /// @dev Two slots; what a charge writes is the second.
    mapping(uint256 subscriptionId => Subscriber) private _subscribers;
    mapping(uint256 subscriptionId => uint256) private _used;
    mapping(address token => mapping(address account => uint256)) private _credits;

    /// @param parameters_ Where the fee is read.
    /// @param feeRecipient_ Who receives the fees.
    constructor(IParameters parameters_, address feeRecipient_) {
        (parameters, feeRecipient) = (parameters_, feeRecipient_);
    }

    /// @inheritdoc ISubscription
    function createPlan(Plan calldata plan) external returns (uint256 planId) {
        if (plan.token.code.length == 0) revert Subscription_NotAToken(plan.token);
        if (plan.price == 0) revert Subscription_ZeroPrice();
        _requireWithin(plan.period, MIN_PERIOD, MAX_PERIOD);
        _requireWithin(plan.grace, MIN_PERIOD, plan.period);
        _requireWithin(plan.trial, 0, MAX_PERIOD);
        planId = ++planCount;
        Plan storage made = _plans[planId];
        _plans[planId] = plan;
        (made.merchant, made.isActive) = (msg.sender, true);
        made.feeBps = uint16(parameters.valueOf(FEE));
        emit PlanCreated(planId, msg.sender, made);
    }

    /// @inheritdoc ISubscription
    function changePlan(uint256 planId, uint96 price, bool isActive) external {
        Plan storage plan = _knownPlan(planId);
        if (msg.sender != plan.merchant) revert Subscription_NotAllowed(msg.sender, plan.merchant);
        if (price == 0) revert Subscription_ZeroPrice();
        (plan.price, plan.isActive) = (price, isActive);
        emit PlanChanged(planId, price, isActive);
    }

    /// @inheritdoc ISubscription
    function subscribe(
        uint256 planId,
        uint96 maxPrice,
        uint16 maxPeriods
    ) external returns (uint256 subscriptionId) {
        return _subscribe(planId, maxPrice, maxPeriods);
    }

    /// @inheritdoc ISubscription
    function subscribeWithPermit(
        uint256 planId,
        uint96 maxPrice,
        uint16 maxPeriods,
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
    function acceptTerms(uint256 subscriptionId, uint256 planId, uint96 maxPrice) external nonReentrant {
        Subscriber storage subscriber = _known(subscriptionId);
        if (msg.sender != subscriber.subscriber)
            revert Subscription_NotAllowed(msg.sender, subscriber.subscriber);
        Plan storage plan = _knownPlan(planId);
        if (plan.price > maxPrice) revert Subscription_PriceTooHigh(plan.price, maxPrice);
        uint256 previousId = subscriber.planId;
        _requireInTime(subscriptionId, subscriber.nextAt, _plans[previousId].grace);
        uint256 refund = planId == previousId ? 0 : _changeTo(subscriptionId, subscriber, planId);
        subscriber.price = plan.price;
        emit TermsAccepted(subscriptionId, planId, plan.price, subscriber.nextAt, refund);
    }

    /// @inheritdoc ISubscription
    function charge(uint256 subscriptionId) external nonReentrant {
        Subscriber storage subscriber = _known(subscriptionId);
        Plan storage plan = _plans[subscriber.planId];
        Billing billing = plan.billing;
        if (billing == Billing.Metered) revert Subscription_WrongBilling(billing);
        uint256 nextAt = subscriber.nextAt;
        if (block.timestamp < nextAt) revert Subscription_NotDue(block.timestamp, nextAt);
        nextAt = _beginPeriod(subscriptionId, subscriber, plan.grace);
        // What is held of a refundable plan is the running period's only.
        if (billing == Billing.Refundable) _collect(subscriptionId, subscriber, plan);
        _charge(subscriptionId, subscriber, plan.token, subscriber.price, nextAt);
    }

    /// @inheritdoc ISubscription
    function chargeUsage(uint256 subscriptionId, uint96 amount) external nonReentrant {
        Subscriber storage subscriber = _known(subscriptionId);
        Plan storage plan = _plans[subscriber.planId];
        if (msg.sender != plan.merchant) revert Subscription_NotAllowed(msg.sender, plan.merchant);
        if (plan.billing != Billing.Metered) revert Subscription_WrongBilling(plan.billing);
        (uint256 nextAt, uint256 used) = (subscriber.nextAt, _used[subscriptionId]);
        // Before the first charge that is the end of the trial, in which nothing is charged.
        if (block.timestamp < nextAt && used == 0) revert Subscription_NotDue(block.timestamp, nextAt);
        if (block.timestamp >= nextAt) {
            nextAt = _beginPeriod(subscriptionId, subscriber, plan.grace);
            used = 0;
        }
        uint256 limit = Math.saturatingSub(subscriber.price, used);
        if (amount == 0 || amount > limit) revert Subscription_UsageTooHigh(amount, limit);
        _used[subscriptionId] = used + amount;
        _charge(subscriptionId, subscriber, plan.token, amount, nextAt);
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
        Subscriber storage subscriber = _known(subscriptionId);
        address merchant = _plans[subscriber.planId].merchant;
        if (msg.sender != merchant && msg.sender != subscriber.subscriber)
            revert Subscription_NotAllowed(msg.sender, subscriber.subscriber);
        uint256 refund = _giveBack(subscriptionId, subscriber);
        subscriber.nextAt = 0;
        emit Cancelled(subscriptionId, msg.sender, refund);
    }

    /// @inheritdoc ISubscription
    function collect(uint256[] calldata subscriptionIds) external nonReentrant {
        for (uint256 i = 0; i < subscriptionIds.length; ++i) {
            Subscriber storage subscriber = _subscribers[subscriptionIds[i]];
            Plan storage plan = _plans[subscriber.planId];
            if (_refundOf(subscriber, plan) == 0) _collect(subscriptionIds[i], subscriber, plan);
        }
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
        return _subscribers[subscriptionId];
    }

    /// @inheritdoc ISubscription
    function usedOf(uint256 subscriptionId) external view returns (uint256) {
        return _used[subscriptionId];
    }

    /// @inheritdoc ISubscription
    function isDue(uint256 subscriptionId) external view returns (bool) {
        Subscriber memory subscriber = _subscribers[subscriptionId];
        if (_plans[subscriber.planId].billing == Billing.Metered) return false;
        return subscriber.periodsLeft != 0 && block.timestamp >= subscriber.nextAt && _isInTime(subscriber);
    }

    /// @inheritdoc ISubscription
    function isServed(uint256 subscriptionId) external view returns (bool) {
        Subscriber memory subscriber = _subscribers[subscriptionId];
        if (block.timestamp < subscriber.nextAt) return true;
        return subscriber.hasPaid && _isInTime(subscriber);
    }

    /// @inheritdoc ISubscription
    function creditOf(address token, address account) external view returns (uint256) {
        return _credits[token][account];
    }

    function _subscribe(uint256 planId, uint96 maxPrice, uint16 maxPeriods) private returns (uint256 id) {
        Plan memory plan = _knownPlan(planId);
        if (!plan.isActive) revert Subscription_PlanInactive(planId);
        if (plan.price > maxPrice) revert Subscription_PriceTooHigh(plan.price, maxPrice);
        if (maxPeriods == 0) revert Subscription_ZeroPeriods();
        if (msg.sender == plan.merchant) revert Subscription_OwnPlan(msg.sender);
        id = ++subscriptionCount;
        uint256 nextAt = block.timestamp + plan.trial;
        _subscribers[id] = Subscriber({
            subscriber: msg.sender,
            planId: uint64(planId),
            period: plan.period,
            price: plan.price,
            held: 0,
            nextAt: uint40(nextAt),
            periodsLeft: maxPeriods,
            hasPaid: false
        });
        emit Subscribed(id, planId, msg.sender, plan.price, plan.period, maxPeriods, nextAt);
    }

    /// @dev What was paid by the old plan is settled by it, before the new one's fee and kind count. The new one
    ///      begins at once: else a merchant would serve by a plan what was paid by a cheaper one, or by none in a
    ///      trial.
    function _changeTo(
        uint256 subscriptionId,
        Subscriber storage subscriber,
        uint256 planId
    ) private returns (uint256 refund) {
        Plan storage plan = _plans[planId];
        Plan storage previous = _plans[subscriber.planId];
        if (!plan.isActive) revert Subscription_PlanInactive(planId);
        bool isAlike = plan.merchant == previous.merchant && plan.token == previous.token;
        if (!isAlike || (plan.billing == Billing.Metered) != (previous.billing == Billing.Metered))
            revert Subscription_PlansDiffer(subscriber.planId, planId);
        refund = _giveBack(subscriptionId, subscriber);
        (subscriber.planId, subscriber.period) = (uint64(planId), plan.period);
        (subscriber.nextAt, subscriber.hasPaid) = (uint40(block.timestamp), false);
    }

    /// @dev Uses up one of the periods left. Who is late by more than the grace finds that it has lapsed.
    function _beginPeriod(
        uint256 subscriptionId,
        Subscriber storage subscriber,
        uint256 grace
    ) private returns (uint256 nextAt) {
        uint256 periodsLeft = subscriber.periodsLeft;
        _requireInTime(subscriptionId, subscriber.nextAt, grace);
        if (periodsLeft == 0) revert Subscription_CapReached(subscriptionId);
        nextAt = block.timestamp + subscriber.period;
        (subscriber.periodsLeft, subscriber.nextAt) = (uint16(periodsLeft - 1), uint40(nextAt));
        subscriber.hasPaid = true;
    }

    function _charge(
        uint256 subscriptionId,
        Subscriber storage subscriber,
        address token,
        uint96 amount,
        uint256 nextAt
    ) private {
        subscriber.held += amount;
        emit Charged(subscriptionId, amount, nextAt);
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(subscriber.subscriber, address(this), amount);
        uint256 received = IERC20(token).balanceOf(address(this)) - before;
        if (received != amount) revert Subscription_AmountNotExact(token, received, amount);
    }

    /// @dev Gives the subscriber the unused part of what is held, and the merchant the rest.
    function _giveBack(
        uint256 subscriptionId,
        Subscriber storage subscriber
    ) private returns (uint256 refund) {
        Plan storage plan = _plans[subscriber.planId];
        refund = _refundOf(subscriber, plan);
        subscriber.held -= uint96(refund);
        _pay(plan.token, subscriber.subscriber, refund);
        _collect(subscriptionId, subscriber, plan);
    }

    /// @dev Pays the merchant what is held, less the fee.
    function _collect(uint256 subscriptionId, Subscriber storage subscriber, Plan storage plan) private {
        uint256 held = subscriber.held;
        if (held == 0) return;
        subscriber.held = 0;
        uint256 fee = (held * plan.feeBps) / BPS;
        emit Collected(subscriptionId, held, fee);
        _pay(plan.token, plan.merchant, held - fee);
        _pay(plan.token, feeRecipient, fee);
    }

    function _pay(address token, address to, uint256 amount) private {
        if (amount == 0 || IERC20(token).trySafeTransfer(to, amount)) return;
        _credits[token][to] += amount;
        emit PayoutCredited(token, to, amount);
    }

    function _knownPlan(uint256 planId) private view returns (Plan storage plan) {
        plan = _plans[planId];
        if (plan.merchant == address(0)) revert Subscription_UnknownPlan(planId);
    }

    function _known(uint256 subscriptionId) private view returns (Subscriber storage subscriber) {
        subscriber = _subscribers[subscriptionId];
        if (subscriber.nextAt == 0) revert Subscription_NotSubscribed(subscriptionId);
    }

    function _requireInTime(uint256 subscriptionId, uint256 nextAt, uint256 grace) private view {
        if (block.timestamp > nextAt + grace) revert Subscription_Lapsed(subscriptionId, nextAt + grace);
    }

    /// @dev Whether it has neither ended nor lapsed.
    function _isInTime(Subscriber memory subscriber) private view returns (bool) {
        uint256 grace = _plans[subscriber.planId].grace;
        return subscriber.nextAt != 0 && block.timestamp <= subscriber.nextAt + grace;
    }

    /// @dev The part of a refundable period that is still to come, by its price.
    function _refundOf(Subscriber storage subscriber, Plan storage plan) private view returns (uint256) {
        if (plan.billing != Billing.Refundable || block.timestamp >= subscriber.nextAt) return 0;
        return (uint256(subscriber.held) * (subscriber.nextAt - block.timestamp)) / subscriber.period;
    }

    function _requireWithin(uint256 got, uint256 least, uint256 most) private pure {
        if (got < least || got > most) revert Subscription_BadPeriod(got, least, most);
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
}
