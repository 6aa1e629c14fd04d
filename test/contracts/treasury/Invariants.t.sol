// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Test} from "../support/Test.sol";
import {TreasuryHandler} from "./TreasuryHandler.sol";

/// @notice The numbered invariants of test/INVARIANTS.md, after every random sequence of acts.
contract TreasuryInvariantsTest is Test {
    TreasuryHandler private _handler;

    function setUp() public {
        vm.warp(2_100 * 10 days);
        _handler = new TreasuryHandler(block.timestamp);
        targetContract(address(_handler));
    }

    /// @notice T1
    function invariant_moneyLeavesOnlyByBudgetOrQuorum() public view {
        uint256 out = _handler.paidByBudget() + _handler.paidByQuorum();
        assertEq(
            _handler.token().balanceOf(address(_handler.treasury())),
            1_000_000e6 - out,
            "the Treasury's balance"
        );
    }

    /// @notice T2 to T5, T7 and T8: what the handler saw happen that never may.
    function invariant_nothingForbiddenHappened() public view {
        if (bytes(_handler.broken()).length != 0) revert AssertionFailed(_handler.broken());
    }

    /// @notice T6
    function invariant_ownersNeverFallBelowTheThreshold() public view {
        uint256 threshold = _handler.treasury().threshold();
        assertLe(1, threshold, "threshold");
        assertLe(threshold, _handler.treasury().owners().length, "owners");
    }
}
