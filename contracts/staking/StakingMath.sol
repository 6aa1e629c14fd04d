// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title StakingMath
/// @notice The accounting of Staking, as steps from one record to the next: no storage, no calls, no assembly, so that
///         it can be proved by itself.
/// @dev Amounts are base units of AVT (96 bits hold the whole supply), an index is reward per base unit scaled by 1e18.
///      Every division rounds in favour of the pool.
library StakingMath {
    uint256 internal constant SCALE = 1e18;
    uint256 internal constant BPS = 10_000;

    /// @notice All stake that earns, and the rewards that are funded and not yet earned by anyone.
    struct Reserve {
        uint96 staked;
        uint96 reserve;
        uint40 updatedAt;
    }

    /// @notice The line that the reward index runs on while the reserve lasts: `index` at `from`, rising by
    ///         `rateBps` of the stake each `cycleSeconds`.
    struct Line {
        uint80 index;
        uint40 from;
        uint16 rateBps;
        uint32 cycleSeconds;
    }

    /// @notice A validator's pool: assets that shares have a part of.
    struct Pool {
        uint96 assets;
        uint96 shares;
    }

    /// @notice What a pool has earned: the index up to which it is settled, the reward of one share, and the
    ///         validator's own part.
    struct Earned {
        uint80 index;
        uint80 perShare;
        uint96 commission;
    }

    /// @notice The index at `time`, if the reserve lasts that long.
    function indexAt(Line memory line, uint256 time) internal pure returns (uint256) {
        return line.index + (SCALE * line.rateBps * (time - line.from)) / (BPS * line.cycleSeconds);
    }

    /// @notice Moves what all stake has earned since `updatedAt` out of the reserve.
    /// @return next The reserve after it.
    /// @return index The index reached.
    /// @return isExhausted Whether the reserve ended before `time`: then the line starts anew from here.
    function accrue(
        Reserve memory self,
        Line memory line,
        uint256 time
    ) internal pure returns (Reserve memory next, uint256 index, bool isExhausted) {
        uint256 before = indexAt(line, self.updatedAt);
        index = indexAt(line, time);
        next = Reserve(self.staked, self.reserve, uint40(time));
        uint256 earned = _ceilDiv(self.staked * (index - before), SCALE);
        if (earned > self.reserve) {
            isExhausted = true;
            // The part of the rise that the reserve covers, rounded down.
            index = before + (uint256(self.reserve) * SCALE) / self.staked;
            earned = self.reserve;
        }
        next.reserve = uint96(self.reserve - earned);
    }

    /// @notice Gives a pool what its assets have earned up to `index`; the validator's part is `commissionBps` of it.
    function settle(
        Earned memory self,
        Pool memory pool,
        uint256 index,
        uint256 commissionBps
    ) internal pure returns (Earned memory next) {
        next = Earned(uint80(index), self.perShare, self.commission);
        if (pool.shares == 0) return next;
        uint256 gross = (uint256(pool.assets) * (index - self.index)) / SCALE;
        uint256 commission = (gross * commissionBps) / BPS;
        next.commission += uint96(commission);
        next.perShare += uint80(((gross - commission) * SCALE) / pool.shares);
    }

    /// @notice Adds `assets` to a pool for shares at its present price, rounded down.
    function stake(
        Pool memory self,
        uint256 assets
    ) internal pure returns (Pool memory next, uint256 shares) {
        shares = self.shares == 0 ? assets : (assets * self.shares) / self.assets;
        next = Pool(uint96(self.assets + assets), uint96(self.shares + shares));
    }

    /// @notice What `shares` of a pool are worth, rounded down.
    function worth(Pool memory self, uint256 shares) internal pure returns (uint256 assets) {
        return shares == 0 ? 0 : (shares * self.assets) / self.shares;
    }

    /// @notice The shares that must be given up for `assets`, rounded up. The pool must not be empty.
    function sharesFor(Pool memory self, uint256 assets) internal pure returns (uint256 shares) {
        return _ceilDiv(assets * self.shares, self.assets);
    }

    /// @notice Takes `assets` for `shares` out of a pool; with the last share, what rounding left over goes too.
    /// @return next The pool after it.
    /// @return left That leftover.
    function unstake(
        Pool memory self,
        uint256 assets,
        uint256 shares
    ) internal pure returns (Pool memory next, uint256 left) {
        next = Pool(uint96(self.assets - assets), uint96(self.shares - shares));
        if (next.shares == 0) (left, next.assets) = (next.assets, 0);
    }

    /// @notice The part of a slash of `amount` that falls on `assets` of `all`, rounded down: as long as the slash is
    ///         less than all, something of every pool is left, so that its shares keep a price.
    function portion(uint256 amount, uint256 assets, uint256 all) internal pure returns (uint256) {
        return all == 0 ? 0 : (amount * assets) / all;
    }

    /// @notice The reward of `shares` that were last paid at `paid`, rounded down.
    function rewardOf(uint256 shares, uint256 perShare, uint256 paid) internal pure returns (uint256) {
        return (shares * (perShare - paid)) / SCALE;
    }

    function _ceilDiv(uint256 a, uint256 b) private pure returns (uint256) {
        return a == 0 ? 0 : (a - 1) / b + 1;
    }
}
