// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITreasury} from "../../../contracts/interfaces/treasury/ITreasury.sol";
import {Budget} from "../../../contracts/treasury/Budget.sol";
import {TreasuryFixture} from "../support/TreasuryFixture.sol";

/// @notice The bound that each window guarantees over any interval of its length, under random schedules.
contract WindowsTest is TreasuryFixture {
    uint256 private constant ROUNDS = 24;

    struct Entry {
        uint256 time;
        uint256 amount;
    }

    Entry[] private _spent;

    function testFuzz_hour_holdsOverAnyInterval(uint256 seed, uint128 limit) public {
        _holds(0, 1 hours, seed, limit);
    }

    function testFuzz_day_holdsOverAnyInterval(uint256 seed, uint128 limit) public {
        _holds(1, 1 days, seed, limit);
    }

    function testFuzz_week_holdsOverAnyInterval(uint256 seed, uint128 limit) public {
        _holds(2, 7 days, seed, limit);
    }

    function testFuzz_month_holdsOverAnyInterval(uint256 seed, uint128 limit) public {
        _holds(3, 30 days, seed, limit);
    }

    /// @dev Hour-buckets that end leave the longer windows alone: their figures lie side by side in one slot.
    function testFuzz_longerWindows_areExactWhileHoursPass(uint256 seed) public {
        ITreasury.BudgetTerms memory terms = _only(0, uint128(100 * UNIT));
        (terms.daily, terms.weekly, terms.monthly) = (
            uint128(1e6 * UNIT),
            uint128(1e6 * UNIT),
            uint128(1e6 * UNIT)
        );
        _setBudget(agent, address(token), terms);
        // The first moment of a month's bucket, so that none of theirs ends within the test.
        vm.warp((START / 10 days + 1) * 10 days);
        uint256 spent;
        for (uint256 i; i < 12; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 amount = bound(seed, 1, 24) * UNIT;
            if (_trySpend(amount)) spent += amount;
            vm.warp(block.timestamp + 20 minutes);
            ITreasury.WindowUsage[4] memory usage = treasury.usageOf(agent, address(token));
            for (uint256 window = 1; window < 4; ++window)
                assertEq(usage[window].limit - usage[window].left, spent, "spent");
        }
    }

    /// @dev A third of a window late at most: then all of the limit can be spent again in one payment.
    function testFuzz_everyWindow_isFreeAfterFourThirds(
        uint256 window,
        uint256 offset,
        uint256 amount
    ) public {
        window = bound(window, 0, 3);
        uint256 length = [uint256(1 hours), 1 days, 7 days, 30 days][window];
        _setBudget(agent, address(token), _only(window, uint128(100 * UNIT)));
        vm.warp(START + bound(offset, 0, 60 days));
        _pay(bound(amount, 1, 100 * UNIT));
        vm.warp(block.timestamp + (length * 4) / 3);
        _pay(100 * UNIT);
    }

    /// @dev What is left can be spent to the last unit, and not one more, whenever payments are whole steps.
    function testFuzz_left_canBeSpentExactly(uint256 window, uint256 first, uint256 later) public {
        window = bound(window, 0, 3);
        _setBudget(agent, address(token), _only(window, uint128(100 * UNIT)));
        first = bound(first, 1, 100 * UNIT - 1);
        _pay(first);
        vm.warp(START + bound(later, 0, 40 days));
        uint256 left = treasury.usageOf(agent, address(token))[window].left;
        vm.expectPartialRevert(ITreasury.Treasury_SpendDenied.selector);
        _pay(left + 1);
        _pay(left);
        assertEq(treasury.usageOf(agent, address(token))[window].left, 0, "left");
    }

    /// @dev Against an exact model with a list of all charges: never looser, and tighter by a 1023rd at most.
    function testFuzz_window_followsTheExactModel(uint256 seed, uint256 limit) public {
        limit = bound(limit, 2_000, 268_435_454);
        _setBudget(agent, address(token), _only(1, uint128(limit)));
        for (uint256 i; i < ROUNDS; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            vm.warp(block.timestamp + _gap(seed, 1 days));
            uint256 exact = _countedByModel(8 hours);
            uint256 used = limit - treasury.usageOf(agent, address(token))[1].left;
            assertLe(exact, used, "never looser");
            assertLe(used, exact + limit / 1023 + 2, "hardly tighter");
            _trySpend(bound(seed >> 128, 1, limit / 4));
        }
    }

    /// @dev Limits that change at random: whatever is paid fits the limit in force, over the whole interval.
    function testFuzz_window_holdsWhileLimitsChange(uint256 seed) public {
        uint256 limit = 1_000 * UNIT;
        _setBudget(agent, address(token), _only(1, uint128(limit)));
        for (uint256 i; i < ROUNDS; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            vm.warp(block.timestamp + _gap(seed, 1 days));
            if (seed % 3 == 0) {
                limit = ((seed >> 64) % 1_000) * 10 ** ((seed >> 32) % 13);
                _setBudget(agent, address(token), _only(1, uint128(limit)));
            }
            if (!_trySpend(bound(seed >> 128, 1, limit + 1))) continue;
            assertLe(_sumSince(block.timestamp - 1 days), limit, "interval");
        }
    }

    function testFuzz_roomAt_isTheFirstMomentWithRoom(uint256 seed, uint256 amount) public {
        for (uint256 i; i < 8; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            vm.warp(block.timestamp + _gap(seed, 1 hours));
            _trySpend(bound(seed >> 128, 1, 50 * UNIT));
        }
        amount = bound(amount, 1, 50 * UNIT);
        (, ITreasury.Reason reason, , uint256 resetsAt) = treasury.canSpend(
            agent,
            address(token),
            payee,
            amount
        );
        if (reason != ITreasury.Reason.Hourly) return;
        vm.warp(resetsAt - 1);
        (, reason, , ) = treasury.canSpend(agent, address(token), payee, amount);
        assertTrue(reason == ITreasury.Reason.Hourly, "not before");
        vm.warp(resetsAt);
        (, reason, , ) = treasury.canSpend(agent, address(token), payee, amount);
        assertTrue(reason != ITreasury.Reason.Hourly, "then");
    }

    function _holds(uint256 window, uint256 length, uint256 seed, uint128 limit) private {
        limit = _storable(limit);
        _setBudget(agent, address(token), _only(window, limit));
        token.mint(address(treasury), type(uint200).max);
        for (uint256 i; i < ROUNDS; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            vm.warp(block.timestamp + _gap(seed, length));
            uint256 amount = bound(seed >> 128, 1, uint256(limit) + 1);
            // Often the very rest, which is where a bound would break first.
            if (seed % 4 == 0) amount = treasury.usageOf(agent, address(token))[window].left;
            if (!_trySpend(amount)) continue;
            assertLe(_sumSince(block.timestamp - length), limit, "interval");
        }
    }

    function _trySpend(uint256 amount) private returns (bool paid) {
        bytes32 ref = _ref();
        vm.prank(agent);
        try treasury.pay(address(token), payee, amount, ref) {
            _spent.push(Entry(block.timestamp, amount));
            return true;
        } catch {
            return false;
        }
    }

    /// @dev Jumps of every size: none, a second, parts of a bucket, to a bucket's edge, whole windows.
    function _gap(uint256 seed, uint256 length) private view returns (uint256) {
        uint256 kind = (seed >> 16) % 6;
        uint256 bucket = length / 3;
        if (kind == 0) return 0;
        if (kind == 1) return 1;
        if (kind == 2) return (seed >> 24) % bucket;
        if (kind == 3) return bucket - (block.timestamp % bucket);
        if (kind == 4) return bucket - (block.timestamp % bucket) + bucket - 1;
        return (seed >> 24) % (2 * length);
    }

    function _sumSince(uint256 from) private view returns (uint256 sum) {
        for (uint256 i = _spent.length; i > 0 && _spent[i - 1].time >= from; --i) sum += _spent[i - 1].amount;
    }

    function _countedByModel(uint256 bucket) private view returns (uint256 sum) {
        for (uint256 i; i < _spent.length; ++i) {
            if (block.timestamp / bucket - _spent[i].time / bucket <= 3) sum += _spent[i].amount;
        }
    }

    function _only(uint256 window, uint128 limit) private pure returns (ITreasury.BudgetTerms memory terms) {
        terms = _unlimited();
        if (window == 0) terms.hourly = limit;
        if (window == 1) terms.daily = limit;
        if (window == 2) terms.weekly = limit;
        if (window == 3) terms.monthly = limit;
    }

    /// @dev The nearest limit below that eight digits hold.
    function _storable(uint128 limit) private pure returns (uint128) {
        uint128 step = 1;
        while (limit / step > 99_999_999) step *= 10;
        return (limit / step) * step;
    }
}
