// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title ScoreMath
/// @notice How a score fades, and how many points may move in a month. All points are counted in millionths.
/// @dev Time is counted in whole days (UTC), so that what is written many times a day does not fade faster. A score
///      halves in 180 days: fading is linear in what fades, so a sum of signals fades as each of them does, and what
///      is left of one signal can be taken out of the sum.
///
///      A window bounds what moves in ANY 30 days. Time is cut into buckets of 10 days; points count while their
///      bucket is the current one or one of the three before. Two days less than 30 apart lie in buckets at most
///      three apart, so at the last movement of an interval all earlier ones of it still count. Points are free again
///      after 40 days at the latest. Layout: four times 40 bits of points, the current bucket lowest, then the number
///      of that bucket in 16 bits, which last until the year 3764.
library ScoreMath {
    uint256 internal constant POINT = 1e6;

    uint256 private constant WAD = 1e18;
    /// @dev 2^(-1/180), rounded down: what a day leaves.
    uint256 private constant DAILY = 996156587220575217;
    uint256 private constant BUCKET_DAYS = 10;
    uint256 private constant ENDED = 3;
    uint256 private constant POINTS_BITS = 40;
    uint256 private constant POINTS_MASK = (1 << 40) - 1;
    uint256 private constant COUNTS_BITS = 160;
    uint256 private constant COUNTS_MASK = (1 << 160) - 1;

    function today() internal view returns (uint32) {
        return uint32(block.timestamp / 1 days);
    }

    /// @dev What is left of `points` after so many days, rounded towards zero.
    function fade(int256 points, uint256 elapsedDays) internal pure returns (int256) {
        if (points == 0) return 0;
        uint256 left = WAD;
        // By squaring: as many rounds as the number of days has bits.
        for (uint256 factor = DAILY; elapsedDays != 0; elapsedDays >>= 1) {
            if (elapsedDays & 1 != 0) left = (left * factor) / WAD;
            factor = (factor * factor) / WAD;
        }
        return (points * int256(left)) / int256(WAD);
    }

    /// @dev How many of `limit` points may still move on this day.
    function room(uint176 window, uint256 day, uint256 limit) internal pure returns (uint256) {
        uint256 counts = _counts(window, day);
        uint256 used = 0;
        for (uint256 i = 0; i <= ENDED; ++i) used += (counts >> (i * POINTS_BITS)) & POINTS_MASK;
        return used < limit ? limit - used : 0;
    }

    /// @dev The window after `points` moved, which must be within its room.
    function charge(uint176 window, uint256 day, uint256 points) internal pure returns (uint176) {
        return uint176(((day / BUCKET_DAYS) << COUNTS_BITS) | (_counts(window, day) + points));
    }

    /// @dev The window on this day without `points` that were charged on an earlier one, as far as they still count.
    function free(
        uint176 window,
        uint256 day,
        uint256 chargedOn,
        uint256 points
    ) internal pure returns (uint176) {
        uint256 passed = day / BUCKET_DAYS - chargedOn / BUCKET_DAYS;
        uint256 counts = _counts(window, day);
        if (passed <= ENDED) counts -= points << (passed * POINTS_BITS);
        return uint176(((day / BUCKET_DAYS) << COUNTS_BITS) | counts);
    }

    /// @dev The points that count, as they lie once the window's bucket is this day's.
    function _counts(uint176 window, uint256 day) private pure returns (uint256) {
        uint256 passed = day / BUCKET_DAYS - (window >> COUNTS_BITS);
        return passed > ENDED ? 0 : ((window & COUNTS_MASK) << (passed * POINTS_BITS)) & COUNTS_MASK;
    }
}
