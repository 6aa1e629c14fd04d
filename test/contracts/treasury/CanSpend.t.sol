// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITreasury} from "../../../contracts/interfaces/treasury/ITreasury.sol";
import {TreasuryFixture} from "../support/TreasuryFixture.sol";

/// @notice {canSpend} says beforehand exactly what {pay} does, in every state.
contract CanSpendTest is TreasuryFixture {
    function testFuzz_canSpend_saysWhatPayDoes(uint256 seed, uint256 amount, uint256 later) public {
        _randomise(seed);
        vm.warp(START + bound(later, 0, 3 days));
        amount = bound(amount, 0, 120 * UNIT);
        address to = _recipient(seed);
        (ITreasury.Verdict verdict, ITreasury.Reason reason, uint256 left, uint256 resetsAt) = treasury
            .canSpend(agent, address(token), to, amount);
        uint256 before = token.balanceOf(address(treasury));
        if (verdict == ITreasury.Verdict.Deny) {
            if (reason == ITreasury.Reason.Balance) vm.expectRevert();
            else _expectDenied(reason, amount, left, resetsAt);
        }
        vm.prank(agent);
        bytes32 id = treasury.pay(address(token), to, amount, "fresh");
        uint256 moved = before - token.balanceOf(address(treasury));
        if (verdict == ITreasury.Verdict.Execute) {
            assertEq(moved, amount, "executed");
            assertEq(id, bytes32(0), "no proposal");
        }
        if (verdict == ITreasury.Verdict.Propose) {
            assertEq(moved, 0, "nothing moved");
            assertTrue(id != bytes32(0), "a proposal");
        }
        if (verdict == ITreasury.Verdict.Deny) assertEq(moved, 0, "nothing moved");
    }

    function test_canSpend_ofAllThatIsThere_butNotMore() public {
        ITreasury.BudgetTerms memory terms = _terms();
        (terms.perTransaction, terms.approvalAbove) = (NO_LIMIT, NO_LIMIT);
        (terms.hourly, terms.daily, terms.weekly, terms.monthly) = (NO_LIMIT, NO_LIMIT, NO_LIMIT, NO_LIMIT);
        _setBudget(agent, address(token), terms);
        uint256 all = token.balanceOf(address(treasury));
        (ITreasury.Verdict verdict, , , ) = treasury.canSpend(agent, address(token), payee, all);
        assertTrue(verdict == ITreasury.Verdict.Execute, "all of it");
        ITreasury.Reason reason;
        uint256 left;
        (verdict, reason, left, ) = treasury.canSpend(agent, address(token), payee, all + 1);
        assertTrue(verdict == ITreasury.Verdict.Deny && reason == ITreasury.Reason.Balance, "one more");
        assertEq(left, all, "left");
    }

    function testFuzz_canSpend_left_isTheLargestThatExecutes(uint256 seed, uint256 later) public {
        _spendSome(seed);
        vm.warp(block.timestamp + bound(later, 0, 3 days));
        (ITreasury.Verdict verdict, , uint256 left, ) = treasury.canSpend(agent, address(token), payee, 1);
        if (verdict != ITreasury.Verdict.Execute) return;
        (ITreasury.Verdict atLeft, , , ) = treasury.canSpend(agent, address(token), payee, left);
        (ITreasury.Verdict above, , , ) = treasury.canSpend(agent, address(token), payee, left + 1);
        assertTrue(atLeft == ITreasury.Verdict.Execute, "left executes");
        assertTrue(above != ITreasury.Verdict.Execute, "one more does not");
        _pay(left);
    }

    /// @dev A budget, some spending, and perhaps a freeze, a pause, a removal, an expiry, an empty Treasury.
    function _randomise(uint256 seed) private {
        ITreasury.BudgetTerms memory terms = _terms();
        terms.recipientsOnly = seed & 3 == 0;
        if (seed & 0x30 == 0) terms.validUntil = uint40(START + 1 days);
        if (seed & 0x40 == 0) terms.approvalAbove = NO_LIMIT;
        if (seed & 0x80 == 0) terms.hourly = NO_LIMIT;
        _setBudget(agent, address(token), terms);
        address[] memory list = new address[](1);
        list[0] = payee;
        vm.prank(address(treasury));
        treasury.allowRecipients(agent, list);
        _spendSome(seed);
        vm.startPrank(owners[0]);
        if (seed & 0x700 == 0) treasury.freeze(agent);
        if (seed & 0x7000 == 0) treasury.pause();
        if (seed & 0x70000 == 0) treasury.removeBudget(agent, address(token));
        vm.stopPrank();
        if (seed & 0x700000 == 0) token.burn(address(treasury), token.balanceOf(address(treasury)) - UNIT);
    }

    function _spendSome(uint256 seed) private {
        for (uint256 i; i < (seed >> 32) % 9; ++i) {
            bytes32 ref = _ref();
            vm.prank(agent);
            try treasury.pay(address(token), payee, 1 + ((seed >> (40 + i)) % (50 * UNIT)), ref) {} catch {}
            vm.warp(block.timestamp + ((seed >> (64 + i)) % 30 minutes));
        }
    }

    function _recipient(uint256 seed) private view returns (address) {
        uint256 kind = (seed >> 128) % 8;
        if (kind == 0) return address(0);
        if (kind == 1) return address(treasury);
        return kind == 2 ? stranger : payee;
    }
}
