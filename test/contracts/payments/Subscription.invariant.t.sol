// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TestUSDC} from "../../../contracts/dev/TestUSDC.sol";
import {ISubscription} from "../../../contracts/interfaces/payments/ISubscription.sol";
import {Subscription} from "../../../contracts/payments/Subscription.sol";
import {SubscriptionFixture} from "../support/SubscriptionFixture.sol";
import {Test} from "../support/Test.sol";
import {Walk} from "../support/Walk.sol";

/// @notice Three subscribers of a fixed, a refundable and a metered plan, with a merchant that takes whatever it can,
///         charges what is too early, too late, too much or ended, and changes its prices; with time jumps.
contract SubscriptionHandler is Test {
    Subscription public subscription;
    TestUSDC public usdc;
    address public merchant;
    address[3] public subscribers;
    uint256[4] public plans;
    uint256[] public ids;

    /// @dev What a subscriber agreed to and what was taken of it, kept beside the contract.
    struct Agreed {
        uint256 price;
        uint256 cap;
        uint256 periods;
        uint256 since;
        uint256 period;
        uint256 usedSince;
        bool isOver;
    }

    mapping(uint256 id => Agreed) private _agreed;
    uint256 public charged;
    uint256 public refunded;
    uint256 public metered;
    uint256 public switched;
    uint256 public lapsed;
    bool public somethingForbidden;

    constructor(
        Subscription subscription_,
        TestUSDC usdc_,
        address merchant_,
        address[3] memory subscribers_
    ) {
        (subscription, usdc, merchant, subscribers) = (subscription_, usdc_, merchant_, subscribers_);
        ISubscription.Plan memory plan;
        (plan.token, plan.price, plan.period, plan.grace) = (address(usdc), 10e6, 30 days, 30 days);
        for (uint256 i = 0; i < 4; ++i) {
            plan.billing = ISubscription.Billing(i % 3);
            if (i == 1) (plan.price, plan.period, plan.grace, plan.trial) = (7e6, 20 days, 15 days, 3 days);
            vm.prank(merchant);
            plans[i] = subscription.createPlan(plan);
        }
    }

    function subscribe(uint256 who, uint256 plan, uint256 periods) external {
        if (ids.length == 24) return;
        plan = plans[plan % 4];
        vm.prank(subscribers[who % 3]);
        uint256 id = subscription.subscribe(plan, 100e6, uint16(bound(periods, 1, 4)));
        ids.push(id);
        ISubscription.Plan memory terms = subscription.planOf(plan);
        _agreed[id].price = terms.price;
        _agreed[id].cap = bound(periods, 1, 4);
        _agreed[id].period = terms.period;
    }

    function charge(uint256 at) external {
        if (ids.length == 0) return;
        uint256 id = _from(at, false);
        address payer = subscription.subscriptionOf(id).subscriber;
        uint256 balance = usdc.balanceOf(payer);
        bool due = subscription.isDue(id);
        if (!due && !subscription.isServed(id)) ++lapsed;
        vm.prank(merchant);
        try subscription.charge(id) {
            uint256 paid = balance - usdc.balanceOf(payer);
            charged += paid;
            if (!due || paid != _agreed[id].price) somethingForbidden = true;
            _beginPeriod(id);
        } catch {
            if (due && balance >= _agreed[id].price) somethingForbidden = true;
        }
    }

    function chargeUsage(uint256 at, uint256 amount) external {
        if (ids.length == 0) return;
        uint256 id = _from(at, true);
        Agreed storage agreed = _agreed[id];
        address payer = subscription.subscriptionOf(id).subscriber;
        uint256 balance = usdc.balanceOf(payer);
        uint256 nextAt = subscription.subscriptionOf(id).nextAt;
        amount = bound(amount, 1, 15e6);
        vm.prank(merchant);
        try subscription.chargeUsage(id, uint96(amount)) {
            ++metered;
            charged += balance - usdc.balanceOf(payer);
            if (block.timestamp >= nextAt) _beginPeriod(id);
            agreed.usedSince += amount;
            if (agreed.isOver || agreed.usedSince > agreed.price) somethingForbidden = true;
            if (balance - usdc.balanceOf(payer) != amount) somethingForbidden = true;
        } catch {}
    }

    function cancel(uint256 at, uint256 by) external {
        if (ids.length == 0) return;
        uint256 id = ids[at % ids.length];
        address subscriber = subscription.subscriptionOf(id).subscriber;
        uint256 balance = usdc.balanceOf(subscriber);
        vm.prank(by % 2 == 0 ? merchant : subscriber);
        try subscription.cancel(id) {
            _agreed[id].isOver = true;
            refunded += usdc.balanceOf(subscriber) - balance;
        } catch {}
    }

    function collect(uint256 at) external {
        if (ids.length == 0) return;
        uint256[] memory some = new uint256[](2);
        (some[0], some[1]) = (ids[at % ids.length], ids[(at / 7) % ids.length]);
        subscription.collect(some);
    }

    function changePrice(uint256 plan, uint256 price) external {
        vm.prank(merchant);
        subscription.changePlan(plans[plan % 4], uint96(bound(price, 1, 20e6)), true);
    }

    /// @dev The plan's new price, or another plan.
    function accept(uint256 at, uint256 plan) external {
        if (ids.length == 0) return;
        uint256 id = ids[at % ids.length];
        ISubscription.Subscriber memory state = subscription.subscriptionOf(id);
        uint256 planId = plan % 2 == 0 ? uint256(state.planId) : plans[(plan / 2) % 4];
        uint256 balance = usdc.balanceOf(state.subscriber);
        vm.prank(state.subscriber);
        try subscription.acceptTerms(id, planId, 100e6) {
            ISubscription.Plan memory terms = subscription.planOf(planId);
            refunded += usdc.balanceOf(state.subscriber) - balance;
            _agreed[id].price = terms.price;
            if (planId == state.planId) {
                // What was used by a higher limit stays used.
                if (_agreed[id].usedSince > terms.price) _agreed[id].usedSince = terms.price;
                return;
            }
            ++switched;
            (_agreed[id].since, _agreed[id].usedSince, _agreed[id].period) = (0, 0, terms.period);
        } catch {}
    }

    function pass(uint256 timeSeconds) external {
        skip(bound(timeSeconds, 1, 10 days));
    }

    function held() external view returns (uint256 sum) {
        for (uint256 i = 0; i < ids.length; ++i) sum += subscription.subscriptionOf(ids[i]).held;
    }

    /// @dev From `at` on the first that is due, or that is metered and served; any other one if there is none, or in
    ///      one of four calls.
    function _from(uint256 at, bool isMetered) private view returns (uint256 id) {
        id = ids[at % ids.length];
        if (at % 4 == 3) return id;
        for (uint256 i = 0; i < ids.length; ++i) {
            uint256 other = ids[(at + i) % ids.length];
            ISubscription.Plan memory plan = subscription.planOf(subscription.subscriptionOf(other).planId);
            if (!isMetered && subscription.isDue(other)) return other;
            uint256 lapsesAt = subscription.subscriptionOf(other).nextAt + plan.grace;
            bool isOfUse = plan.billing == ISubscription.Billing.Metered && block.timestamp <= lapsesAt;
            if (isMetered && isOfUse && !_agreed[other].isOver) return other;
        }
    }

    function _beginPeriod(uint256 id) private {
        Agreed storage agreed = _agreed[id];
        if (agreed.isOver || ++agreed.periods > agreed.cap) somethingForbidden = true;
        if (agreed.since != 0 && block.timestamp - agreed.since < agreed.period) somethingForbidden = true;
        (agreed.since, agreed.usedSince) = (block.timestamp, 0);
    }
}

contract SubscriptionInvariantTest is SubscriptionFixture, Walk {
    SubscriptionHandler private handler;

    function setUp() public override {
        super.setUp();
        handler = new SubscriptionHandler(subscription, usdc, merchant, [alice, bob, _funded("carol")]);
        targetContract(address(handler));
    }

    /// @dev One campaign asks all of them after each call: a campaign of its own for each would walk the same ways.
    function invariant_allHold() public view {
        check_nothingForbiddenHappened();
        check_merchantReceivesWhatSubscribersPay();
    }

    /// @notice One period's price in any period, never beyond the cap, never after the end, never another price.
    function check_nothingForbiddenHappened() public view {
        assertFalse(handler.somethingForbidden(), "see the handler");
    }

    /// @notice What the merchant received and what is held are what subscribers paid, less the fee and refunds.
    function check_merchantReceivesWhatSubscribersPay() public view {
        uint256 held = handler.held();
        uint256 received = usdc.balanceOf(merchant) + usdc.balanceOf(fees);
        assertEq(received + held + handler.refunded(), handler.charged(), "paid");
        assertEq(usdc.balanceOf(address(subscription)), held, "held");
        assertLe(usdc.balanceOf(fees), received / 100, "the fee");
    }

    function test_aWalk_reachesEveryPath() public {
        bytes4[] memory selectors = new bytes4[](8);
        selectors[0] = handler.subscribe.selector;
        selectors[1] = handler.charge.selector;
        selectors[2] = handler.chargeUsage.selector;
        selectors[3] = handler.cancel.selector;
        selectors[4] = handler.collect.selector;
        selectors[5] = handler.changePrice.selector;
        selectors[6] = handler.accept.selector;
        selectors[7] = handler.pass.selector;
        _walk(address(handler), selectors, 3, 400);
        assertLe(1, handler.charged(), "charges");
        assertLe(1, handler.refunded(), "refunds");
        assertLe(1, handler.metered(), "use");
        assertLe(1, handler.switched(), "other plans");
        assertLe(1, handler.lapsed(), "too late");
        invariant_allHold();
    }
}
