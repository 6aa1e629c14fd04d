// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice One payment channel of BatchSettlement: for any sequence of calls, claims stay within the balance, and money
///         in is the balance and money back.
contract ChannelAccount {
    uint256 public balance;
    uint256 public totalClaimed;
    uint256 public pending;
    uint256 public paidIn;
    uint256 public paidBack;

    function deposit(uint256 amount) public {
        require(amount != 0 && pending == 0);
        balance += amount;
        paidIn += amount;
    }

    function claim(uint256 total) public {
        require(total > totalClaimed && total <= balance);
        totalClaimed = total;
    }

    function initiateWithdraw(uint256 amount) public {
        require(amount != 0 && pending == 0 && amount <= balance - totalClaimed);
        pending = amount;
    }

    /// @param amount What was given of what is pending: all that is unclaimed, at most.
    function finalizeWithdraw(uint256 amount) public {
        require(pending != 0);
        uint256 unclaimed = balance - totalClaimed;
        require((amount == pending && amount <= unclaimed) || (amount == unclaimed && amount < pending));
        pending = 0;
        balance -= amount;
        paidBack += amount;
    }

    function refund(uint256 asked, uint256 amount) public {
        uint256 unclaimed = balance - totalClaimed;
        require((amount == asked && amount <= unclaimed) || (amount == unclaimed && amount < asked));
        pending = amount < pending ? pending - amount : 0;
        balance -= amount;
        paidBack += amount;
    }

    function check() public view {
        assert(totalClaimed <= balance);
        assert(paidIn == balance + paidBack);
        assert(pending <= balance);
    }
}
