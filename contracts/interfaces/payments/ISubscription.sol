// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Subscription
/// @notice Plans of merchants, and subscribers who are charged once a period at most, up to a cap of their own.
/// @dev A period begins when it is charged, so no two charges lie less than a period apart; what nobody charged
///         in time
///      is forgiven. A subscriber's price and period are those it agreed to: a plan's later changes reach it only by
///      its own `acceptTerms`. Amounts are base units of the plan's token, times Unix seconds.
///      Parameter: `subscriptionFeeBps`, fixed for a plan when it is made.
interface ISubscription {
    /// @notice A merchant's offer.
    /// @param merchant Who is paid.
    /// @param token The ERC-20.
    /// @param price Of one period, the fee included.
    /// @param period Length, seconds.
    /// @param trial Before the first charge, seconds; 0 for none.
    /// @param isActive Whether new subscribers are taken.
    /// @param isRefundable Whether cancelling gives back the unused part of the period: then the period's price
    ///         is held
    ///        here until it is used.
    /// @param feeBps Part of the price that goes to the fee's recipient.
    struct Plan {
        address merchant;
        address token;
        uint128 price;
        uint32 period;
        uint32 trial;
        bool isActive;
        bool isRefundable;
        uint16 feeBps;
    }

    /// @notice A subscriber of a plan.
    /// @param subscriber Who pays.
    /// @param planId The plan.
    /// @param price What it agreed to pay for a period.
    /// @param period How long it agreed a period is.
    /// @param periodsLeft How many more periods may be charged.
    /// @param nextAt From when the next one may be charged; 0 when it is cancelled.
    /// @param chargedAt When the last one was charged; 0 before the first.
    /// @param held The part of the last price that is held here.
    struct Subscriber {
        address subscriber;
        uint256 planId;
        uint128 price;
        uint32 period;
        uint32 periodsLeft;
        uint40 nextAt;
        uint40 chargedAt;
        uint128 held;
    }

    /// @notice A plan was made.
    event PlanCreated(uint256 indexed planId, address indexed merchant, Plan plan);
    /// @notice A plan's price for new subscribers, or whether it takes any, changed.
    event PlanChanged(uint256 indexed planId, uint128 price, bool isActive);
    /// @notice Somebody subscribed.
    event Subscribed(
        uint256 indexed subscriptionId,
        uint256 indexed planId,
        address indexed subscriber,
        uint128 price,
        uint32 period,
        uint32 maxPeriods,
        uint256 nextAt
    );
    /// @notice A subscriber agreed to the plan's present price.
    event TermsAccepted(uint256 indexed subscriptionId, uint128 price);
    /// @notice A period was charged.
    event Charged(uint256 indexed subscriptionId, uint256 price, uint256 fee, uint256 nextAt);
    /// @notice A charge in a batch failed and was skipped; `reason` is its error's selector, zero if it has none.
    event ChargeFailed(uint256 indexed subscriptionId, bytes4 reason);
    /// @notice A subscription ended; `refund` went back to the subscriber.
    event Cancelled(uint256 indexed subscriptionId, address indexed by, uint256 refund);
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
    /// @notice The period or the trial is out of range.
    error Subscription_BadPeriod(uint256 got, uint256 least, uint256 most);
    /// @notice The plan costs more than the subscriber agreed to.
    error Subscription_PriceTooHigh(uint256 price, uint256 limit);
    /// @notice A subscriber sets a cap of at least one period.
    error Subscription_ZeroPeriods();
    /// @notice A merchant does not subscribe to itself.
    error Subscription_OwnPlan(address merchant);
    /// @notice The next period is not due.
    error Subscription_NotDue(uint256 time, uint256 nextAt);
    /// @notice The subscriber's cap is reached.
    error Subscription_CapReached(uint256 subscriptionId);
    /// @notice The token moved less or more than was asked: fee-on-transfer tokens are not supported.
    error Subscription_AmountNotExact(address token, uint256 received, uint256 amount);
    /// @notice The batch was sent with too little gas to tell a failing charge from a starved one.
    error Subscription_OutOfGas(uint256 got, uint256 wanted);
    /// @notice There is nothing to withdraw.
    error Subscription_NoCredit(address token, address account);

    /// @notice Makes a plan of the caller's.
    /// @return planId Its number.
    function createPlan(
        address token,
        uint128 price,
        uint32 period,
        uint32 trial,
        bool isRefundable
    ) external returns (uint256 planId);

    /// @notice Changes what new subscribers pay, and whether any are taken. For the plan's merchant.
    function changePlan(uint256 planId, uint128 price, bool isActive) external;

    /// @notice Subscribes the caller, who has approved the token. Nothing is paid yet: the first period is due
    ///         at once, or
    ///         after the trial.
    /// @param maxPrice The most that the caller agrees to pay for a period.
    /// @param maxPeriods The most periods that may ever be charged.
    /// @return subscriptionId Its number.
    function subscribe(
        uint256 planId,
        uint128 maxPrice,
        uint32 maxPeriods
    ) external returns (uint256 subscriptionId);

    /// @notice Subscribes with an EIP-2612 permit over `value` in the same transaction.
    /// @return subscriptionId Its number.
    function subscribeWithPermit(
        uint256 planId,
        uint128 maxPrice,
        uint32 maxPeriods,
        uint256 value,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external returns (uint256 subscriptionId);

    /// @notice Agrees to the plan's present price, for the periods to come. For the subscriber.
    function acceptTerms(uint256 subscriptionId, uint128 maxPrice) external;

    /// @notice Charges the period that is due. Anyone may call.
    function charge(uint256 subscriptionId) external;

    /// @notice Charges many; what fails is skipped and reported. Anyone may call, with `BATCH_GAS` for each, of which
    ///         the unused is given back.
    /// @return charged How many were charged.
    function chargeBatch(uint256[] calldata subscriptionIds) external returns (uint256 charged);

    /// @notice Ends a subscription at once. For the subscriber or the merchant.
    function cancel(uint256 subscriptionId) external;

    /// @notice Pays the merchant a held price whose period is over. Anyone may call.
    function collect(uint256 subscriptionId) external;

    /// @notice Withdraws the caller's credited payouts to `to`.
    /// @return amount What was paid.
    function withdrawCredit(address token, address to) external returns (uint256 amount);

    /// @notice A plan.
    function planOf(uint256 planId) external view returns (Plan memory plan);

    /// @notice A subscription.
    function subscriptionOf(uint256 subscriptionId) external view returns (Subscriber memory subscriber);

    /// @notice Whether the next period may be charged now.
    function isDue(uint256 subscriptionId) external view returns (bool due);

    /// @notice What waits to be withdrawn.
    function creditOf(address token, address account) external view returns (uint256 amount);
}
