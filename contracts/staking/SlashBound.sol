// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title SlashBound
/// @notice How much of a validator's own stake slashing may take, over time.
/// @dev After each slash, what it and those before it have taken that still count is never more than `bps` of that and
///      of what is left, together:
///          taken * 10,000 <= bps * (taken + left).
///      A slash counts for the unbonding time at the least. So in any time shorter than that, whatever came before, no
///      more is taken than `bps` of the own stake that stood at its beginning and of what was added in it: what counts
///      beyond it only lowers what a slash can take.
///      It counts for twice the unbonding time at the most, however many follow: slashes are kept in two groups, and
///      nothing is added to the former, which so ends by itself.
library SlashBound {
    uint256 internal constant BPS = 10_000;

    /// @notice Slashes that end together: the unbonding time after the last of them, as it was then or is now.
    struct Group {
        uint96 taken;
        uint48 last;
        uint48 until;
    }

    /// @notice The slashes of a validator that may still count. Two slots.
    struct Slashes {
        Group latter;
        Group former;
    }

    /// @notice Takes up to `amount` of `own`, and counts it.
    /// @param own All that can be slashed now.
    /// @param bps The part of it that may be taken.
    /// @param time Now.
    /// @param unbonding The unbonding time, as it is now.
    /// @param leavesAt When what is leaving now has left: a slash counts until then, too. A vote that shortens the
    ///        unbonding time would otherwise let those meet two who began to leave before.
    function take(
        Slashes memory self,
        uint256 own,
        uint256 amount,
        uint256 bps,
        uint256 time,
        uint256 unbonding,
        uint256 leavesAt
    ) internal pure returns (uint256) {
        uint256 former = _counted(self.former, time, unbonding);
        uint256 latter = _counted(self.latter, time, unbonding);
        uint256 before = former + latter;
        amount = Math.min(amount, Math.saturatingSub(((own + before) * bps) / BPS, before));
        // What takes nothing prolongs nothing.
        if (amount == 0) return 0;
        if (former == 0) (self.former, self.latter) = (self.latter, Group(0, 0, 0));
        else if (latter == 0) self.latter = Group(0, 0, 0);
        Group memory group = self.latter;
        group.taken += uint96(amount);
        group.last = uint48(time);
        group.until = uint48(Math.max(group.until, Math.max(time + unbonding, leavesAt)));
        return amount;
    }

    /// @dev The unbonding time may have been raised since: then what it has taken counts as long as that.
    function _counted(Group memory group, uint256 time, uint256 unbonding) private pure returns (uint256) {
        return time < Math.max(group.until, group.last + unbonding) ? group.taken : 0;
    }
}
