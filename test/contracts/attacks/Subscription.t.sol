// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ISubscription} from "../../../contracts/interfaces/payments/ISubscription.sol";
import {SubscriptionFixture} from "../payments/Subscription.t.sol";
import {Blocklist} from "../support/tokens/Blocklist.sol";
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

/// @notice What an attacker of Subscription would try.
contract SubscriptionAttacks is SubscriptionFixture {
    function test_aGasBomb_doesNotStopTheBatch() public {
        GasBomb bomb = new GasBomb();
        vm.prank(merchant);
        uint256 plan = subscription.createPlan(address(bomb), 1, PERIOD, 0, false);
        vm.prank(bob);
        uint256 bad = subscription.subscribe(plan, 1, 1);
        uint256[] memory ids = new uint256[](3);
        (ids[0], ids[1]) = (bad, bad);
        ids[2] = _subscribe(alice, _plan(0, false), 1);
        assertEq(subscription.chargeBatch{gas: 2_000_000}(ids), 1, "alice is charged all the same");
    }

    function test_anErrorBomb_isNotCopied() public {
        ErrorBomb bomb = new ErrorBomb();
        vm.prank(merchant);
        uint256 plan = subscription.createPlan(address(bomb), 1, PERIOD, 0, false);
        vm.prank(bob);
        uint256 bad = subscription.subscribe(plan, 1, 1);
        uint256[] memory ids = new uint256[](2);
        (ids[0], ids[1]) = (bad, _subscribe(alice, _plan(0, false), 1));
        vm.expectEmit(true, true, true, true);
        emit ISubscription.ChargeFailed(bad, 0);
        assertEq(subscription.chargeBatch{gas: 2 * 334_761}(ids), 1, "alice is charged all the same");
    }

    function test_jammingChargesByABlockedFeeRecipient_isNotPossible() public {
        (Blocklist token, uint256 id) = _ofBlocklist();
        token.setBlocked(fees, true);
        token.setBlocked(address(subscription), true);
        vm.expectRevert(abi.encodeWithSelector(Blocklist.Blocklist_Blocked.selector, address(subscription)));
        subscription.charge(id);
        assertEq(token.balanceOf(alice), 1_000e6, "what cannot be kept for anyone is not taken");
        token.setBlocked(address(subscription), false);
        subscription.charge(id);
        assertEq(token.balanceOf(merchant), PRICE - FEE, "the merchant is paid");
    }

    function test_twoChargesAroundABoundary_areNotPossible() public {
        uint256 id = _subscribe(alice, _plan(0, false), 5);
        vm.warp(START + PERIOD - 1);
        subscription.charge(id);
        vm.warp(START + PERIOD);
        vm.expectPartialRevert(ISubscription.Subscription_NotDue.selector);
        subscription.charge(id);
    }

    function test_raisingThePriceInFrontOfASubscriber_isRefused() public {
        uint256 plan = _plan(0, false);
        vm.prank(merchant);
        subscription.changePlan(plan, PRICE + 1, true);
        vm.expectRevert(
            abi.encodeWithSelector(ISubscription.Subscription_PriceTooHigh.selector, PRICE + 1, PRICE)
        );
        _subscribe(alice, plan, 1);
    }

    function test_chargingTwiceInOneBatch_chargesOnce() public {
        uint256 id = _subscribe(alice, _plan(0, false), 5);
        uint256[] memory ids = new uint256[](2);
        (ids[0], ids[1]) = (id, id);
        assertEq(subscription.chargeBatch(ids), 1, "charged");
        assertEq(usdc.balanceOf(alice), 1_000e6 - PRICE, "one period");
    }

    function test_reSubscribingForFreeTrials_takesNothingFromOthers() public {
        uint256 plan = _plan(7 days, true);
        uint256 id = _subscribe(alice, plan, 1);
        vm.prank(alice);
        subscription.cancel(id);
        assertEq(usdc.balanceOf(alice), 1_000e6, "nothing in, nothing out");
    }

    function test_cancellingForARefundOfWhatOthersPaid_isNotPossible() public {
        uint256 plan = _plan(0, true);
        uint256 one = _subscribe(alice, plan, 5);
        uint256 other = _subscribe(bob, plan, 5);
        subscription.charge(one);
        vm.prank(bob);
        subscription.cancel(other);
        assertEq(usdc.balanceOf(bob), 1_000e6, "bob paid nothing and gets nothing");
        assertEq(subscription.subscriptionOf(one).held, PRICE - FEE, "alice's is held");
    }
}
