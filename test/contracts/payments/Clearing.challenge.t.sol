// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IClearing} from "../../../contracts/interfaces/payments/IClearing.sol";
import {ClearingFixture} from "../support/ClearingFixture.sol";

/// @notice Receipts against epochs, and receipts that are demanded.
contract ClearingChallengeTest is ClearingFixture {
    function test_aReceipt_voidsTheEpochThatSaysLess() public {
        _receive(600);
        _seal(1, _rows(100, 200, 300));
        uint256 bond = staking.bondOf(operator);
        vm.expectEmit(true, true, true, true);
        emit IClearing.EpochVoided(address(usdc), 1, payees[1], SLASH);
        assertEq(_challenge(1, payees[1], 200 + LEAST), SLASH, "slashed");
        assertEq(staking.bondOf(operator), bond - SLASH, "bond");
        assertTrue(clearing.epochOf(address(usdc), 1).isVoid, "void");
        skip(DAY);
        assertEq(_settled(payees[0]), 0, "nobody is credited by it");
        (uint256 settled, uint256 pending) = clearing.creditedOf(address(usdc));
        assertEq(settled + pending, 0, "sums");
        _seal(2, _rows(100, 210, 290));
        skip(DAY);
        assertEq(_settled(payees[1]), 210, "the next epoch stands, without the void one");
    }

    function test_aPayeeLeftOut_isHeard() public {
        _receive(600);
        _seal(1, abi.encodePacked(payees[0], uint96(600)));
        _challenge(1, payees[1], 200);
        assertTrue(clearing.epochOf(address(usdc), 1).isVoid, "void");
    }

    function test_aTruthfulEpoch_cannotBeChallenged() public {
        _receive(600);
        _seal(1, _rows(100, 200, 300));
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _receipt(
            payees[1],
            200 + LEAST - 1,
            1
        );
        // Less than what is due is not left out.
        vm.expectRevert(
            abi.encodeWithSelector(IClearing.Clearing_ReceiptHonoured.selector, 200 + LEAST - 1, 200)
        );
        clearing.challenge(1, receipt, signature);
    }

    function test_anEarlierEpochsCredit_counts() public {
        _receive(600);
        _seal(1, _rows(100, 200, 300));
        skip(DAY);
        _receive(100);
        _seal(2, abi.encodePacked(payees[0], uint96(200)));
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _receipt(payees[1], 200, 2);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_ReceiptHonoured.selector, 200, 200));
        clearing.challenge(2, receipt, signature);
    }

    function test_challenge_refusals() public {
        _receive(600);
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _receipt(payees[1], 300, 2);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_ReceiptTooNew.selector, 2, 1));
        clearing.challenge(1, receipt, signature);
        receipt.epoch = 1;
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_BadReceipt.selector, payees[1]));
        clearing.challenge(1, receipt, signature);
        receipt.office = 1;
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_WrongOffice.selector, 1, 0));
        clearing.challenge(1, receipt, signature);
        receipt.office = 0;
        receipt.expiresAt = uint40(START);
        signature = _signReceipt(operatorKey, receipt);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_NotDue.selector, START, 0, START));
        clearing.challenge(1, receipt, signature);
        (receipt, signature) = _receipt(payees[1], 300, 1);
        bytes memory notThere = abi.encodeWithSelector(
            IClearing.Clearing_NotChallengeable.selector,
            address(usdc),
            1
        );
        vm.expectRevert(notThere);
        clearing.challenge(1, receipt, signature);
        vm.prank(operator);
        clearing.credit(address(usdc), 1, 0, _rows(100, 200, 200), false);
        vm.expectRevert(notThere);
        clearing.challenge(1, receipt, signature);
        vm.prank(operator);
        clearing.credit(address(usdc), 1, 3, abi.encodePacked(payees[2], uint96(300)), true);
        vm.warp(START + DAY);
        vm.expectRevert(
            abi.encodeWithSelector(IClearing.Clearing_ChallengeTooLate.selector, START + DAY, START + DAY)
        );
        clearing.challenge(1, receipt, signature);
    }

    function test_aVoidEpoch_isVoidedOnce() public {
        _receive(600);
        _seal(1, _rows(100, 200, 300));
        _challenge(1, payees[1], 300);
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _receipt(payees[0], 300, 1);
        vm.expectRevert(
            abi.encodeWithSelector(IClearing.Clearing_NotChallengeable.selector, address(usdc), 1)
        );
        clearing.challenge(1, receipt, signature);
    }

    function test_anEarlierOfficesReceipt_voidsNothingOfTheNext() public {
        (address successor, uint256 key) = _succeed();
        _receive(600);
        vm.prank(successor);
        clearing.credit(address(usdc), 1, 0, _rows(100, 200, 300), true);
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _receipt(payees[1], 600, 1);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_WrongOffice.selector, 0, 1));
        clearing.challenge(1, receipt, signature);
        receipt.office = 1;
        signature = _signReceipt(key, receipt);
        clearing.challenge(1, receipt, signature);
        assertEq(staking.bondOf(successor), BOND - SLASH, "its own word costs it its own bond");
    }

    // Demands

    function test_aDueReceipt_isCreditedAndTheOperatorSlashed() public {
        _receive(600);
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _receipt(payees[1], 200, 1);
        skip(7 days - 1);
        uint256 due = START + 7 days;
        vm.expectRevert(
            abi.encodeWithSelector(IClearing.Clearing_NotDue.selector, due - 1, due, START + 21 days)
        );
        clearing.demand(receipt, signature);
        skip(1);
        uint256 bond = staking.bondOf(operator);
        vm.expectEmit(true, true, true, true);
        emit IClearing.Demanded(address(usdc), payees[1], 0, 200, SLASH);
        vm.prank(bob);
        assertEq(clearing.demand(receipt, signature), 200, "amount");
        assertEq(_settled(payees[1]), 200, "credited at once");
        assertEq(staking.bondOf(operator), bond - SLASH, "slashed");
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_ReceiptHonoured.selector, 200, 200));
        clearing.demand(receipt, signature);
        clearing.payOut(address(usdc), payees[1]);
        assertEq(usdc.balanceOf(payees[1]), 200, "paid");
    }

    function test_anExpiredReceipt_isWorthNothing() public {
        _receive(600);
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _receipt(payees[1], 200, 1);
        skip(21 days);
        vm.expectRevert(
            abi.encodeWithSelector(
                IClearing.Clearing_NotDue.selector,
                START + 21 days,
                START + 7 days,
                START + 21 days
            )
        );
        clearing.demand(receipt, signature);
    }

    function test_demands_shareTheCap() public {
        _receive(2_000);
        skip(7 days);
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _receipt(payees[1], 700, 1);
        assertEq(clearing.demand(receipt, signature), EXIT_CAP, "the cap");
        (IClearing.CreditReceipt memory other, bytes memory otherSignature) = _receipt(payees[2], 300, 1);
        assertEq(clearing.demand(other, otherSignature), 0, "nothing is left, which the operator pays for");
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_NothingToGive.selector, 1_500, 0));
        clearing.demand(other, otherSignature);
        skip(DAY / 2);
        assertEq(clearing.exitsLeft(address(usdc)), EXIT_CAP / 2, "half a day refills half of it");
        assertEq(clearing.demand(receipt, signature), 200, "the rest");
        assertEq(clearing.demand(other, otherSignature), 50, "and others'");
    }

    function test_demands_takeOnlyWhatIsUnassigned() public {
        _receive(300);
        skip(7 days);
        _seal(1, abi.encodePacked(payees[0], uint96(250)));
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _receipt(payees[1], 400, 2);
        assertEq(clearing.demand(receipt, signature), 50, "what nobody is credited");
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_NothingToGive.selector, 0, EXIT_CAP - 50));
        clearing.demand(receipt, signature);
        skip(DAY);
        assertEq(_settled(payees[0]), 250, "the pending epoch is funded still");
    }

    function test_aRowThatIsNotSealed_isNotGivenTwice() public {
        _receive(610);
        skip(7 days);
        vm.prank(operator);
        clearing.credit(address(usdc), 1, 0, _rows(100, 200, 300), false);
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _receipt(payees[1], 200, 1);
        assertEq(clearing.demand(receipt, signature), 200, "demanded");
        assertEq(clearing.epochOf(address(usdc), 1).total, 400, "its row is gone");
        vm.prank(operator);
        clearing.credit(address(usdc), 1, 3, abi.encodePacked(payees[0], uint96(110)), true);
        skip(DAY);
        assertEq(_settled(payees[1]), 200, "once");
        assertEq(_settled(payees[0]), 110, "the others as before");
    }

    function test_anOldReceipt_takesFromARowOnlyWhatItGives() public {
        _receive(610);
        skip(7 days);
        vm.prank(operator);
        clearing.credit(address(usdc), 1, 0, _rows(100, 200, 300), false);
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _receipt(payees[1], 120, 1);
        assertEq(clearing.demand(receipt, signature), 120, "demanded");
        assertEq(clearing.epochOf(address(usdc), 1).total, 480, "the rest of its row stands");
        vm.prank(operator);
        clearing.credit(address(usdc), 1, 3, abi.encodePacked(payees[0], uint96(110)), true);
        (receipt, signature) = _receipt(payees[1], 200, 1);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_ReceiptHonoured.selector, 200, 200));
        clearing.challenge(1, receipt, signature);
        skip(DAY);
        assertEq(_settled(payees[1]), 200, "all of it, once");
    }

    function test_aDemandBeyondARowThatIsNotSealed_takesAllOfTheRow() public {
        _receive(670);
        vm.prank(operator);
        clearing.credit(address(usdc), 1, 0, _rows(100, 200, 300), false);
        assertEq(_demandOf(operatorKey, 0, payees[1], 260), 260, "demanded");
        assertEq(clearing.epochOf(address(usdc), 1).total, 400, "its row is gone");
        vm.prank(operator);
        clearing.credit(address(usdc), 1, 3, abi.encodePacked(payees[0], uint96(110)), true);
        skip(DAY);
        assertEq(_settled(payees[1]), 260, "once");
        assertEq(_settled(payees[2]), 300, "the others as before");
    }

    function test_aRowThatIsSealed_standsBesideWhatIsDemanded() public {
        _receive(610);
        _seal(1, _rows(100, 200, 300));
        assertEq(_demandOf(operatorKey, 0, payees[1], 210), 10, "what is missing");
        assertEq(clearing.creditOf(address(usdc), payees[1]).pending, 200, "its row stands");
        assertEq(clearing.epochOf(address(usdc), 1).total, 600, "and so does what is credited");
        skip(DAY);
        assertEq(_settled(payees[1]), 210, "both");
    }

    function test_whatAnEarlierOfficeOwes_isPaidAndItsBondSlashed() public {
        _receive(600);
        _succeed();
        skip(4 days);
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _receipt(payees[1], 200, 1);
        clearing.demand(receipt, signature);
        assertEq(_settled(payees[1]), 200, "credited");
        assertEq(staking.bondOf(operator), 2 * BOND - SLASH, "who signed pays");
    }

    function test_aReceiptOfAnOfficeToCome_isNobodys() public {
        (address successor, uint256 key) = makeAddrAndKey("successor");
        _bond(successor, BOND);
        clearing.appoint(successor);
        _receive(600);
        (IClearing.CreditReceipt memory receipt, ) = _receipt(payees[1], 200, 1);
        receipt.office = 1;
        receipt.expiresAt = uint40(START + 1 days);
        bytes memory signature = _signReceipt(key, receipt);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_WrongOffice.selector, 1, 0));
        clearing.demand(receipt, signature);
    }
}
