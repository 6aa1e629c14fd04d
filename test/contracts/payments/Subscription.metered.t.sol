// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ISubscription} from "../../../contracts/interfaces/payments/ISubscription.sol";
import {SubscriptionFixture} from "../support/SubscriptionFixture.sol";

/// @notice Plans that are charged by use.
contract SubscriptionMeteredTest is SubscriptionFixture {
    uint256 private plan;
    uint256 private id;

    function setUp() public override {
        super.setUp();
        plan = _plan(ISubscription.Billing.Metered);
        id = _subscribe(alice, plan, 2);
    }

    function _use(uint96 amount) private {
        vm.prank(merchant);
        subscription.chargeUsage(id, amount);
    }

    function test_chargeUsage_addsUp_toThePriceOfAPeriod() public {
        vm.expectEmit(true, true, true, true);
        emit ISubscription.Charged(id, 4e6, START + PERIOD);
        _use(4e6);
        skip(10 days);
        _use(6e6);
        assertEq(subscription.usedOf(id), PRICE, "used");
        assertEq(subscription.subscriptionOf(id).periodsLeft, 1, "one period");
        assertEq(usdc.balanceOf(alice), 1_000e6 - PRICE, "alice");
        vm.expectRevert(abi.encodeWithSelector(ISubscription.Subscription_UsageTooHigh.selector, 1, 0));
        _use(1);
        vm.warp(START + PERIOD);
        _use(3e6);
        assertEq(subscription.usedOf(id), 3e6, "a new period's");
        vm.expectRevert(
            abi.encodeWithSelector(ISubscription.Subscription_UsageTooHigh.selector, 7e6 + 1, 7e6)
        );
        _use(7e6 + 1);
        _use(7e6);
        vm.warp(START + 2 * PERIOD);
        vm.expectRevert(abi.encodeWithSelector(ISubscription.Subscription_CapReached.selector, id));
        _use(1);
        _collect(id);
        assertEq(usdc.balanceOf(merchant), 2 * (PRICE - FEE), "merchant");
    }

    function test_chargeUsage_aPeriodBeginsWithItsFirstCharge() public {
        vm.warp(START + GRACE);
        _use(1);
        assertEq(subscription.subscriptionOf(id).nextAt, START + GRACE + PERIOD, "next");
    }

    function test_chargeUsage_refusals() public {
        vm.expectRevert(
            abi.encodeWithSelector(ISubscription.Subscription_NotAllowed.selector, stranger, merchant)
        );
        vm.prank(stranger);
        subscription.chargeUsage(id, 1);
        vm.expectRevert(abi.encodeWithSelector(ISubscription.Subscription_UsageTooHigh.selector, 0, PRICE));
        _use(0);
        bytes4 wrong = ISubscription.Subscription_WrongBilling.selector;
        vm.expectRevert(abi.encodeWithSelector(wrong, ISubscription.Billing.Metered));
        subscription.charge(id);
        assertFalse(subscription.isDue(id), "nothing for anybody to charge");
        id = _subscribe(alice, _fixed(), 1);
        vm.expectRevert(abi.encodeWithSelector(wrong, ISubscription.Billing.Fixed));
        _use(1);
        vm.expectRevert(abi.encodeWithSelector(ISubscription.Subscription_NotSubscribed.selector, 99));
        subscription.chargeUsage(99, 1);
    }

    function test_chargeUsage_inTheTrial_isRefused() public {
        ISubscription.Plan memory terms = _terms(ISubscription.Billing.Metered);
        terms.trial = 7 days;
        id = _subscribe(alice, _make(terms), 1);
        vm.expectRevert(
            abi.encodeWithSelector(ISubscription.Subscription_NotDue.selector, START, START + 7 days)
        );
        _use(1);
        skip(7 days);
        _use(1);
    }

    function test_chargeUsage_whenNothingWasUsedForLong_hasLapsed() public {
        _use(1);
        vm.warp(START + PERIOD + GRACE + 1);
        vm.expectRevert(
            abi.encodeWithSelector(ISubscription.Subscription_Lapsed.selector, id, START + PERIOD + GRACE)
        );
        _use(1);
    }

    function test_chargeUsage_byALowerLimitAgreedTo() public {
        _use(4e6);
        vm.prank(merchant);
        subscription.changePlan(plan, 3e6, true);
        vm.prank(alice);
        subscription.acceptTerms(id, plan, 3e6);
        vm.expectRevert(abi.encodeWithSelector(ISubscription.Subscription_UsageTooHigh.selector, 1, 0));
        _use(1);
    }

    function test_chargeUsage_afterAnotherMeteredPlan_beginsAnew() public {
        _use(4e6);
        uint256 other = _plan(ISubscription.Billing.Metered);
        vm.prank(alice);
        subscription.acceptTerms(id, other, PRICE);
        skip(1 hours);
        _use(10e6);
        assertEq(subscription.usedOf(id), 10e6, "of the new plan's period");
        assertEq(subscription.subscriptionOf(id).periodsLeft, 0, "which is one more");
    }

    /// @dev The stated bound: two periods' limits may lie close together, and no more, whatever the interval.
    function testFuzz_chargeUsage_inAnyPeriodsLength_isAtMostTwoLimits(uint32[8] memory gaps) public {
        id = _subscribe(alice, plan, 8);
        uint256[8] memory times;
        uint256[8] memory amounts;
        for (uint256 i = 0; i < 8; ++i) {
            skip(bound(gaps[i], 0, PERIOD / 2));
            uint256 limit =
                block.timestamp < subscription.subscriptionOf(id).nextAt
                    ? PRICE - subscription.usedOf(id)
                    : PRICE;
            if (limit == 0 || block.timestamp > subscription.subscriptionOf(id).nextAt + GRACE) continue;
            (times[i], amounts[i]) = (block.timestamp, i % 2 == 0 ? limit : (limit + 1) / 2);
            _use(uint96(amounts[i]));
        }
        for (uint256 i = 0; i < 8; ++i) {
            uint256 sum;
            for (uint256 j = i; j < 8; ++j) if (times[j] < times[i] + PERIOD) sum += amounts[j];
            if (times[i] != 0) assertLe(sum, 2 * uint256(PRICE), "in a period's length");
        }
    }
}
