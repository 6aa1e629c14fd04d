// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IClearing} from "../../../contracts/interfaces/payments/IClearing.sol";
import {ClearingFixture} from "../support/ClearingFixture.sol";

/// @notice What was demanded stands: how it is demanded again, what it costs, and what it contradicts.
contract ClearingDebtsTest is ClearingFixture {
    address private puppet;

    function setUp() public override {
        super.setUp();
        puppet = makeAddr("puppet");
    }

    function _debt(address payee) private view returns (uint256) {
        return clearing.debtOf(address(usdc), payee, 0).cumulative;
    }

    function test_aDemand_isADebtThatAnybodyDemandsAgain() public {
        _receive(2_000);
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _receipt(payees[0], 1_200, 1);
        vm.warp(START + 21 days - 1);
        assertEq(clearing.demand(receipt, signature), EXIT_CAP, "the cap");
        assertEq(_debt(payees[0]), 1_200, "the debt");
        uint256 bond = staking.bondOf(operator);
        skip(DAY / 2);
        vm.expectEmit(true, true, true, true);
        emit IClearing.Demanded(address(usdc), payees[0], 0, EXIT_CAP / 2, 0);
        vm.prank(stranger);
        assertEq(clearing.demandDebt(address(usdc), payees[0], 0), EXIT_CAP / 2, "without the receipt");
        assertEq(staking.bondOf(operator), bond, "once a day");
        skip(DAY / 2);
        vm.prank(bob);
        assertEq(clearing.demandDebt(address(usdc), payees[0], 0), EXIT_CAP / 2, "and again");
        assertEq(staking.bondOf(operator), bond - SLASH, "a day later");
        skip(DAY);
        assertEq(clearing.demandDebt(address(usdc), payees[0], 0), 200, "the rest of it");
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_ReceiptHonoured.selector, 1_200, 1_200));
        clearing.demandDebt(address(usdc), payees[0], 0);
    }

    function test_noDebt_cannotBeDemanded() public {
        _receive(600);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_ReceiptHonoured.selector, 0, 0));
        clearing.demandDebt(address(usdc), stranger, 0);
        _seal(1, _rows(100, 200, 300));
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_ReceiptHonoured.selector, 0, 0));
        clearing.challengeByDebt(address(usdc), 1, stranger, 0);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_WrongOffice.selector, 7, 0));
        clearing.challengeByDebt(address(usdc), 1, stranger, 7);
    }

    /// @dev An operator that waits until its receipts have ended gains nothing by it.
    function test_waitingOutAReceipt_givesNothingToAPuppet() public {
        _receive(20_000);
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _receipt(payees[0], 20_000, 1e6);
        skip(7 days);
        assertEq(clearing.demand(receipt, signature), EXIT_CAP, "once is enough");
        skip(20 days);
        _seal(1, abi.encodePacked(puppet, uint96(19_500)));
        vm.expectPartialRevert(IClearing.Clearing_ReceiptTooNew.selector);
        clearing.challenge(1, receipt, signature);
        vm.expectEmit(true, true, true, true);
        emit IClearing.EpochVoided(address(usdc), 1, payees[0], SLASH);
        vm.prank(bob);
        assertEq(
            clearing.challengeByDebt(address(usdc), 1, payees[0], 0),
            SLASH,
            "the debt stands against it"
        );
        assertTrue(clearing.epochOf(address(usdc), 1).isVoid, "void");
        _seal(2, abi.encodePacked(payees[0], uint96(20_000)));
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_ReceiptHonoured.selector, 20_000, 20_000));
        clearing.challengeByDebt(address(usdc), 2, payees[0], 0);
    }

    /// @dev Who is away for a receipt's whole life, and for whom nobody demands, loses it; the docs say so.
    function test_whoNeverDemands_losesWhatNoEpochHas() public {
        _receive(600);
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _receipt(payees[0], 600, 1);
        skip(21 days);
        _seal(1, abi.encodePacked(puppet, uint96(600)));
        vm.expectPartialRevert(IClearing.Clearing_NotDue.selector);
        clearing.challenge(1, receipt, signature);
    }

    /// @dev An epoch that credits the payee and is voided again, each time, would outlast the receipt.
    function test_anEpochThatIsVoidedAgain_outlastsNoReceipt() public {
        _receive(600);
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _receipt(payees[0], 600, 1);
        vm.warp(START + 21 days - 1 hours);
        _seal(1, abi.encodePacked(payees[0], uint96(600)));
        uint256 bond = staking.bondOf(operator);
        assertEq(clearing.demand(receipt, signature), 0, "noted, and nothing given twice");
        assertEq(_debt(payees[0]), 600, "a debt");
        assertEq(staking.bondOf(operator), bond, "and no lie");
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_ReceiptHonoured.selector, 600, 600));
        clearing.demand(receipt, signature);
        (IClearing.CreditReceipt memory forged, bytes memory forgedSignature) = _due(
            operatorKey,
            0,
            puppet,
            1e9
        );
        clearing.challenge(1, forged, forgedSignature);
        skip(2 hours);
        assertEq(clearing.demandDebt(address(usdc), payees[0], 0), EXIT_CAP, "the debt stands");
    }

    function test_onceADay_isAPayeesSlash_howeverItIsFed() public {
        _receive(600);
        _seal(1, abi.encodePacked(payees[0], uint96(600)));
        skip(DAY);
        uint256 bond = staking.bondOf(operator);
        assertEq(_demandOf(operatorKey, 0, payees[1], 100), 0, "nothing can be given");
        for (uint128 i = 1; i <= 4; ++i) {
            usdc.mint(address(clearing), 1);
            assertEq(_demandOf(operatorKey, 0, payees[1], 100 + i), 1, "a base unit");
        }
        assertEq(staking.bondOf(operator), bond - SLASH, "one slash");
    }

    function test_onceADay_isASlash_ofAnEarlierOperatorToo() public {
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _receipt(payees[0], 600, 1);
        _succeed();
        skip(10 days);
        clearing.demand(receipt, signature);
        skip(DAY - 1);
        vm.expectPartialRevert(IClearing.Clearing_NothingToGive.selector);
        clearing.demandDebt(address(usdc), payees[0], 0);
        assertEq(staking.bondOf(operator), 2 * BOND - SLASH, "one slash");
        skip(1);
        clearing.demandDebt(address(usdc), payees[0], 0);
        assertEq(staking.bondOf(operator), 2 * BOND - 2 * SLASH, "a day later");
    }

    function test_aBucket_isNoCalendarDay() public {
        _receive(2_000);
        assertEq(_demandOf(operatorKey, 0, payees[2], LEAST), LEAST, "dust begins no day");
        skip(DAY - 1);
        uint256 first = _demandOf(operatorKey, 0, puppet, 1e9);
        skip(1);
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _due(operatorKey, 0, puppet, 1e9);
        vm.expectRevert(
            abi.encodeWithSelector(IClearing.Clearing_NothingToGive.selector, 2_000 - LEAST - EXIT_CAP, 0)
        );
        clearing.demand(receipt, signature);
        assertEq(first, EXIT_CAP, "the cap, at once");
    }

    /// @dev What a debt is given is taken from the row that would have given it: of both, the row and the sum.
    function test_aDebt_thatIsGiven_isTakenFromAnOpenRow() public {
        _receive(600);
        _demandOf(operatorKey, 0, payees[0], 700);
        _receive(300);
        vm.prank(operator);
        clearing.credit(address(usdc), 1, 0, abi.encodePacked(payees[0], EXIT_CAP + 250), false);
        skip(DAY / 5);
        assertEq(clearing.demandDebt(address(usdc), payees[0], 0), 100, "what a fifth of a day refills");
        assertEq(clearing.epochOf(address(usdc), 1).total, 150, "the sum");
        vm.prank(operator);
        clearing.credit(address(usdc), 1, 1, abi.encodePacked(payees[1], uint96(50)), true);
        skip(DAY);
        assertEq(_settled(payees[0]), EXIT_CAP + 250, "its row, once");
        (uint256 settled, ) = clearing.creditedOf(address(usdc));
        assertEq(settled, _settled(payees[0]) + _settled(payees[1]), "the sum is the payees'");
    }

    function test_exits_followALoweredCap() public {
        _receive(2_000);
        assertEq(_demandOf(operatorKey, 0, puppet, 1e9), EXIT_CAP, "the cap");
        clearing.listToken(address(usdc), IClearing.TokenTerms(true, LEAST, 100));
        skip(DAY);
        assertEq(clearing.exitsLeft(address(usdc)), 0, "a day refills the new one");
        skip(4 * DAY);
        assertEq(clearing.exitsLeft(address(usdc)), 100, "in time");
    }

    function test_aDebt_slashesNobodyWhoAnswersNoMore() public {
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _receipt(payees[0], 600, 1);
        _succeed();
        skip(10 days);
        assertEq(clearing.demand(receipt, signature), 0, "nothing was left");
        vm.warp(START + 3 days + 21 days - 1);
        assertEq(clearing.demandDebt(address(usdc), payees[0], 0), 0, "in the last second");
        uint256 bond = staking.bondOf(operator);
        assertEq(bond, 2 * BOND - 2 * SLASH, "slashed");
        skip(DAY + 1);
        vm.expectPartialRevert(IClearing.Clearing_NothingToGive.selector);
        clearing.demandDebt(address(usdc), payees[0], 0);
        assertEq(staking.bondOf(operator), bond, "and not for ever");
    }

    /// @dev The least that is due at all is noted while an epoch that may still fall credits it.
    function test_theLeastDebt_isNotedWhileAnEpochIsPending() public {
        _receive(600);
        _seal(1, _rows(LEAST, LEAST - 1, 0));
        assertEq(_demandOf(operatorKey, 0, payees[0], LEAST), 0, "credited by the epoch");
        assertEq(clearing.debtOf(address(usdc), payees[0], 0).cumulative, LEAST, "noted");
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _due(
            operatorKey,
            0,
            payees[1],
            LEAST - 1
        );
        vm.expectPartialRevert(IClearing.Clearing_ReceiptHonoured.selector);
        clearing.demand(receipt, signature);
    }
}
