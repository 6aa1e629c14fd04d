// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {TestUSDC} from "../../../contracts/dev/TestUSDC.sol";
import {ParameterRegistry} from "../../../contracts/governance/ParameterRegistry.sol";
import {IParameterRegistry} from "../../../contracts/interfaces/governance/IParameterRegistry.sol";
import {IMarketplace} from "../../../contracts/interfaces/market/IMarketplace.sol";
import {IAgreements} from "../../../contracts/interfaces/payments/IAgreements.sol";
import {ISubscription} from "../../../contracts/interfaces/payments/ISubscription.sol";
import {IScopes} from "../../../contracts/interfaces/treasury/IScopes.sol";
import {ITreasury} from "../../../contracts/interfaces/treasury/ITreasury.sol";
import {Marketplace} from "../../../contracts/market/Marketplace.sol";
import {Escrow} from "../../../contracts/payments/Escrow.sol";
import {Subscription} from "../../../contracts/payments/Subscription.sol";
import {Staking} from "../../../contracts/staking/Staking.sol";
import {IdentityRegistry} from "../../../contracts/trust/IdentityRegistry.sol";
import {StakingFixture} from "../support/StakingFixture.sol";
import {TreasuryFixture} from "../support/TreasuryFixture.sol";

/// @dev Staking and what it needs, with somebody who has a validator's pool.
contract StakingPlace is StakingFixture {
    function place() external returns (Staking, address) {
        setUp();
        return (staking, validator);
    }

    function give(address to, uint256 amount) external {
        avt.mint(to, amount);
    }
}

/// @notice An agent's budget reaches the other contracts, end to end: Escrow, Marketplace, Subscription, Staking.
contract ReachTest is TreasuryFixture {
    TestUSDC private usdc;
    Escrow private escrow;
    address private seller;

    function setUp() public override {
        super.setUp();
        seller = makeAddr("seller");
        usdc = new TestUSDC(address(this));
        usdc.mint(address(treasury), 1_000 * UNIT);
        escrow = new Escrow(address(usdc), "ipfs://meta");
        _setBudget(agent, address(usdc), _terms());
    }

    function test_escrow_opensAnAgreementWithTheSellerThatOwnersAllow_andPaysItOut() public {
        IScopes.Rule[] memory rules = new IScopes.Rule[](3);
        rules[0] = _rule(hex"0000", IScopes.Test.Own);
        rules[1] = _rule(hex"0001", IScopes.Test.OneOf, _word(seller));
        rules[2] = _rule(hex"0002", IScopes.Test.OneOf, _word(address(usdc)));
        _allowByQuorum(address(escrow), Escrow.open.selector, address(usdc), rules);
        _allowByQuorum(address(escrow), Escrow.complete.selector, address(0), new IScopes.Rule[](0));
        IAgreements.Agreement memory agreement = _agreement(seller);
        _within(address(escrow), abi.encodeCall(Escrow.open, (agreement)), 40 * UNIT);
        assertEq(usdc.balanceOf(address(escrow)), 40 * UNIT, "in escrow");
        assertEq(treasury.usageOf(agent, address(usdc))[0].left, 160 * UNIT, "charged");

        uint256 id = uint256(keccak256(abi.encode(agreement)));
        vm.prank(seller);
        escrow.submit(id, "deliverable", abi.encode(agreement));
        _within(
            address(escrow),
            abi.encodeCall(Escrow.complete, (id, "well done", abi.encode(agreement))),
            0
        );
        assertEq(usdc.balanceOf(seller), 40 * UNIT, "the seller's");

        agreement.seller = stranger;
        vm.expectRevert(abi.encodeWithSelector(IScopes.Scopes_ArgumentDenied.selector, 1, _word(stranger)));
        _within(address(escrow), abi.encodeCall(Escrow.open, (agreement)), 40 * UNIT);
    }

    function test_marketplace_buysAListing_atOnceAndIntoEscrow() public {
        IdentityRegistry agents = new IdentityRegistry();
        Marketplace market = new Marketplace(agents, escrow);
        vm.startPrank(seller);
        uint256 agentId = agents.register("ipfs://seller");
        uint256 instant = market.list(_listing(agentId, IMarketplace.Delivery.Instant));
        uint256 inEscrow = market.list(_listing(agentId, IMarketplace.Delivery.Escrow));
        vm.stopPrank();
        IScopes.Rule[] memory rules = new IScopes.Rule[](2);
        rules[0] = _rule(hex"00", IScopes.Test.OneOf, bytes32(instant), bytes32(inEscrow));
        rules[1] = _rule(hex"01", IScopes.Test.AtMost, bytes32(25 * UNIT));
        _allowByQuorum(address(market), Marketplace.purchase.selector, address(usdc), rules);

        _purchase(market, instant, "one");
        assertEq(usdc.balanceOf(seller), 25 * UNIT, "paid at once");
        _purchase(market, inEscrow, "two");
        assertEq(usdc.balanceOf(address(escrow)), 25 * UNIT, "in escrow");
        assertEq(market.purchaseOf(address(treasury), "two"), 2, "the Treasury's purchase");
        assertEq(treasury.usageOf(agent, address(usdc))[0].left, 150 * UNIT, "both are charged");
        assertEq(usdc.allowance(address(treasury), address(market)), 0, "and nothing may be taken later");
    }

    /// @dev Nothing may be taken between the charges: each is the agent's own call, charged when it is due.
    function test_subscription_subscribes_andIsChargedPeriodByPeriodFromTheBudget() public {
        IParameterRegistry.Declaration[] memory declarations = new IParameterRegistry.Declaration[](1);
        declarations[0] = IParameterRegistry.Declaration("subscriptionFeeBps", 0, 1_000, 100);
        ParameterRegistry registry = new ParameterRegistry(
            address(new AccessManager(address(this))),
            declarations
        );
        Subscription subscription = new Subscription(registry, makeAddr("fees"));
        vm.prank(seller);
        uint256 planId = subscription.createPlan(_plan());
        IScopes.Rule[] memory rules = new IScopes.Rule[](1);
        rules[0] = _rule(hex"00", IScopes.Test.OneOf, bytes32(planId));
        _allowByQuorum(address(subscription), Subscription.subscribe.selector, address(usdc), rules);
        _allowByQuorum(
            address(subscription),
            Subscription.charge.selector,
            address(usdc),
            new IScopes.Rule[](0)
        );
        _within(
            address(subscription),
            abi.encodeCall(Subscription.subscribe, (planId, uint96(10 * UNIT), 12)),
            10 * UNIT
        );
        _within(address(subscription), abi.encodeCall(Subscription.charge, (1)), 10 * UNIT);
        assertEq(usdc.balanceOf(address(treasury)), 990 * UNIT, "the first period");
        assertEq(treasury.usageOf(agent, address(usdc))[0].left, 190 * UNIT, "is charged");
        skip(30 days);
        vm.expectRevert();
        vm.prank(seller);
        subscription.charge(1);
        _within(address(subscription), abi.encodeCall(Subscription.charge, (1)), 10 * UNIT);
        assertEq(usdc.balanceOf(address(treasury)), 980 * UNIT, "the second period");
    }

    function test_staking_stakesWithTheValidatorThatOwnersAllow_andTakesItBack() public {
        StakingPlace stand = new StakingPlace();
        (Staking staking, address validator) = stand.place();
        vm.warp(START);
        address avt = address(staking.token());
        stand.give(address(treasury), 100 * UNIT);
        _setBudget(agent, avt, _terms());
        IScopes.Rule[] memory rules = new IScopes.Rule[](2);
        rules[0] = _rule(hex"00", IScopes.Test.OneOf, _word(validator));
        rules[1] = _rule(hex"01", IScopes.Test.AtMost, bytes32(40 * UNIT));
        _allowByQuorum(address(staking), Staking.stake.selector, avt, rules);
        _allowByQuorum(address(staking), Staking.unstake.selector, avt, new IScopes.Rule[](0));
        _within(address(staking), abi.encodeCall(Staking.stake, (validator, 40 * UNIT)), 40 * UNIT);
        assertEq(staking.stakeOf(validator, address(treasury)), 40 * UNIT, "staked");
        assertEq(treasury.usageOf(agent, avt)[0].left, 160 * UNIT, "charged");
        vm.expectRevert(abi.encodeWithSelector(IScopes.Scopes_ArgumentDenied.selector, 0, _word(stranger)));
        _within(address(staking), abi.encodeCall(Staking.stake, (stranger, UNIT)), UNIT);
        _within(address(staking), abi.encodeCall(Staking.unstake, (validator, 40 * UNIT)), 0);
        assertEq(staking.stakeOf(validator, address(treasury)), 0, "unbonding");
    }

    function _allowByQuorum(
        address target,
        bytes4 selector,
        address measured,
        IScopes.Rule[] memory rules
    ) private {
        bytes memory data = abi.encodeCall(
            scopes.allowCall,
            (agent, target, selector, measured, address(0), rules)
        );
        _execute(_call(address(scopes), 0, data));
    }

    function _within(address target, bytes memory data, uint256 amount) private {
        bytes32 ref = _ref();
        vm.prank(agent);
        treasury.callWithin(ITreasury.Call(target, 0, data), uint128(amount), ref);
    }

    function _purchase(Marketplace market, uint256 listingId, bytes32 ref) private {
        uint128 price = uint128(25 * UNIT);
        IMarketplace.Order memory order = IMarketplace.Order(
            listingId,
            price,
            IMarketplace.ResourcePolicy.OwnerPays,
            ref
        );
        _within(address(market), abi.encodeCall(Marketplace.purchase, (order)), price);
    }

    function _plan() private view returns (ISubscription.Plan memory plan) {
        (plan.token, plan.price, plan.period) = (address(usdc), uint96(10 * UNIT), 30 days);
        (plan.grace, plan.billing) = (3 days, ISubscription.Billing.Fixed);
    }

    function _agreement(address to) private view returns (IAgreements.Agreement memory agreement) {
        agreement = IAgreements.Agreement({
            buyer: address(treasury),
            seller: to,
            token: address(usdc),
            milestones: new IAgreements.Milestone[](1),
            acceptBy: 0,
            reviewWindow: 2 days,
            arbiter: address(0),
            termsHash: "terms"
        });
        agreement.milestones[0] = IAgreements.Milestone(
            uint128(40 * UNIT),
            uint40(block.timestamp + 10 days)
        );
    }

    function _listing(
        uint256 agentId,
        IMarketplace.Delivery delivery
    ) private view returns (IMarketplace.Listing memory) {
        return
            IMarketplace.Listing({
                agentId: agentId,
                owner: address(0),
                token: address(usdc),
                price: uint128(25 * UNIT),
                resourcePolicy: IMarketplace.ResourcePolicy.OwnerPays,
                delivery: delivery,
                isActive: true,
                deliverySeconds: 5 days,
                reviewSeconds: 1 days,
                arbiter: address(0),
                metadataCID: "ipfs://what"
            });
    }
}
