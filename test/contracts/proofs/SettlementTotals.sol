// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice All channels of one token in BatchSettlement: for any sequence of calls, what is held is what is unclaimed in
///         the channels and what is claimed and not paid out.
contract SettlementTotals {
    uint256 public unclaimed;
    uint256 public totalClaimed;
    uint256 public totalSettled;
    uint256 public held;

    function deposit(uint256 amount) public {
        unclaimed += amount;
        held += amount;
    }

    function claim(uint256 rise) public {
        unclaimed -= rise;
        totalClaimed += rise;
    }

    function settle() public {
        held -= totalClaimed - totalSettled;
        totalSettled = totalClaimed;
    }

    /// @notice A withdrawal or a refund.
    function giveBack(uint256 amount) public {
        unclaimed -= amount;
        held -= amount;
    }

    function check() public view {
        assert(totalSettled <= totalClaimed);
        assert(held == unclaimed + (totalClaimed - totalSettled));
    }
}
