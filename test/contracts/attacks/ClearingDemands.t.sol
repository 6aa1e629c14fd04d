// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IClearing} from "../../../contracts/interfaces/payments/IClearing.sol";
import {ClearingFixture} from "../support/ClearingFixture.sol";

/// @notice A due demand that is mined just before the row that pays the same, as after an outage of more than a week, or
///         a handover: the payee is paid once, nobody else's money is touched, and no honest operator is slashed for it.
contract ClearingDemands is ClearingFixture {
    /// @dev Was: given twice. Nobody lies: the operator was away for eight days, and comes back with the right rows.
    function test_aDemandInFrontOfTheOperatorsRow_isGivenOnce() public {
        address late = payees[2];
        _receive(600);
        _receive(300); // for `late`, promised for the next epoch
        skip(8 days);
        assertEq(_demandOf(operatorKey, 0, payees[0], 200), 200, "in front");
        _seal(1, abi.encodePacked(payees[0], uint96(200), payees[1], uint96(400)));
        assertEq(clearing.epochOf(address(usdc), 1).total, 400, "what its rows add");
        skip(DAY);
        assertEq(clearing.payOut(address(usdc), payees[0]), 200, "what it was owed");
        _seal(2, abi.encodePacked(late, uint96(300)));
        skip(DAY);
        assertEq(clearing.payOut(address(usdc), late), 300, "and so is everybody");
    }

    /// @dev Was: taken of what arrived since, whose payees could have the honest successor slashed.
    function test_aDemandInFrontOfTheSuccessorsRow_takesNothingOfItsPayees() public {
        address late = payees[2];
        _receive(600);
        (address successor, uint256 key) = _succeed();
        _receive(300);
        assertEq(_demandOf(operatorKey, 0, payees[0], 200), 200, "in front");
        vm.prank(successor);
        clearing.credit(
            address(usdc),
            1,
            0,
            abi.encodePacked(payees[0], uint96(200), payees[1], uint96(400)),
            true
        );
        skip(DAY);
        assertEq(clearing.payOut(address(usdc), payees[0]), 200, "what it was owed");
        vm.prank(successor);
        clearing.credit(address(usdc), 2, 0, abi.encodePacked(late, uint96(300)), true);
        skip(7 days);
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _due(key, 1, late, 300);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_ReceiptHonoured.selector, 300, 300));
        clearing.demand(receipt, signature);
    }

    /// @dev Was: the cap more than was owed.
    function test_demandsInFrontOfTheirRows_takeWhatIsOwed_andNoMore() public {
        _receive(1_200);
        skip(8 days);
        assertEq(_demandOf(operatorKey, 0, payees[0], 400), 400, "in front");
        assertEq(_demandOf(operatorKey, 0, payees[1], 400), EXIT_CAP - 400, "what the cap leaves");
        assertEq(_demandOf(operatorKey, 0, payees[2], 400), 0, "and nothing");
        // All that was received is owed: a unit more, and it could not be sealed.
        _seal(1, _rows(400, 400, 400));
        skip(DAY);
        for (uint256 i = 0; i < 3; ++i) assertEq(_settled(payees[i]), 400, "what it was owed");
    }

    /// @dev Whoever demands the most of a row in front of it makes no call of the operator fail.
    function test_aDemandThatLeavesLittleOfARow_failsNobodysCall() public {
        _receive(600);
        skip(8 days);
        assertEq(_demandOf(operatorKey, 0, payees[0], 200 - LEAST + 1), 200 - LEAST + 1, "all but dust");
        _seal(1, _rows(200, 100, 300));
        skip(DAY);
        assertEq(_settled(payees[0]), 200, "all of it");
        assertEq(_settled(payees[2]), 300, "and the others'");
    }

    /// @dev A forged demand that gives an honest payee money is made up for: its next rows add nothing until then.
    function test_aDemandBeyondWhatIsOwed_isSetOffAgainstWhatFollows() public {
        _receive(1_000);
        assertEq(_demandOf(operatorKey, 0, payees[0], 300), 300, "owed: 200");
        _seal(1, _rows(200, 100, 100));
        skip(DAY);
        assertEq(_settled(payees[0]), 300, "nothing is added");
        _seal(2, abi.encodePacked(payees[0], uint96(350)));
        skip(DAY);
        assertEq(_settled(payees[0]), 350, "from here on it is as if nobody had");
    }

    function test_whatADemandWasGivenBeforeAVoidEpoch_isNotGivenOnceMore() public {
        _receive(1_000);
        _seal(1, _rows(200, 100, 100));
        assertEq(_demandOf(operatorKey, 0, payees[0], 260), 60, "beyond the pending row");
        _challenge(1, payees[1], 150);
        assertEq(_settled(payees[0]), 60, "the row is void, the demand is not");
        _seal(2, _rows(260, 150, 100));
        skip(DAY);
        assertEq(_settled(payees[0]), 260, "what was said");
    }
}
