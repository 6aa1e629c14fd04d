// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title StakingMath
/// @notice The rewards of Staking, as steps from one record to the next: no storage, no calls, no assembly, so that
///         they can be proved by themselves.
/// @dev Amounts are base units of AVT (96 bits hold the whole supply), an index is reward per base unit scaled by
///      1e18. Every division rounds in favour of the contract. What is unchecked can't overflow: an amount times an
///      index has at most 176 bits, times basis points 190, and indexes and times only rise.
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

    /// @notice What a validator's stake has earned: the index up to which it is settled, the reward of one base unit
    ///         after commission, and the validator's commission.
    struct Earned {
        uint80 index;
        uint80 perUnit;
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

    /// @notice Gives a validator's stake what it has earned up to `index`; `commissionBps` of it is the validator's.
    function settle(Earned memory self, uint256 assets, uint256 index, uint256 commissionBps) internal pure {
        unchecked {
            uint256 rise = index - self.index;
            self.index = uint80(index);
            self.perUnit += uint80((rise * (BPS - commissionBps)) / BPS);
            self.commission += uint96((assets * rise * commissionBps) / (SCALE * BPS));
        }
    }

    /// @notice The reward of `assets` that were last paid at `paid`, rounded down.
    function rewardOf(uint256 assets, uint256 perUnit, uint256 paid) internal pure returns (uint256) {
        unchecked {
            return (assets * (perUnit - paid)) / SCALE;
        }
    }

    /// @notice Where `assets` that are owed `owed` would have been paid last: the reward of all of them is spread
    ///         over them, and rounding takes at most one part in 1e18 of a base unit from each.
    function paidAt(uint256 assets, uint256 perUnit, uint256 owed) internal pure returns (uint256) {
        return perUnit - (owed * SCALE) / assets;
    }

    function _ceilDiv(uint256 a, uint256 b) private pure returns (uint256) {
        return a == 0 ? 0 : (a - 1) / b + 1;
    }
}
