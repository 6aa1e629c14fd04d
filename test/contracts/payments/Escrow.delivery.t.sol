// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAgreements} from "../../../contracts/interfaces/payments/IAgreements.sol";
import {IERC8183} from "../../../contracts/interfaces/payments/IERC8183.sol";
import {IEscrow} from "../../../contracts/interfaces/payments/IEscrow.sol";
import {EscrowFixture} from "../support/EscrowFixture.sol";

/// @notice Delivery, release and refunds, deadlines and the seller's acceptance.
contract EscrowDeliveryTest is EscrowFixture {
    function test_submit_beforeTheDeadline_bySellerOnly() public {
        IAgreements.Agreement memory agreement = _one();
        uint256 id = _open(agreement);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_NotAllowed.selector, buyer, seller));
        vm.prank(buyer);
        escrow.submit(id, "d", abi.encode(agreement));
        vm.warp(DELIVER_BY);
        vm.expectRevert(
            abi.encodeWithSelector(IEscrow.Escrow_DeadlinePassed.selector, DELIVER_BY, DELIVER_BY)
        );
        _submit(id, agreement);
        vm.warp(DELIVER_BY - 1);
        vm.expectEmit(true, true, true, true);
        emit IERC8183.JobSubmitted(id, seller, "deliverable");
        _submit(id, agreement);
        (IERC8183.Status status, uint256 settled, uint256 since) = escrow.statusOf(id);
        assertEq(uint256(status), uint256(IERC8183.Status.Submitted), "status");
        assertEq(settled, 0, "settled");
        assertEq(since, DELIVER_BY - 1, "since");
        vm.expectRevert(
            abi.encodeWithSelector(IEscrow.Escrow_WrongStatus.selector, id, IERC8183.Status.Submitted)
        );
        _submit(id, agreement);
    }

    function test_complete_paysTheSeller() public {
        IAgreements.Agreement memory agreement = _one();
        uint256 id = _open(agreement);
        vm.expectRevert(
            abi.encodeWithSelector(IEscrow.Escrow_WrongStatus.selector, id, IERC8183.Status.Funded)
        );
        vm.prank(buyer);
        escrow.complete(id, "fine", abi.encode(agreement));
        _submit(id, agreement);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_NotAllowed.selector, seller, buyer));
        vm.prank(seller);
        escrow.complete(id, "fine", abi.encode(agreement));
        vm.expectEmit(true, true, true, true);
        emit IERC8183.JobCompleted(id, buyer, "fine");
        vm.expectEmit(true, true, true, true);
        emit IERC8183.PaymentReleased(id, seller, 100 * USD);
        vm.prank(buyer);
        escrow.complete(id, "fine", abi.encode(agreement));
        assertEq(usdc.balanceOf(seller), 100 * USD, "paid");
        _assertStatus(id, IERC8183.Status.Completed);
        (uint256 paid, bool closed) = escrow.outcomeOf(id, agreement);
        assertEq(paid, 1, "paid milestones");
        assertTrue(closed, "closed");
    }

    function test_milestones_oneAfterAnother() public {
        IAgreements.Agreement memory agreement = _three();
        uint256 id = _open(agreement);
        uint256 sum;
        for (uint256 i = 0; i < 3; ++i) {
            _submit(id, agreement);
            vm.expectEmit(true, true, true, true);
            emit IEscrow.MilestoneSettled(id, i, agreement.milestones[i].amount, 0);
            vm.prank(buyer);
            escrow.complete(id, 0, abi.encode(agreement));
            sum += agreement.milestones[i].amount;
            assertEq(usdc.balanceOf(seller), sum, "paid so far");
            (uint256 paid, bool closed) = escrow.outcomeOf(id, agreement);
            assertEq(paid, i + 1, "paid milestones");
            assertEq(closed, i == 2, "closed with the last");
        }
        _assertStatus(id, IERC8183.Status.Completed);
    }

    function test_release_byTheBuyer_evenUndelivered() public {
        IAgreements.Agreement memory agreement = _one();
        uint256 id = _open(agreement);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_NotAllowed.selector, seller, buyer));
        vm.prank(seller);
        escrow.release(id, abi.encode(agreement));
        vm.prank(buyer);
        escrow.release(id, abi.encode(agreement));
        assertEq(usdc.balanceOf(seller), 100 * USD, "paid");
    }

    function test_release_byAnyone_afterSilence() public {
        IAgreements.Agreement memory agreement = _one();
        uint256 id = _open(agreement);
        _submit(id, agreement);
        vm.warp(START + REVIEW - 1);
        vm.expectRevert(
            abi.encodeWithSelector(IEscrow.Escrow_TooEarly.selector, START + REVIEW - 1, START + REVIEW)
        );
        vm.prank(stranger);
        escrow.release(id, abi.encode(agreement));
        vm.warp(START + REVIEW);
        vm.prank(stranger);
        escrow.release(id, abi.encode(agreement));
        assertEq(usdc.balanceOf(seller), 100 * USD, "silence pays the seller");
        vm.expectRevert(
            abi.encodeWithSelector(IEscrow.Escrow_WrongStatus.selector, id, IERC8183.Status.Completed)
        );
        vm.prank(buyer);
        escrow.release(id, abi.encode(agreement));
    }

    // Refunds

    function test_claimRefund_undelivered_afterTheDeadline() public {
        IAgreements.Agreement memory agreement = _three();
        uint256 id = _open(agreement);
        vm.prank(buyer);
        escrow.release(id, abi.encode(agreement));
        vm.warp(DELIVER_BY - 1);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_TooEarly.selector, DELIVER_BY - 1, DELIVER_BY));
        escrow.claimRefund(id, abi.encode(agreement));
        vm.warp(DELIVER_BY);
        vm.expectEmit(true, true, true, true);
        emit IERC8183.JobExpired(id);
        vm.expectEmit(true, true, true, true);
        emit IERC8183.Refunded(id, buyer, 50 * USD);
        escrow.claimRefund(id, abi.encode(agreement));
        assertEq(usdc.balanceOf(buyer), 999_990 * USD, "all but the first milestone");
        _assertStatus(id, IERC8183.Status.Expired);
        (uint256 paid, bool closed) = escrow.outcomeOf(id, agreement);
        assertEq(paid, 1, "paid milestones");
        assertTrue(closed, "closed");
    }

    function test_claimRefund_ofADelivery_isRefusedForever() public {
        IAgreements.Agreement memory agreement = _one();
        uint256 id = _open(agreement);
        _submit(id, agreement);
        vm.warp(START + 4 * 365 days);
        vm.expectRevert(
            abi.encodeWithSelector(IEscrow.Escrow_WrongStatus.selector, id, IERC8183.Status.Submitted)
        );
        escrow.claimRefund(id, abi.encode(agreement));
    }

    function test_refund_byTheSeller_atAnyTime() public {
        IAgreements.Agreement memory agreement = _one();
        for (uint256 stage = 0; stage < 3; ++stage) {
            agreement.termsHash = bytes32(stage);
            uint256 id = _open(agreement);
            if (stage > 0) _submit(id, agreement);
            if (stage > 1) _dispute(id, agreement);
            vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_NotAllowed.selector, buyer, seller));
            vm.prank(buyer);
            escrow.refund(id, abi.encode(agreement));
            vm.expectEmit(true, true, true, true);
            emit IERC8183.JobRejected(id, seller, 0);
            vm.prank(seller);
            escrow.refund(id, abi.encode(agreement));
            _assertStatus(id, IERC8183.Status.Rejected);
            vm.expectRevert(
                abi.encodeWithSelector(IEscrow.Escrow_WrongStatus.selector, id, IERC8183.Status.Rejected)
            );
            vm.prank(seller);
            escrow.refund(id, abi.encode(agreement));
        }
        assertEq(usdc.balanceOf(buyer), 1_000_000 * USD, "all of it");
    }

    // Deadlines

    function test_milestones_haveTheirOwnDeadlines() public {
        IAgreements.Agreement memory agreement = _three();
        for (uint40 i = 0; i < 3; ++i) agreement.milestones[i].deliverBy = DELIVER_BY + i * 10 days;
        uint256 id = _open(agreement);
        assertEq(escrow.deadlineOf(id, abi.encode(agreement)), DELIVER_BY, "the first");
        vm.prank(buyer);
        escrow.release(id, abi.encode(agreement));
        assertEq(escrow.deadlineOf(id, abi.encode(agreement)), DELIVER_BY + 10 days, "the second");
        vm.warp(DELIVER_BY + 10 days - 1);
        bytes memory early = abi.encodeWithSelector(
            IEscrow.Escrow_TooEarly.selector,
            DELIVER_BY + 10 days - 1,
            DELIVER_BY + 10 days
        );
        vm.expectRevert(early);
        escrow.claimRefund(id, abi.encode(agreement));
        _submit(id, agreement);
        vm.prank(buyer);
        escrow.complete(id, 0, abi.encode(agreement));
        vm.warp(DELIVER_BY + 20 days);
        escrow.claimRefund(id, abi.encode(agreement));
        assertEq(usdc.balanceOf(seller), 30 * USD, "two were delivered");
        vm.expectRevert(
            abi.encodeWithSelector(IEscrow.Escrow_WrongStatus.selector, id, IERC8183.Status.Expired)
        );
        escrow.extend(id, DELIVER_BY + 30 days, abi.encode(agreement));
    }

    function test_reviews_takeNothingFromTheTimeOfTheNext() public {
        IAgreements.Agreement memory agreement = _three();
        uint256 id = _open(agreement);
        vm.warp(DELIVER_BY - 1 days);
        _submit(id, agreement);
        skip(1 days);
        _dispute(id, agreement);
        skip(20 days);
        vm.prank(arbiter);
        escrow.resolve(id, 10_000, abi.encode(agreement));
        // A day of review and twenty of the dispute.
        assertEq(escrow.deadlineOf(id, abi.encode(agreement)), DELIVER_BY + 21 days, "deadline");
        vm.warp(DELIVER_BY + 21 days - 1);
        _submit(id, agreement);
    }

    function test_extend_byTheBuyer() public {
        IAgreements.Agreement memory agreement = _three();
        bytes memory encoded = abi.encode(agreement);
        uint256 id = _open(agreement);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_NotAllowed.selector, seller, buyer));
        vm.prank(seller);
        escrow.extend(id, DELIVER_BY + 1, encoded);
        bytes4 bad = IEscrow.Escrow_BadDeadline.selector;
        uint256 latest = START + 5 * 365 days;
        vm.startPrank(buyer);
        vm.expectRevert(abi.encodeWithSelector(bad, DELIVER_BY, DELIVER_BY + 1, latest));
        escrow.extend(id, DELIVER_BY, encoded);
        vm.expectRevert(abi.encodeWithSelector(bad, latest + 1, DELIVER_BY + 1, latest));
        escrow.extend(id, latest + 1, encoded);
        vm.expectEmit(true, true, true, true);
        emit IEscrow.DeadlineExtended(id, 0, DELIVER_BY + 5 days);
        escrow.extend(id, DELIVER_BY + 5 days, encoded);
        vm.stopPrank();
        vm.warp(DELIVER_BY + 5 days - 1);
        _submit(id, agreement);
        vm.expectRevert(
            abi.encodeWithSelector(IEscrow.Escrow_WrongStatus.selector, id, IERC8183.Status.Submitted)
        );
        vm.prank(buyer);
        escrow.extend(id, DELIVER_BY + 6 days, encoded);
        vm.prank(buyer);
        escrow.complete(id, 0, encoded);
        assertEq(escrow.deadlineOf(id, encoded), DELIVER_BY + 5 days, "those that follow move with it");
    }

    // Acceptance

    function _unaccepted() private returns (uint256 id, IAgreements.Agreement memory agreement) {
        agreement = _three();
        agreement.acceptBy = uint40(START + 1 days);
        id = _open(agreement);
    }

    function test_accept_bySellerInTime_once() public {
        (uint256 id, IAgreements.Agreement memory agreement) = _unaccepted();
        bytes memory encoded = abi.encode(agreement);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_NotAllowed.selector, buyer, seller));
        vm.prank(buyer);
        escrow.accept(id, encoded);
        vm.warp(START + 1 days - 1);
        vm.expectEmit(true, true, true, true);
        emit IEscrow.AgreementAccepted(id, seller);
        vm.prank(seller);
        escrow.accept(id, encoded);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_Accepted.selector, id));
        vm.prank(seller);
        escrow.accept(id, encoded);
        vm.warp(DELIVER_BY - 1);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_TooEarly.selector, DELIVER_BY - 1, DELIVER_BY));
        vm.prank(buyer);
        escrow.claimRefund(id, encoded);
        _submit(id, agreement);
    }

    function test_accept_ofWhatNeedsNone_isRefused() public {
        uint256 id = _open(_one());
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_Accepted.selector, id));
        vm.prank(seller);
        escrow.accept(id, abi.encode(_one()));
    }

    function test_delivering_accepts() public {
        (uint256 id, IAgreements.Agreement memory agreement) = _unaccepted();
        vm.expectEmit(true, true, true, true);
        emit IEscrow.AgreementAccepted(id, seller);
        _submit(id, agreement);
        vm.prank(buyer);
        escrow.complete(id, 0, abi.encode(agreement));
        skip(2 days);
        _submit(id, agreement);
    }

    function test_unaccepted_theBuyerTakesItBack_andAnyoneForItAfterTheTime() public {
        (uint256 id, IAgreements.Agreement memory agreement) = _unaccepted();
        bytes memory encoded = abi.encode(agreement);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_TooEarly.selector, START, START + 1 days));
        escrow.claimRefund(id, encoded);
        uint256 before = vm.snapshotState();
        vm.prank(buyer);
        escrow.claimRefund(id, encoded);
        assertEq(usdc.balanceOf(buyer), 1_000_000 * USD, "at once");
        vm.revertToState(before);
        vm.warp(START + 1 days);
        bytes memory late = abi.encodeWithSelector(
            IEscrow.Escrow_DeadlinePassed.selector,
            START + 1 days,
            START + 1 days
        );
        vm.expectRevert(late);
        vm.prank(seller);
        escrow.accept(id, encoded);
        vm.expectRevert(late);
        _submit(id, agreement);
        vm.prank(stranger);
        escrow.claimRefund(id, encoded);
        assertEq(usdc.balanceOf(buyer), 1_000_000 * USD, "later by anyone");
    }

    function test_deadlineOf_whatIsOver_isRefused() public {
        IAgreements.Agreement memory agreement = _one();
        uint256 id = _open(agreement);
        vm.prank(buyer);
        escrow.release(id, abi.encode(agreement));
        vm.expectRevert(
            abi.encodeWithSelector(IEscrow.Escrow_WrongStatus.selector, id, IERC8183.Status.Completed)
        );
        escrow.deadlineOf(id, abi.encode(agreement));
    }
}
