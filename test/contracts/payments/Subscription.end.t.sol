// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ISubscription} from "../../../contracts/interfaces/payments/ISubscription.sol";
import {SubscriptionFixture} from "../support/SubscriptionFixture.sol";
import {Blocklist} from "../support/tokens/Blocklist.sol";

/// @notice How what was charged is collected or given back, and how a subscription changes and ends.
contract SubscriptionEndTest is SubscriptionFixture {
    function _refundable() private returns (uint256) {
        return _plan(ISubscription.Billing.Refundable);
    }

    function test_collect_paysMerchantAndFee() public {
        uint256 plan = _fixed();
        uint256[] memory ids = new uint256[](4);
        ids[0] = _subscribe(alice, plan, 2);
        ids[1] = _subscribe(bob, plan, 2);
        (ids[2], ids[3]) = (ids[0], 99);
        subscription.charge(ids[0]);
        subscription.charge(ids[1]);
        skip(PERIOD);
        subscription.charge(ids[0]);
        vm.expectEmit(true, true, true, true);
        emit ISubscription.Collected(ids[0], 2 * PRICE, 2 * FEE);
        vm.expectEmit(true, true, true, true);
        emit ISubscription.Collected(ids[1], PRICE, FEE);
        vm.prank(stranger);
        subscription.collect(ids);
        assertEq(usdc.balanceOf(merchant), 3 * (PRICE - FEE), "merchant");
        assertEq(usdc.balanceOf(fees), 3 * FEE, "fee");
        assertEq(subscription.subscriptionOf(ids[0]).held, 0, "nothing held");
        assertEq(usdc.balanceOf(address(subscription)), 0, "nothing stays");
    }

    function test_collect_feeIsThePlans() public {
        uint256 id = _subscribe(alice, _fixed(), 10);
        registry.set("subscriptionFeeBps", 1_000);
        subscription.charge(id);
        _collect(id);
        assertEq(usdc.balanceOf(fees), FEE, "as when the plan was made");
        registry.set("subscriptionFeeBps", 0);
        id = _subscribe(bob, _fixed(), 10);
        subscription.charge(id);
        _collect(id);
        assertEq(usdc.balanceOf(fees), FEE, "no fee");
        assertEq(usdc.balanceOf(merchant), 2 * PRICE - FEE, "all the same");
    }

    function test_collect_whenTheFeesRecipientIsBlocked_creditsIt() public {
        (Blocklist token, uint256 id) = _ofBlocklist();
        subscription.charge(id);
        token.setBlocked(fees, true);
        vm.expectEmit(true, true, true, true);
        emit ISubscription.PayoutCredited(address(token), fees, FEE);
        _collect(id);
        assertEq(token.balanceOf(merchant), PRICE - FEE, "the merchant is paid");
        token.setBlocked(fees, false);
        vm.prank(fees);
        assertEq(subscription.withdrawCredit(address(token), fees), FEE, "the fee waits");
        assertEq(token.balanceOf(fees), FEE, "and is had");
    }

    function test_collect_whenTheMerchantIsBlocked_creditsIt() public {
        uint256 id = _subscribe(alice, _fixed(), 5);
        subscription.charge(id);
        usdc.blocklist(merchant);
        vm.expectEmit(true, true, true, true);
        emit ISubscription.PayoutCredited(address(usdc), merchant, PRICE - FEE);
        _collect(id);
        assertEq(subscription.creditOf(address(usdc), merchant), PRICE - FEE, "credit");
        vm.expectEmit(true, true, true, true);
        emit ISubscription.CreditWithdrawn(address(usdc), merchant, stranger, PRICE - FEE);
        vm.prank(merchant);
        assertEq(subscription.withdrawCredit(address(usdc), stranger), PRICE - FEE, "withdrawn");
        vm.expectRevert(
            abi.encodeWithSelector(ISubscription.Subscription_NoCredit.selector, address(usdc), merchant)
        );
        vm.prank(merchant);
        subscription.withdrawCredit(address(usdc), stranger);
    }

    function test_collect_ofARefundablePeriod_waitsUntilItIsUsed() public {
        uint256 id = _subscribe(alice, _refundable(), 5);
        subscription.charge(id);
        vm.warp(START + PERIOD - 1);
        _collect(id);
        assertEq(subscription.subscriptionOf(id).held, PRICE, "held");
        vm.warp(START + PERIOD);
        subscription.charge(id);
        assertEq(usdc.balanceOf(merchant), PRICE - FEE, "the first period");
        assertEq(subscription.subscriptionOf(id).held, PRICE, "the second is held");
        skip(PERIOD);
        _collect(id);
        assertEq(usdc.balanceOf(merchant), 2 * (PRICE - FEE), "the second");
        _collect(id);
        assertEq(usdc.balanceOf(merchant), 2 * (PRICE - FEE), "once");
    }

    function test_cancel_endsItAtOnce() public {
        uint256 id = _subscribe(alice, _fixed(), 5);
        subscription.charge(id);
        vm.expectRevert(
            abi.encodeWithSelector(ISubscription.Subscription_NotAllowed.selector, stranger, alice)
        );
        vm.prank(stranger);
        subscription.cancel(id);
        vm.expectEmit(true, true, true, true);
        emit ISubscription.Cancelled(id, alice, 0);
        vm.prank(alice);
        subscription.cancel(id);
        assertEq(usdc.balanceOf(merchant), PRICE - FEE, "the merchant has its own");
        skip(PERIOD);
        bytes memory gone = abi.encodeWithSelector(ISubscription.Subscription_NotSubscribed.selector, id);
        vm.expectRevert(gone);
        subscription.charge(id);
        vm.expectRevert(gone);
        vm.prank(alice);
        subscription.cancel(id);
        assertFalse(subscription.isDue(id), "never due again");
        assertFalse(subscription.isServed(id), "not served");
        assertEq(usdc.balanceOf(alice), 1_000e6 - PRICE, "no refund was declared");
    }

    function test_cancel_byTheMerchant() public {
        uint256 id = _subscribe(alice, _fixed(), 5);
        vm.prank(merchant);
        subscription.cancel(id);
        assertEq(subscription.subscriptionOf(id).nextAt, 0, "ended");
    }

    function test_cancel_ofARefundablePlan_givesTheUnusedPartBack() public {
        uint256 id = _subscribe(alice, _refundable(), 5);
        subscription.charge(id);
        vm.warp(START + PERIOD / 3);
        uint256 refund = (uint256(PRICE) * 2) / 3;
        uint256 fee = (PRICE - refund) / 100;
        vm.expectEmit(true, true, true, true);
        emit ISubscription.Cancelled(id, alice, refund);
        vm.prank(alice);
        subscription.cancel(id);
        assertEq(usdc.balanceOf(alice), 1_000e6 - PRICE + refund, "alice");
        assertEq(usdc.balanceOf(merchant), PRICE - refund - fee, "merchant");
        assertEq(usdc.balanceOf(fees), fee, "a fee of what the merchant has");
        assertEq(usdc.balanceOf(address(subscription)), 0, "nothing stays");
    }

    function test_cancel_ofARefundablePlan_afterThePeriod_givesNothingBack() public {
        uint256 id = _subscribe(alice, _refundable(), 5);
        subscription.charge(id);
        vm.warp(START + PERIOD);
        vm.prank(alice);
        subscription.cancel(id);
        assertEq(usdc.balanceOf(merchant), PRICE - FEE, "used up");
    }

    // Other terms, by consent

    function test_acceptTerms_whenThePriceRises_untilThenTheOldOneStays() public {
        uint256 plan = _fixed();
        uint256 id = _subscribe(alice, plan, 10);
        vm.prank(merchant);
        subscription.changePlan(plan, 3 * PRICE, true);
        subscription.charge(id);
        assertEq(usdc.balanceOf(alice), 1_000e6 - PRICE, "the old price");
        vm.expectRevert(
            abi.encodeWithSelector(ISubscription.Subscription_NotAllowed.selector, merchant, alice)
        );
        vm.prank(merchant);
        subscription.acceptTerms(id, plan, 3 * PRICE);
        vm.startPrank(alice);
        vm.expectRevert(
            abi.encodeWithSelector(ISubscription.Subscription_PriceTooHigh.selector, 3 * PRICE, 3 * PRICE - 1)
        );
        subscription.acceptTerms(id, plan, 3 * PRICE - 1);
        vm.expectEmit(true, true, true, true);
        emit ISubscription.TermsAccepted(id, plan, 3 * PRICE, START + PERIOD, 0);
        subscription.acceptTerms(id, plan, 3 * PRICE);
        vm.stopPrank();
        skip(PERIOD);
        subscription.charge(id);
        assertEq(usdc.balanceOf(alice), 1_000e6 - 4 * PRICE, "the new price, agreed to");
    }

    function test_acceptTerms_ofAnotherPlan_beginsAtOnce() public {
        uint256 id = _subscribe(alice, _fixed(), 10);
        subscription.charge(id);
        ISubscription.Plan memory terms = _terms(ISubscription.Billing.Fixed);
        (terms.price, terms.period) = (3 * PRICE, 7 days);
        uint256 other = _make(terms);
        skip(10 days);
        vm.expectEmit(true, true, true, true);
        emit ISubscription.TermsAccepted(id, other, 3 * PRICE, block.timestamp, 0);
        vm.prank(alice);
        subscription.acceptTerms(id, other, 3 * PRICE);
        assertEq(usdc.balanceOf(merchant), PRICE - FEE, "what was charged by the old plan is the merchant's");
        assertTrue(subscription.isDue(id), "the new one is due");
        subscription.charge(id);
        assertEq(usdc.balanceOf(alice), 1_000e6 - 4 * PRICE, "at its price");
        ISubscription.Subscriber memory state = subscription.subscriptionOf(id);
        assertEq(state.nextAt, START + 17 days, "for its period");
        assertEq(state.periodsLeft, 8, "the cap stays");
        assertEq(state.planId, other, "plan");
    }

    function test_acceptTerms_ofAnotherPlan_givesTheUnusedPartBack() public {
        uint256 id = _subscribe(alice, _refundable(), 10);
        uint256 other = _refundable();
        subscription.charge(id);
        vm.warp(START + PERIOD / 4);
        uint256 refund = (uint256(PRICE) * 3) / 4;
        vm.expectEmit(true, true, true, true);
        emit ISubscription.TermsAccepted(id, other, PRICE, block.timestamp, refund);
        vm.prank(alice);
        subscription.acceptTerms(id, other, PRICE);
        subscription.charge(id);
        assertEq(usdc.balanceOf(alice), 1_000e6 - 2 * PRICE + refund, "a quarter, and a whole one");
        assertEq(subscription.subscriptionOf(id).held, PRICE, "the new period's");
    }

    /// @dev A plan of a longer grace would bring back what has lapsed by the old one.
    function test_acceptTerms_ofAnotherPlan_withinTheOldOnesGrace() public {
        ISubscription.Plan memory terms = _terms(ISubscription.Billing.Fixed);
        terms.grace = PERIOD;
        uint256 lenient = _make(terms);
        uint256 id = _subscribe(alice, _fixed(), 5);
        subscription.charge(id);
        uint256 until = START + PERIOD + GRACE;
        vm.warp(until + 1);
        vm.expectRevert(abi.encodeWithSelector(ISubscription.Subscription_Lapsed.selector, id, until));
        vm.prank(alice);
        subscription.acceptTerms(id, lenient, PRICE);
        vm.warp(until);
        vm.prank(alice);
        subscription.acceptTerms(id, lenient, PRICE);
        assertEq(subscription.subscriptionOf(id).planId, lenient, "in time");
    }

    function test_acceptTerms_refusals() public {
        uint256 plan = _fixed();
        uint256 id = _subscribe(alice, plan, 10);
        bytes4 differ = ISubscription.Subscription_PlansDiffer.selector;
        vm.prank(stranger);
        uint256 anothers = subscription.createPlan(_terms(ISubscription.Billing.Fixed));
        uint256 tokens = _ofToken(address(new Blocklist()), PRICE);
        uint256 metered = _plan(ISubscription.Billing.Metered);
        uint256 closed = _fixed();
        vm.prank(merchant);
        subscription.changePlan(closed, PRICE, false);
        vm.startPrank(alice);
        vm.expectRevert(abi.encodeWithSelector(differ, plan, anothers));
        subscription.acceptTerms(id, anothers, PRICE);
        vm.expectRevert(abi.encodeWithSelector(differ, plan, tokens));
        subscription.acceptTerms(id, tokens, PRICE);
        vm.expectRevert(abi.encodeWithSelector(differ, plan, metered));
        subscription.acceptTerms(id, metered, PRICE);
        vm.expectRevert(abi.encodeWithSelector(ISubscription.Subscription_PlanInactive.selector, closed));
        subscription.acceptTerms(id, closed, PRICE);
        vm.expectRevert(abi.encodeWithSelector(ISubscription.Subscription_UnknownPlan.selector, 99));
        subscription.acceptTerms(id, 99, PRICE);
        vm.expectRevert(abi.encodeWithSelector(ISubscription.Subscription_NotSubscribed.selector, 99));
        subscription.acceptTerms(99, plan, PRICE);
        vm.stopPrank();
    }
}
