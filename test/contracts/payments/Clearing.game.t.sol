// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IClearing} from "../../../contracts/interfaces/payments/IClearing.sol";
import {ClearingFixture} from "../support/ClearingFixture.sol";

/// @notice What each role of the hub can take at the worst, alone or with others: the bounds that docs/clearing-game.md
///         names. The payee 0 is honest everywhere.
contract ClearingGameTest is ClearingFixture {
    address private puppet;

    function setUp() public override {
        super.setUp();
        puppet = makeAddr("puppet");
    }

    function _demand(address payee, uint128 cumulative) private returns (uint256) {
        return _demandOf(operatorKey, 0, payee, cumulative);
    }

    /// @dev The operator in office: what arrived for receipts of a later epoch is in no epoch that they contradict.
    function test_operatorInOffice_canGiveAwayTheNewestMoney_andNoMore() public {
        _receive(300);
        // Promised in epoch 1: 300, to payee 0. What arrives from its cut on is promised in epoch 2: 200, to payee 1.
        _receive(200);
        _seal(1, abi.encodePacked(payees[0], uint96(300), puppet, uint96(200)));
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _receipt(payees[1], 200, 2);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_ReceiptTooNew.selector, 2, 1));
        clearing.challenge(1, receipt, signature);
        skip(7 days);
        assertEq(_settled(payees[0]), 300, "who was promised it in this epoch has it");
        assertEq(_settled(puppet), 200, "the newest money is gone");
        uint256 bond = staking.bondOf(operator);
        assertEq(clearing.demand(receipt, signature), 0, "nothing can be given");
        assertEq(staking.bondOf(operator), bond - SLASH, "and that costs the operator");
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_NothingToGive.selector, 0, EXIT_CAP));
        clearing.demand(receipt, signature);
        skip(DAY);
        assertEq(clearing.demand(receipt, signature), 0, "once a day for each payee");
    }

    /// @dev Operator and payee: receipts for what nobody earned void the truth, at the operator's cost.
    function test_aColludingPayee_delaysTheOthers_andTheOperatorPays() public {
        _receive(600);
        _seal(1, _rows(100, 200, 300));
        uint256 bond = staking.bondOf(operator);
        _challenge(1, payees[2], 1e9);
        assertEq(staking.bondOf(operator), bond - SLASH, "the operator pays");
        _seal(2, _rows(100, 200, 300));
        skip(DAY);
        assertEq(_settled(payees[0]), 100, "the others have lost time alone");
        (uint256 settled, ) = clearing.creditedOf(address(usdc));
        assertEq(settled, 600, "nothing was credited twice");
    }

    /// @dev Operator and payees: forged demands take the day's cap from the honest ones' demands as well.
    function test_forgedDemands_keepTheHonestOutForTheDay() public {
        _receive(2_000);
        assertEq(_demand(puppet, 1e9), EXIT_CAP, "the day's cap");
        assertEq(_demand(payees[0], 100), 0, "nothing is left of it");
        skip(DAY);
        assertEq(_demand(payees[0], 100), 100, "who comes first the next day");
        assertEq(_demand(puppet, 1e9), EXIT_CAP - 100, "takes before the forged ones");
    }

    /// @dev An earlier operator can sign for its own office still: its key reaches what it left, within the cap, and
    ///      nothing of its successor's.
    function test_earlierOperator_takesOfWhatItLeft_untilItsLastReceiptEnds() public {
        _receive(700);
        (address successor, ) = _succeed();
        _receive(2_000);
        assertEq(_demand(puppet, 1e9), EXIT_CAP, "the cap");
        assertEq(staking.bondOf(operator), 2 * BOND - SLASH, "for a slash");
        vm.prank(successor);
        clearing.credit(address(usdc), 1, 0, abi.encodePacked(payees[0], uint96(2_100)), true);
        skip(DAY);
        assertEq(_demand(puppet, 1e9), 0, "what is left of it is credited to others, by an epoch");
        vm.warp(START + 3 days + 21 days);
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _due(operatorKey, 0, puppet, 1e9);
        vm.expectRevert(
            abi.encodeWithSelector(
                IClearing.Clearing_ReceiptOutlivesOffice.selector,
                receipt.expiresAt,
                START + 3 days + 21 days
            )
        );
        clearing.demand(receipt, signature);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_NothingToGive.selector, 0, EXIT_CAP));
        clearing.demandDebt(address(usdc), puppet, 0);
        assertEq(_settled(payees[0]), 2_100, "and nothing of what is credited");
    }

    /// @dev A debt outlives its operator's bond: what was left and nobody is credited, the cap a day, for one slash, until
    ///      the successor credits it to whom it is due.
    function test_anEarlierOperatorsDebt_takesWhatItLeft_untilThatIsCredited() public {
        _receive(2_000);
        (address successor, ) = _succeed();
        _receive(7_000);
        assertEq(_demand(puppet, 1e9), EXIT_CAP, "the cap, for a slash");
        vm.warp(START + 3 days + 21 days);
        clearing.release(operator);
        vm.startPrank(operator);
        staking.unstake(operator, type(uint256).max);
        vm.stopPrank();
        uint256 left = vm.snapshotState();
        for (uint256 day = 0; day < 3; ++day) {
            assertEq(clearing.demandDebt(address(usdc), puppet, 0), EXIT_CAP, "the cap again, for nothing");
            skip(DAY);
        }
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_NothingToGive.selector, 0, EXIT_CAP));
        clearing.demandDebt(address(usdc), puppet, 0);
        assertEq(_settled(puppet), 2_000, "all that its office left, and nothing of its successor's");
        vm.revertToState(left);
        vm.prank(successor);
        clearing.credit(address(usdc), 1, 0, abi.encodePacked(payees[0], uint96(1_500)), true);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_NothingToGive.selector, 0, EXIT_CAP));
        clearing.demandDebt(address(usdc), puppet, 0);
    }

    /// @dev Governance: a successor of its own may credit what the one before owes to whom it likes, once it is in office.
    function test_governancesSuccessor_canGiveAwayWhatIsUnassigned_afterTheHandover() public {
        _receive(600);
        address successor = makeAddr("successor");
        _bond(successor, BOND);
        clearing.appoint(successor);
        vm.prank(successor);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_NotOperator.selector, successor, operator));
        clearing.credit(address(usdc), 1, 0, abi.encodePacked(puppet, uint96(600)), true);
        // Three days are two epochs of the one who leaves.
        _seal(1, abi.encodePacked(payees[0], uint96(100)));
        skip(DAY);
        _seal(2, abi.encodePacked(payees[1], uint96(200)));
        skip(2 days);
        vm.prank(successor);
        clearing.credit(address(usdc), 3, 0, abi.encodePacked(puppet, uint96(300)), true);
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _receipt(payees[2], 300, 3);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_WrongOffice.selector, 0, 1));
        clearing.challenge(3, receipt, signature);
        skip(DAY);
        assertEq(_settled(payees[0]) + _settled(payees[1]), 300, "what the old one credited is theirs");
        assertEq(_settled(puppet), 300, "what it left is the new one's to give");
    }

    /// @dev Governance: terms silence receipts, and take nothing that is settled.
    function test_governancesTerms_silenceReceipts_andTakeNothingThatIsSettled() public {
        _receive(600);
        _seal(1, abi.encodePacked(payees[0], uint96(100)));
        skip(DAY);
        _seal(2, abi.encodePacked(puppet, uint96(400)));
        clearing.listToken(address(usdc), IClearing.TokenTerms(false, type(uint96).max, 0));
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _receipt(payees[1], 200, 2);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_ReceiptHonoured.selector, 200, 0));
        clearing.challenge(2, receipt, signature);
        assertEq(clearing.payOut(address(usdc), payees[0]), 100, "settled is paid");
    }
}
