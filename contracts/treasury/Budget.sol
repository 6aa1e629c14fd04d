// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITreasury} from "../interfaces/ITreasury.sol";

/// @title Budget
/// @notice The bookkeeping of one (spender, token) budget: six limits in one slot, four windows in another, and
/// a third slot that is touched only when a bucket ends.
/// @dev Bound: in ANY interval of a window's length, what was charged is at most the window's limit. Proof: time
/// is cut into buckets of a third of the window. A charge counts while its bucket is the current one or one of
/// the three before. Two instants less than a window apart lie in buckets at most three apart, so at the last
/// charge of an interval all earlier charges of that interval still count, and their sum fitted the limit.
/// A charge is released at most a third of a window late.
///
/// Amounts are kept as parts of the limit, {SCALE} parts being the whole, rounded up at each charge: windows
/// need no room for large numbers, and rounding can only make a budget tighter (by less than limit / SCALE each).
///
/// `terms`:  six limits of 35 bits from bit 0 (decimal floats: 30 bits mantissa, 5 bits exponent of ten; all ones
/// is "no limit"): perTransaction, approvalAbove, hour, day, week, month; 40 bits validUntil at 210; flags at 250.
/// `recent`: 24 bits number of the current hour-bucket; per window 29 bits current bucket, 29 bits the sum of
/// the three before.
/// `older`:  per window 29 bits the bucket before the current, 29 bits the one before that (the third is the rest
/// of the sum).
library Budget {
    struct Book {
        uint256 terms;
        uint256 recent;
        uint256 older;
    }

    uint256 internal constant WINDOWS = 4;
    uint256 internal constant SCALE = (1 << 29) - 1;
    uint256 internal constant NO_LIMIT = type(uint128).max;

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

    uint256 private constant LIMIT_BITS = 35;
    uint256 private constant LIMIT_MASK = (1 << 35) - 1;
    uint256 private constant EXPONENT_BITS = 5;
    uint256 private constant EXPONENT_MASK = 31;
    uint256 private constant MANTISSA_MAX = (1 << 30) - 1;
    uint256 private constant VALID_UNTIL_SHIFT = 210;
    uint256 private constant INDEX_BITS = 24;
    uint256 private constant PART_BITS = 29;
    uint256 private constant PAIR_BITS = 58;

    /// @notice Packs terms into one word; `flags` are added as they are.
    function pack(
        ITreasury.BudgetTerms calldata terms,
        uint256 flags
    ) internal pure returns (uint256 packed) {
        packed = flags | (uint256(terms.validUntil) << VALID_UNTIL_SHIFT);
        if (terms.recipientsOnly) packed |= RECIPIENTS_ONLY;
        packed |= _packLimit(terms.perTransaction);
        packed |= _packLimit(terms.approvalAbove) << LIMIT_BITS;
        packed |= _packLimit(terms.hourly) << (2 * LIMIT_BITS);
        packed |= _packLimit(terms.daily) << (3 * LIMIT_BITS);
        packed |= _packLimit(terms.weekly) << (4 * LIMIT_BITS);
        packed |= _packLimit(terms.monthly) << (5 * LIMIT_BITS);
    }

    function unpack(uint256 terms) internal pure returns (ITreasury.BudgetTerms memory unpacked) {
        // Limits are at most 2^128 - 1, since they were packed from uint128.
        unpacked.perTransaction = uint128(limitOf(terms, 0));
        unpacked.approvalAbove = uint128(limitOf(terms, 1));
        unpacked.hourly = uint128(limitOf(terms, 2));
        unpacked.daily = uint128(limitOf(terms, 3));
        unpacked.weekly = uint128(limitOf(terms, 4));
        unpacked.monthly = uint128(limitOf(terms, 5));
        unpacked.validUntil = uint40(validUntil(terms));
        unpacked.recipientsOnly = terms & RECIPIENTS_ONLY != 0;
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

    /// @notice The windows as they stand at `time`: ended buckets moved on, forgotten ones dropped.
    /// @return recent new value of {Book.recent}
    /// @return older new value of {Book.older}; 0 and not read if `isSame`
    /// @return isSame whether the bucket of the hour is still the same, so that `older` is not touched
    function windowsAt(
        Book storage book,
        uint256 time
    ) internal view returns (uint256 recent, uint256 older, bool isSame) {
        unchecked {
            uint256 stored = book.recent;
            // 24 bits of 20 minutes last until the year 2608.
            uint256 index = uint24(time / BUCKET_SECONDS);
            uint256 last = uint24(stored);
            if (index == last) return (stored, 0, true);

            recent = index;
            if (stored >> INDEX_BITS == 0) return (recent, 0, false);
            uint256 storedOlder = book.older;
            for (uint256 window; window < WINDOWS; ++window) {
                uint256 length = _bucketLength(window);
                uint256 passed = index / length - last / length;
                (uint256 pair, uint256 olderPair) = _move(stored, storedOlder, window, passed);
                recent |= pair << (INDEX_BITS + window * PAIR_BITS);
                older |= olderPair << (window * PAIR_BITS);
            }
        }
    }

    /// @notice The windows as {windowsAt} gives them, with `older` also if the bucket is the same.
    function read(Book storage book, uint256 time) internal view returns (uint256 recent, uint256 older) {
        bool isSame;
        (recent, older, isSame) = windowsAt(book, time);
        if (isSame) older = book.older;
    }

    /// @notice Charges `amount` to all four windows, or names the first that has no room for it.
    /// @param terms packed terms
    /// @param recent as {windowsAt} gives it
    /// @return reason `None`, or the window without room
    /// @return charged new value of {Book.recent}
    function charge(
        uint256 terms,
        uint256 recent,
        uint256 amount
    ) internal pure returns (ITreasury.Reason reason, uint256 charged) {
        unchecked {
            charged = recent;
            for (uint256 window; window < WINDOWS; ++window) {
                uint256 limit = limitOf(terms, FIRST_WINDOW + window);
                if (limit == NO_LIMIT) continue;
                uint256 used = _used(recent, window);
                // limit < 2^128, so the product below cannot overflow once amount <= limit.
                if (amount > limit || partsUp(amount, limit) > SCALE - used) {
                    return (ITreasury.Reason(uint8(ITreasury.Reason.Hourly) + uint8(window)), recent);
                }
                charged += partsUp(amount, limit) << (INDEX_BITS + window * PAIR_BITS);
            }
        }
    }

    /// @notice What may still be charged to one window, rounded down.
    function leftIn(uint256 terms, uint256 recent, uint256 window) internal pure returns (uint256) {
        uint256 limit = limitOf(terms, FIRST_WINDOW + window);
        if (limit == NO_LIMIT) return type(uint256).max;
        return ((SCALE - _used(recent, window)) * limit) / SCALE;
    }

    /// @notice The largest amount that would execute now in one payment, without approval.
    function leftAtOnce(uint256 terms, uint256 recent) internal pure returns (uint256 left) {
        left = limitOf(terms, PER_TRANSACTION);
        uint256 limit = limitOf(terms, APPROVAL_ABOVE);
        if (limit < left) left = limit;
        for (uint256 window; window < WINDOWS; ++window) {
            limit = leftIn(terms, recent, window);
            if (limit < left) left = limit;
        }
    }

    /// @notice When one window will have room for `parts`, if nothing more is charged; 0 if never.
    /// @param recent as {windowsAt} gives it
    /// @param older as {windowsAt} gives it, or what is stored if `isSame`
    function roomAt(
        uint256 recent,
        uint256 older,
        uint256 window,
        uint256 parts
    ) internal pure returns (uint256) {
        (uint256 current, uint256 sum, uint256 one, uint256 two) = _buckets(recent, older, window);
        uint256 length = _bucketLength(window);
        uint256 bucket = uint24(recent) / length;
        uint256 seconds_ = length * BUCKET_SECONDS;
        uint256 room = SCALE - current - sum;
        room += sum - one - two;
        if (parts <= room) return (bucket + 1) * seconds_;
        room += two;
        if (parts <= room) return (bucket + 2) * seconds_;
        room += one;
        if (parts <= room) return (bucket + 3) * seconds_;
        room += current;
        return parts <= room ? (bucket + 4) * seconds_ : 0;
    }

    /// @notice One window, for showing.
    function usage(
        uint256 terms,
        uint256 recent,
        uint256 older,
        uint256 window
    ) internal pure returns (ITreasury.WindowUsage memory shown) {
        shown.limit = limitOf(terms, FIRST_WINDOW + window);
        shown.left = leftIn(terms, recent, window);
        uint256 used = _used(recent, window);
        if (used == 0) return shown;
        shown.nextReleaseAt = roomAt(recent, older, window, SCALE - used + 1);
        shown.freeAt = roomAt(recent, older, window, SCALE);
    }

    /// @notice Converts the windows from old limits to new ones, rounding up and counting at most the new limit.
    function convert(
        uint256 recent,
        uint256 older,
        uint256 oldTerms,
        uint256 newTerms
    ) internal pure returns (uint256 newRecent, uint256 newOlder) {
        newRecent = uint24(recent);
        for (uint256 window; window < WINDOWS; ++window) {
            uint256 oldLimit = limitOf(oldTerms, FIRST_WINDOW + window);
            uint256 newLimit = limitOf(newTerms, FIRST_WINDOW + window);
            if (newLimit == NO_LIMIT || oldLimit == NO_LIMIT) continue;
            (uint256 current, uint256 sum, uint256 one, uint256 two) = _buckets(recent, older, window);
            uint256 three = sum - one - two;
            // Newest first: what is counted longest is the last to be cut off at the new limit.
            uint256 room = SCALE;
            current = _convert(current, oldLimit, newLimit, room);
            room -= current;
            one = _convert(one, oldLimit, newLimit, room);
            room -= one;
            two = _convert(two, oldLimit, newLimit, room);
            room -= two;
            three = _convert(three, oldLimit, newLimit, room);
            uint256 shift = window * PAIR_BITS;
            newRecent |= (current | ((one + two + three) << PART_BITS)) << (INDEX_BITS + shift);
            newOlder |= (one | (two << PART_BITS)) << shift;
        }
    }

    /// @notice `amount` in parts of `limit`, rounded up. `amount` must not exceed a `limit` below 2^128.
    function partsUp(uint256 amount, uint256 limit) internal pure returns (uint256) {
        unchecked {
            return limit == 0 ? 0 : (amount * SCALE + limit - 1) / limit;
        }
    }

    /// @dev Anything counted fills a limit of 0, and stays counted so when that is raised again.
    function _convert(
        uint256 parts,
        uint256 oldLimit,
        uint256 newLimit,
        uint256 room
    ) private pure returns (uint256 converted) {
        if (oldLimit == newLimit || oldLimit == 0 || parts == 0) converted = parts;
        else if (newLimit == 0) converted = room;
        else converted = (parts * oldLimit + newLimit - 1) / newLimit;
        if (converted > room) converted = room;
    }

    /// @dev One window after `passed` of its buckets have ended.
    function _move(
        uint256 recent,
        uint256 older,
        uint256 window,
        uint256 passed
    ) private pure returns (uint256 pair, uint256 olderPair) {
        unchecked {
            (uint256 current, uint256 sum, uint256 one, uint256 two) = _buckets(recent, older, window);
            if (passed == 0) return (current | (sum << PART_BITS), one | (two << PART_BITS));
            if (passed == 1) return ((current + one + two) << PART_BITS, current | (one << PART_BITS));
            if (passed == 2) return ((current + one) << PART_BITS, current << PART_BITS);
            if (passed == 3) return (current << PART_BITS, 0);
        }
    }

    function _packLimit(uint256 limit) private pure returns (uint256) {
        if (limit == NO_LIMIT) return LIMIT_MASK;
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

    function _used(uint256 recent, uint256 window) private pure returns (uint256) {
        unchecked {
            uint256 pair = recent >> (INDEX_BITS + window * PAIR_BITS);
            return (pair & SCALE) + ((pair >> PART_BITS) & SCALE);
        }
    }

    function _buckets(
        uint256 recent,
        uint256 older,
        uint256 window
    ) private pure returns (uint256 current, uint256 sum, uint256 one, uint256 two) {
        unchecked {
            uint256 shift = window * PAIR_BITS;
            recent >>= INDEX_BITS + shift;
            older >>= shift;
            return (
                recent & SCALE,
                (recent >> PART_BITS) & SCALE,
                older & SCALE,
                (older >> PART_BITS) & SCALE
            );
        }
    }

    function _bucketLength(uint256 window) private pure returns (uint256) {
        unchecked {
            return (BUCKET_LENGTHS >> (window * 16)) & 0xffff;
        }
    }
}
