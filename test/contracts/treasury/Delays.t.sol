// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITreasury} from "../../../contracts/interfaces/treasury/ITreasury.sol";
import {TreasuryFixture} from "../support/TreasuryFixture.sol";

/// @notice Payments above the approval line that wait in sight of the owners, instead of for them.
contract DelaysTest is TreasuryFixture {
    uint256 private constant DELAY = 24 hours;
    uint256 private constant LARGE = 60 * UNIT;

    function setUp() public override {
        super.setUp();
        _setDelay(DELAY);
    }

    function test_setDelay_bySelf_isReadBack_andLeavesTheTerms() public {
        (ITreasury.BudgetTerms memory terms, bool active, uint256 delay) = treasury.budgetOf(
            agent,
            address(token)
        );
        assertEq(delay, DELAY, "delay");
        assertTrue(active, "active");
        assertEq(
            keccak256(abi.encode(terms)) == keccak256(abi.encode(_terms())) ? 1 : 0,
            1,
            "the terms are as they were"
        );
        vm.expectEmit();
        emit ITreasury.DelaySet(agent, address(token), 6 days, address(treasury));
        _setDelay(6 days);
    }

    function test_setDelay_ofPartHoursOrTooLong_reverts() public {
        vm.startPrank(address(treasury));
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_DelayInvalid.selector, 90 minutes, 6 days));
        treasury.setDelay(agent, address(token), 90 minutes);
        vm.expectRevert(
            abi.encodeWithSelector(ITreasury.Treasury_DelayInvalid.selector, 6 days + 1 hours, 6 days)
        );
        treasury.setDelay(agent, address(token), 6 days + 1 hours);
        vm.expectRevert(
            abi.encodeWithSelector(ITreasury.Treasury_BudgetMissing.selector, stranger, address(token))
        );
        treasury.setDelay(stranger, address(token), DELAY);
        vm.stopPrank();
    }

    /// @dev What is stored is hours, in twelve bits.
    function testFuzz_setDelay_beyondSixDays_reverts(uint256 delay) public {
        uint256[3] memory wrapping = [uint256(2 ** 12) * 1 hours, 2 ** 32 * 1 hours, 2 ** 40 * 1 hours];
        delay = bound(delay, 6 days + 1, type(uint256).max);
        vm.startPrank(address(treasury));
        for (uint256 i; i < 4; ++i) {
            uint256 tried = i < 3 ? wrapping[i] + 1 hours : delay;
            vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_DelayInvalid.selector, tried, 6 days));
            treasury.setDelay(agent, address(token), tried);
        }
        vm.stopPrank();
        assertEq(_delay(), DELAY, "as it was");
    }

    function test_setDelay_byOneOwner_onlyTakesItAway() public {
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_NotSelf.selector, owners[0]));
        vm.prank(owners[0]);
        treasury.setDelay(agent, address(token), 6 days);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_NotOwner.selector, agent));
        vm.prank(agent);
        treasury.setDelay(agent, address(token), 0);
        _ask("r");
        vm.prank(owners[0]);
        treasury.setDelay(agent, address(token), 0);
        skip(DELAY);
        _expectDenied(ITreasury.Reason.ApprovalAbove, LARGE, 50 * UNIT, 0);
        _payQueued("r");
    }

    function test_setBudget_endsTheDelay_andLowerBudgetKeepsIt() public {
        ITreasury.BudgetTerms memory terms = _terms();
        terms.hourly = uint128(190 * UNIT);
        vm.prank(owners[0]);
        treasury.lowerBudget(agent, address(token), terms);
        assertEq(_delay(), DELAY, "kept");
        _setBudget(agent, address(token), _terms());
        assertEq(_delay(), 0, "to be said again");
    }

    function test_payQueued_afterTheDelay_paysOnce_chargesThenAndClosesTheProposal() public {
        vm.expectEmit(false, true, false, true);
        emit ITreasury.PaymentQueued(0, agent, START + DELAY);
        bytes32 id = _ask("r");
        assertEq(treasury.usageOf(agent, address(token))[1].left, 400 * UNIT, "nothing is charged yet");
        vm.warp(START + DELAY - 1);
        _expectDenied(ITreasury.Reason.ApprovalAbove, LARGE, 50 * UNIT, 0);
        _payQueued("r");
        vm.warp(START + DELAY);
        vm.expectEmit();
        emit ITreasury.ProposalExecuted(id, treasury.proposalNonceOf(agent, "r"));
        vm.expectEmit();
        emit ITreasury.Paid(agent, address(token), payee, LARGE, "r");
        vm.prank(stranger);
        treasury.payQueued(agent, address(token), payee, LARGE, "r");
        assertEq(token.balanceOf(payee), LARGE, "payee's balance");
        assertEq(treasury.usageOf(agent, address(token))[0].left, 200 * UNIT - LARGE, "charged");
        _expectNonceUsed("r");
        _payQueued("r");
    }

    function test_payQueued_cancelledByOneOwner_paysNothing() public {
        _ask("r");
        uint256 nonce = treasury.proposalNonceOf(agent, "r");
        vm.prank(owners[2]);
        treasury.cancelProposal(nonce);
        skip(DELAY);
        _expectNonceUsed("r");
        _payQueued("r");
    }

    function test_payQueued_ofWhatTheOwnersExecuted_paysNoSecondTime() public {
        bytes32 id = _ask("r");
        treasury.execute(
            _self(abi.encodeCall(treasury.disburse, (agent, address(token), payee, LARGE, "r"))),
            treasury.proposalNonceOf(agent, "r"),
            START + 7 days,
            _signed(id, 2)
        );
        skip(DELAY);
        _expectNonceUsed("r");
        _payQueued("r");
        assertEq(token.balanceOf(payee), LARGE, "once");
    }

    function test_execute_ofWhatWasPaidAfterItsDelay_reverts() public {
        bytes32 id = _ask("r");
        skip(DELAY);
        _payQueued("r");
        bytes[] memory signatures = _signed(id, 2);
        uint256 nonce = treasury.proposalNonceOf(agent, "r");
        ITreasury.Call[] memory calls = _self(
            abi.encodeCall(treasury.disburse, (agent, address(token), payee, LARGE, "r"))
        );
        _expectNonceUsed("r");
        treasury.execute(calls, nonce, START + 7 days, signatures);
    }

    function test_payQueued_ofAnythingElse_reverts() public {
        _ask("r");
        skip(DELAY);
        vm.expectRevert(
            abi.encodeWithSelector(ITreasury.Treasury_PaymentNotQueued.selector, agent, bytes32("r"))
        );
        treasury.payQueued(agent, address(token), stranger, LARGE, "r");
        vm.expectRevert(
            abi.encodeWithSelector(ITreasury.Treasury_PaymentNotQueued.selector, agent, bytes32("r"))
        );
        treasury.payQueued(agent, address(token), payee, LARGE + 1, "r");
        vm.expectRevert(
            abi.encodeWithSelector(ITreasury.Treasury_PaymentNotQueued.selector, agent, bytes32("other"))
        );
        _payQueued("other");
    }

    /// @dev A delay that is set later lets nothing through that was asked for before: its owners were to decide.
    function test_setDelay_doesNotCoverWhatWasAskedForBefore() public {
        _setDelay(0);
        _ask("r");
        _setDelay(1 hours);
        skip(DELAY);
        vm.expectRevert(
            abi.encodeWithSelector(ITreasury.Treasury_PaymentNotQueued.selector, agent, bytes32("r"))
        );
        _payQueued("r");
    }

    /// @dev Was: the owners who gave a delay again paid what one of them had stopped, at once.
    function test_setDelay_again_revivesNothingThatItsRemovalEnded() public {
        _ask("r");
        vm.prank(owners[0]);
        treasury.setDelay(agent, address(token), 0);
        skip(DELAY);
        _setDelay(DELAY);
        _expectDenied(ITreasury.Reason.ApprovalAbove, LARGE, 50 * UNIT, 0);
        _payQueued("r");
        skip(DELAY);
        _expectDenied(ITreasury.Reason.ApprovalAbove, LARGE, 50 * UNIT, 0);
        _payQueued("r");
        _ask("s");
        skip(DELAY);
        _payQueued("s");
        assertEq(token.balanceOf(payee), LARGE, "what was asked for since");
    }

    /// @dev A new budget ends its delay, and so what waits under it.
    function test_setBudget_andADelayAgain_revivesNothing() public {
        _ask("r");
        skip(1);
        _setBudget(agent, address(token), _terms());
        _setDelay(1 hours);
        skip(DELAY);
        _expectDenied(ITreasury.Reason.ApprovalAbove, LARGE, 50 * UNIT, 0);
        _payQueued("r");
    }

    function test_payQueued_afterSevenDays_lapses() public {
        _ask("r");
        vm.warp(START + 7 days + 1);
        vm.expectRevert(
            abi.encodeWithSelector(ITreasury.Treasury_Expired.selector, START + 7 days + 1, START + 7 days)
        );
        _payQueued("r");
    }

    function test_payQueued_ofAStoppedSpender_isDenied_andWaitsOn() public {
        _ask("r");
        skip(DELAY);
        vm.prank(owners[0]);
        treasury.freeze(agent);
        _expectDenied(ITreasury.Reason.Frozen, LARGE, 0, 0);
        _payQueued("r");
        vm.prank(address(treasury));
        treasury.unfreeze(agent);
        _payQueued("r");
        assertEq(token.balanceOf(payee), LARGE, "paid");
    }

    /// @notice However many payments wait, together they leave within the windows.
    function test_manyQueuedPayments_leaveWithinTheWindows() public {
        for (uint256 i; i < 5; ++i) _ask(bytes32(i));
        skip(DELAY);
        for (uint256 i; i < 3; ++i) _payQueued(bytes32(i));
        vm.expectPartialRevert(ITreasury.Treasury_SpendDenied.selector);
        _payQueued(bytes32(uint256(3)));
        assertEq(token.balanceOf(payee), 3 * LARGE, "180 of 200 an hour");
    }

    function _setDelay(uint256 delay) private {
        vm.prank(address(treasury));
        treasury.setDelay(agent, address(token), delay);
    }

    function _delay() private view returns (uint256 delay) {
        (, , delay) = treasury.budgetOf(agent, address(token));
    }

    function _ask(bytes32 ref) private returns (bytes32) {
        vm.prank(agent);
        return treasury.pay(address(token), payee, LARGE, ref);
    }

    function _payQueued(bytes32 ref) private {
        treasury.payQueued(agent, address(token), payee, LARGE, ref);
    }

    function _expectNonceUsed(bytes32 ref) private {
        uint256 nonce = uint256(keccak256(abi.encode(agent, ref)));
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_NonceUsed.selector, nonce));
    }
}
