// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAgreements} from "../../../contracts/interfaces/payments/IAgreements.sol";
import {IArbitrable} from "../../../contracts/interfaces/trust/IArbitrable.sol";
import {IArbitrator} from "../../../contracts/interfaces/trust/IArbitrator.sol";
import {IERC8183} from "../../../contracts/interfaces/payments/IERC8183.sol";
import {IEscrow} from "../../../contracts/interfaces/payments/IEscrow.sol";
import {IEvidence} from "../../../contracts/interfaces/trust/IEvidence.sol";
import {EscrowFixture} from "../support/EscrowFixture.sol";

/// @notice What arbiters decide, and who pays them.
contract EscrowDisputesTest is EscrowFixture {
    uint256 private agreed;

    function test_dispute_byEitherSide_withinTheReview() public {
        IAgreements.Agreement memory agreement = _one();
        uint256 id = _open(agreement);
        vm.expectRevert(
            abi.encodeWithSelector(IEscrow.Escrow_WrongStatus.selector, id, IERC8183.Status.Funded)
        );
        _dispute(id, agreement);
        _submit(id, agreement);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_NotAllowed.selector, stranger, buyer));
        vm.prank(stranger);
        escrow.dispute(id, abi.encode(agreement));
        vm.warp(START + REVIEW);
        vm.expectRevert(
            abi.encodeWithSelector(IEscrow.Escrow_ReviewOver.selector, START + REVIEW, START + REVIEW)
        );
        _dispute(id, agreement);
        vm.warp(START + REVIEW - 1);
        vm.expectEmit(true, true, true, true);
        emit IEscrow.Disputed(id, seller, arbiter);
        vm.prank(seller);
        escrow.dispute(id, abi.encode(agreement));
        (IERC8183.Status status, , uint256 since) = escrow.statusOf(id);
        assertEq(uint256(status), uint256(IERC8183.Status.Disputed), "status");
        assertEq(since, START + REVIEW - 1, "since");
    }

    function test_dispute_withoutArbiter_isRefused() public {
        IAgreements.Agreement memory agreement = _one();
        agreement.arbiter = address(0);
        uint256 id = _open(agreement);
        _submit(id, agreement);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_NoArbiter.selector, id));
        _dispute(id, agreement);
    }

    function test_dispute_beforeAPerson_costsNothing() public {
        IAgreements.Agreement memory agreement = _one();
        uint256 id = _open(agreement);
        _submit(id, agreement);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_WrongFee.selector, 1, 0));
        vm.prank(buyer);
        escrow.dispute{value: 1}(id, abi.encode(agreement));
    }

    function test_resolve_splitsOnce() public {
        IAgreements.Agreement memory agreement = _three();
        uint256 id = _open(agreement);
        _submit(id, agreement);
        vm.expectRevert(
            abi.encodeWithSelector(IEscrow.Escrow_WrongStatus.selector, id, IERC8183.Status.Submitted)
        );
        vm.prank(arbiter);
        escrow.resolve(id, 1, abi.encode(agreement));
        _dispute(id, agreement);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_NotAllowed.selector, buyer, arbiter));
        vm.prank(buyer);
        escrow.resolve(id, 0, abi.encode(agreement));
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_ShareTooLarge.selector, 10_001, 10_000));
        vm.prank(arbiter);
        escrow.resolve(id, 10_001, abi.encode(agreement));
        vm.expectEmit(true, true, true, true);
        emit IEscrow.MilestoneSettled(id, 0, 2_500_000, 7_500_000);
        vm.prank(arbiter);
        escrow.resolve(id, 2_500, abi.encode(agreement));
        assertEq(usdc.balanceOf(seller), 2_500_000, "seller's quarter");
        assertEq(usdc.balanceOf(buyer), 1_000_000 * USD - 52_500_000, "buyer's rest");
        (uint256 paid, ) = escrow.outcomeOf(id, agreement);
        assertEq(paid, 0, "a split is no full payment");
        (IERC8183.Status status, uint256 settled, uint256 since) = escrow.statusOf(id);
        assertEq(uint256(status), uint256(IERC8183.Status.Funded), "on with the next");
        assertEq(settled, 1, "settled");
        assertEq(since, 0, "since");
    }

    function test_resolve_ofASingleMilestone_tellsTheSplit() public {
        IAgreements.Agreement memory agreement = _one();
        uint256 id = _open(agreement);
        _submit(id, agreement);
        _dispute(id, agreement);
        vm.expectEmit(true, true, true, true);
        emit IERC8183.JobRejected(id, arbiter, 0);
        vm.expectEmit(true, true, true, true);
        emit IEscrow.MilestoneSettled(id, 0, 0, 100 * USD);
        vm.prank(arbiter);
        escrow.resolve(id, 0, abi.encode(agreement));
        assertEq(usdc.balanceOf(buyer), 1_000_000 * USD, "all back");
    }

    function test_release_whenTheArbiterIsSilentTooLong() public {
        IAgreements.Agreement memory agreement = _one();
        uint256 id = _open(agreement);
        _submit(id, agreement);
        _dispute(id, agreement);
        uint256 from = START + 180 days;
        vm.warp(from - 1);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_TooEarly.selector, from - 1, from));
        escrow.release(id, abi.encode(agreement));
        vm.warp(from);
        escrow.release(id, abi.encode(agreement));
        assertEq(usdc.balanceOf(seller), 100 * USD, "what was delivered is paid");
    }

    function test_release_byTheBuyer_endsADispute() public {
        IAgreements.Agreement memory agreement = _one();
        uint256 id = _open(agreement);
        _submit(id, agreement);
        _dispute(id, agreement);
        vm.prank(buyer);
        escrow.release(id, abi.encode(agreement));
        assertEq(usdc.balanceOf(seller), 100 * USD, "given in");
    }

    function test_submitEvidence_byTheParties() public {
        IAgreements.Agreement memory agreement = _one();
        uint256 id = _open(agreement);
        _submit(id, agreement);
        vm.expectRevert(
            abi.encodeWithSelector(IEscrow.Escrow_WrongStatus.selector, id, IERC8183.Status.Submitted)
        );
        vm.prank(buyer);
        escrow.submitEvidence(id, "ipfs://e", abi.encode(agreement));
        _dispute(id, agreement);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_NotAllowed.selector, stranger, buyer));
        vm.prank(stranger);
        escrow.submitEvidence(id, "ipfs://e", abi.encode(agreement));
        vm.expectEmit(true, true, true, true);
        emit IEvidence.Evidence(IArbitrator(arbiter), id, seller, "ipfs://e");
        vm.prank(seller);
        escrow.submitEvidence(id, "ipfs://e", abi.encode(agreement));
    }

    function _disputed() private returns (uint256 id, IAgreements.Agreement memory agreement) {
        agreement = _three();
        agreement.termsHash = bytes32(++agreed);
        id = _asked(agreement);
    }

    function test_arbitrator_isAskedAndPaid() public {
        IAgreements.Agreement memory agreement = _three();
        agreement.arbiter = address(judge);
        vm.expectEmit(true, true, true, true);
        emit IEscrow.AgreementOpened(_idOf(agreement), buyer, true, agreement);
        uint256 id = _open(agreement);
        _submit(id, agreement);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_WrongFee.selector, 1, 0.01 ether));
        vm.prank(buyer);
        escrow.dispute{value: 1}(id, abi.encode(agreement));
        vm.prank(buyer);
        escrow.dispute{value: 0.01 ether}(id, abi.encode(agreement));
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_WrongFee.selector, 1, 0.01 ether));
        vm.prank(seller);
        escrow.answer{value: 1}(id, abi.encode(agreement));
        vm.expectEmit(true, true, true, true);
        emit IArbitrator.DisputeCreation(0, escrow);
        vm.expectEmit(true, true, true, true);
        emit IEvidence.Dispute(judge, 0, 0, id);
        vm.prank(seller);
        escrow.answer{value: 0.01 ether}(id, abi.encode(agreement));
        assertEq(address(judge).balance, 0.01 ether, "paid once");
        (, uint256 choices, , ) = judge.cases(0);
        assertEq(choices, 10_001, "one choice for each basis point and none");
        assertEq(judge.lastExtraData(), abi.encode(id), "extra data");
    }

    function test_ruling_isCarriedOutByAnyone() public {
        (uint256 id, IAgreements.Agreement memory agreement) = _disputed();
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_NotRuled.selector, id));
        escrow.executeRuling(id, abi.encode(agreement));
        vm.expectEmit(true, true, true, true);
        emit IArbitrable.Ruling(judge, 0, 7_001);
        judge.give(0, 7_001);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_Ruled.selector, id));
        vm.prank(seller);
        escrow.release(id, abi.encode(agreement));
        // However long nobody carries it out.
        skip(180 days);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_Ruled.selector, id));
        vm.prank(seller);
        escrow.release(id, abi.encode(agreement));
        vm.prank(stranger);
        escrow.executeRuling(id, abi.encode(agreement));
        assertEq(usdc.balanceOf(seller), 7 * USD, "7,000 basis points of 10");
        vm.expectRevert(
            abi.encodeWithSelector(IEscrow.Escrow_WrongStatus.selector, id, IERC8183.Status.Funded)
        );
        escrow.executeRuling(id, abi.encode(agreement));
    }

    function test_ruling_extremes() public {
        uint256[4] memory rulings = [uint256(0), 1, 10_001, 5_001];
        uint128[4] memory sellers = [5 * USD, 0, 10 * USD, 5 * USD];
        for (uint256 i = 0; i < 4; ++i) {
            uint256 before = usdc.balanceOf(seller);
            (uint256 id, IAgreements.Agreement memory agreement) = _disputed();
            judge.give(i, rulings[i]);
            escrow.executeRuling(id, abi.encode(agreement));
            assertEq(usdc.balanceOf(seller) - before, sellers[i], "seller's part");
        }
        _disputed();
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_ShareTooLarge.selector, 10_002, 10_001));
        judge.give(4, 10_002);
    }

    function test_rule_onlyByTheDisputesArbitrator_once() public {
        _disputed();
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_UnknownDispute.selector, stranger, 0));
        vm.prank(stranger);
        escrow.rule(0, 1);
        judge.give(0, 1);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_UnknownDispute.selector, judge, 0));
        judge.give(0, 10_001);
    }

    function test_lateRuling_doesNotMeetALaterMilestone() public {
        (uint256 id, IAgreements.Agreement memory agreement) = _disputed();
        vm.prank(buyer);
        escrow.release(id, abi.encode(agreement));
        _submit(id, agreement);
        _ask(id, agreement);
        judge.give(0, 1);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_NotRuled.selector, id));
        escrow.executeRuling(id, abi.encode(agreement));
        judge.give(1, 10_001);
        escrow.executeRuling(id, abi.encode(agreement));
        assertEq(usdc.balanceOf(seller), 30 * USD, "10 and 20");
    }

    // The loser pays the arbitrator

    function _unanswered(bool bySeller) private returns (uint256 id, IAgreements.Agreement memory agreement) {
        agreement = _three();
        (agreement.arbiter, agreement.termsHash) = (address(judge), bytes32(++agreed));
        id = _open(agreement);
        _submit(id, agreement);
        vm.prank(bySeller ? seller : buyer);
        escrow.dispute{value: 0.01 ether}(id, abi.encode(agreement));
    }

    function _coinOf(address account) private view returns (uint256) {
        return escrow.creditOf(address(0), account);
    }

    function test_answer_byTheOtherSide_withinAReview_once() public {
        (uint256 id, IAgreements.Agreement memory agreement) = _unanswered(false);
        bytes memory encoded = abi.encode(agreement);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_NotAllowed.selector, buyer, seller));
        vm.prank(buyer);
        escrow.answer{value: 0.01 ether}(id, encoded);
        vm.warp(START + REVIEW);
        vm.expectRevert(
            abi.encodeWithSelector(IEscrow.Escrow_DeadlinePassed.selector, START + REVIEW, START + REVIEW)
        );
        vm.prank(seller);
        escrow.answer{value: 0.01 ether}(id, encoded);
        vm.warp(START + REVIEW - 1);
        vm.prank(seller);
        escrow.answer{value: 0.01 ether}(id, encoded);
        bytes memory answered = abi.encodeWithSelector(IEscrow.Escrow_NothingToAnswer.selector, id);
        vm.expectRevert(answered);
        vm.prank(seller);
        escrow.answer{value: 0.01 ether}(id, encoded);
        vm.warp(START + REVIEW);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_NotRuled.selector, id));
        escrow.executeRuling(id, encoded);
    }

    function test_answer_beforeAPerson_isNotAskedFor() public {
        IAgreements.Agreement memory agreement = _one();
        uint256 id = _open(agreement);
        _submit(id, agreement);
        _dispute(id, agreement);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_NothingToAnswer.selector, id));
        vm.prank(seller);
        escrow.answer(id, abi.encode(agreement));
    }

    function test_unanswered_whoDisputedHasTheMilestone_andItsFeeBack() public {
        for (uint256 i = 0; i < 2; ++i) {
            uint256 before = usdc.balanceOf(seller);
            (uint256 id, IAgreements.Agreement memory agreement) = _unanswered(i == 1);
            uint256 until = block.timestamp + REVIEW;
            skip(REVIEW - 1);
            vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_TooEarly.selector, until - 1, until));
            escrow.executeRuling(id, abi.encode(agreement));
            skip(1);
            escrow.executeRuling(id, abi.encode(agreement));
            assertEq(usdc.balanceOf(seller) - before, i * 10 * USD, "the milestone");
            assertEq(_coinOf(i == 1 ? seller : buyer), 0.01 ether, "what it put down");
            (, uint256 settled, ) = escrow.statusOf(id);
            assertEq(settled, 1, "on with the next");
        }
    }

    function test_unanswered_isNotReleasedByWaiting() public {
        (uint256 id, IAgreements.Agreement memory agreement) = _unanswered(false);
        skip(181 days);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_NotAnswered.selector, id));
        escrow.release(id, abi.encode(agreement));
    }

    function test_ruling_theWinnerHasTheOthersFee() public {
        uint256[3] memory rulings = [uint256(10_001), 1, 0];
        uint256[3] memory sellers = [uint256(0.01 ether), 0, 0.005 ether];
        for (uint256 i = 0; i < 3; ++i) {
            (uint256 before, uint256 buyersBefore) = (_coinOf(seller), _coinOf(buyer));
            (uint256 id, IAgreements.Agreement memory agreement) = _disputed();
            judge.give(i, rulings[i]);
            escrow.executeRuling(id, abi.encode(agreement));
            assertEq(_coinOf(seller) - before, sellers[i], "seller's");
            assertEq(_coinOf(buyer) - buyersBefore, 0.01 ether - sellers[i], "buyer's");
        }
        assertEq(address(escrow).balance, 0.03 ether, "all of it is owed");
        vm.expectEmit(true, true, true, true);
        emit IEscrow.CreditWithdrawn(address(0), seller, stranger, 0.015 ether);
        vm.prank(seller);
        escrow.withdrawCredit(address(0), stranger);
        assertEq(stranger.balance, 0.015 ether, "paid");
        vm.expectRevert(
            abi.encodeWithSelector(IEscrow.Escrow_PaymentFailed.selector, address(usdc), 0.015 ether)
        );
        vm.prank(buyer);
        escrow.withdrawCredit(address(0), address(usdc));
    }

    function test_givingIn_leavesTheFeeToTheOther_andSilenceHalves() public {
        (uint256 id, IAgreements.Agreement memory agreement) = _disputed();
        vm.prank(buyer);
        escrow.release(id, abi.encode(agreement));
        assertEq(_coinOf(seller), 0.01 ether, "the buyer gave in");
        (id, agreement) = _disputed();
        vm.prank(seller);
        escrow.refund(id, abi.encode(agreement));
        assertEq(_coinOf(buyer), 0.01 ether, "the seller gave in");
        (id, agreement) = _disputed();
        skip(180 days);
        escrow.release(id, abi.encode(agreement));
        assertEq(_coinOf(seller), 0.015 ether, "a silent arbitrator, half");
        assertEq(_coinOf(buyer), 0.015 ether, "and half");
    }

    function test_givingIn_beforeTheAnswer_givesTheFeeBack() public {
        (uint256 id, IAgreements.Agreement memory agreement) = _unanswered(false);
        vm.prank(buyer);
        escrow.release(id, abi.encode(agreement));
        assertEq(_coinOf(buyer), 0.01 ether, "back to who put it down");
        (id, agreement) = _unanswered(true);
        vm.prank(seller);
        escrow.refund(id, abi.encode(agreement));
        assertEq(_coinOf(seller), 0.01 ether, "back to who put it down");
    }
}
