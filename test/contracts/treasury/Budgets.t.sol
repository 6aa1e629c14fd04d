// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITreasury} from "../../../contracts/interfaces/treasury/ITreasury.sol";
import {TreasuryFixture} from "../support/TreasuryFixture.sol";

contract BudgetsTest is TreasuryFixture {
    function test_setBudget_bySelf_isReadBackAsSet() public {
        ITreasury.BudgetTerms memory terms = ITreasury.BudgetTerms(
            1,
            0,
            268_435_454,
            NO_LIMIT,
            1e31,
            5e37,
            77,
            true
        );
        vm.expectEmit();
        emit ITreasury.BudgetSet(stranger, address(token), terms);
        _setBudget(stranger, address(token), terms);
        (ITreasury.BudgetTerms memory got, bool active, ) = treasury.budgetOf(stranger, address(token));
        assertEq(abi.encode(got), abi.encode(terms), "terms");
        assertTrue(active, "active");
        assertEq(treasury.tokensOf(stranger).length, 1, "tokens");
    }

    function testFuzz_setBudget_anyLimitOfEightDigits_isKeptExactly(uint256 digits, uint256 zeros) public {
        digits = bound(digits, 0, 99_999_999);
        zeros = bound(zeros, 0, 29);
        ITreasury.BudgetTerms memory terms = _terms();
        terms.weekly = uint128(digits * 10 ** zeros);
        _setBudget(stranger, address(token), terms);
        (ITreasury.BudgetTerms memory got, , ) = treasury.budgetOf(stranger, address(token));
        assertEq(got.weekly, terms.weekly, "weekly");
    }

    function testFuzz_setBudget_anyOtherLimit_revertsWithTheNearestBelow(uint128 limit) public {
        if (limit == NO_LIMIT) limit = 1;
        uint256 step = 1;
        while (limit / step > 268_435_454) step *= 10;
        ITreasury.BudgetTerms memory terms = _terms();
        terms.daily = limit;
        uint256 nearest = (limit / step) * step;
        if (nearest != limit) {
            vm.expectRevert(
                abi.encodeWithSelector(ITreasury.Treasury_LimitNotRepresentable.selector, limit, nearest)
            );
        }
        _setBudget(stranger, address(token), terms);
    }

    function test_setBudget_forNoOneOrTheTreasury_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_SpenderInvalid.selector, address(0)));
        _setBudget(address(0), address(token), _terms());
        vm.expectRevert(
            abi.encodeWithSelector(ITreasury.Treasury_SpenderInvalid.selector, address(treasury))
        );
        _setBudget(address(treasury), address(token), _terms());
    }

    function test_setBudget_inThirtyThreeTokens_reverts() public {
        for (uint256 i = 1; i < 32; ++i) _setBudget(agent, address(uint160(i)), _terms());
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_TooManyTokens.selector, 33, 32));
        _setBudget(agent, address(uint160(99)), _terms());
    }

    function test_setBudget_raised_keepsWhatIsSpent() public {
        _pay(50 * UNIT);
        ITreasury.BudgetTerms memory terms = _terms();
        terms.hourly = uint128(1_000_000 * UNIT);
        _setBudget(agent, address(token), terms);
        ITreasury.WindowUsage[4] memory usage = treasury.usageOf(agent, address(token));
        assertEq(usage[0].left, 999_950 * UNIT, "hour");
        assertEq(usage[1].left, 350 * UNIT, "day");
    }

    function test_lowerBudget_byOneOwner_countsAtOnce() public {
        _pay(50 * UNIT);
        ITreasury.BudgetTerms memory terms = _terms();
        terms.hourly = uint128(60 * UNIT);
        vm.expectEmit();
        emit ITreasury.BudgetLowered(agent, address(token), terms, owners[1]);
        vm.prank(owners[1]);
        treasury.lowerBudget(agent, address(token), terms);
        assertEq(treasury.usageOf(agent, address(token))[0].left, 10 * UNIT, "left");
        _expectDenied(ITreasury.Reason.Hourly, 10 * UNIT + 1, 10 * UNIT, START + 80 minutes);
        _pay(10 * UNIT + 1);
    }

    function test_lowerBudget_belowWhatIsSpent_leavesNothing() public {
        _pay(50 * UNIT);
        ITreasury.BudgetTerms memory terms = _terms();
        terms.hourly = uint128(20 * UNIT);
        vm.prank(owners[1]);
        treasury.lowerBudget(agent, address(token), terms);
        assertEq(treasury.usageOf(agent, address(token))[0].left, 0, "left");
        vm.warp(START + 80 minutes);
        assertEq(treasury.usageOf(agent, address(token))[0].left, 20 * UNIT, "left later");
    }

    function test_lowerBudget_toNothing_stopsSpending() public {
        ITreasury.BudgetTerms memory nothing;
        vm.prank(owners[0]);
        treasury.lowerBudget(agent, address(token), nothing);
        _expectDenied(ITreasury.Reason.Expired, 1, 0, 0);
        _pay(1);
    }

    function test_lowerBudget_toZeroAndBack_restoresAllButWhatIsSpent() public {
        _pay(50 * UNIT);
        ITreasury.BudgetTerms memory nothing;
        vm.prank(owners[0]);
        treasury.lowerBudget(agent, address(token), nothing);
        _expectDenied(ITreasury.Reason.Expired, 1, 0, 0);
        _pay(1);
        _setBudget(agent, address(token), _terms());
        assertEq(treasury.usageOf(agent, address(token))[0].left, 150 * UNIT, "of the hour");
        assertEq(treasury.usageOf(agent, address(token))[3].left, 1_550 * UNIT, "of the month");
    }

    function test_lowerBudget_farAndBack_restoresAllButWhatIsSpent() public {
        ITreasury.BudgetTerms memory high = _unlimited();
        high.monthly = uint128(1_600 * UNIT);
        _setBudget(agent, address(token), high);
        _pay(450 * UNIT);
        ITreasury.BudgetTerms memory low = _unlimited();
        // 450,000,000 single steps are more than a window of 28 bits can count, so it counts in steps of ten.
        low.monthly = uint128(200 * UNIT + 5);
        vm.prank(owners[0]);
        treasury.lowerBudget(agent, address(token), low);
        (ITreasury.BudgetTerms memory stored, , ) = treasury.budgetOf(agent, address(token));
        assertEq(stored.monthly, 200 * UNIT, "rounded down");
        assertEq(treasury.usageOf(agent, address(token))[3].left, 0, "nothing left");
        _setBudget(agent, address(token), high);
        assertEq(treasury.usageOf(agent, address(token))[3].left, 1_150 * UNIT, "restored");
        vm.warp(START + 40 days);
        assertEq(treasury.usageOf(agent, address(token))[3].left, 1_600 * UNIT, "all is released");
    }

    /// @dev Lowered to anything, any number of times, and restored: what is left is the limit less what was spent, to a
    ///      step of the limit.
    function testFuzz_lowerBudget_andBack_restores(uint128 limit, uint256 spent, uint256 seed) public {
        ITreasury.BudgetTerms memory high = _unlimited();
        limit = uint128(bound(limit, 1, 99_999_999)) * uint128(10) ** uint128(seed % 12);
        high.weekly = limit;
        spent = bound(spent, 1, limit);
        token.mint(address(treasury), spent);
        _setBudget(agent, address(token), high);
        _pay(spent);
        ITreasury.BudgetTerms memory low = high;
        for (uint256 i; i < 3; ++i) {
            (ITreasury.BudgetTerms memory stored, , ) = treasury.budgetOf(agent, address(token));
            low.weekly = seed % 5 == 0 ? 0 : stored.weekly / uint128(10) ** uint128(seed % 7);
            seed = uint256(keccak256(abi.encode(seed)));
            if (low.weekly > 99_999_999) low.weekly -= low.weekly % uint128(1e13);
            vm.prank(owners[0]);
            treasury.lowerBudget(agent, address(token), low);
        }
        high.weekly = limit;
        _setBudget(agent, address(token), high);
        uint256 left = treasury.usageOf(agent, address(token))[2].left;
        uint256 step = uint256(limit) / 26_000_000 + 1;
        assertLe(left, limit - spent, "never more");
        assertLe(limit - spent, left + 3 * step, "never less by more than rounding");
    }

    function test_lowerBudget_thatLoosensAnything_revertsNamingIt() public {
        for (uint256 i; i < 8; ++i) {
            ITreasury.BudgetTerms memory tight = _terms();
            tight.recipientsOnly = true;
            tight.validUntil = 100;
            _setBudget(stranger, address(token), tight);
            uint256 got = 1;
            uint256 limit = 0;
            if (i == 0) (got, limit) = (NO_LIMIT, tight.perTransaction);
            if (i == 0) tight.perTransaction = NO_LIMIT;
            if (i == 1) (got, limit, tight.approvalAbove) = (60 * UNIT, 50 * UNIT, uint128(60 * UNIT));
            if (i == 2) (got, limit, tight.hourly) = (201 * UNIT, 200 * UNIT, uint128(201 * UNIT));
            if (i == 3) (got, limit, tight.daily) = (401 * UNIT, 400 * UNIT, uint128(401 * UNIT));
            if (i == 4) (got, limit, tight.weekly) = (801 * UNIT, 800 * UNIT, uint128(801 * UNIT));
            if (i == 5) (got, limit, tight.monthly) = (1_601 * UNIT, 1_600 * UNIT, uint128(1_601 * UNIT));
            if (i == 6) (got, limit, tight.validUntil) = (101, 100, 101);
            if (i == 7) (got, limit, tight.recipientsOnly) = (0, 1, false);
            // "No limit" compares as the largest number there is.
            if (i == 0) got = type(uint256).max;
            vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_NotTightening.selector, i, got, limit));
            vm.prank(owners[0]);
            treasury.lowerBudget(stranger, address(token), tight);
        }
    }

    function test_lowerBudget_ofNone_reverts() public {
        vm.expectRevert(
            abi.encodeWithSelector(ITreasury.Treasury_BudgetMissing.selector, stranger, address(token))
        );
        vm.prank(owners[0]);
        treasury.lowerBudget(stranger, address(token), _terms());
    }

    function test_lowerBudget_ofAFrozenSpender_staysFrozen() public {
        vm.startPrank(owners[0]);
        treasury.freeze(agent);
        treasury.lowerBudget(agent, address(token), _terms());
        vm.stopPrank();
        _expectDenied(ITreasury.Reason.Frozen, 1, 0, 0);
        _pay(1);
    }

    function test_removeBudget_byOneOwner_stopsSpending() public {
        vm.expectEmit();
        emit ITreasury.BudgetRemoved(agent, address(token), owners[2]);
        vm.prank(owners[2]);
        treasury.removeBudget(agent, address(token));
        (, bool active, ) = treasury.budgetOf(agent, address(token));
        assertFalse(active, "active");
        assertEq(treasury.tokensOf(agent).length, 0, "tokens");
        _expectDenied(ITreasury.Reason.NoBudget, 1, 0, 0);
        _pay(1);
    }

    function test_removeBudget_andSetAgain_forgetsNothing() public {
        _pay(50 * UNIT);
        vm.prank(owners[2]);
        treasury.removeBudget(agent, address(token));
        _setBudget(agent, address(token), _terms());
        assertEq(treasury.usageOf(agent, address(token))[0].left, 150 * UNIT, "left");
    }

    function test_removeBudget_ofNone_reverts() public {
        vm.expectRevert(
            abi.encodeWithSelector(ITreasury.Treasury_BudgetMissing.selector, stranger, address(token))
        );
        vm.prank(owners[0]);
        treasury.removeBudget(stranger, address(token));
    }

    function test_recipients_areAllowedBySelfAndDeniedByOneOwner() public {
        address[] memory list = new address[](2);
        (list[0], list[1]) = (payee, stranger);
        vm.expectEmit();
        emit ITreasury.RecipientAllowed(agent, payee);
        vm.expectEmit();
        emit ITreasury.RecipientAllowed(agent, stranger);
        vm.prank(address(treasury));
        treasury.allowRecipients(agent, list);
        assertTrue(treasury.isRecipientAllowed(agent, payee), "allowed");
        vm.expectEmit();
        emit ITreasury.RecipientDenied(agent, payee, owners[0]);
        vm.prank(owners[0]);
        treasury.denyRecipients(agent, list);
        assertFalse(treasury.isRecipientAllowed(agent, payee), "denied");
        assertFalse(treasury.isRecipientAllowed(agent, stranger), "denied too");
    }

    function test_tightening_byAStranger_reverts() public {
        address[] memory list = new address[](1);
        bytes[7] memory tightenings = [
            abi.encodeCall(treasury.lowerBudget, (agent, address(token), _terms())),
            abi.encodeCall(treasury.removeBudget, (agent, address(token))),
            abi.encodeCall(treasury.denyRecipients, (agent, list)),
            abi.encodeCall(treasury.freeze, (agent)),
            abi.encodeCall(treasury.pause, ()),
            abi.encodeCall(treasury.cancelProposal, (1)),
            abi.encodeCall(treasury.approve, (bytes32(uint256(1))))
        ];
        for (uint256 i; i < tightenings.length; ++i) {
            vm.prank(agent);
            (bool ok, bytes memory answer) = address(treasury).call(tightenings[i]);
            assertFalse(ok, "refused");
            assertEq(answer, abi.encodeWithSelector(ITreasury.Treasury_NotOwner.selector, agent), "by name");
        }
    }

    function test_tightening_bySelf_works() public {
        ITreasury.Call[] memory calls = new ITreasury.Call[](3);
        calls[0] = ITreasury.Call(address(treasury), 0, abi.encodeCall(treasury.freeze, (agent)));
        calls[1] = ITreasury.Call(address(treasury), 0, abi.encodeCall(treasury.pause, ()));
        calls[2] = ITreasury.Call(address(treasury), 0, abi.encodeCall(treasury.cancelProposal, (77)));
        _execute(calls);
        assertTrue(treasury.isFrozen(agent) && treasury.isPaused() && treasury.isNonceUsed(77), "tightened");
    }

    function test_usageOf_showsEachWindow() public {
        _pay(50 * UNIT);
        vm.warp(START + 20 minutes);
        _pay(30 * UNIT);
        ITreasury.WindowUsage[4] memory usage = treasury.usageOf(agent, address(token));
        assertEq(usage[0].limit, 200 * UNIT, "hour's limit");
        assertEq(usage[0].left, 120 * UNIT, "hour's rest");
        assertEq(usage[0].nextReleaseAt, START + 80 minutes, "hour's next release");
        assertEq(usage[0].freeAt, START + 100 minutes, "hour is free");
        assertEq(usage[1].left, 320 * UNIT, "day's rest");
        assertEq(usage[1].nextReleaseAt, START + 32 hours, "day's next release");
        assertEq(usage[1].freeAt, START + 32 hours, "day is free");
        assertEq(usage[3].freeAt, START + 40 days, "month is free");
    }

    function test_usageOf_withoutLimitOrUse_hasNoTimes() public {
        _setBudget(stranger, address(token), _unlimited());
        ITreasury.WindowUsage[4] memory usage = treasury.usageOf(stranger, address(token));
        assertEq(usage[2].limit, type(uint256).max, "limit");
        assertEq(usage[2].left, type(uint256).max, "left");
        assertEq(usage[2].nextReleaseAt, 0, "next release");
        assertEq(usage[2].freeAt, 0, "free");
    }
}
