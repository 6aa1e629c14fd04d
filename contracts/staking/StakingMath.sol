// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title StakingMath
/// @notice The accounting of Staking, as steps from one record to the next: no storage, no calls, no assembly,
///         so that it can be proved by itself.
/// @dev Amounts are base units of AVT (96 bits hold the whole supply), an index is reward per base unit scaled
///      by 1e18. Every division rounds in favour of the pool. What is unchecked can't overflow: an amount times
///      an index has at most 176 bits, and indexes and times only rise.
library StakingMath {
    uint256 internal constant SCALE = 1e18;
    uint256 internal constant BPS = 10_000;
    /// @dev By what shares of unbonding stake are divided when they are worth too little: 64 times AVT's cap still
    ///      fits the 96 bits of a record.
    uint256 internal constant SHARE_DIVISOR_BITS = 6;
    uint256 internal constant SHARE_DIVISOR = 1 << SHARE_DIVISOR_BITS;
    /// @dev So many divisions leave nothing of any 96 bits.
    uint256 internal constant DIVISIONS_TO_NOTHING = 16;

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

    /// @notice What all stake has earned since `updatedAt`.
    /// @return index The index reached.
    /// @return earned What leaves the reserve, rounded up.
    /// @return isExhausted Whether the reserve ended before `time`: then the line starts anew from here.
    function reach(
        Reserve memory self,
        Line memory line,
        uint256 time
    ) internal pure returns (uint256 index, uint256 earned, bool isExhausted) {
        uint256 before = indexAt(line, self.updatedAt);
        index = indexAt(line, time);
        unchecked {
            earned = _ceilDiv(self.staked * (index - before), SCALE);
            if (earned > self.reserve) {
                isExhausted = true;
                earned = self.reserve;
                // The part of the rise that the reserve covers, rounded down.
                index = before + (earned * SCALE) / self.staked;
            }
        }
    }

    /// @notice Gives a pool what its assets have earned up to `index`; the validator's part is `commissionBps` of it.
    function settle(
        Earned memory self,
        Pool memory pool,
        uint256 index,
        uint256 commissionBps
    ) internal pure {
        unchecked {
            uint256 gross = (pool.assets * (index - self.index)) / SCALE;
            self.index = uint80(index);
            if (gross == 0) return;
            uint256 commission = (gross * commissionBps) / BPS;
            self.commission += uint96(commission);
            self.perShare += uint80(((gross - commission) * SCALE) / pool.shares);
        }
    }

    /// @notice The shares that `assets` buy at the pool's present price, rounded down.
    function sharesBought(Pool memory self, uint256 assets) internal pure returns (uint256 shares) {
        return self.shares == 0 ? assets : (assets * self.shares) / self.assets;
    }

    /// @notice Adds `assets` to a pool for `shares`.
    function stake(Pool memory self, uint256 assets, uint256 shares) internal pure {
        self.assets += uint96(assets);
        self.shares += uint96(shares);
    }

    /// @notice What `shares` of a pool are worth, rounded down.
    function worth(Pool memory self, uint256 shares) internal pure returns (uint256 assets) {
        return shares == 0 ? 0 : (shares * self.assets) / self.shares;
    }

    /// @notice The shares that must be given up for `assets`, rounded up. The pool must not be empty.
    function sharesFor(Pool memory self, uint256 assets) internal pure returns (uint256 shares) {
        return _ceilDiv(assets * self.shares, self.assets);
    }

    /// @notice Takes `assets`, all that `shares` are worth, out of a pool. The last share takes the last base unit.
    function unstake(Pool memory self, uint256 assets, uint256 shares) internal pure {
        self.assets -= uint96(assets);
        self.shares -= uint96(shares);
    }

    /// @notice Divides the shares of a pool by 64, rounded up, until one is worth a 64th of a base unit at least:
    ///         else slashing would let new shares outgrow their record, and nobody could leave any more.
    /// @return divisions How often; by as much each holder's shares are to be divided, see `divided`.
    function divide(Pool memory self) internal pure returns (uint256 divisions) {
        if (self.assets == 0) {
            self.shares = 0;
            return DIVISIONS_TO_NOTHING;
        }
        while (self.assets * SHARE_DIVISOR < self.shares) {
            self.shares = uint96(_ceilDiv(self.shares, SHARE_DIVISOR));
            ++divisions;
        }
    }

    /// @notice What `divisions` leave of a holder's shares, rounded down: never more, together, than of the pool's.
    function divided(uint256 shares, uint256 divisions) internal pure returns (uint256) {
        return shares >> (SHARE_DIVISOR_BITS * divisions);
    }

    /// @notice The part of a slash of `amount` that falls on `assets` of `all`, rounded down: as long as the slash is
    ///         less than all, something of every pool is left, so that its shares keep a price.
    function portion(uint256 amount, uint256 assets, uint256 all) internal pure returns (uint256) {
        return all == 0 ? 0 : (amount * assets) / all;
    }

    /// @notice The reward of `shares` that were last paid at `paid`, rounded down.
    function rewardOf(uint256 shares, uint256 perShare, uint256 paid) internal pure returns (uint256) {
        unchecked {
            return (shares * (perShare - paid)) / SCALE;
        }
    }

    function _ceilDiv(uint256 a, uint256 b) private pure returns (uint256) {
        return a == 0 ? 0 : (a - 1) / b + 1;
    }
}
