// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {ISubscription} from "../../../contracts/interfaces/payments/ISubscription.sol";
import {SubscriptionFixture} from "../support/SubscriptionFixture.sol";
import {FeeOnTransfer} from "../support/tokens/FeeOnTransfer.sol";

/// @notice Plans, and how they are subscribed to and charged.
contract SubscriptionTest is SubscriptionFixture {
    function test_constants() public view {
        assertEq(subscription.MIN_PERIOD(), 1 hours, "least period");
        assertEq(subscription.MAX_PERIOD(), 366 days, "longest period");
        assertEq(subscription.CHARGE_GAS(), 300_000, "gas");
        assertEq(address(subscription.parameters()), address(registry), "parameters");
        assertEq(subscription.feeRecipient(), fees, "fees");
    }

    function test_createPlan() public {
        ISubscription.Plan memory wanted = _terms(ISubscription.Billing.Refundable);
        wanted.trial = 7 days;
        (wanted.merchant, wanted.feeBps, wanted.isActive) = (merchant, 100, true);
        vm.expectEmit(true, true, true, true);
        emit ISubscription.PlanCreated(1, merchant, wanted);
        ISubscription.Plan memory given = _terms(ISubscription.Billing.Refundable);
        given.trial = 7 days;
        (given.merchant, given.feeBps) = (stranger, 1);
        uint256 id = _make(given);
        assertEq(id, 1, "id");
        assertEq(subscription.planCount(), 1, "count");
        assertEq(abi.encode(subscription.planOf(id)), abi.encode(wanted), "plan");
    }

    function test_createPlan_refusals() public {
        ISubscription.Plan memory plan = _terms(ISubscription.Billing.Fixed);
        plan.token = stranger;
        vm.expectRevert(abi.encodeWithSelector(ISubscription.Subscription_NotAToken.selector, stranger));
        _make(plan);
        (plan.token, plan.price) = (address(usdc), 0);
        vm.expectRevert(ISubscription.Subscription_ZeroPrice.selector);
        _make(plan);
        plan.price = 1;
        bytes4 bad = ISubscription.Subscription_BadPeriod.selector;
        plan.period = 1 hours - 1;
        vm.expectRevert(abi.encodeWithSelector(bad, 1 hours - 1, 1 hours, 366 days));
        _make(plan);
        plan.period = 366 days + 1;
        vm.expectRevert(abi.encodeWithSelector(bad, 366 days + 1, 1 hours, 366 days));
        _make(plan);
        (plan.period, plan.grace) = (PERIOD, 1 hours - 1);
        vm.expectRevert(abi.encodeWithSelector(bad, 1 hours - 1, 1 hours, PERIOD));
        _make(plan);
        plan.grace = PERIOD + 1;
        vm.expectRevert(abi.encodeWithSelector(bad, PERIOD + 1, 1 hours, PERIOD));
        _make(plan);
        (plan.grace, plan.trial) = (PERIOD, 366 days + 1);
        vm.expectRevert(abi.encodeWithSelector(bad, 366 days + 1, 0, 366 days));
        _make(plan);
        (plan.trial, plan.period, plan.grace) = (366 days, 1 hours, 1 hours);
        _make(plan);
        (plan.trial, plan.period, plan.grace) = (0, 366 days, 366 days);
        _make(plan);
        vm.expectRevert(abi.encodeWithSelector(ISubscription.Subscription_UnknownPlan.selector, 9));
        subscription.planOf(9);
    }

    function test_changePlan_byTheMerchant() public {
        uint256 id = _fixed();
        vm.expectRevert(
            abi.encodeWithSelector(ISubscription.Subscription_NotAllowed.selector, stranger, merchant)
        );
        vm.prank(stranger);
        subscription.changePlan(id, 1, true);
        vm.expectRevert(ISubscription.Subscription_ZeroPrice.selector);
        vm.prank(merchant);
        subscription.changePlan(id, 0, true);
        vm.expectEmit(true, true, true, true);
        emit ISubscription.PlanChanged(id, 2 * PRICE, false);
        vm.prank(merchant);
        subscription.changePlan(id, 2 * PRICE, false);
        assertEq(subscription.planOf(id).price, 2 * PRICE, "price");
        vm.expectRevert(abi.encodeWithSelector(ISubscription.Subscription_PlanInactive.selector, id));
        _subscribe(alice, id, 1);
    }

    function test_subscribe_costsNothingYet() public {
        ISubscription.Plan memory terms = _terms(ISubscription.Billing.Fixed);
        terms.trial = 7 days;
        uint256 plan = _make(terms);
        vm.expectEmit(true, true, true, true);
        emit ISubscription.Subscribed(1, plan, alice, PRICE, PERIOD, 3, START + 7 days);
        uint256 id = _subscribe(alice, plan, 3);
        assertEq(subscription.subscriptionCount(), 1, "count");
        assertEq(usdc.balanceOf(alice), 1_000e6, "nothing paid");
        ISubscription.Subscriber memory state = subscription.subscriptionOf(id);
        assertEq(state.subscriber, alice, "subscriber");
        assertEq(state.planId, plan, "plan");
        assertEq(state.price, PRICE, "price");
        assertEq(state.period, PERIOD, "period");
        assertEq(state.periodsLeft, 3, "periods");
        assertEq(state.nextAt, START + 7 days, "next");
        assertFalse(subscription.isDue(id), "the trial runs");
        assertTrue(subscription.isServed(id), "and is served");
        vm.warp(START + 7 days);
        assertTrue(subscription.isDue(id), "the trial is over");
        assertFalse(subscription.isServed(id), "and nothing was paid");
        assertFalse(subscription.isServed(9), "an unknown one");
    }

    function test_subscribe_refusals() public {
        uint256 plan = _fixed();
        vm.startPrank(alice);
        vm.expectRevert(
            abi.encodeWithSelector(ISubscription.Subscription_PriceTooHigh.selector, PRICE, PRICE - 1)
        );
        subscription.subscribe(plan, PRICE - 1, 1);
        vm.expectRevert(ISubscription.Subscription_ZeroPeriods.selector);
        subscription.subscribe(plan, PRICE, 0);
        vm.expectRevert(abi.encodeWithSelector(ISubscription.Subscription_UnknownPlan.selector, 2));
        subscription.subscribe(2, PRICE, 1);
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(ISubscription.Subscription_OwnPlan.selector, merchant));
        _subscribe(merchant, plan, 1);
    }

    function test_subscribeWithPermit() public {
        (address owner, uint256 key) = makeAddrAndKey("owner");
        usdc.mint(owner, 50e6);
        uint256 plan = _fixed();
        bytes32 typehash = keccak256(
            "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
        );
        bytes32 message = keccak256(abi.encode(typehash, owner, address(subscription), 30e6, 0, START));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(
            key,
            keccak256(abi.encodePacked(hex"1901", usdc.DOMAIN_SEPARATOR(), message))
        );
        vm.prank(owner);
        uint256 id = subscription.subscribeWithPermit(plan, PRICE, 3, 30e6, START, v, r, s);
        subscription.charge(id);
        assertEq(usdc.allowance(owner, address(subscription)), 20e6, "allowance");
        vm.prank(owner);
        id = subscription.subscribeWithPermit(plan, PRICE, 1, 30e6, START, v, r, s);
        assertEq(id, 2, "a used permit is no hindrance");
    }

    function test_charge_holdsThePrice() public {
        uint256 id = _subscribe(alice, _fixed(), 2);
        vm.expectEmit(true, true, true, true);
        emit ISubscription.Charged(id, PRICE, START + PERIOD);
        vm.prank(stranger);
        subscription.charge(id);
        assertEq(usdc.balanceOf(address(subscription)), PRICE, "here");
        assertEq(usdc.balanceOf(alice), 1_000e6 - PRICE, "alice");
        ISubscription.Subscriber memory state = subscription.subscriptionOf(id);
        assertEq(state.periodsLeft, 1, "periods");
        assertEq(state.nextAt, START + PERIOD, "next");
        assertEq(state.held, PRICE, "held");
    }

    function test_charge_oncePerPeriod_upToTheCap() public {
        uint256 id = _subscribe(alice, _fixed(), 2);
        subscription.charge(id);
        vm.warp(START + PERIOD - 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                ISubscription.Subscription_NotDue.selector,
                START + PERIOD - 1,
                START + PERIOD
            )
        );
        subscription.charge(id);
        assertFalse(subscription.isDue(id), "not due");
        vm.warp(START + PERIOD);
        assertTrue(subscription.isDue(id), "due");
        subscription.charge(id);
        vm.warp(START + 2 * PERIOD);
        vm.expectRevert(abi.encodeWithSelector(ISubscription.Subscription_CapReached.selector, id));
        subscription.charge(id);
        assertFalse(subscription.isDue(id), "the cap is reached");
        assertEq(usdc.balanceOf(alice), 1_000e6 - 2 * PRICE, "two periods");
    }

    function test_charge_late_beginsWhenCharged() public {
        uint256 id = _subscribe(alice, _fixed(), 10);
        vm.warp(START + GRACE);
        subscription.charge(id);
        assertEq(subscription.subscriptionOf(id).nextAt, START + GRACE + PERIOD, "begins when charged");
        vm.warp(START + GRACE + PERIOD + GRACE);
        assertTrue(subscription.isServed(id), "served until the end of the grace");
        subscription.charge(id);
        assertEq(subscription.subscriptionOf(id).nextAt, block.timestamp + PERIOD, "and again");
        vm.expectPartialRevert(ISubscription.Subscription_NotDue.selector);
        subscription.charge(id);
    }

    function test_charge_afterTheGrace_hasLapsed() public {
        uint256 id = _subscribe(alice, _fixed(), 10);
        subscription.charge(id);
        vm.warp(START + PERIOD + GRACE + 1);
        bytes memory lapsed = abi.encodeWithSelector(
            ISubscription.Subscription_Lapsed.selector,
            id,
            START + PERIOD + GRACE
        );
        vm.expectRevert(lapsed);
        subscription.charge(id);
        assertFalse(subscription.isDue(id), "never due again");
        assertFalse(subscription.isServed(id), "not served");
        uint256 plan = subscription.subscriptionOf(id).planId;
        vm.expectRevert(lapsed);
        vm.prank(alice);
        subscription.acceptTerms(id, plan, PRICE);
        _collect(id);
        assertEq(usdc.balanceOf(merchant), PRICE - FEE, "what was charged before is the merchant's");
    }

    function test_charge_ofATokenThatTakesAFee_isRefused() public {
        FeeOnTransfer token = new FeeOnTransfer();
        token.mint(alice, 1_000);
        uint256 plan = _ofToken(address(token), 1_000);
        vm.startPrank(alice);
        token.approve(address(subscription), 1_000);
        uint256 id = subscription.subscribe(plan, 1_000, 1);
        vm.stopPrank();
        vm.expectRevert(
            abi.encodeWithSelector(
                ISubscription.Subscription_AmountNotExact.selector,
                address(token),
                990,
                1_000
            )
        );
        subscription.charge(id);
    }

    function test_chargeBatch_skipsAndReportsWhatFails() public {
        uint256 plan = _fixed();
        uint256[] memory ids = new uint256[](4);
        ids[0] = _subscribe(alice, plan, 1);
        ids[1] = _subscribe(bob, plan, 1);
        ids[2] = 99;
        ids[3] = _subscribe(_funded("carol"), plan, 1);
        vm.prank(bob);
        usdc.approve(address(subscription), 0);
        vm.expectEmit(true, true, true, true);
        emit ISubscription.ChargeFailed(ids[1], IERC20Errors.ERC20InsufficientAllowance.selector);
        vm.expectEmit(true, true, true, true);
        emit ISubscription.ChargeFailed(99, ISubscription.Subscription_NotSubscribed.selector);
        assertEq(subscription.chargeBatch(ids), 2, "charged");
        assertEq(usdc.balanceOf(address(subscription)), 2 * PRICE, "two of them");
        assertEq(subscription.subscriptionOf(ids[1]).periodsLeft, 1, "bob's stays due");
    }

    function test_chargeBatch_withItsGasForEach_reachesAll() public {
        assertEq(subscription.CHARGE_GAS(), 300_000, "a charge's");
        assertEq(subscription.BATCH_GAS(), 334_761, "64/63 of it, and the batch's own steps");
        uint256[] memory ids = new uint256[](5);
        for (uint256 i = 0; i < 4; ++i) ids[i] = 99;
        ids[4] = _subscribe(alice, _fixed(), 1);
        assertEq(subscription.chargeBatch{gas: 5 * 334_761}(ids), 1, "charged");
    }

    function test_chargeBatch_needsEnoughGas() public {
        uint256[] memory ids = new uint256[](1);
        ids[0] = _subscribe(alice, _fixed(), 1);
        vm.expectPartialRevert(ISubscription.Subscription_OutOfGas.selector);
        subscription.chargeBatch{gas: 200_000}(ids);
    }
}
