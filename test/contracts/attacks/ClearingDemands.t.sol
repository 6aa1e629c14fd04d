// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IClearing} from "../../../contracts/interfaces/payments/IClearing.sol";
import {ClearingFixture} from "../support/ClearingFixture.sol";

/// @notice The bound of docs/trust.md: a due demand that is mined just before the row that pays the same is given
///         besides it, out of what arrived since. All such demands share the cap.
contract ClearingDemands is ClearingFixture {
    /// @dev Nobody lies: the operator was away for eight days, and comes back with the right rows.
    function test_aDemandInFrontOfTheOperatorsRow_isGivenTwice() public {
        address late = payees[2];
        _receive(600);
        _receive(300); // for `late`, promised for the next epoch
        skip(8 days);
        assertEq(_demandOf(operatorKey, 0, payees[0], 200), 200, "in front");
        _seal(1, abi.encodePacked(payees[0], uint96(200), payees[1], uint96(400)));
        skip(DAY);
        assertEq(clearing.payOut(address(usdc), payees[0]), 400, "twice what it was owed");
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_TotalTooHigh.selector, 1_100, 900));
        _seal(2, abi.encodePacked(late, uint96(300)));
        _seal(2, abi.encodePacked(late, uint96(100)));
    }

    /// @dev It reaches what arrived since the change was recorded: by what the successor credits of what was left.
    function test_aDemandInFrontOfTheSuccessorsRow_takesOfItsPayees_whoMaySlashIt() public {
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
        assertEq(clearing.payOut(address(usdc), payees[0]), 400, "twice what it was owed");
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_TotalTooHigh.selector, 1_100, 900));
        vm.prank(successor);
        clearing.credit(address(usdc), 2, 0, abi.encodePacked(late, uint96(300)), true);
        skip(7 days);
        uint256 bond = staking.bondOf(successor);
        assertEq(_demandOf(key, 1, late, 300), 100, "what is left of 300");
        assertEq(bond - staking.bondOf(successor), SLASH, "and the honest successor is slashed");
    }

    function test_demandsInFrontOfTheirRows_takeTheCapTogether_andNoMore() public {
        _receive(3_000);
        skip(8 days);
        assertEq(_demandOf(operatorKey, 0, payees[0], 400), 400, "in front");
        assertEq(_demandOf(operatorKey, 0, payees[1], 400), EXIT_CAP - 400, "what the cap leaves");
        assertEq(_demandOf(operatorKey, 0, payees[2], 400), 0, "and nothing");
        _seal(1, _rows(400, 400, 400));
        skip(DAY);
        uint256 settled = _settled(payees[0]) + _settled(payees[1]) + _settled(payees[2]);
        assertEq(settled, 3 * 400 + EXIT_CAP, "the cap more than was owed");
        skip(DAY);
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _due(
            operatorKey,
            0,
            payees[1],
            400
        );
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_ReceiptHonoured.selector, 400, 500));
        clearing.demand(receipt, signature);
    }
}
