// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {TestUSDC} from "../../../contracts/dev/TestUSDC.sol";
import {ParameterRegistry} from "../../../contracts/governance/ParameterRegistry.sol";
import {IParameterRegistry} from "../../../contracts/interfaces/governance/IParameterRegistry.sol";
import {ISubscription} from "../../../contracts/interfaces/payments/ISubscription.sol";
import {Subscription} from "../../../contracts/payments/Subscription.sol";
import {Test} from "./Test.sol";
import {Blocklist} from "./tokens/Blocklist.sol";

/// @notice A Subscription with a fee of 1 %, a merchant, and two subscribers with money.
abstract contract SubscriptionFixture is Test {
    uint256 internal constant START = 1_700_000_000;
    uint96 internal constant PRICE = 10e6;
    uint96 internal constant FEE = 0.1e6;
    uint32 internal constant PERIOD = 30 days;
    uint32 internal constant GRACE = 3 days;

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

    function _terms(ISubscription.Billing billing) internal view returns (ISubscription.Plan memory plan) {
        plan.token = address(usdc);
        plan.price = PRICE;
        plan.period = PERIOD;
        plan.grace = GRACE;
        plan.billing = billing;
    }

    function _make(ISubscription.Plan memory plan) internal returns (uint256) {
        vm.prank(merchant);
        return subscription.createPlan(plan);
    }

    function _plan(ISubscription.Billing billing) internal returns (uint256) {
        return _make(_terms(billing));
    }

    function _fixed() internal returns (uint256) {
        return _plan(ISubscription.Billing.Fixed);
    }

    function _ofToken(address token, uint96 price) internal returns (uint256) {
        ISubscription.Plan memory plan = _terms(ISubscription.Billing.Fixed);
        (plan.token, plan.price) = (token, price);
        return _make(plan);
    }

    /// @dev A plan in a token that can block accounts, and alice's subscription to it.
    function _ofBlocklist() internal returns (Blocklist token, uint256 id) {
        token = new Blocklist();
        token.mint(alice, 1_000e6);
        uint256 plan = _ofToken(address(token), PRICE);
        vm.startPrank(alice);
        token.approve(address(subscription), type(uint256).max);
        id = subscription.subscribe(plan, PRICE, 5);
        vm.stopPrank();
    }

    function _subscribe(address who, uint256 planId, uint16 periods) internal returns (uint256) {
        vm.prank(who);
        return subscription.subscribe(planId, PRICE, periods);
    }

    function _collect(uint256 id) internal {
        uint256[] memory ids = new uint256[](1);
        ids[0] = id;
        subscription.collect(ids);
    }
}
