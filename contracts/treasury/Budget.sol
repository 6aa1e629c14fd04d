// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITreasury} from "../interfaces/ITreasury.sol";

/// @title Budget
/// @notice The bookkeeping of one (spender, token) budget: six limits in one storage slot, four windows in another.
/// @dev Bound: in ANY interval of a window's length, what was charged is at most the window's limit. Proof: time
/// is cut into buckets of a third of the window. A charge counts while its bucket is the current one or one of
/// the three before. Two instants less than a window apart lie in buckets at most three apart, so at the last
/// charge of an interval all earlier charges of that interval still count, and their sum fitted the limit.
/// A charge is released at most a third of a window late.
///
/// Amounts are kept as parts of the limit, {SCALE} parts being the whole, rounded up at each charge (by less than
/// limit / 2.6e8); a bucket that has ended is kept in 1023rds of the limit, rounded up once. Rounding can only
/// make a budget tighter: by at most 3 / 1023 of the limit, and never for a bucket that is empty or full.
///
/// `terms`: six limits of 35 bits from bit 0 (decimal floats: 30 bits mantissa, 5 bits exponent of ten; all ones
/// is "no limit"): perTransaction, approvalAbove, hour, day, week, month; 40 bits validUntil at 210; flags at 250.
/// `windows`: 24 bits number of the current hour-bucket, then per window 28 bits of parts in its current bucket
/// and three times 10 bits of 1023rds in the buckets before, latest first.
library Budget {
    struct Book {
        uint256 terms;
        uint256 windows;
    }

    uint256 internal constant LIMITS = 6;
    uint256 internal constant WINDOWS = 4;
    /// @notice The whole of a limit, in parts: 1023 ended-bucket units of 2^18 parts.
    uint256 internal constant SCALE = 1023 << 18;
    uint256 internal constant NO_LIMIT = type(uint256).max;

    uint256 internal constant PER_TRANSACTION = 0;
    uint256 internal constant APPROVAL_ABOVE = 1;
    uint256 internal constant FIRST_WINDOW = 2;

    uint256 internal constant ACTIVE = 1 << 250;
    uint256 internal constant RECIPIENTS_ONLY = 1 << 251;
    uint256 internal constant FROZEN = 1 << 252;

    /// @dev A third of an hour; the buckets of the longer windows are multiples of it.
    uint256 private constant BUCKET_SECONDS = 20 minutes;
    /// @dev Length of each window's bucket in hour-buckets (1, 24, 168, 720), 16 bits each.
    uint256 private constant BUCKET_LENGTHS = 1 | (24 << 16) | (168 << 32) | (720 << 48);
    /// @dev How many ended buckets still count.
    uint256 private constant ENDED = 3;

    uint256 private constant LIMIT_BITS = 35;
    uint256 private constant LIMIT_MASK = (1 << 35) - 1;
    uint256 private constant EXPONENT_BITS = 5;
    uint256 private constant EXPONENT_MASK = 31;
    uint256 private constant MANTISSA_MAX = (1 << 30) - 1;
    uint256 private constant VALID_UNTIL_SHIFT = 210;

    uint256 private constant INDEX_BITS = 24;
    uint256 private constant WINDOW_BITS = 58;
    uint256 private constant WINDOW_MASK = (1 << 58) - 1;
    uint256 private constant CURRENT_BITS = 28;
    uint256 private constant CURRENT_MASK = (1 << 28) - 1;
    uint256 private constant ENDED_BITS = 10;
    uint256 private constant ENDED_MAX = 1023;
    uint256 private constant ENDED_MASK = (1 << 30) - 1;
    /// @dev Parts in one ended-bucket unit: 2^18.
    uint256 private constant UNIT_BITS = 18;
    uint256 private constant UNIT_MASK = (1 << 18) - 1;

    /// @notice Packs terms into one word, active and not frozen.
    function pack(ITreasury.BudgetTerms calldata terms) internal pure returns (uint256 packed) {
        packed = ACTIVE | (uint256(terms.validUntil) << VALID_UNTIL_SHIFT);
        if (terms.recipientsOnly) packed |= RECIPIENTS_ONLY;
        packed |= _packLimit(terms.perTransaction);
        packed |= _packLimit(terms.approvalAbove) << LIMIT_BITS;
        packed |= _packLimit(terms.hourly) << (2 * LIMIT_BITS);
        packed |= _packLimit(terms.daily) << (3 * LIMIT_BITS);
        packed |= _packLimit(terms.weekly) << (4 * LIMIT_BITS);
        packed |= _packLimit(terms.monthly) << (5 * LIMIT_BITS);
    }

    function unpack(uint256 terms) internal pure returns (ITreasury.BudgetTerms memory unpacked) {
        // Limits were packed from uint128, and NO_LIMIT becomes type(uint128).max again.
        unpacked.perTransaction = uint128(limitOf(terms, 0));
        unpacked.approvalAbove = uint128(limitOf(terms, 1));
        unpacked.hourly = uint128(limitOf(terms, 2));
        unpacked.daily = uint128(limitOf(terms, 3));
        unpacked.weekly = uint128(limitOf(terms, 4));
        unpacked.monthly = uint128(limitOf(terms, 5));
        unpacked.validUntil = uint40(validUntil(terms));
        unpacked.recipientsOnly = terms & RECIPIENTS_ONLY != 0;
    }

    /// @notice Reverts unless no member of `terms` is looser than in `old`.
    function requireLower(uint256 terms, uint256 old) internal pure {
        for (uint256 field; field < LIMITS; ++field) {
            _requireLower(field, limitOf(terms, field), limitOf(old, field));
        }
        _requireLower(LIMITS, validUntil(terms), validUntil(old));
        // Here the tighter value is the larger one.
        if (old & ~terms & RECIPIENTS_ONLY != 0) revert ITreasury.Treasury_NotTightening(LIMITS + 1, 0, 1);
    }

    /// @notice One limit of packed terms, in base units; {NO_LIMIT} if there is none.
    function limitOf(uint256 terms, uint256 field) internal pure returns (uint256) {
        unchecked {
            uint256 code = (terms >> (field * LIMIT_BITS)) & LIMIT_MASK;
            if (code == LIMIT_MASK) return NO_LIMIT;
            return (code >> EXPONENT_BITS) * 10 ** (code & EXPONENT_MASK);
        }
    }

    function validUntil(uint256 terms) internal pure returns (uint256) {
        return uint40(terms >> VALID_UNTIL_SHIFT);
    }

    /// @notice `windows` as they stand at `time`: ended buckets moved on, forgotten ones dropped.
    function moveOn(uint256 windows, uint256 time) internal pure returns (uint256 moved) {
        unchecked {
            // 24 bits of 20 minutes last until the year 2608.
            uint256 index = uint24(time / BUCKET_SECONDS);
            uint256 last = uint24(windows);
            if (index == last) return windows;
            moved = index;
            for (uint256 window; window < WINDOWS; ++window) {
                uint256 length = _bucketLength(window);
                uint256 shift = INDEX_BITS + window * WINDOW_BITS;
                uint256 state = (windows >> shift) & WINDOW_MASK;
                moved |= _pass(state, index / length - last / length) << shift;
            }
        }
    }

    /// @notice Charges `amount` to all four windows, or names the first that has no room for it.
    /// @param terms packed terms
    /// @param windows as {moveOn} gives them
    /// @return reason `None`, or the window without room
    /// @return charged the windows after the charge
    function charge(
        uint256 terms,
        uint256 windows,
        uint256 amount
    ) internal pure returns (ITreasury.Reason reason, uint256 charged) {
        unchecked {
            charged = windows;
            for (uint256 window; window < WINDOWS; ++window) {
                uint256 limit = limitOf(terms, FIRST_WINDOW + window);
                if (limit == NO_LIMIT) continue;
                // limit < 2^128, so partsUp cannot overflow once amount <= limit.
                uint256 parts = amount > limit ? SCALE + 1 : partsUp(amount, limit);
                if (_used(windows, window) + parts > SCALE) {
                    return (ITreasury.Reason(uint8(ITreasury.Reason.Hourly) + uint8(window)), windows);
                }
                charged += parts << (INDEX_BITS + window * WINDOW_BITS);
            }
        }
    }

    /// @notice What may still be charged to one window, rounded down.
    function leftIn(uint256 terms, uint256 windows, uint256 window) internal pure returns (uint256) {
        uint256 limit = limitOf(terms, FIRST_WINDOW + window);
        if (limit == NO_LIMIT) return type(uint256).max;
        uint256 used = _used(windows, window);
        return used < SCALE ? ((SCALE - used) * limit) / SCALE : 0;
    }

    /// @notice The largest amount that would execute now in one payment, without approval.
    function leftAtOnce(uint256 terms, uint256 windows) internal pure returns (uint256 left) {
        left = limitOf(terms, PER_TRANSACTION);
        uint256 limit = limitOf(terms, APPROVAL_ABOVE);
        if (limit < left) left = limit;
        for (uint256 window; window < WINDOWS; ++window) {
            limit = leftIn(terms, windows, window);
            if (limit < left) left = limit;
        }
    }

    /// @notice When one window will have room for `parts` more, if nothing is charged meanwhile.
    /// @param windows as {moveOn} gives them
    /// @return 0 if there is room already, or never will be
    function roomAt(uint256 windows, uint256 window, uint256 parts) internal pure returns (uint256) {
        uint256 length = _bucketLength(window);
        uint256 bucket = uint24(windows) / length;
        uint256 state = windows >> (INDEX_BITS + window * WINDOW_BITS);
        uint256 wanted = _used(windows, window) + parts;
        if (wanted <= SCALE || parts > SCALE) return 0;
        // The oldest bucket is the first to be released.
        for (uint256 ended = ENDED; ended > 0; --ended) {
            uint256 units = (state >> (CURRENT_BITS + (ended - 1) * ENDED_BITS)) & ENDED_MAX;
            wanted -= units << UNIT_BITS;
            if (wanted <= SCALE) return (bucket + ENDED + 1 - ended) * length * BUCKET_SECONDS;
        }
        return (bucket + ENDED + 1) * length * BUCKET_SECONDS;
    }

    /// @notice One window, for showing.
    function usage(
        uint256 terms,
        uint256 windows,
        uint256 window
    ) internal pure returns (ITreasury.WindowUsage memory shown) {
        shown.limit = limitOf(terms, FIRST_WINDOW + window);
        shown.left = leftIn(terms, windows, window);
        uint256 used = _used(windows, window);
        if (used == 0) return shown;
        shown.nextReleaseAt = roomAt(windows, window, used < SCALE ? SCALE - used + 1 : 1);
        shown.freeAt = roomAt(windows, window, SCALE);
    }

    /// @notice Converts the windows from old limits to new ones, rounding up and counting at most the new limit
    /// for each bucket.
    function convert(
        uint256 windows,
        uint256 oldTerms,
        uint256 newTerms
    ) internal pure returns (uint256 converted) {
        converted = uint24(windows);
        for (uint256 window; window < WINDOWS; ++window) {
            uint256 oldLimit = limitOf(oldTerms, FIRST_WINDOW + window);
            uint256 newLimit = limitOf(newTerms, FIRST_WINDOW + window);
            if (newLimit == NO_LIMIT || oldLimit == NO_LIMIT) continue;
            uint256 shift = INDEX_BITS + window * WINDOW_BITS;
            uint256 state = windows >> shift;
            converted |= _convert(state & CURRENT_MASK, oldLimit, newLimit, SCALE) << shift;
            for (uint256 ended; ended < ENDED; ++ended) {
                uint256 at = CURRENT_BITS + ended * ENDED_BITS;
                uint256 units = (state >> at) & ENDED_MAX;
                converted |= _convert(units, oldLimit, newLimit, ENDED_MAX) << (shift + at);
            }
        }
    }

    /// @notice `amount` in parts of `limit`, rounded up. `amount` must not exceed a `limit` below 2^128.
    function partsUp(uint256 amount, uint256 limit) internal pure returns (uint256) {
        unchecked {
            return limit == 0 ? 0 : (amount * SCALE + limit - 1) / limit;
        }
    }

    /// @dev One window's 58 bits after `passed` of its buckets have ended.
    function _pass(uint256 state, uint256 passed) private pure returns (uint256) {
        unchecked {
            if (passed == 0 || state == 0) return state;
            if (passed > ENDED) return 0;
            uint256 latest = ((state & CURRENT_MASK) + UNIT_MASK) >> UNIT_BITS;
            uint256 ended = ((state >> CURRENT_BITS) << ENDED_BITS) | latest;
            return ((ended << ((passed - 1) * ENDED_BITS)) & ENDED_MASK) << CURRENT_BITS;
        }
    }

    /// @dev Anything counted fills a limit of 0, and stays counted so when that is raised again.
    function _convert(
        uint256 count,
        uint256 oldLimit,
        uint256 newLimit,
        uint256 full
    ) private pure returns (uint256 converted) {
        if (count == 0 || oldLimit == 0 || oldLimit == newLimit) return count;
        if (newLimit == 0) return full;
        converted = (count * oldLimit + newLimit - 1) / newLimit;
        if (converted > full) converted = full;
    }

    function _requireLower(uint256 field, uint256 got, uint256 limit) private pure {
        if (got > limit) revert ITreasury.Treasury_NotTightening(field, got, limit);
    }

    function _packLimit(uint256 limit) private pure returns (uint256) {
        if (limit == type(uint128).max) return LIMIT_MASK;
        uint256 mantissa = limit;
        uint256 exponent;
        while (mantissa > MANTISSA_MAX) {
            mantissa /= 10;
            ++exponent;
        }
        uint256 stored = mantissa * 10 ** exponent;
        if (stored != limit) revert ITreasury.Treasury_LimitNotRepresentable(limit, stored);
        return (mantissa << EXPONENT_BITS) | exponent;
    }

    /// @dev Parts that count in one window; may exceed {SCALE} by rounding, or after the limit was lowered.
    function _used(uint256 windows, uint256 window) private pure returns (uint256) {
        unchecked {
            uint256 state = windows >> (INDEX_BITS + window * WINDOW_BITS);
            uint256 ended = (state >> CURRENT_BITS) & ENDED_MASK;
            uint256 units =
                (ended & ENDED_MAX) + ((ended >> ENDED_BITS) & ENDED_MAX) + (ended >> (2 * ENDED_BITS));
            return (state & CURRENT_MASK) + (units << UNIT_BITS);
        }
    }

    function _bucketLength(uint256 window) private pure returns (uint256) {
        unchecked {
            return (BUCKET_LENGTHS >> (window * 16)) & 0xffff;
        }
    }
}
