// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {TestUSDC} from "../../../contracts/dev/TestUSDC.sol";
import {ParameterRegistry} from "../../../contracts/governance/ParameterRegistry.sol";
import {IParameterRegistry} from "../../../contracts/interfaces/governance/IParameterRegistry.sol";
import {ISubscription} from "../../../contracts/interfaces/payments/ISubscription.sol";
import {Subscription} from "../../../contracts/payments/Subscription.sol";
import {Test} from "../support/Test.sol";
import {Blocklist} from "../support/tokens/Blocklist.sol";
import {FeeOnTransfer} from "../support/tokens/FeeOnTransfer.sol";

/// @notice A Subscription with a fee of 1 %, a merchant, and two subscribers with money.
abstract contract SubscriptionFixture is Test {
    uint256 internal constant START = 1_700_000_000;
    uint128 internal constant PRICE = 10e6;
    uint128 internal constant FEE = 0.1e6;
    uint32 internal constant PERIOD = 30 days;

    TestUSDC internal usdc;
    ParameterRegistry internal registry;
    Subscription internal subscription;
    address internal merchant;
    address internal alice;
    address internal bob;
    address internal fees;
    address internal stranger;

    function setUp() public virtual {
        vm.warp(START);
        merchant = makeAddr("merchant");
        fees = makeAddr("fees");
        stranger = makeAddr("stranger");
        usdc = new TestUSDC(address(this));
        IParameterRegistry.Declaration[] memory declarations = new IParameterRegistry.Declaration[](1);
        declarations[0] = IParameterRegistry.Declaration("subscriptionFeeBps", 0, 1_000, 100);
        registry = new ParameterRegistry(address(new AccessManager(address(this))), declarations);
        subscription = new Subscription(registry, fees);
        alice = _funded("alice");
        bob = _funded("bob");
    }

    function _funded(string memory name) internal returns (address account) {
        account = makeAddr(name);
        usdc.mint(account, 1_000e6);
        vm.prank(account);
        usdc.approve(address(subscription), type(uint256).max);
    }

    function _plan(uint32 trial, bool isRefundable) internal returns (uint256) {
        vm.prank(merchant);
        return subscription.createPlan(address(usdc), PRICE, PERIOD, trial, isRefundable);
    }

    /// @dev A plan in a token that can block accounts, and alice's subscription to it.
    function _ofBlocklist() internal returns (Blocklist token, uint256 id) {
        token = new Blocklist();
        token.mint(alice, 1_000e6);
        vm.prank(merchant);
        uint256 plan = subscription.createPlan(address(token), PRICE, PERIOD, 0, false);
        vm.startPrank(alice);
        token.approve(address(subscription), type(uint256).max);
        id = subscription.subscribe(plan, PRICE, 5);
        vm.stopPrank();
    }

    function _subscribe(address who, uint256 planId, uint32 periods) internal returns (uint256) {
        vm.prank(who);
        return subscription.subscribe(planId, PRICE, periods);
    }
}

/// @notice What each function of Subscription does, refuses and says.
contract SubscriptionTest is SubscriptionFixture {
    function test_constants() public view {
        assertEq(subscription.MIN_PERIOD(), 1 hours, "least period");
        assertEq(subscription.MAX_PERIOD(), 366 days, "longest period");
        assertEq(subscription.CHARGE_GAS(), 300_000, "gas");
        assertEq(address(subscription.parameters()), address(registry), "parameters");
        assertEq(subscription.feeRecipient(), fees, "fees");
    }

    function test_createPlan() public {
        ISubscription.Plan memory wanted = ISubscription.Plan({
            merchant: merchant,
            token: address(usdc),
            price: PRICE,
            period: PERIOD,
            trial: 7 days,
            isActive: true,
            isRefundable: true,
            feeBps: 100
        });
        vm.expectEmit(true, true, true, true);
        emit ISubscription.PlanCreated(1, merchant, wanted);
        uint256 id = _plan(7 days, true);
        assertEq(id, 1, "id");
        assertEq(subscription.planCount(), 1, "count");
        assertEq(abi.encode(subscription.planOf(id)), abi.encode(wanted), "plan");
    }

    function test_createPlan_refusals() public {
        vm.expectRevert(abi.encodeWithSelector(ISubscription.Subscription_NotAToken.selector, stranger));
        subscription.createPlan(stranger, PRICE, PERIOD, 0, false);
        vm.expectRevert(ISubscription.Subscription_ZeroPrice.selector);
        subscription.createPlan(address(usdc), 0, PERIOD, 0, false);
        bytes4 bad = ISubscription.Subscription_BadPeriod.selector;
        vm.expectRevert(abi.encodeWithSelector(bad, 1 hours - 1, 1 hours, 366 days));
        subscription.createPlan(address(usdc), PRICE, 1 hours - 1, 0, false);
        vm.expectRevert(abi.encodeWithSelector(bad, 366 days + 1, 1 hours, 366 days));
        subscription.createPlan(address(usdc), PRICE, 366 days + 1, 0, false);
        vm.expectRevert(abi.encodeWithSelector(bad, 366 days + 1, 0, 366 days));
        subscription.createPlan(address(usdc), PRICE, PERIOD, 366 days + 1, false);
        subscription.createPlan(address(usdc), 1, 1 hours, 366 days, false);
        subscription.createPlan(address(usdc), 1, 366 days, 0, false);
        vm.expectRevert(abi.encodeWithSelector(ISubscription.Subscription_UnknownPlan.selector, 9));
        subscription.planOf(9);
    }

    function test_changePlan_byTheMerchant() public {
        uint256 id = _plan(0, false);
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
        uint256 plan = _plan(7 days, false);
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
        assertEq(state.chargedAt, 0, "not charged");
        assertFalse(subscription.isDue(id), "the trial runs");
        vm.warp(START + 7 days);
        assertTrue(subscription.isDue(id), "the trial is over");
    }

    function test_subscribe_refusals() public {
        uint256 plan = _plan(0, false);
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
        uint256 plan = _plan(0, false);
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

    function test_charge_paysMerchantAndFee() public {
        uint256 id = _subscribe(alice, _plan(0, false), 2);
        vm.expectEmit(true, true, true, true);
        emit ISubscription.Charged(id, PRICE, FEE, START + PERIOD);
        vm.prank(stranger);
        subscription.charge(id);
        assertEq(usdc.balanceOf(merchant), PRICE - FEE, "merchant");
        assertEq(usdc.balanceOf(fees), FEE, "fee");
        assertEq(usdc.balanceOf(alice), 1_000e6 - PRICE, "alice");
        ISubscription.Subscriber memory state = subscription.subscriptionOf(id);
        assertEq(state.periodsLeft, 1, "periods");
        assertEq(state.chargedAt, START, "charged");
        assertEq(state.held, 0, "nothing held");
    }

    function test_charge_oncePerPeriod_upToTheCap() public {
        uint256 id = _subscribe(alice, _plan(0, false), 2);
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

    function test_charge_forgivesWhatNobodyCharged() public {
        uint256 id = _subscribe(alice, _plan(0, false), 10);
        vm.warp(START + 5 * PERIOD + 3);
        subscription.charge(id);
        assertEq(usdc.balanceOf(alice), 1_000e6 - PRICE, "one period");
        assertEq(subscription.subscriptionOf(id).nextAt, START + 6 * PERIOD + 3, "begins when charged");
        vm.expectPartialRevert(ISubscription.Subscription_NotDue.selector);
        subscription.charge(id);
    }

    function test_charge_whenThePriceRises_staysAtWhatWasAgreed() public {
        uint256 plan = _plan(0, false);
        uint256 id = _subscribe(alice, plan, 10);
        vm.prank(merchant);
        subscription.changePlan(plan, 3 * PRICE, true);
        subscription.charge(id);
        assertEq(usdc.balanceOf(alice), 1_000e6 - PRICE, "the old price");
        vm.expectRevert(
            abi.encodeWithSelector(ISubscription.Subscription_NotAllowed.selector, merchant, alice)
        );
        vm.prank(merchant);
        subscription.acceptTerms(id, 3 * PRICE);
        vm.expectRevert(
            abi.encodeWithSelector(ISubscription.Subscription_PriceTooHigh.selector, 3 * PRICE, 3 * PRICE - 1)
        );
        vm.prank(alice);
        subscription.acceptTerms(id, 3 * PRICE - 1);
        vm.expectEmit(true, true, true, true);
        emit ISubscription.TermsAccepted(id, 3 * PRICE);
        vm.prank(alice);
        subscription.acceptTerms(id, 3 * PRICE);
        skip(PERIOD);
        subscription.charge(id);
        assertEq(usdc.balanceOf(alice), 1_000e6 - 4 * PRICE, "the new price, agreed to");
    }

    function test_charge_feeIsThePlans() public {
        uint256 id = _subscribe(alice, _plan(0, false), 10);
        registry.set("subscriptionFeeBps", 1_000);
        subscription.charge(id);
        assertEq(usdc.balanceOf(fees), FEE, "as when the plan was made");
        registry.set("subscriptionFeeBps", 0);
        id = _subscribe(bob, _plan(0, false), 10);
        subscription.charge(id);
        assertEq(usdc.balanceOf(fees), FEE, "no fee");
        assertEq(usdc.balanceOf(bob), 1_000e6 - PRICE, "all the same");
    }

    function test_charge_ofATokenThatTakesAFee_isRefused() public {
        FeeOnTransfer token = new FeeOnTransfer();
        token.mint(alice, 1_000);
        vm.prank(merchant);
        uint256 plan = subscription.createPlan(address(token), 1_000, PERIOD, 0, false);
        vm.startPrank(alice);
        token.approve(address(subscription), 1_000);
        uint256 id = subscription.subscribe(plan, 1_000, 1);
        vm.stopPrank();
        vm.expectRevert(
            abi.encodeWithSelector(
                ISubscription.Subscription_AmountNotExact.selector,
                address(token),
                981,
                990
            )
        );
        subscription.charge(id);
    }

    function test_chargeBatch_skipsAndReportsWhatFails() public {
        uint256 plan = _plan(0, false);
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
        assertEq(usdc.balanceOf(merchant), 2 * (PRICE - FEE), "two of them");
        assertEq(subscription.subscriptionOf(ids[1]).periodsLeft, 1, "bob's stays due");
    }

    function test_chargeBatch_withItsGasForEach_reachesAll() public {
        assertEq(subscription.CHARGE_GAS(), 300_000, "a charge's");
        assertEq(subscription.BATCH_GAS(), 334_761, "64/63 of it, and the batch's own steps");
        uint256[] memory ids = new uint256[](5);
        for (uint256 i = 0; i < 4; ++i) ids[i] = 99;
        ids[4] = _subscribe(alice, _plan(0, false), 1);
        assertEq(subscription.chargeBatch{gas: 5 * 334_761}(ids), 1, "charged");
    }

    function test_charge_whenTheFeesRecipientIsBlocked_creditsIt() public {
        (Blocklist token, uint256 id) = _ofBlocklist();
        token.setBlocked(fees, true);
        vm.expectEmit(true, true, true, true);
        emit ISubscription.PayoutCredited(address(token), fees, FEE);
        subscription.charge(id);
        assertEq(token.balanceOf(merchant), PRICE - FEE, "the merchant is paid");
        assertEq(token.balanceOf(alice), 1_000e6 - PRICE, "the subscriber pays once");
        token.setBlocked(fees, false);
        vm.prank(fees);
        assertEq(subscription.withdrawCredit(address(token), fees), FEE, "the fee waits");
        assertEq(token.balanceOf(fees), FEE, "and is had");
    }

    function test_charge_ofTheFeesRecipient_takesNoFeeFromItself() public {
        usdc.mint(fees, PRICE);
        vm.prank(fees);
        usdc.approve(address(subscription), PRICE);
        subscription.charge(_subscribe(fees, _plan(0, false), 1));
        assertEq(usdc.balanceOf(fees), FEE, "the fee stays");
        assertEq(usdc.balanceOf(merchant), PRICE - FEE, "the merchant's");
        assertEq(usdc.balanceOf(address(subscription)), 0, "nothing is left here");
    }

    function test_chargeBatch_needsEnoughGas() public {
        uint256[] memory ids = new uint256[](1);
        ids[0] = _subscribe(alice, _plan(0, false), 1);
        vm.expectPartialRevert(ISubscription.Subscription_OutOfGas.selector);
        subscription.chargeBatch{gas: 200_000}(ids);
    }

    function test_cancel_endsItAtOnce() public {
        uint256 id = _subscribe(alice, _plan(0, false), 5);
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
        skip(PERIOD);
        bytes memory gone = abi.encodeWithSelector(ISubscription.Subscription_NotSubscribed.selector, id);
        vm.expectRevert(gone);
        subscription.charge(id);
        vm.expectRevert(gone);
        vm.prank(alice);
        subscription.cancel(id);
        assertFalse(subscription.isDue(id), "never due again");
        assertEq(usdc.balanceOf(alice), 1_000e6 - PRICE, "no refund was declared");
    }

    function test_cancel_byTheMerchant() public {
        uint256 id = _subscribe(alice, _plan(0, false), 5);
        vm.prank(merchant);
        subscription.cancel(id);
        assertEq(subscription.subscriptionOf(id).nextAt, 0, "ended");
    }

    function test_refundable_holdsThePeriodUntilItIsUsed() public {
        uint256 id = _subscribe(alice, _plan(0, true), 5);
        subscription.charge(id);
        assertEq(usdc.balanceOf(merchant), 0, "not yet");
        assertEq(subscription.subscriptionOf(id).held, PRICE - FEE, "held");
        assertEq(usdc.balanceOf(fees), FEE, "the fee is paid");
        vm.warp(START + PERIOD - 1);
        vm.expectPartialRevert(ISubscription.Subscription_NotDue.selector);
        subscription.collect(id);
        vm.warp(START + PERIOD);
        subscription.charge(id);
        assertEq(usdc.balanceOf(merchant), PRICE - FEE, "the first period");
        skip(PERIOD);
        subscription.collect(id);
        assertEq(usdc.balanceOf(merchant), 2 * (PRICE - FEE), "the second");
        assertEq(subscription.subscriptionOf(id).held, 0, "nothing held");
        subscription.collect(id);
        assertEq(usdc.balanceOf(merchant), 2 * (PRICE - FEE), "once");
    }

    function test_refundable_cancelGivesTheUnusedPartBack() public {
        uint256 id = _subscribe(alice, _plan(0, true), 5);
        subscription.charge(id);
        vm.warp(START + PERIOD / 3);
        uint256 refund = ((PRICE - FEE) * 2) / 3;
        vm.expectEmit(true, true, true, true);
        emit ISubscription.Cancelled(id, alice, refund);
        vm.prank(alice);
        subscription.cancel(id);
        assertEq(usdc.balanceOf(alice), 1_000e6 - PRICE + refund, "alice");
        assertEq(usdc.balanceOf(merchant), PRICE - FEE - refund, "merchant");
        assertEq(usdc.balanceOf(address(subscription)), 0, "nothing stays");
    }

    function test_refundable_cancelAfterThePeriod_givesNothingBack() public {
        uint256 id = _subscribe(alice, _plan(0, true), 5);
        subscription.charge(id);
        vm.warp(START + PERIOD);
        vm.prank(alice);
        subscription.cancel(id);
        assertEq(usdc.balanceOf(merchant), PRICE - FEE, "used up");
    }

    function test_blockedMerchant_isCredited() public {
        uint256 id = _subscribe(alice, _plan(0, true), 5);
        subscription.charge(id);
        usdc.blocklist(merchant);
        skip(PERIOD);
        vm.expectEmit(true, true, true, true);
        emit ISubscription.PayoutCredited(address(usdc), merchant, PRICE - FEE);
        subscription.collect(id);
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
}

/// @notice Three subscribers of a refundable and a plain plan, a merchant and keepers act at random, with time jumps.
contract SubscriptionHandler is Test {
    Subscription public subscription;
    TestUSDC public usdc;
    address public merchant;
    address[3] public subscribers;
    uint256[2] public plans;
    uint256[] public ids;

    mapping(uint256 id => uint256[]) private _charges;
    mapping(uint256 id => uint256) public cap;
    mapping(uint256 id => bool) public isCancelled;
    uint256 public charged;
    uint256 public feesPaid;
    uint256 public refunded;
    bool public somethingForbidden;

    constructor(
        Subscription subscription_,
        TestUSDC usdc_,
        address merchant_,
        address[3] memory subscribers_
    ) {
        (subscription, usdc, merchant, subscribers) = (subscription_, usdc_, merchant_, subscribers_);
        vm.startPrank(merchant);
        plans[0] = subscription.createPlan(address(usdc), 10e6, 30 days, 0, false);
        plans[1] = subscription.createPlan(address(usdc), 7e6, 7 days, 3 days, true);
        vm.stopPrank();
    }

    function subscribe(uint256 who, uint256 plan, uint256 periods) external {
        if (ids.length == 12) return;
        vm.prank(subscribers[who % 3]);
        try subscription.subscribe(plans[plan % 2], 100e6, uint32(bound(periods, 1, 4))) returns (
            uint256 id
        ) {
            ids.push(id);
            cap[id] = bound(periods, 1, 4);
        } catch {}
    }

    function charge(uint256 at) external {
        if (ids.length == 0) return;
        uint256 id = ids[at % ids.length];
        ISubscription.Subscriber memory before = subscription.subscriptionOf(id);
        uint256 balance = usdc.balanceOf(before.subscriber);
        bool due = subscription.isDue(id);
        try subscription.charge(id) {
            uint256 paid = balance - usdc.balanceOf(before.subscriber);
            charged += paid;
            feesPaid += paid / 100;
            if (!due || isCancelled[id] || paid != before.price) somethingForbidden = true;
            uint256[] storage times = _charges[id];
            if (times.length != 0 && block.timestamp - times[times.length - 1] < before.period)
                somethingForbidden = true;
            times.push(block.timestamp);
            if (times.length > cap[id]) somethingForbidden = true;
        } catch {
            if (due && balance >= before.price) somethingForbidden = true;
        }
    }

    function cancel(uint256 at, bool byMerchant) external {
        if (ids.length == 0) return;
        uint256 id = ids[at % ids.length];
        address subscriber = subscription.subscriptionOf(id).subscriber;
        uint256 balance = usdc.balanceOf(subscriber);
        vm.prank(byMerchant ? merchant : subscriber);
        try subscription.cancel(id) {
            isCancelled[id] = true;
            refunded += usdc.balanceOf(subscriber) - balance;
        } catch {}
    }

    function collect(uint256 at) external {
        if (ids.length == 0) return;
        try subscription.collect(ids[at % ids.length]) {} catch {}
    }

    function changePrice(uint256 plan, uint256 price) external {
        vm.prank(merchant);
        subscription.changePlan(plans[plan % 2], uint128(bound(price, 1, 20e6)), true);
    }

    function accept(uint256 at) external {
        if (ids.length == 0) return;
        uint256 id = ids[at % ids.length];
        vm.prank(subscription.subscriptionOf(id).subscriber);
        try subscription.acceptTerms(id, 100e6) {} catch {}
    }

    function pass(uint256 timeSeconds) external {
        skip(bound(timeSeconds, 1, 40 days));
    }

    function held() external view returns (uint256 sum) {
        for (uint256 i = 0; i < ids.length; ++i) sum += subscription.subscriptionOf(ids[i]).held;
    }
}

contract SubscriptionInvariantTest is SubscriptionFixture {
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
        assertEq(
            usdc.balanceOf(merchant) + held + usdc.balanceOf(fees) + handler.refunded(),
            handler.charged(),
            "paid"
        );
        assertEq(usdc.balanceOf(address(subscription)), held, "held");
        assertEq(usdc.balanceOf(fees), handler.feesPaid(), "fees");
    }
}
