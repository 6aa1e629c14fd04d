// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Test} from "../support/Test.sol";
import {TreasuryHandler} from "./TreasuryHandler.sol";

/// @dev In this file because the runner targets only contracts of the test files themselves.
contract Everybody is TreasuryHandler {
    constructor(uint256 start) TreasuryHandler(start) {}
}

/// @notice The numbered invariants of test/INVARIANTS.md, after every random sequence of acts.
contract TreasuryInvariantsTest is Test {
    TreasuryHandler private _handler;

    function setUp() public {
        vm.warp(2_100 * 10 days);
        _handler = new Everybody(block.timestamp);
        targetContract(address(_handler));
    }

    /// @dev One campaign asks all of them after each call: a campaign of its own for each would walk the same ways.
    function invariant_allHold() public view {
        check_moneyLeavesOnlyByBudgetOrQuorum();
        check_nothingForbiddenHappened();
    }

    /// @notice 1
    function check_moneyLeavesOnlyByBudgetOrQuorum() public view {
        uint256 out = _handler.paidByBudget() + _handler.paidByQuorum();
        assertEq(
            _handler.token().balanceOf(address(_handler.treasury())),
            1_000_000e6 - out,
            "the Treasury's balance"
        );
    }

    /// @notice 2, 4 and 6 to 9: what the handler saw happen that never may.
    function check_nothingForbiddenHappened() public view {
        if (bytes(_handler.broken()).length != 0) revert AssertionFailed(_handler.broken());
    }
}
