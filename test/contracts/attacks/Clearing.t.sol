// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IBatchSettlement} from "../../../contracts/interfaces/payments/IBatchSettlement.sol";
import {IClearing} from "../../../contracts/interfaces/payments/IClearing.sol";
import {Clearing} from "../../../contracts/payments/Clearing.sol";
import {ClearingFixture} from "../payments/Clearing.t.sol";
import {Hooked} from "../support/tokens/Hooked.sol";

/// @notice What an attacker of Clearing, its operator among them, would try.
contract ClearingAttacks is ClearingFixture {
    Hooked private hooked;

    /// @dev The token tells this payee of its payout, and it claims again.
    function onTokenTransfer(address from, address, uint256) external {
        if (from != address(clearing)) return;
        clearing.payOut(address(hooked), 1, abi.encodePacked(address(this), uint96(100)));
    }

    function test_operator_cannotPayOutBeforeTheWindow() public {
        _receive(600);
        bytes memory rows = abi.encodePacked(operator, uint96(600));
        _post(1, rows);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_RootNotFinal.selector, address(usdc), 1));
        vm.prank(operator);
        clearing.payOut(address(usdc), 1, rows);
    }

    function test_operator_cannotPromiseMoreThanItReceived() public {
        _receive(600);
        usdc.mint(address(this), 1);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_TotalTooHigh.selector, 601, 600));
        _post(1, abi.encodePacked(payees[0], uint96(601)));
    }

    function test_operator_cannotRunFromItsBond() public {
        _receive(600);
        _post(1, _rows(100, 200, 300));
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _receipt(payees[1], 201, 1);
        vm.prank(bob);
        uint256 id = clearing.challenge(1, receipt, signature);
        vm.prank(operator);
        staking.unstake(operator, type(uint256).max);
        skip(DAY);
        uint256 before = avt.balanceOf(bob);
        clearing.enforce(id);
        assertEq(avt.balanceOf(bob) - before, SLASH / 10, "unbonding stake answers too");
    }

    function test_aForgedOrForeignReceipt_challengesNothing() public {
        _receive(600);
        _post(1, _rows(100, 200, 300));
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _receipt(payees[1], 201, 1);
        receipt.cumulative = 500;
        bytes memory bad = abi.encodeWithSelector(IClearing.Clearing_BadReceipt.selector, payees[1]);
        vm.expectRevert(bad);
        clearing.challenge(1, receipt, signature);
        Clearing other = new Clearing(operator, staking, settlement, registry);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(operatorKey, other.receiptDigest(receipt));
        vm.expectRevert(bad);
        clearing.challenge(1, receipt, abi.encodePacked(r, s, v));
        vm.chainId(5);
        (v, r, s) = vm.sign(operatorKey, clearing.receiptDigest(receipt));
        vm.chainId(31_337);
        vm.expectRevert(bad);
        clearing.challenge(1, receipt, abi.encodePacked(r, s, v));
    }

    function test_answeredReceipts_cannotHoldARootUpAgain() public {
        _receive(600);
        _post(1, _rows(100, 200, 300));
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _receipt(payees[1], 150, 1);
        uint256 id = clearing.challenge(1, receipt, signature);
        clearing.answer(id, 200, _proof(1, [uint96(100), 200, 300]));
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_Challenged.selector, id));
        clearing.challenge(1, receipt, signature);
    }

    function test_anInnerNode_isNoLeaf() public {
        _receive(600);
        _post(1, _rows(100, 200, 300));
        skip(DAY);
        bytes32[] memory proof = new bytes32[](0);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_BadProof.selector, payees[0], 600));
        clearing.claim(address(usdc), 1, payees[0], 600, proof);
    }

    function test_reenteringFromAPayout_paysOnce() public {
        hooked = new Hooked();
        hooked.mint(payer, 1_000);
        config.token = address(hooked);
        vm.startPrank(payer);
        hooked.approve(address(settlement), 1_000);
        settlement.deposit(config, 1_000, address(0), "");
        vm.stopPrank();
        _receive(100);
        bytes memory rows = abi.encodePacked(address(this), uint96(100));
        vm.prank(operator);
        clearing.postRoot(address(hooked), 1, rows, "");
        skip(DAY);
        clearing.payOut(address(hooked), 1, rows);
        assertEq(hooked.balanceOf(address(this)), 0, "its own second try refused its payout");
        assertEq(clearing.paidOf(address(hooked), address(this)), 0, "and nothing is booked");
    }

    function test_whoIsNoSlasher_slashesNobody() public {
        Clearing fake = new Clearing(stranger, staking, settlement, registry);
        vm.expectRevert(
            abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, address(fake))
        );
        vm.prank(address(fake));
        staking.slash(operator, 1, stranger, "mine");
    }
}
