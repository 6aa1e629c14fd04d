// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IBatchSettlement} from "../../../contracts/interfaces/payments/IBatchSettlement.sol";
import {IClearing} from "../../../contracts/interfaces/payments/IClearing.sol";
import {IDepositCollector} from "../../../contracts/interfaces/payments/IDepositCollector.sol";
import {ClearingFixture} from "../support/ClearingFixture.sol";
import {HostileToken} from "../support/payments/HostileToken.sol";

/// @notice How credit leaves Clearing: to payees, and into their own channels.
contract ClearingPayoutTest is ClearingFixture {
    function test_payOut_paysWhatIsSettled() public {
        _receive(600);
        _seal(1, _rows(100, 200, 300));
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_NothingToPay.selector, payees[1]));
        clearing.payOut(address(usdc), payees[1]);
        skip(DAY);
        vm.expectEmit(true, true, true, true);
        emit IClearing.Paid(address(usdc), payees[1], 200, 200);
        vm.prank(stranger);
        assertEq(clearing.payOut(address(usdc), payees[1]), 200, "amount");
        assertEq(usdc.balanceOf(payees[1]), 200, "paid");
        assertEq(clearing.creditOf(address(usdc), payees[1]).paid, 200, "recorded");
        assertEq(clearing.receivedOf(address(usdc)), 600, "received is what came, not what is left");
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_NothingToPay.selector, payees[1]));
        clearing.payOut(address(usdc), payees[1]);
    }

    function test_payOutAll_passesOverWhoCannotReceive() public {
        _receive(600);
        _seal(1, _rows(100, 200, 300));
        skip(DAY);
        usdc.blocklist(payees[1]);
        address[] memory all = new address[](5);
        (all[0], all[1], all[2], all[3], all[4]) = (payees[0], payees[1], stranger, payees[2], payees[0]);
        vm.expectEmit(true, true, true, true);
        emit IClearing.PayoutFailed(address(usdc), payees[1], 200);
        vm.expectEmit(true, true, true, true);
        emit IClearing.PaidBatch(address(usdc), 400);
        clearing.payOutAll(address(usdc), all);
        assertEq(usdc.balanceOf(payees[0]), 100, "once, though named twice");
        assertEq(usdc.balanceOf(payees[2]), 300, "the others are paid");
        assertEq(clearing.creditOf(address(usdc), payees[1]).paid, 0, "not paid");
        usdc.unBlocklist(payees[1]);
        clearing.payOut(address(usdc), payees[1]);
        assertEq(usdc.balanceOf(payees[1]), 200, "later, by itself");
        assertEq(usdc.balanceOf(address(clearing)), 0, "nothing is left");
    }

    function test_operatorGone_whatIsSettledStays() public {
        _receive(600);
        _seal(1, _rows(100, 200, 300));
        skip(3_650 days);
        clearing.payOut(address(usdc), payees[1]);
        assertEq(usdc.balanceOf(payees[1]), 200, "paid");
    }

    function test_anUnlistedToken_isPaidOutStill() public {
        _receive(600);
        _seal(1, _rows(100, 200, 300));
        clearing.listToken(address(usdc), IClearing.TokenTerms(false, LEAST, EXIT_CAP));
        skip(DAY);
        clearing.payOut(address(usdc), payees[1]);
        assertEq(usdc.balanceOf(payees[1]), 200, "paid");
    }

    // Credit as a deposit

    address private rich;
    uint256 private richKey;
    IBatchSettlement.ChannelConfig private own;

    function _creditRich(uint96 amount) private {
        (rich, richKey) = makeAddrAndKey("rich");
        own = config;
        (own.payer, own.payerAuthorizer, own.receiver) = (rich, rich, payees[0]);
        _receive(uint128(amount));
        _seal(1, abi.encodePacked(rich, amount));
        skip(DAY);
        settlement.settle(address(clearing), address(usdc));
    }

    function _signedFor(
        uint128 amount,
        uint256 nonce,
        uint256 deadline,
        uint256 key
    ) private view returns (bytes memory) {
        bytes32 id = settlement.getChannelId(own);
        bytes32 digest = clearing.depositDigest(address(usdc), id, amount, nonce, deadline);
        return abi.encodePacked(nonce, deadline, _signed(key, digest));
    }

    function _deposit(uint128 amount, bytes memory data) private {
        settlement.deposit(own, amount, address(clearing), data);
    }

    function test_credit_becomesADepositOfThePayeesOwn() public {
        _creditRich(600);
        bytes32 id = settlement.getChannelId(own);
        bytes memory data = _signedFor(400, 7, block.timestamp, richKey);
        vm.expectEmit(true, true, true, true);
        emit IClearing.Deposited(address(usdc), rich, id, 400, 400);
        _deposit(400, data);
        (uint128 balance, ) = settlement.channels(id);
        assertEq(balance, 400, "the channel's");
        assertEq(clearing.creditOf(address(usdc), rich).paid, 400, "taken from its credit");
        assertEq(clearing.receivedOf(address(usdc)), 600, "received as before");
        clearing.payOut(address(usdc), rich);
        assertEq(usdc.balanceOf(rich), 200, "the rest is paid out");
    }

    function test_aDeposit_isSignedOnceForOneChannelAndAmount() public {
        _creditRich(600);
        bytes memory notSigned = abi.encodeWithSelector(IClearing.Clearing_DepositNotSigned.selector, rich);
        bytes memory others = _signedFor(400, 7, block.timestamp, operatorKey);
        vm.expectRevert(notSigned);
        _deposit(400, others);
        bytes memory late = _signedFor(400, 7, block.timestamp - 1, richKey);
        vm.expectRevert(notSigned);
        _deposit(400, late);
        vm.expectRevert(notSigned);
        _deposit(400, abi.encodePacked(uint256(7)));
        bytes memory good = _signedFor(200, 7, block.timestamp, richKey);
        vm.expectRevert(notSigned);
        _deposit(201, good);
        _deposit(200, good);
        vm.expectRevert(notSigned);
        _deposit(200, good);
        bytes memory dear = _signedFor(401, 8, block.timestamp, richKey);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_CreditTooLow.selector, rich, 401, 400));
        _deposit(401, dear);
    }

    function test_aDepositsNonce_isItsPayeesOwn() public {
        _creditRich(600);
        _deposit(200, _signedFor(200, 7, block.timestamp, richKey));
        (address other, uint256 otherKey) = makeAddrAndKey("other");
        (own.payer, own.payerAuthorizer) = (other, other);
        _receive(50);
        _seal(2, abi.encodePacked(other, uint96(50)));
        skip(DAY);
        settlement.settle(address(clearing), address(usdc));
        _deposit(50, _signedFor(50, 7, block.timestamp, otherKey));
        assertEq(clearing.creditOf(address(usdc), other).paid, 50, "nobody uses up another's");
    }

    function test_nobodyButTheChannels_collects() public {
        _creditRich(600);
        vm.expectRevert(
            abi.encodeWithSelector(
                IDepositCollector.DepositCollector_NotSettlement.selector,
                stranger,
                address(settlement)
            )
        );
        vm.prank(stranger);
        clearing.collect(rich, address(usdc), 1, 0, "");
    }

    /// @dev A token that calls back while a payout is in the middle of its work finds the door closed.
    function test_payouts_areNotEnteredAgainFromAToken() public {
        HostileToken token = new HostileToken();
        clearing.listToken(address(token), IClearing.TokenTerms(true, 1, EXIT_CAP));
        token.mint(address(clearing), 300);
        vm.prank(operator);
        clearing.credit(address(token), 1, 0, _rows(100, 100, 100), true);
        skip(DAY);
        address[] memory all = new address[](1);
        bytes[2] memory calls = [
            abi.encodeCall(clearing.payOut, (address(token), payees[1])),
            abi.encodeCall(clearing.payOutAll, (address(token), _only(payees[1])))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            token.setHook(address(clearing), calls[i]);
            all[0] = payees[2 * i];
            clearing.payOutAll(address(token), all);
            assertFalse(token.hookSucceeded(), "refused");
            assertEq(
                token.hookResult(),
                abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector),
                "by the guard"
            );
        }
        assertEq(token.balanceOf(payees[1]), 0, "paid by nothing but its own payout");
        clearing.payOut(address(token), payees[1]);
        assertEq(token.balanceOf(payees[1]), 100, "which works");
    }

    function _only(address payee) private pure returns (address[] memory list) {
        list = new address[](1);
        list[0] = payee;
    }
}
