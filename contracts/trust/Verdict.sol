// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Arrays} from "@openzeppelin/contracts/utils/Arrays.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title Verdict
/// @notice What a panel's votes come to, and which of them agree with a ruling.
/// @dev A vote is a choice from 1 on, or 0: refused. The choices are a scale, as an Escrow's basis points are; where
///      they are not, two are enough.
library Verdict {
    uint256 private constant TOLERANCE = 10;

    /// @notice The median of the votes that name a choice; of an even number the middle of the two in the middle, so
    ///         that an absence draws it to neither side. 0 if as many refuse.
    /// @param votes At least one; their order is changed.
    function rulingOf(uint256[] memory votes) internal pure returns (uint256) {
        Arrays.sort(votes);
        uint256 refused;
        while (refused < votes.length && votes[refused] == 0) ++refused;
        uint256 count = votes.length - refused;
        if (count <= refused) return 0;
        return Math.average(votes[refused + (count - 1) / 2], votes[refused + count / 2]);
    }

    /// @notice Whether a vote agrees with a ruling: the same, or no farther from it than a tenth of the scale.
    function isCoherent(uint256 vote, uint256 ruling, uint256 choices) internal pure returns (bool) {
        if (vote == 0 || ruling == 0) return vote == ruling;
        uint256 distance = vote > ruling ? vote - ruling : ruling - vote;
        return distance <= choices / TOLERANCE;
    }
}
