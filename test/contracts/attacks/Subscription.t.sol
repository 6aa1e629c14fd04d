// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ISubscription} from "../../../contracts/interfaces/payments/ISubscription.sol";
import {Subscription} from "../../../contracts/payments/Subscription.sol";
import {SubscriptionFixture} from "../support/SubscriptionFixture.sol";
import {Blocklist} from "../support/tokens/Blocklist.sol";
import {Hooked} from "../support/tokens/Hooked.sol";
import {PlainToken} from "../support/tokens/PlainToken.sol";

/// @notice A token that burns all the gas it is given whenever it is moved.
contract GasBomb is PlainToken {
    function transferFrom(address, address, uint256) public pure override returns (bool) {
        while (true) {}
        return true;
    }
}

/// @notice A token that fails with an error of 9,000 words, which whoever copies it pays for.
contract ErrorBomb is PlainToken {
    function transferFrom(address, address, uint256) public pure override returns (bool) {
        assembly ("memory-safe") {
            revert(0, 288000)
        }
    }
}

/// @notice Subscribes in a token that calls it, and calls Subscription back out of every payment that it receives.
contract Reenterer {
    Subscription private immutable _subscription;
    bytes private _call;
    bytes4 public refusal;

    constructor(Subscription subscription, PlainToken token, uint256 planId, uint96 price) {
        _subscription = subscription;
        token.approve(address(subscription), type(uint256).max);
        subscription.subscribe(planId, price, 5);
    }

    function acceptTerms(uint256 id, uint256 planId, uint96 maxPrice, bytes memory call) external {
        _call = call;
        _subscription.acceptTerms(id, planId, maxPrice);
    }

    function onTokenTransfer(address, address to, uint256) external {
        if (to != address(this)) return;
        (, bytes memory answer) = address(_subscription).call(_call);
        refusal = bytes4(answer);
    }
}

/// @notice What an attacker of Subscription would try.
contract SubscriptionAttacks is SubscriptionFixture {
    function test_aGasBomb_doesNotStopTheBatch() public {
        GasBomb bomb = new GasBomb();
        uint256 plan = _ofToken(address(bomb), 1);
        vm.prank(bob);
        uint256 bad = subscription.subscribe(plan, 1, 1);
        uint256[] memory ids = new uint256[](3);
        (ids[0], ids[1]) = (bad, bad);
        ids[2] = _subscribe(alice, _fixed(), 1);
        assertEq(subscription.chargeBatch{gas: 2_000_000}(ids), 1, "alice is charged all the same");
    }

    function test_anErrorBomb_isNotCopied() public {
        ErrorBomb bomb = new ErrorBomb();
        uint256 plan = _ofToken(address(bomb), 1);
        vm.prank(bob);
        uint256 bad = subscription.subscribe(plan, 1, 1);
        uint256[] memory ids = new uint256[](2);
        (ids[0], ids[1]) = (bad, _subscribe(alice, _fixed(), 1));
        vm.expectEmit(true, true, true, true);
        emit ISubscription.ChargeFailed(bad, 0);
        assertEq(subscription.chargeBatch{gas: 2 * 334_761}(ids), 1, "alice is charged all the same");
    }

    function test_jammingChargesByABlockedFeeRecipientOrMerchant_isNotPossible() public {
        (Blocklist token, uint256 id) = _ofBlocklist();
        token.setBlocked(fees, true);
        token.setBlocked(merchant, true);
        subscription.charge(id);
        _collect(id);
        assertEq(subscription.creditOf(address(token), merchant), PRICE - FEE, "the merchant's waits");
        assertEq(subscription.creditOf(address(token), fees), FEE, "and the fee");
        skip(PERIOD);
        token.setBlocked(address(subscription), true);
        vm.expectRevert(abi.encodeWithSelector(Blocklist.Blocklist_Blocked.selector, address(subscription)));
        subscription.charge(id);
        assertEq(token.balanceOf(alice), 1_000e6 - PRICE, "what cannot be kept for anyone is not taken");
    }

    function test_twoChargesAroundABoundary_areNotPossible() public {
        uint256 id = _subscribe(alice, _fixed(), 5);
        vm.warp(START + GRACE);
        subscription.charge(id);
        vm.warp(START + PERIOD);
        vm.expectPartialRevert(ISubscription.Subscription_NotDue.selector);
        subscription.charge(id);
    }

    function test_raisingThePriceInFrontOfASubscriber_isRefused() public {
        uint256 plan = _fixed();
        vm.prank(merchant);
        subscription.changePlan(plan, PRICE + 1, true);
        vm.expectRevert(
            abi.encodeWithSelector(ISubscription.Subscription_PriceTooHigh.selector, PRICE + 1, PRICE)
        );
        _subscribe(alice, plan, 1);
    }

    function test_chargingTwiceInOneBatch_chargesOnce() public {
        uint256 id = _subscribe(alice, _fixed(), 5);
        uint256[] memory ids = new uint256[](2);
        (ids[0], ids[1]) = (id, id);
        assertEq(subscription.chargeBatch(ids), 1, "charged");
        assertEq(usdc.balanceOf(alice), 1_000e6 - PRICE, "one period");
    }

    function test_reSubscribingForFreeTrials_takesNothingFromOthers() public {
        ISubscription.Plan memory terms = _terms(ISubscription.Billing.Refundable);
        terms.trial = 7 days;
        uint256 plan = _make(terms);
        uint256 id = _subscribe(alice, plan, 1);
        vm.prank(alice);
        subscription.cancel(id);
        assertEq(usdc.balanceOf(alice), 1_000e6, "nothing in, nothing out");
    }

    function test_cancellingForARefundOfWhatOthersPaid_isNotPossible() public {
        uint256 plan = _plan(ISubscription.Billing.Refundable);
        uint256 one = _subscribe(alice, plan, 5);
        uint256 other = _subscribe(bob, plan, 5);
        subscription.charge(one);
        vm.prank(bob);
        subscription.cancel(other);
        assertEq(usdc.balanceOf(bob), 1_000e6, "bob paid nothing and gets nothing");
        assertEq(subscription.subscriptionOf(one).held, PRICE, "alice's is held");
    }

    /// @notice Alice forgets a subscription whose merchant stopped charging, and allows a new one its price.
    function test_aForgottenSubscription_takesNothingOfANewOnesAllowance() public {
        uint256 forgotten = _subscribe(alice, _fixed(), 12);
        subscription.charge(forgotten);
        vm.prank(alice);
        usdc.approve(address(subscription), 0);
        skip(180 days);
        uint256 wanted = _subscribe(alice, _fixed(), 1);
        vm.prank(alice);
        usdc.approve(address(subscription), PRICE);
        vm.expectPartialRevert(ISubscription.Subscription_Lapsed.selector);
        subscription.charge(forgotten);
        subscription.charge(wanted);
        assertEq(usdc.balanceOf(alice), 1_000e6 - 2 * PRICE, "one period each");
    }

    function test_servingByADearerPlan_whatACheaperOrATrialPaid_isNotPossible() public {
        ISubscription.Plan memory terms = _terms(ISubscription.Billing.Fixed);
        terms.trial = 30 days;
        uint256 id = _subscribe(alice, _make(terms), 5);
        terms.price = 100 * PRICE;
        uint256 dear = _make(terms);
        vm.prank(alice);
        subscription.acceptTerms(id, dear, 100 * PRICE);
        assertTrue(subscription.isDue(id), "no trial, nor a paid period, carries over");
        assertFalse(subscription.isServed(id), "nor is it served before it is paid");
    }

    function test_subscribingEverAgain_forTheGrace_isNotServed() public {
        uint256 plan = _fixed();
        for (uint256 i = 0; i < 3; ++i)
            assertFalse(subscription.isServed(_subscribe(alice, plan, 1)), "who has not paid has no grace");
        uint256 paid = _subscribe(alice, plan, 2);
        subscription.charge(paid);
        uint256 other = _fixed();
        skip(PERIOD);
        assertTrue(subscription.isServed(paid), "in the grace after a paid period");
        vm.prank(alice);
        subscription.acceptTerms(paid, other, PRICE);
        assertFalse(subscription.isServed(paid), "not by a plan that it has not paid");
    }

    function test_changingPlansForRefundsOfWhatOthersPaid_isNotPossible() public {
        uint256 one = _plan(ISubscription.Billing.Refundable);
        uint256 other = _plan(ISubscription.Billing.Refundable);
        uint256 id = _subscribe(alice, one, 5);
        subscription.charge(_subscribe(bob, one, 5));
        subscription.charge(id);
        vm.startPrank(alice);
        for (uint256 i = 0; i < 6; ++i) subscription.acceptTerms(id, i % 2 == 0 ? other : one, PRICE);
        vm.stopPrank();
        assertEq(usdc.balanceOf(alice), 1_000e6, "what she paid a moment ago, once");
        assertEq(usdc.balanceOf(address(subscription)), PRICE, "bob's is held");
    }

    function test_chargingUseAfterTheEnd_isNotPossible() public {
        uint256 id = _subscribe(alice, _plan(ISubscription.Billing.Metered), 5);
        vm.prank(alice);
        subscription.cancel(id);
        vm.expectRevert(abi.encodeWithSelector(ISubscription.Subscription_NotSubscribed.selector, id));
        vm.prank(merchant);
        subscription.chargeUsage(id, 1);
    }

    /// @notice Out of the refund of a change of plans, what is left of the period would be given back once more.
    function test_reenteringFromARefund_isRefused() public {
        Hooked token = new Hooked();
        ISubscription.Plan memory terms = _terms(ISubscription.Billing.Refundable);
        terms.token = address(token);
        (uint256 planId, uint256 other) = (_make(terms), _make(terms));
        uint256 id = subscription.subscriptionCount() + 1;
        Reenterer reenterer = new Reenterer(subscription, token, planId, PRICE);
        token.mint(address(reenterer), PRICE);
        subscription.charge(id);
        skip(PERIOD / 2);
        uint256[] memory ids = new uint256[](1);
        ids[0] = id;
        bytes[6] memory calls = [
            abi.encodeCall(Subscription.acceptTerms, (id, other, PRICE)),
            abi.encodeCall(Subscription.cancel, (id)),
            abi.encodeCall(Subscription.charge, (id)),
            abi.encodeCall(Subscription.chargeUsage, (id, 1)),
            abi.encodeCall(Subscription.collect, (ids)),
            abi.encodeCall(Subscription.withdrawCredit, (address(token), stranger))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            uint256 before = vm.snapshotState();
            reenterer.acceptTerms(id, other, PRICE, calls[i]);
            assertEq(
                reenterer.refusal(),
                ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector,
                "refused"
            );
            assertEq(token.balanceOf(address(reenterer)), PRICE / 2, "half of the period, once");
            assertTrue(vm.revertToState(before), "as before");
        }
    }
}
