// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITreasury} from "../../../contracts/interfaces/treasury/ITreasury.sol";
import {TreasuryFixture} from "../support/TreasuryFixture.sol";

contract FreezeTest is TreasuryFixture {
    function test_freeze_byOneOwner_stopsTheSpenderInEveryToken() public {
        _setBudget(agent, address(0), _terms());
        vm.expectEmit();
        emit ITreasury.SpenderFrozen(agent, owners[1]);
        vm.prank(owners[1]);
        treasury.freeze(agent);
        assertTrue(treasury.isFrozen(agent), "frozen");
        _expectDenied(ITreasury.Reason.Frozen, 1, 0, 0);
        _pay(1);
        _expectDenied(ITreasury.Reason.Frozen, 1, 0, 0);
        vm.prank(agent);
        treasury.pay(address(0), payee, 1, "r");
    }

    function test_freeze_stopsProposalsToo() public {
        vm.prank(owners[1]);
        treasury.freeze(agent);
        _expectDenied(ITreasury.Reason.Frozen, 60 * UNIT, 0, 0);
        _pay(60 * UNIT);
    }

    function test_freeze_stopsSignedSpending() public {
        ITreasury.Spend memory spend = ITreasury.Spend(agent, address(token), payee, 1, "r", 1, FOREVER);
        bytes memory signature = _signedSpend(spend);
        vm.prank(owners[1]);
        treasury.freeze(agent);
        _expectDenied(ITreasury.Reason.Frozen, 1, 0, 0);
        treasury.paySigned(spend, signature);
    }

    function test_freeze_leavesOthersAlone() public {
        _setBudget(stranger, address(token), _terms());
        vm.prank(owners[1]);
        treasury.freeze(agent);
        vm.prank(stranger);
        treasury.pay(address(token), payee, 1, "r");
        assertEq(token.balanceOf(payee), 1, "payee's balance");
    }

    function test_freeze_coversBudgetsSetLater() public {
        vm.prank(owners[1]);
        treasury.freeze(stranger);
        _setBudget(stranger, address(token), _terms());
        _expectDenied(ITreasury.Reason.Frozen, 1, 0, 0);
        vm.prank(stranger);
        treasury.pay(address(token), payee, 1, "r");
    }

    function test_freeze_coversABudgetRemovedAndSetAgain() public {
        vm.startPrank(owners[1]);
        treasury.removeBudget(agent, address(token));
        treasury.freeze(agent);
        vm.stopPrank();
        _setBudget(agent, address(token), _terms());
        _expectDenied(ITreasury.Reason.Frozen, 1, 0, 0);
        _pay(1);
    }

    function test_unfreeze_bySelf_letsItSpendInEveryToken() public {
        _setBudget(agent, address(0), _terms());
        vm.prank(owners[1]);
        treasury.freeze(agent);
        vm.expectEmit();
        emit ITreasury.SpenderUnfrozen(agent);
        _execute(_self(abi.encodeCall(treasury.unfreeze, (agent))));
        _pay(1);
        vm.prank(agent);
        treasury.pay(address(0), payee, 1, "native");
        assertFalse(treasury.isFrozen(agent), "not frozen");
    }

    function test_unfreeze_whileTheBudgetIsRemoved_leavesNoTrace() public {
        vm.startPrank(owners[1]);
        treasury.freeze(agent);
        treasury.removeBudget(agent, address(token));
        vm.stopPrank();
        vm.prank(address(treasury));
        treasury.unfreeze(agent);
        _setBudget(agent, address(token), _terms());
        _pay(1);
        assertEq(token.balanceOf(payee), 1, "payee's balance");
    }

    function test_freeze_withThirtyTwoTokens_fitsOneTransaction() public {
        for (uint256 i = 1; i < 32; ++i) _setBudget(agent, address(uint160(i)), _terms());
        uint256 gasBefore = gasleft();
        vm.prank(owners[1]);
        treasury.freeze(agent);
        assertLe(gasBefore - gasleft(), 400_000, "gas");
    }

    function test_pause_byOneOwner_stopsEverySpender() public {
        vm.expectEmit();
        emit ITreasury.Paused(owners[2]);
        vm.prank(owners[2]);
        treasury.pause();
        assertTrue(treasury.isPaused(), "paused");
        _expectDenied(ITreasury.Reason.Paused, 1, 0, 0);
        _pay(1);
    }

    function test_pause_leavesTheQuorumItsWay() public {
        vm.prank(owners[2]);
        treasury.pause();
        _execute(_transfer(payee, 5));
        assertEq(token.balanceOf(payee), 5, "payee's balance");
        vm.expectEmit();
        emit ITreasury.Unpaused();
        _execute(_self(abi.encodeCall(treasury.unpause, ())));
        _pay(1);
        assertFalse(treasury.isPaused(), "not paused");
    }
}
