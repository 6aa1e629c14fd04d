// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice Two channels of one token into one receiver, as BatchSettlement accounts for them.
contract SettlementProof {
    struct Channel {
        uint96 balance;
        uint96 totalClaimed;
        uint128 pending;
        uint256 paidIn;
        uint256 paidBack;
    }

    Channel private one;
    Channel private other;
    uint128 private totalClaimed;
    uint128 private totalSettled;
    uint256 private held;
    uint256 private received;

    function deposit(bool which, uint96 amount) external {
        Channel storage channel = which ? one : other;
        require(amount != 0 && channel.pending == 0);
        require(amount <= type(uint96).max - channel.balance);
        channel.balance += amount;
        channel.paidIn += amount;
        held += amount;
        _check();
    }

    function claim(bool which, uint96 total) external {
        Channel storage channel = which ? one : other;
        require(total > channel.totalClaimed && total <= channel.balance);
        uint128 rise = total - channel.totalClaimed;
        require(totalClaimed <= type(uint128).max - rise);
        channel.totalClaimed = total;
        totalClaimed += rise;
        _check();
    }

    function settle() external {
        uint128 amount = totalClaimed - totalSettled;
        totalSettled = totalClaimed;
        held -= amount;
        received += amount;
        _check();
    }

    function initiateWithdraw(bool which, uint128 amount) external {
        Channel storage channel = which ? one : other;
        require(amount != 0 && channel.pending == 0);
        require(amount <= channel.balance - channel.totalClaimed);
        channel.pending = amount;
        _check();
    }

    function finalizeWithdraw(bool which) external {
        Channel storage channel = which ? one : other;
        uint128 asked = channel.pending;
        require(asked != 0);
        channel.pending = 0;
        _take(channel, asked);
        _check();
    }

    function refund(bool which, uint128 asked) external {
        Channel storage channel = which ? one : other;
        require(asked != 0);
        uint96 amount = _take(channel, asked);
        channel.pending = amount < channel.pending ? channel.pending - amount : 0;
        _check();
    }

    function _take(Channel storage channel, uint128 asked) private returns (uint96 amount) {
        uint96 unclaimed = channel.balance - channel.totalClaimed;
        amount = asked < unclaimed ? uint96(asked) : unclaimed;
        channel.balance -= amount;
        channel.paidBack += amount;
        held -= amount;
    }

    function _check() private view {
        assert(one.totalClaimed <= one.balance && other.totalClaimed <= other.balance);
        assert(one.paidIn == one.balance + one.paidBack);
        uint256 unclaimed = uint256(one.balance - one.totalClaimed) + (other.balance - other.totalClaimed);
        assert(held == unclaimed + (totalClaimed - totalSettled));
        assert(received == totalSettled);
        assert(one.pending <= one.balance);
    }
}
