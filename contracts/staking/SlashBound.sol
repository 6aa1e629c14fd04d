// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title SlashBound
/// @notice How much of a validator's own stake slashing may take, over time.
/// @dev Slashes that follow each other within the unbonding time are one period. What a period has taken is never more
///      than `bps` of that and of what is left, together: after each slash
///          taken * 10,000 <= bps * (taken + left).
///      So in any time shorter than the unbonding time, whatever came before, no more is taken than `bps` of the own
///      stake that stood at its beginning and of what was added in it: two slashes that lie closer are in one period,
///      and what an earlier part of the period took only lowers what a later one can.
library SlashBound {
    uint256 internal constant BPS = 10_000;

    /// @notice What was taken since the period began, and when it ends if nothing more is.
    struct Period {
        uint96 taken;
        uint48 until;
    }

    /// @notice Takes up to `amount` of `own`, and counts it.
    /// @param own All that can be slashed now.
    /// @param bps The part of it that a period may take.
    /// @param time Now.
    /// @param until When the period ends, if this is its last slash.
    function take(
        Period memory self,
        uint256 own,
        uint256 amount,
        uint256 bps,
        uint256 time,
        uint256 until
    ) internal pure returns (uint256) {
        uint256 before = time < self.until ? self.taken : 0;
        amount = Math.min(amount, Math.saturatingSub(((own + before) * bps) / BPS, before));
        // What takes nothing keeps no period open.
        if (amount == 0) return 0;
        self.taken = uint96(before + amount);
        self.until = uint48(Math.max(self.until, until));
        return amount;
    }
}
