// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITreasury} from "../interfaces/treasury/ITreasury.sol";

/// @title Budget
/// @notice The bookkeeping of one (spender, token) budget: six limits in one storage slot, four windows in another.
/// @dev Bound: in ANY interval of a window's length, what was charged is at most the window's limit. Proof: time
/// is cut into buckets of a third of the window. A charge counts while its bucket is the current one or one of
/// the three before. Two instants less than a window apart lie in buckets at most three apart, so at the last
/// charge of an interval all earlier charges of that interval still count, and their sum fitted the limit.
/// A charge is released at most a third of a window late.
///
/// A limit is a decimal float, mantissa * 10^exponent with the smallest exponent that fits, and its window counts
/// in steps of 10^exponent: the window is full at `mantissa` steps, and a charge is rounded up to a whole step
/// (limit / 2.6e7 at most; a cent for limits up to 2.6 million USDC). The total that counts is exact; how much of
/// it an ended bucket will release is kept in 1023rds of the limit, rounded down, and the rest is released with
/// the next bucket. So every rounding can only make a budget tighter.
///
/// `terms`: six limits of 33 bits from bit 0 (28 bits mantissa, 5 bits exponent; all ones is "no limit"):
/// perTransaction, approvalAbove, hour, day, week, month; 40 bits validUntil at 198; 12 bits delay, in hours, at 238;
/// flags at 250.
/// `windows`: 24 bits number of the current hour-bucket, then per window 28 bits of steps that count, and three
/// times 10 bits of 1023rds that the ended buckets will release, latest first.
library Budget {
    struct Book {
        uint256 terms;
        uint256 windows;
        /// when its delay was set last, also to none
        uint256 delaySetAt;
    }

    uint256 internal constant LIMITS = 6;
    uint256 internal constant WINDOWS = 4;
    uint256 internal constant NO_LIMIT = type(uint256).max;

    uint256 internal constant PER_TRANSACTION = 0;
    uint256 internal constant APPROVAL_ABOVE = 1;
    uint256 internal constant FIRST_WINDOW = 2;

    uint256 internal constant ACTIVE = 1 << 250;
    uint256 internal constant RECIPIENTS_ONLY = 1 << 251;
    uint256 internal constant FROZEN = 1 << 252;
    uint256 internal constant GROUPED = 1 << 253;
    /// @dev What terms carry beside what {pack} makes of {ITreasury.BudgetTerms}.
    uint256 internal constant MARKS = FROZEN | GROUPED;
    uint256 internal constant DELAY = DELAY_MASK << DELAY_SHIFT;

    /// @dev A third of an hour; the buckets of the longer windows are multiples of it.
    uint256 private constant BUCKET_SECONDS = 20 minutes;
    /// @dev Length of each window's bucket in hour-buckets (1, 24, 168, 720), 16 bits each.
    uint256 private constant BUCKET_LENGTHS = 1 | (24 << 16) | (168 << 32) | (720 << 48);
    /// @dev How many ended buckets still count.
    uint256 private constant ENDED = 3;

    uint256 private constant LIMIT_BITS = 33;
    uint256 private constant LIMIT_MASK = (1 << 33) - 1;
    uint256 private constant EXPONENT_BITS = 5;
    uint256 private constant EXPONENT_MASK = 31;
    uint256 private constant VALID_UNTIL_SHIFT = 198;
    uint256 private constant DELAY_SHIFT = 238;
    uint256 private constant DELAY_MASK = (1 << 12) - 1;

    uint256 private constant INDEX_BITS = 24;
    uint256 private constant WINDOW_BITS = 58;
    uint256 private constant WINDOW_MASK = (1 << 58) - 1;
    uint256 private constant STEPS_BITS = 28;
    uint256 private constant STEPS_MAX = (1 << 28) - 1;
    uint256 private constant SHARE_BITS = 10;
    uint256 private constant SHARE_MAX = 1023;
    uint256 private constant SHARES_BITS = 30;
    uint256 private constant SHARES_MASK = (1 << 30) - 1;

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
            (uint256 mantissa, uint256 step) = _float(terms, field);
            return step == 0 ? NO_LIMIT : mantissa * step;
        }
    }

    /// @notice Seconds that a payment above `approvalAbove` waits if owners neither approve nor cancel it; 0: for ever.
    function delayOf(uint256 terms) internal pure returns (uint256) {
        unchecked {
            return ((terms >> DELAY_SHIFT) & DELAY_MASK) * 1 hours;
        }
    }

    /// @param delay in seconds; {delayOf} counts whole hours
    function withDelay(uint256 terms, uint256 delay) internal pure returns (uint256) {
        return (terms & ~DELAY) | ((delay / 1 hours) << DELAY_SHIFT);
    }

    function validUntil(uint256 terms) internal pure returns (uint256) {
        return uint40(terms >> VALID_UNTIL_SHIFT);
    }

    /// @notice The first second after the bucket of the shortest window that `time` lies in, which every longer
    /// window's bucket contains.
    function bucketEnd(uint256 time) internal pure returns (uint256) {
        return (time / BUCKET_SECONDS + 1) * BUCKET_SECONDS;
    }

    /// @notice `windows` as they stand at `time`: ended buckets moved on, forgotten ones released.
    function moveOn(uint256 terms, uint256 windows, uint256 time) internal pure returns (uint256 moved) {
        unchecked {
            // 24 bits of 20 minutes last until the year 2608.
            uint256 index = uint24(time / BUCKET_SECONDS);
            uint256 last = uint24(windows);
            if (index == last) return windows;
            moved = index;
            for (uint256 window; window < WINDOWS; ++window) {
                uint256 state = _state(windows, window);
                if (state == 0) continue;
                uint256 length = _bucketLength(window);
                uint256 passed = index / length - last / length;
                // The mantissa alone: a window without limit has nothing to move.
                uint256 mantissa =
                    (terms >> ((FIRST_WINDOW + window) * LIMIT_BITS + EXPONENT_BITS)) & STEPS_MAX;
                moved |= _pass(state, mantissa, passed) << _shift(window);
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
                (uint256 mantissa, uint256 step) = _float(terms, FIRST_WINDOW + window);
                if (step == 0) continue;
                uint256 steps = _stepsUp(amount, step);
                uint256 used = _state(windows, window) & STEPS_MAX;
                // Compared one by one, because the sum could overflow.
                if (steps > mantissa || used + steps > mantissa) {
                    return (ITreasury.Reason(uint8(ITreasury.Reason.Hourly) + uint8(window)), windows);
                }
                charged += steps << _shift(window);
            }
        }
    }

    /// @notice What may still be charged to one window; {NO_LIMIT} if it has no limit.
    function leftIn(uint256 terms, uint256 windows, uint256 window) internal pure returns (uint256) {
        (uint256 mantissa, uint256 step) = _float(terms, FIRST_WINDOW + window);
        if (step == 0) return NO_LIMIT;
        uint256 used = _state(windows, window) & STEPS_MAX;
        return used < mantissa ? (mantissa - used) * step : 0;
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

    /// @notice When one window that has no room for `amount` now will have it, if nothing is charged meanwhile.
    /// @param windows as {moveOn} gives them
    /// @return 0 if it never will
    function roomAt(
        uint256 terms,
        uint256 windows,
        uint256 window,
        uint256 amount
    ) internal pure returns (uint256) {
        (uint256 mantissa, uint256 step) = _float(terms, FIRST_WINDOW + window);
        if (amount > mantissa * step) return 0;
        uint256 state = _state(windows, window);
        uint256 wanted = (state & STEPS_MAX) + _stepsUp(amount, step);
        uint256 length = _bucketLength(window);
        uint256 bucket = uint24(windows) / length;
        // The oldest bucket is the first to be released.
        for (uint256 ended = ENDED; ended > 0; --ended) {
            uint256 share = (state >> (STEPS_BITS + (ended - 1) * SHARE_BITS)) & SHARE_MAX;
            wanted -= _released(share, mantissa);
            if (wanted <= mantissa) return (bucket + ENDED + 1 - ended) * length * BUCKET_SECONDS;
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
        if (shown.left == shown.limit) return shown;
        shown.nextReleaseAt = roomAt(terms, windows, window, shown.left + 1);
        shown.freeAt = roomAt(terms, windows, window, shown.limit);
    }

    /// @notice Converts the windows from old limits to new ones, rounding up.
    /// @dev Nothing that counts is forgotten or invented, however often limits change, except while a window has no
    /// limit. A limit so low that its steps cannot count what the window holds is stored in larger steps, rounded down.
    /// @return terms the new terms as they are to be stored
    /// @return converted the windows in their steps
    function convert(
        uint256 windows,
        uint256 oldTerms,
        uint256 newTerms
    ) internal pure returns (uint256 terms, uint256 converted) {
        terms = newTerms;
        converted = uint24(windows);
        for (uint256 window; window < WINDOWS; ++window) {
            uint256 field = FIRST_WINDOW + window;
            (uint256 oldMantissa, uint256 oldStep) = _float(oldTerms, field);
            (uint256 mantissa, uint256 step) = _float(newTerms, field);
            uint256 state = _state(windows, window);
            if (oldStep == 0 || step == 0 || state == 0) continue;
            uint256 code = (newTerms >> (field * LIMIT_BITS)) & LIMIT_MASK;
            while (_stepsUp((state & STEPS_MAX) * oldStep, step) > STEPS_MAX) {
                mantissa /= 10;
                step *= 10;
                code = (mantissa << EXPONENT_BITS) | ((code & EXPONENT_MASK) + 1);
            }
            terms = (terms & ~(LIMIT_MASK << (field * LIMIT_BITS))) | (code << (field * LIMIT_BITS));
            if (oldMantissa != mantissa || oldStep != step) {
                state = _convert(state, oldMantissa, oldStep, mantissa, step);
            }
            converted |= state << _shift(window);
        }
    }

    /// @dev The newest steps are placed first: what has no place in an ended bucket is released later, never earlier.
    function _convert(
        uint256 state,
        uint256 oldMantissa,
        uint256 oldStep,
        uint256 mantissa,
        uint256 step
    ) private pure returns (uint256 converted) {
        uint256 total = _stepsUp((state & STEPS_MAX) * oldStep, step);
        converted = total;
        if (mantissa == 0) return converted;
        uint256 shares = state >> STEPS_BITS;
        uint256 current = ((state & STEPS_MAX) - _releasedAll(shares, oldMantissa)) * oldStep;
        current = _stepsUp(current, step);
        uint256 room = current < total ? total - current : 0;
        for (uint256 ended; ended < ENDED; ++ended) {
            uint256 offset = ended * SHARE_BITS;
            uint256 steps = (_released((shares >> offset) & SHARE_MAX, oldMantissa) * oldStep) / step;
            uint256 share = _shareDown(steps < room ? steps : room, mantissa);
            room -= _released(share, mantissa);
            converted |= share << (STEPS_BITS + offset);
        }
    }

    /// @dev One window's 58 bits after `passed` of its buckets have ended.
    function _pass(uint256 state, uint256 mantissa, uint256 passed) private pure returns (uint256) {
        unchecked {
            if (passed == 0) return state;
            if (passed > ENDED) return 0;
            uint256 steps = state & STEPS_MAX;
            uint256 shares = state >> STEPS_BITS;
            uint256 current = steps - _releasedAll(shares, mantissa);
            shares = (shares << SHARE_BITS) | _shareDown(current, mantissa);
            shares <<= (passed - 1) * SHARE_BITS;
            steps -= _releasedAll(shares >> SHARES_BITS, mantissa);
            return steps | ((shares & SHARES_MASK) << STEPS_BITS);
        }
    }

    /// @dev The largest share whose release is at most `steps`.
    function _shareDown(uint256 steps, uint256 mantissa) private pure returns (uint256) {
        unchecked {
            if (steps >= mantissa) return mantissa == 0 ? 0 : SHARE_MAX;
            return (steps * SHARE_MAX) / mantissa;
        }
    }

    /// @dev Steps that one share releases.
    function _released(uint256 share, uint256 mantissa) private pure returns (uint256) {
        unchecked {
            return (share * mantissa) / SHARE_MAX;
        }
    }

    /// @dev Steps that three shares release.
    function _releasedAll(uint256 shares, uint256 mantissa) private pure returns (uint256) {
        unchecked {
            if (shares == 0) return 0;
            return
                _released(shares & SHARE_MAX, mantissa) +
                _released((shares >> SHARE_BITS) & SHARE_MAX, mantissa) +
                _released(shares >> (2 * SHARE_BITS), mantissa);
        }
    }

    function _requireLower(uint256 field, uint256 got, uint256 limit) private pure {
        if (got > limit) revert ITreasury.Treasury_NotTightening(field, got, limit);
    }

    function _packLimit(uint256 limit) private pure returns (uint256) {
        if (limit == type(uint128).max) return LIMIT_MASK;
        uint256 mantissa = limit;
        uint256 exponent;
        while (mantissa >= STEPS_MAX) {
            mantissa /= 10;
            ++exponent;
        }
        uint256 stored = mantissa * 10 ** exponent;
        if (stored != limit) revert ITreasury.Treasury_LimitNotRepresentable(limit, stored);
        return (mantissa << EXPONENT_BITS) | exponent;
    }

    /// @return mantissa steps that fill the limit
    /// @return step in base units; 0 if there is no limit
    function _float(uint256 terms, uint256 field) private pure returns (uint256 mantissa, uint256 step) {
        unchecked {
            uint256 code = (terms >> (field * LIMIT_BITS)) & LIMIT_MASK;
            if (code != LIMIT_MASK) return (code >> EXPONENT_BITS, 10 ** (code & EXPONENT_MASK));
        }
    }

    function _stepsUp(uint256 amount, uint256 step) private pure returns (uint256) {
        unchecked {
            return amount / step + (amount % step == 0 ? 0 : 1);
        }
    }

    function _state(uint256 windows, uint256 window) private pure returns (uint256) {
        return (windows >> _shift(window)) & WINDOW_MASK;
    }

    function _shift(uint256 window) private pure returns (uint256) {
        unchecked {
            return INDEX_BITS + window * WINDOW_BITS;
        }
    }

    function _bucketLength(uint256 window) private pure returns (uint256) {
        unchecked {
            return (BUCKET_LENGTHS >> (window * 16)) & 0xffff;
        }
    }
}
