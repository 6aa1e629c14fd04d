// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITreasury} from "../../../contracts/interfaces/treasury/ITreasury.sol";
import {TreasuryFixture} from "../support/TreasuryFixture.sol";

contract PayTest is TreasuryFixture {
    function test_pay_insideTheBudget_movesTheMoneyAndSaysSo() public {
        vm.expectEmit();
        emit ITreasury.Paid(agent, address(token), payee, 10 * UNIT, bytes32(uint256(7)));
        vm.prank(agent);
        bytes32 id = treasury.pay(address(token), payee, 10 * UNIT, bytes32(uint256(7)));
        assertEq(id, bytes32(0), "no proposal");
        assertEq(token.balanceOf(payee), 10 * UNIT, "payee's balance");
        assertTrue(treasury.isReferenceUsed(agent, bytes32(uint256(7))), "reference is used");
    }

    function test_pay_nativeCoin_sendsValueAndSaysSo() public {
        _setBudget(agent, address(0), _terms());
        vm.expectEmit();
        emit ITreasury.Paid(agent, address(0), payee, 10 * UNIT, bytes32(uint256(7)));
        vm.expectEmit();
        emit ITreasury.NativeSent(payee, 10 * UNIT);
        vm.prank(agent);
        treasury.pay(address(0), payee, 10 * UNIT, bytes32(uint256(7)));
        assertEq(payee.balance, 10 * UNIT, "payee's balance");
    }

    function test_pay_aboveTheApprovalLine_opensAProposalAndMovesNothing() public {
        bytes32 ref = bytes32(uint256(7));
        uint256 nonce = treasury.proposalNonceOf(agent, ref);
        uint256 deadline = block.timestamp + 7 days;
        ITreasury.Call[] memory calls = _self(
            abi.encodeCall(treasury.disburse, (agent, address(token), payee, 50 * UNIT + 1, ref))
        );
        bytes32 wanted = treasury.hashProposal(calls, nonce, deadline);
        vm.expectEmit();
        emit ITreasury.ProposalOpened(wanted, agent, nonce, calls, deadline, 2, ref);
        vm.prank(agent);
        bytes32 id = treasury.pay(address(token), payee, 50 * UNIT + 1, ref);
        assertEq(id, wanted, "id is the hash that owners sign");
        assertEq(token.balanceOf(payee), 0, "nothing moved");
    }

    function test_pay_approvedByTheOwners_paysWithoutChargingTheBudget() public {
        vm.prank(agent);
        bytes32 id = treasury.pay(address(token), payee, 80 * UNIT, bytes32(uint256(7)));
        ITreasury.Call[] memory calls = _self(
            abi.encodeCall(treasury.disburse, (agent, address(token), payee, 80 * UNIT, bytes32(uint256(7))))
        );
        uint256 nonce = treasury.proposalNonceOf(agent, bytes32(uint256(7)));
        vm.expectEmit();
        emit ITreasury.Disbursed(agent, address(token), payee, 80 * UNIT, bytes32(uint256(7)));
        treasury.execute(calls, nonce, START + 7 days, _signed(id, 2));
        assertEq(token.balanceOf(payee), 80 * UNIT, "payee's balance");
        assertEq(treasury.usageOf(agent, address(token))[0].left, 200 * UNIT, "hour untouched");
    }

    function test_pay_beyondPerTransaction_namesTheLimit() public {
        _expectDenied(ITreasury.Reason.PerTransaction, 100 * UNIT + 1, 100 * UNIT, 0);
        _pay(100 * UNIT + 1);
    }

    function test_pay_beyondEachWindow_namesItWithWhatIsLeftAndWhenThereIsRoom() public {
        uint256[4] memory lengths = [uint256(1 hours), 1 days, 7 days, 30 days];
        for (uint256 i; i < 4; ++i) {
            ITreasury.BudgetTerms memory terms = _unlimited();
            if (i == 0) terms.hourly = uint128(100 * UNIT);
            if (i == 1) terms.daily = uint128(100 * UNIT);
            if (i == 2) terms.weekly = uint128(100 * UNIT);
            if (i == 3) terms.monthly = uint128(100 * UNIT);
            address spender = address(uint160(0xa0 + i));
            _setBudget(spender, address(token), terms);
            vm.prank(spender);
            treasury.pay(address(token), payee, 70 * UNIT, _ref());
            _expectDenied(
                ITreasury.Reason(uint8(ITreasury.Reason.Hourly) + uint8(i)),
                30 * UNIT + 1,
                30 * UNIT,
                START + (lengths[i] * 4) / 3
            );
            vm.prank(spender);
            treasury.pay(address(token), payee, 30 * UNIT + 1, bytes32(0));
            vm.prank(spender);
            treasury.pay(address(token), payee, 30 * UNIT, bytes32(0));
        }
    }

    function test_pay_afterTheWindow_hasRoomAgain() public {
        for (uint256 i; i < 4; ++i) _pay(50 * UNIT);
        vm.warp(START + 80 minutes - 1);
        _expectDenied(ITreasury.Reason.Hourly, 1, 0, START + 80 minutes);
        _pay(1);
        vm.warp(START + 80 minutes);
        _pay(50 * UNIT);
    }

    function test_pay_withoutABudget_isDenied() public {
        _expectDenied(ITreasury.Reason.NoBudget, 1, 0, 0);
        vm.prank(stranger);
        treasury.pay(address(token), payee, 1, bytes32(0));
    }

    function test_pay_inATokenWithoutABudget_isDenied() public {
        _expectDenied(ITreasury.Reason.NoBudget, 1, 0, 0);
        vm.prank(agent);
        treasury.pay(address(0), payee, 1, bytes32(0));
    }

    function test_pay_ofNothing_isDenied() public {
        _expectDenied(ITreasury.Reason.AmountZero, 0, 0, 0);
        _pay(0);
    }

    function test_pay_inTheLastSecondOfTheBudget_isPaid_andDeniedInTheNext() public {
        ITreasury.BudgetTerms memory terms = _terms();
        terms.validUntil = uint40(START + 10);
        _setBudget(agent, address(token), terms);
        vm.warp(START + 10);
        _pay(1);
        vm.warp(START + 11);
        _expectDenied(ITreasury.Reason.Expired, 1, 0, 0);
        _pay(1);
    }

    function test_pay_toNoOneOrToItself_isDenied() public {
        _expectDenied(ITreasury.Reason.Recipient, 1, 0, 0);
        vm.prank(agent);
        treasury.pay(address(token), address(0), 1, bytes32(0));
        _expectDenied(ITreasury.Reason.Recipient, 1, 0, 0);
        vm.prank(agent);
        treasury.pay(address(token), address(treasury), 1, bytes32(0));
    }

    function test_pay_withARecipientList_paysOnlyThoseOnIt() public {
        ITreasury.BudgetTerms memory terms = _terms();
        terms.recipientsOnly = true;
        _setBudget(agent, address(token), terms);
        _expectDenied(ITreasury.Reason.Recipient, 1, 0, 0);
        _pay(1);
        address[] memory list = new address[](1);
        list[0] = payee;
        vm.prank(address(treasury));
        treasury.allowRecipients(agent, list);
        _pay(1);
        assertEq(token.balanceOf(payee), 1, "payee's balance");
    }

    function test_pay_twiceWithOneReference_paysOnce() public {
        bytes32 ref = keccak256("invoice 1");
        vm.prank(agent);
        treasury.pay(address(token), payee, 1, ref);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_ReferenceUsed.selector, agent, ref));
        vm.prank(agent);
        treasury.pay(address(token), payee, 1, ref);
    }

    function test_pay_withTheReferenceOfAProposal_isRefused() public {
        bytes32 ref = keccak256("invoice 1");
        vm.prank(agent);
        treasury.pay(address(token), payee, 60 * UNIT, ref);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_ReferenceUsed.selector, agent, ref));
        vm.prank(agent);
        treasury.pay(address(token), payee, 1, ref);
    }

    function test_pay_references_areEachSpendersOwn() public {
        address other = makeAddr("other agent");
        _setBudget(other, address(token), _terms());
        bytes32 ref = keccak256("invoice 1");
        vm.prank(agent);
        treasury.pay(address(token), payee, 1, ref);
        vm.prank(other);
        treasury.pay(address(token), payee, 1, ref);
        assertEq(token.balanceOf(payee), 2, "both paid");
    }

    function test_pay_deniedOnce_leavesTheReferenceFree() public {
        bytes32 ref = keccak256("invoice 1");
        vm.expectPartialRevert(ITreasury.Treasury_SpendDenied.selector);
        vm.prank(agent);
        treasury.pay(address(token), payee, 101 * UNIT, ref);
        vm.prank(agent);
        treasury.pay(address(token), payee, 1, ref);
        assertEq(token.balanceOf(payee), 1, "payee's balance");
    }

    function test_pay_withoutFunds_revertsAndChargesNothing() public {
        _setBudget(agent, address(0), _terms());
        vm.deal(address(treasury), 0);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_NativeTransferFailed.selector, payee, 1));
        vm.prank(agent);
        treasury.pay(address(0), payee, 1, bytes32(0));
        assertEq(treasury.usageOf(agent, address(0))[0].left, 200 * UNIT, "hour untouched");
    }

    function test_payBatch_paysAllAndOpensProposalsInOrder() public {
        ITreasury.Payment[] memory payments = new ITreasury.Payment[](3);
        payments[0] = ITreasury.Payment(address(token), payee, 10 * UNIT, bytes32(uint256(1)));
        payments[1] = ITreasury.Payment(address(token), stranger, 60 * UNIT, bytes32(uint256(2)));
        payments[2] = ITreasury.Payment(address(token), payee, 20 * UNIT, bytes32(uint256(3)));
        vm.prank(agent);
        bytes32[] memory ids = treasury.payBatch(payments);
        assertEq(ids[0], bytes32(0), "first is paid");
        assertTrue(ids[1] != bytes32(0), "second is proposed");
        assertEq(ids[2], bytes32(0), "third is paid");
        assertEq(token.balanceOf(payee), 30 * UNIT, "payee's balance");
        assertEq(treasury.usageOf(agent, address(token))[0].left, 170 * UNIT, "both are charged");
    }

    function test_payBatch_withOneDenied_paysNone() public {
        ITreasury.Payment[] memory payments = new ITreasury.Payment[](2);
        payments[0] = ITreasury.Payment(address(token), payee, 10 * UNIT, bytes32(uint256(1)));
        payments[1] = ITreasury.Payment(address(token), payee, 101 * UNIT, bytes32(uint256(2)));
        _expectDenied(ITreasury.Reason.PerTransaction, 101 * UNIT, 100 * UNIT, 0);
        vm.prank(agent);
        treasury.payBatch(payments);
        assertEq(token.balanceOf(payee), 0, "payee's balance");
    }

    function test_payBatch_withOneReferenceTwice_paysNone() public {
        ITreasury.Payment[] memory payments = new ITreasury.Payment[](2);
        payments[0] = ITreasury.Payment(address(token), payee, 1, bytes32(uint256(1)));
        payments[1] = payments[0];
        vm.expectRevert(
            abi.encodeWithSelector(ITreasury.Treasury_ReferenceUsed.selector, agent, bytes32(uint256(1)))
        );
        vm.prank(agent);
        treasury.payBatch(payments);
    }

    function test_canSpend_saysWhatMayBeSpentAtOnce() public {
        _pay(50 * UNIT);
        (ITreasury.Verdict verdict, ITreasury.Reason reason, uint256 left, uint256 resetsAt) = treasury
            .canSpend(agent, address(token), payee, 1);
        assertEq(uint256(verdict), uint256(ITreasury.Verdict.Execute), "verdict");
        assertEq(uint256(reason), uint256(ITreasury.Reason.None), "reason");
        assertEq(left, 50 * UNIT, "left");
        assertEq(resetsAt, 0, "resetsAt");
    }

    function test_canSpend_aboveTheApprovalLine_saysPropose() public view {
        (ITreasury.Verdict verdict, ITreasury.Reason reason, uint256 left, ) = treasury.canSpend(
            agent,
            address(token),
            payee,
            51 * UNIT
        );
        assertEq(uint256(verdict), uint256(ITreasury.Verdict.Propose), "verdict");
        assertEq(uint256(reason), uint256(ITreasury.Reason.ApprovalAbove), "reason");
        assertEq(left, 50 * UNIT, "left");
    }

    function test_canSpend_withoutFunds_saysBalance() public {
        token.burn(address(treasury), token.balanceOf(address(treasury)) - 3);
        (ITreasury.Verdict verdict, ITreasury.Reason reason, uint256 left, ) = treasury.canSpend(
            agent,
            address(token),
            payee,
            4
        );
        assertEq(uint256(verdict), uint256(ITreasury.Verdict.Deny), "verdict");
        assertEq(uint256(reason), uint256(ITreasury.Reason.Balance), "reason");
        assertEq(left, 3, "left");
    }

    function test_canSpend_beyondAWindowsWholeLimit_neverResets() public {
        ITreasury.BudgetTerms memory terms = _unlimited();
        terms.daily = uint128(10 * UNIT);
        _setBudget(agent, address(token), terms);
        (, ITreasury.Reason reason, uint256 left, uint256 resetsAt) = treasury.canSpend(
            agent,
            address(token),
            payee,
            11 * UNIT
        );
        assertEq(uint256(reason), uint256(ITreasury.Reason.Daily), "reason");
        assertEq(left, 10 * UNIT, "left");
        assertEq(resetsAt, 0, "resetsAt");
    }

    function test_canSpend_nativeCoinWithoutFunds_saysBalance() public {
        _setBudget(agent, address(0), _terms());
        vm.deal(address(treasury), 2);
        (, ITreasury.Reason reason, uint256 left, ) = treasury.canSpend(agent, address(0), payee, 3);
        assertEq(uint256(reason), uint256(ITreasury.Reason.Balance), "reason");
        assertEq(left, 2, "left");
    }
}
