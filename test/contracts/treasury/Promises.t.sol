// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITreasury} from "../../../contracts/interfaces/treasury/ITreasury.sol";
import {Treasury} from "../../../contracts/treasury/Treasury.sol";
import {NoReturn} from "../support/tokens/NoReturn.sol";
import {TreasuryFixture} from "../support/TreasuryFixture.sol";

/// @notice What a Treasury promises its owners, each against the mistake that would break it.
contract TreasuryPromisesTest is TreasuryFixture {
    /// @dev Was: nobody could ever grant the spender role, so all funds were locked.
    function test_ownersCanAlwaysMakeSpendersAndMoveFunds() public {
        _execute(_self(abi.encodeCall(treasury.setBudget, (stranger, address(token), _terms()))));
        vm.prank(stranger);
        treasury.pay(address(token), payee, 1, "r");
        _execute(_transfer(payee, 2));
        assertEq(token.balanceOf(payee), 3, "payee's balance");
    }

    /// @dev Was: one owner rewrote the policy and a spender drained by auto-execution.
    function test_oneOwnerCannotRaiseABudget() public {
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_NotSelf.selector, owners[0]));
        vm.prank(owners[0]);
        treasury.setBudget(agent, address(token), _unlimited());
        ITreasury.BudgetTerms memory higher = _terms();
        higher.daily = uint128(401 * UNIT);
        vm.expectPartialRevert(ITreasury.Treasury_NotTightening.selector);
        vm.prank(owners[0]);
        treasury.lowerBudget(agent, address(token), higher);
    }

    /// @dev Was: the limit was checked when proposing, never when executing, so pending payments added up.
    function test_windowsChargeWhenMoneyMoves() public {
        ITreasury.Payment[] memory payments = new ITreasury.Payment[](5);
        for (uint256 i; i < 5; ++i) payments[i] = ITreasury.Payment(address(token), payee, 50 * UNIT, _ref());
        _expectDenied(ITreasury.Reason.Hourly, 50 * UNIT, 0, START + 80 minutes);
        vm.prank(agent);
        treasury.payBatch(payments);
        assertEq(token.balanceOf(payee), 0, "none of the five");
    }

    /// @dev Was: a spend was charged to the old day and then wiped.
    function test_everyTouchRollsTheWindows() public {
        for (uint256 i; i < 8; ++i) {
            _pay(50 * UNIT);
            if (i == 3) vm.warp(START + 80 minutes);
        }
        vm.warp(START + 23 hours);
        _expectDenied(ITreasury.Reason.Daily, 1, 0, START + 32 hours);
        _pay(1);
    }

    /// @dev Was: twice the limit within half a minute around midnight.
    function test_noDoublingAroundMidnight() public {
        ITreasury.BudgetTerms memory terms = _unlimited();
        terms.daily = uint128(100 * UNIT);
        _setBudget(agent, address(token), terms);
        vm.warp(START + 1 days - 1);
        _pay(100 * UNIT);
        vm.warp(START + 1 days + 30);
        vm.expectPartialRevert(ITreasury.Treasury_SpendDenied.selector);
        _pay(1);
        vm.warp(START + 2 days - 2);
        vm.expectPartialRevert(ITreasury.Treasury_SpendDenied.selector);
        _pay(1);
    }

    /// @dev Was: approvals of former owners still counted.
    function test_formerOwnersCountNoMore() public {
        ITreasury.Call[] memory calls = _transfer(payee, 5);
        bytes32 id = treasury.hashProposal(calls, 77, FOREVER);
        vm.prank(owners[0]);
        treasury.approve(id);
        bytes[] memory signatures = _signed(id, 2);
        vm.prank(address(treasury));
        treasury.removeOwner(owners[0]);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_NotOwner.selector, owners[0]));
        treasury.execute(calls, 77, FOREVER, signatures);
        signatures[0] = abi.encodePacked(owners[0]);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_NotOwner.selector, owners[0]));
        treasury.execute(calls, 77, FOREVER, signatures);
    }

    /// @dev Was: an id could be approved before it existed, whatever it would become.
    function test_approvalsBindToContent() public {
        ITreasury.Call[] memory calls = _transfer(payee, 5);
        bytes32 id = treasury.hashProposal(calls, 77, FOREVER);
        vm.prank(owners[0]);
        treasury.approve(id);
        bytes[] memory signatures = new bytes[](2);
        ITreasury.Call[] memory changed = _transfer(payee, 6);
        bytes32 changedId = treasury.hashProposal(changed, 77, FOREVER);
        signatures[0] = abi.encodePacked(owners[0]);
        signatures[1] = _signature(keys[1], changedId);
        vm.expectRevert(
            abi.encodeWithSelector(ITreasury.Treasury_NotApproved.selector, changedId, owners[0])
        );
        treasury.execute(changed, 77, FOREVER, signatures);
    }

    /// @dev Was: zero and duplicate owners were accepted, the threshold was always two.
    function test_ownersAndThresholdAreChecked() public {
        address[] memory list = new address[](2);
        (list[0], list[1]) = (owners[0], owners[0]);
        vm.expectPartialRevert(ITreasury.Treasury_OwnerExists.selector);
        new Treasury(list, 2, scopes);
        list[1] = address(0);
        vm.expectPartialRevert(ITreasury.Treasury_OwnerInvalid.selector);
        new Treasury(list, 2, scopes);
        list[1] = owners[1];
        assertEq(new Treasury(list, 1, scopes).threshold(), 1, "threshold");
    }

    /// @dev Was: the recipient list and the approval switch were never read.
    function test_recipientListAndApprovalLineAreEnforced() public {
        ITreasury.BudgetTerms memory terms = _terms();
        terms.approvalAbove = 0;
        _setBudget(agent, address(token), terms);
        assertTrue(_pay(1) != bytes32(0), "a proposal");
        terms.recipientsOnly = true;
        _setBudget(agent, address(token), terms);
        _expectDenied(ITreasury.Reason.Recipient, 1, 0, 0);
        _pay(1);
    }

    /// @dev Was: the line was a tenth of the cap (zero for small caps), `<` here and `<=` there, and no quorum could
    /// pay beyond the cap.
    function test_edgesAreInclusive_andAQuorumMayPayAnything() public {
        assertEq(_pay(50 * UNIT), bytes32(0), "at the line: paid");
        assertTrue(_pay(50 * UNIT + 1) != bytes32(0), "above: proposed");
        assertTrue(_pay(100 * UNIT) != bytes32(0), "at the cap: proposed");
        _execute(_transfer(payee, 5_000 * UNIT));
        assertEq(token.balanceOf(payee), 5_050 * UNIT, "payee's balance");
    }

    /// @dev Was: no expiry, cancel, pause, nonce, signature, chain binding, rotation; no brake on a stolen key.
    function test_aStolenKeyIsStoppedByOneOwner() public {
        vm.prank(owners[2]);
        treasury.freeze(agent);
        _expectDenied(ITreasury.Reason.Frozen, 1, 0, 0);
        _pay(1);
        _execute(_self(abi.encodeCall(treasury.replaceOwner, (owners[0], stranger))));
        assertTrue(treasury.isOwner(stranger), "owners rotate");
    }

    /// @dev Was: `require(token.transfer(…))` failed on tokens without a return value; one token; no native coin.
    function test_oldTokensAndNativeCoinArePaid() public {
        NoReturn old = new NoReturn();
        old.mint(address(treasury), 10);
        _setBudget(agent, address(old), _terms());
        _setBudget(agent, address(0), _terms());
        vm.startPrank(agent);
        treasury.pay(address(old), payee, 10, "old");
        treasury.pay(address(0), payee, 10, "native");
        vm.stopPrank();
        assertEq(old.balanceOf(payee), 10, "old token");
        assertEq(payee.balance, 10, "native coin");
    }

    /// @dev Was: events told nothing (a "txHash" of a counter, an empty policy event), memos were stored.
    function test_eventsCarryTheFacts() public {
        vm.expectEmit();
        emit ITreasury.BudgetSet(agent, address(token), _terms());
        _setBudget(agent, address(token), _terms());
        vm.expectEmit();
        emit ITreasury.Paid(agent, address(token), payee, 3, "memo");
        vm.prank(agent);
        treasury.pay(address(token), payee, 3, "memo");
    }

    /// @dev Was: many small payments under the approval line were bounded only by the broken daily cap.
    function test_splittingIsBoundedByEveryWindow() public {
        uint256 paid;
        for (uint256 i; i < 400; ++i) {
            bytes32 ref = _ref();
            vm.prank(agent);
            try treasury.pay(address(token), payee, 10 * UNIT, ref) {
                paid += 10 * UNIT;
            } catch {}
            vm.warp(block.timestamp + 6 hours);
            if (block.timestamp >= START + 7 days) break;
        }
        assertLe(paid, 800 * UNIT, "a week");
        for (uint256 i; i < 21; ++i) _tryMany();
        assertLe(token.balanceOf(payee), 800 * UNIT, "still the same week");
    }

    function _tryMany() private {
        bytes32 ref = _ref();
        vm.prank(agent);
        try treasury.pay(address(token), payee, 50 * UNIT, ref) {} catch {}
    }
}
