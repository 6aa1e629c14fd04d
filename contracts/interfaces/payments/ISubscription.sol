// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Subscription
/// @notice Plans of merchants, and subscribers who are charged once a period at most, or by use up to a limit a
///         period.
/// @dev A period begins when it is charged, so no two charges of a price lie less than a period apart. A charge that
///      is late by more than the plan's grace ends the subscription: what was forgotten never takes money that its
///      subscriber allows for something else later. A subscriber's price and period are those it agreed to; the
///      plan's changes reach it only by its own `acceptTerms`. What is charged is held here until it is collected, or
///      given back. Amounts are base units of the plan's token, times Unix seconds. Parameter: `subscriptionFeeBps`,
///      fixed for a plan when it is made.
interface ISubscription {
    /// @notice What a period costs: `Fixed` its price; `Refundable` the same, of which cancelling gives the unused
    ///         part back; `Metered` what the merchant says was used, up to the price.
    enum Billing {
        Fixed,
        Refundable,
        Metered
    }

    /// @notice A merchant's offer.
    /// @param token The ERC-20.
    /// @param grace How late a charge may be, seconds; until then whoever has paid by this plan before is served.
    /// @param period Length, seconds.
    /// @param feeBps Part of what the merchant receives that goes to the fee's recipient.
    /// @param billing What a period costs.
    /// @param isActive Whether new subscribers are taken.
    /// @param merchant Who is paid.
    /// @param price Of one period, the fee included; for a metered plan the most that one may cost.
    /// @param trial Before the first charge, seconds; 0 for none.
    struct Plan {
        address token;
        uint32 grace;
        uint32 period;
        uint16 feeBps;
        Billing billing;
        bool isActive;
        address merchant;
        uint96 price;
        uint32 trial;
    }

    /// @notice A subscriber of a plan.
    /// @param subscriber Who pays.
    /// @param planId The plan.
    /// @param period How long it agreed a period is.
    /// @param price What it agreed to pay for a period.
    /// @param held What was charged and is neither collected nor given back.
    /// @param nextAt From when the next period may be charged; 0 when it is cancelled.
    /// @param periodsLeft How many more periods may be charged.
    /// @param hasPaid Whether a period was charged by this plan.
    struct Subscriber {
        address subscriber;
        uint64 planId;
        uint32 period;
        uint96 price;
        uint96 held;
        uint40 nextAt;
        uint16 periodsLeft;
        bool hasPaid;
    }

    /// @notice A plan was made.
    event PlanCreated(uint256 indexed planId, address indexed merchant, Plan plan);
    /// @notice A plan's price for new subscribers, or whether it takes any, changed.
    event PlanChanged(uint256 indexed planId, uint96 price, bool isActive);
    /// @notice Somebody subscribed.
    event Subscribed(
        uint256 indexed subscriptionId,
        uint256 indexed planId,
        address indexed subscriber,
        uint96 price,
        uint32 period,
        uint16 maxPeriods,
        uint256 nextAt
    );
    /// @notice A subscriber agreed to a plan's present price; `refund` of what it had paid by another plan went back.
    event TermsAccepted(
        uint256 indexed subscriptionId,
        uint256 indexed planId,
        uint96 price,
        uint256 nextAt,
        uint256 refund
    );
    /// @notice A period was charged, or a part of a metered one.
    event Charged(uint256 indexed subscriptionId, uint256 amount, uint256 nextAt);
    /// @notice A charge in a batch failed and was skipped; `reason` is its error's selector, zero if it has none.
    event ChargeFailed(uint256 indexed subscriptionId, bytes4 reason);
    /// @notice A subscription ended; `refund` went back to the subscriber.
    event Cancelled(uint256 indexed subscriptionId, address indexed by, uint256 refund);
    /// @notice What was held went to the merchant and, as far as it is the fee, to its recipient.
    event Collected(uint256 indexed subscriptionId, uint256 amount, uint256 fee);
    /// @notice A payout failed and waits to be withdrawn.
    event PayoutCredited(address indexed token, address indexed account, uint256 amount);
    /// @notice A credited payout was withdrawn.
    event CreditWithdrawn(address indexed token, address indexed account, address indexed to, uint256 amount);

    /// @notice There is no such plan.
    error Subscription_UnknownPlan(uint256 planId);
    /// @notice There is no such subscription, or it was cancelled.
    error Subscription_NotSubscribed(uint256 subscriptionId);
    /// @notice This is for somebody else to do.
    error Subscription_NotAllowed(address caller, address wanted);
    /// @notice The plan takes no new subscribers.
    error Subscription_PlanInactive(uint256 planId);
    /// @notice There is no token at this address.
    error Subscription_NotAToken(address token);
    /// @notice A plan costs something.
    error Subscription_ZeroPrice();
    /// @notice The period, the trial or the grace is out of range.
    error Subscription_BadPeriod(uint256 got, uint256 least, uint256 most);
    /// @notice The plan costs more than the subscriber agreed to.
    error Subscription_PriceTooHigh(uint256 price, uint256 limit);
    /// @notice A subscriber sets a cap of at least one period.
    error Subscription_ZeroPeriods();
    /// @notice A merchant does not subscribe to itself.
    error Subscription_OwnPlan(address merchant);
    /// @notice Both plans must be of one merchant and token, and both metered or neither.
    error Subscription_PlansDiffer(uint256 planId, uint256 otherPlanId);
    /// @notice The next period is not due.
    error Subscription_NotDue(uint256 time, uint256 nextAt);
    /// @notice Nobody charged in time, so it has ended; the subscriber may subscribe again.
    error Subscription_Lapsed(uint256 subscriptionId, uint256 lapsedAt);
    /// @notice The subscriber's cap is reached.
    error Subscription_CapReached(uint256 subscriptionId);
    /// @notice A metered plan is charged by `chargeUsage`, and no other is.
    error Subscription_WrongBilling(Billing billing);
    /// @notice More was used than may be charged in this period.
    error Subscription_UsageTooHigh(uint256 got, uint256 limit);
    /// @notice The token moved less or more than was asked: fee-on-transfer tokens are not supported.
    error Subscription_AmountNotExact(address token, uint256 received, uint256 amount);
    /// @notice The batch was sent with too little gas to tell a failing charge from a starved one.
    error Subscription_OutOfGas(uint256 got, uint256 wanted);
    /// @notice There is nothing to withdraw.
    error Subscription_NoCredit(address token, address account);

    /// @notice Makes a plan of the caller's; `merchant`, `isActive` and `feeBps` are set.
    /// @return planId Its number.
    function createPlan(Plan calldata plan) external returns (uint256 planId);

    /// @notice Changes what new subscribers pay, and whether any are taken. For the plan's merchant.
    function changePlan(uint256 planId, uint96 price, bool isActive) external;

    /// @notice Subscribes the caller, who has approved the token. Nothing is paid yet: the first period is due at
    ///         once, or after the trial.
    /// @param maxPrice The most that the caller agrees to pay for a period.
    /// @param maxPeriods The most periods that may ever be charged.
    /// @return subscriptionId Its number.
    function subscribe(
        uint256 planId,
        uint96 maxPrice,
        uint16 maxPeriods
    ) external returns (uint256 subscriptionId);

    /// @notice Subscribes with an EIP-2612 permit over `value` in the same transaction.
    /// @return subscriptionId Its number.
    function subscribeWithPermit(
        uint256 planId,
        uint96 maxPrice,
        uint16 maxPeriods,
        uint256 value,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external returns (uint256 subscriptionId);

    /// @notice Agrees to a plan's present price: the subscription's own plan, for the periods to come; or another one
    ///         of the same merchant and token, which begins at once, so that its first period is due. What cancelling
    ///         would give back comes back then; the rest of a period that is not refundable, or of a trial, is given
    ///         up. How many periods are left stays. For the subscriber.
    /// @param maxPrice The most that the caller agrees to pay for a period.
    function acceptTerms(uint256 subscriptionId, uint256 planId, uint96 maxPrice) external;

    /// @notice Charges the period that is due. Anyone may call.
    function charge(uint256 subscriptionId) external;

    /// @notice Charges what was used, in the period that runs or, when that is over, in the next one. For the
    ///         merchant of a metered plan. Around the end of a period two periods' prices may lie close together.
    function chargeUsage(uint256 subscriptionId, uint96 amount) external;

    /// @notice Charges many; what fails is skipped and reported. Anyone may call, with `BATCH_GAS` for each, of which
    ///         the unused is given back.
    /// @return charged How many were charged.
    function chargeBatch(uint256[] calldata subscriptionIds) external returns (uint256 charged);

    /// @notice Ends a subscription at once. For the subscriber or the merchant.
    function cancel(uint256 subscriptionId) external;

    /// @notice Pays merchants and the fee's recipient what is held, but for what cancelling would give back. Anyone
    ///         may call.
    function collect(uint256[] calldata subscriptionIds) external;

    /// @notice Withdraws the caller's credited payouts to `to`.
    /// @return amount What was paid.
    function withdrawCredit(address token, address to) external returns (uint256 amount);

    /// @notice A plan.
    function planOf(uint256 planId) external view returns (Plan memory plan);

    /// @notice A subscription.
    function subscriptionOf(uint256 subscriptionId) external view returns (Subscriber memory subscriber);

    /// @notice What was used in the period that ends at the subscription's `nextAt`, of a metered plan.
    function usedOf(uint256 subscriptionId) external view returns (uint256 amount);

    /// @notice Whether the next period may be charged now by anyone.
    function isDue(uint256 subscriptionId) external view returns (bool due);

    /// @notice Whether the subscriber is to be served: its trial or period runs, or the grace after a period that it
    ///         has paid. Who has not paid has no grace, else it would be served for nothing by subscribing ever
    ///         again.
    function isServed(uint256 subscriptionId) external view returns (bool served);

    /// @notice What waits to be withdrawn.
    function creditOf(address token, address account) external view returns (uint256 amount);
}
