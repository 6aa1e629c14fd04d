// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice What one payee of Clearing is credited (`CreditBook`): whatever is said for it by rows and by receipts, in
///         whatever order, it is credited no more than the highest total that was ever said, and paid no more than that.
contract CreditLine {
    uint256 public settled;
    /// @notice What the epoch that is not decided adds.
    uint256 public added;
    bool public isSealed;
    uint256 public taken;
    uint256 public highest;

    /// @notice A row of the epoch that is being filled.
    function addRow(uint256 said) public {
        require(!isSealed);
        if (said > highest) highest = said;
        if (said <= settled + added) return;
        added = said - settled;
    }

    function seal() public {
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

    /// @notice A receipt is shown, of which Clearing can give so much at once.
    function demand(uint256 said, uint256 amount) public {
        if (said > highest) highest = said;
        uint256 credited = isSealed ? settled + added : settled;
        require(credited <= said && amount <= said - credited);
        settled += amount;
        if (!isSealed) added -= added < amount ? added : amount;
    }

    function pay(uint256 amount) public {
        require(amount <= settled - taken);
        taken += amount;
    }

    function check() public view {
        assert(settled + added <= highest);
        assert(taken <= settled);
    }
}
