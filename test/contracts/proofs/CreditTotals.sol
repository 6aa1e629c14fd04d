// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice One token of Clearing (`CreditBook`), all payees together: for any sequence of calls, whatever an epoch says,
///         no more is credited for good, or paid, than was received.
contract CreditTotals {
    uint256 public received;
    uint256 public paid;
    /// @notice What is settled, and what the epoch that is not decided adds.
    uint256 public settled;
    uint256 public added;
    bool public isSealed;

    function arrive(uint256 amount) public {
        received += amount;
    }

    function fill(uint256 rise) public {
        require(!isSealed);
        added += rise;
    }

    function seal() public {
        require(!isSealed && settled + added <= received);
        isSealed = true;
    }

    /// @notice The epoch is voided, or given up while it is filled.
    function drop() public {
        (isSealed, added) = (false, 0);
    }

    /// @notice Nobody has challenged the epoch within its window.
    function settle() public {
        require(isSealed);
        (isSealed, settled, added) = (false, settled + added, 0);
    }

    /// @param given What the epoch that is being filled would have added to whoever demands.
    function demand(uint256 amount, uint256 given) public {
        require(given <= amount && given <= (isSealed ? 0 : added));
        uint256 credited = isSealed ? settled + added : settled;
        require(credited <= received && amount <= received - credited);
        settled += amount;
        added -= given;
    }

    function pay(uint256 amount) public {
        require(amount <= settled - paid);
        paid += amount;
    }

    function check() public view {
        assert(settled <= received);
        assert(paid <= settled);
    }
}
