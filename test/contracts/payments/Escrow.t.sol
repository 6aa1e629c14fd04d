// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAgreements} from "../../../contracts/interfaces/payments/IAgreements.sol";
import {IArbitrable} from "../../../contracts/interfaces/trust/IArbitrable.sol";
import {IArbitrator} from "../../../contracts/interfaces/trust/IArbitrator.sol";
import {IERC8183} from "../../../contracts/interfaces/payments/IERC8183.sol";
import {IEscrow} from "../../../contracts/interfaces/payments/IEscrow.sol";
import {IEvidence} from "../../../contracts/interfaces/trust/IEvidence.sol";
import {Escrow} from "../../../contracts/payments/Escrow.sol";
import {ContractWallet} from "../support/ContractWallet.sol";
import {EscrowFixture} from "../support/EscrowFixture.sol";
import {Judge} from "../support/Judge.sol";
import {FeeOnTransfer} from "../support/tokens/FeeOnTransfer.sol";
import {NoReturn} from "../support/tokens/NoReturn.sol";

/// @notice What each function of Escrow does, refuses and says.
contract EscrowTest is EscrowFixture {
    function test_constructor_saysWhatRulingsMean() public {
        vm.expectEmit(true, true, true, true);
        emit IEvidence.MetaEvidence(0, "ipfs://rules");
        Escrow fresh = new Escrow(address(usdc), "ipfs://rules");
        assertEq(fresh.jobToken(), address(usdc), "job token");
        assertEq(fresh.jobCount(), 0, "no jobs");
        assertEq(fresh.MAX_MILESTONES(), 50, "milestones");
        assertEq(fresh.MAX_DURATION(), 5 * 365 days, "duration");
        assertEq(fresh.MIN_REVIEW_WINDOW(), 1 hours, "least review");
        assertEq(fresh.MAX_REVIEW_WINDOW(), 90 days, "most review");
        assertEq(fresh.JOB_REVIEW_WINDOW(), 3 days, "a job's review");
        assertEq(fresh.ARBITRATION_LIMIT(), 180 days, "arbitration");
    }

    function test_supportsInterface() public view {
        assertTrue(escrow.supportsInterface(0x01ffc9a7), "ERC-165");
        assertTrue(escrow.supportsInterface(type(IArbitrable).interfaceId), "ERC-792");
        assertTrue(escrow.supportsInterface(type(IERC8183).interfaceId), "ERC-8183");
        assertTrue(escrow.supportsInterface(type(IAgreements).interfaceId), "agreements");
        assertFalse(escrow.supportsInterface(0xffffffff), "nothing else");
    }

    // Opening

    function test_open_takesTheWholeAmount() public {
        IAgreements.Agreement memory agreement = _three();
        vm.expectEmit(true, true, true, true);
        emit IEscrow.AgreementOpened(1, buyer, false, agreement);
        uint256 id = _open(agreement);
        assertEq(id, 1, "id");
        assertEq(escrow.jobCount(), 1, "count");
        assertEq(usdc.balanceOf(address(escrow)), 60 * USD, "in escrow");
        _assertStatus(id, IERC8183.Status.Funded);
        (uint256 paid, bool closed) = escrow.outcomeOf(id, agreement);
        assertEq(paid, 0, "paid");
        assertFalse(closed, "closed");
    }

    function test_open_somebodyElseMayPay() public {
        usdc.mint(stranger, 100 * USD);
        vm.startPrank(stranger);
        usdc.approve(address(escrow), 100 * USD);
        uint256 id = escrow.open(_one());
        vm.stopPrank();
        skip(11 days);
        escrow.claimRefund(id, abi.encode(_one()));
        assertEq(usdc.balanceOf(buyer), 1_000_100 * USD, "but the buyer is refunded");
    }

    function _refused(IAgreements.Agreement memory agreement, bytes memory reason) private {
        vm.expectRevert(reason);
        _open(agreement);
    }

    function test_open_refusesBadParties() public {
        IAgreements.Agreement memory agreement = _one();
        agreement.seller = address(0);
        _refused(agreement, abi.encodeWithSelector(IEscrow.Escrow_BadParties.selector, buyer, 0, arbiter));
        agreement.seller = buyer;
        _refused(
            agreement,
            abi.encodeWithSelector(IEscrow.Escrow_BadParties.selector, buyer, buyer, arbiter)
        );
        agreement.seller = arbiter;
        _refused(
            agreement,
            abi.encodeWithSelector(IEscrow.Escrow_BadParties.selector, buyer, arbiter, arbiter)
        );
        agreement = _one();
        agreement.buyer = address(0);
        _refused(agreement, abi.encodeWithSelector(IEscrow.Escrow_BadParties.selector, 0, seller, arbiter));
        agreement.buyer = arbiter;
        _refused(
            agreement,
            abi.encodeWithSelector(IEscrow.Escrow_BadParties.selector, arbiter, seller, arbiter)
        );
        agreement = _one();
        agreement.token = stranger;
        _refused(agreement, abi.encodeWithSelector(IEscrow.Escrow_NotAToken.selector, stranger));
    }

    function test_open_refusesBadMilestones() public {
        _refused(_of(0), abi.encodeWithSelector(IEscrow.Escrow_BadMilestones.selector, 0, 50));
        _refused(_of(51), abi.encodeWithSelector(IEscrow.Escrow_BadMilestones.selector, 51, 50));
        IAgreements.Agreement memory agreement = _three();
        agreement.milestones[1] = 0;
        _refused(agreement, abi.encodeWithSelector(IEscrow.Escrow_ZeroAmount.selector));
        IAgreements.Agreement memory most = _of(50);
        for (uint256 i = 0; i < 50; ++i) most.milestones[i] = 1;
        assertEq(_open(most), 1, "fifty are allowed");
    }

    function test_open_refusesBadTimes() public {
        IAgreements.Agreement memory agreement = _one();
        agreement.deliverBy = uint40(START);
        uint256 latest = START + 5 * 365 days;
        _refused(
            agreement,
            abi.encodeWithSelector(IEscrow.Escrow_BadDeadline.selector, START, START + 1, latest)
        );
        agreement.deliverBy = uint40(latest + 1);
        _refused(
            agreement,
            abi.encodeWithSelector(IEscrow.Escrow_BadDeadline.selector, latest + 1, START + 1, latest)
        );
        agreement.deliverBy = uint40(latest);
        agreement.reviewWindow = 1 hours - 1;
        bytes4 bad = IEscrow.Escrow_BadReviewWindow.selector;
        _refused(agreement, abi.encodeWithSelector(bad, 1 hours - 1, 1 hours, 90 days));
        agreement.reviewWindow = 90 days + 1;
        _refused(agreement, abi.encodeWithSelector(bad, 90 days + 1, 1 hours, 90 days));
        agreement.reviewWindow = 90 days;
        _open(agreement);
        agreement.reviewWindow = 1 hours;
        agreement.deliverBy = uint40(START + 1);
        _open(agreement);
    }

    function test_open_refusesATokenThatTakesAFee() public {
        FeeOnTransfer token = new FeeOnTransfer();
        token.mint(buyer, 100 * USD);
        vm.prank(buyer);
        token.approve(address(escrow), 100 * USD);
        IAgreements.Agreement memory agreement = _one();
        agreement.token = address(token);
        _refused(
            agreement,
            abi.encodeWithSelector(
                IEscrow.Escrow_AmountNotExact.selector,
                address(token),
                99 * USD,
                100 * USD
            )
        );
    }

    function test_openWithPermit() public {
        (address owner, uint256 key) = makeAddrAndKey("owner");
        usdc.mint(owner, 100 * USD);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, _permitDigest(owner));
        vm.prank(owner);
        uint256 id = escrow.openWithPermit(_one(), START, v, r, s);
        _assertStatus(id, IERC8183.Status.Funded);
        assertEq(usdc.balanceOf(address(escrow)), 100 * USD, "in escrow");
    }

    function test_openWithPermit_usedByAnotherBefore_works() public {
        (address owner, uint256 key) = makeAddrAndKey("owner");
        usdc.mint(owner, 100 * USD);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, _permitDigest(owner));
        usdc.permit(owner, address(escrow), 100 * USD, START, v, r, s);
        vm.prank(owner);
        escrow.openWithPermit(_one(), START, v, r, s);
        assertEq(usdc.balanceOf(address(escrow)), 100 * USD, "in escrow");
    }

    function test_openWithAuthorization_opensThatAgreementOnly() public {
        IAgreements.Agreement memory agreement = _one();
        bytes memory signature = _authorize(agreement, "salt");
        IAgreements.Agreement memory other = _one();
        other.seller = stranger;
        vm.expectRevert();
        escrow.openWithAuthorization(other, buyer, 0, START + 1, "salt", signature);
        vm.expectEmit(true, true, true, true);
        emit IEscrow.AgreementOpened(1, buyer, false, agreement);
        vm.prank(stranger);
        uint256 id = escrow.openWithAuthorization(agreement, buyer, 0, START + 1, "salt", signature);
        assertEq(usdc.balanceOf(address(escrow)), 100 * USD, "in escrow");
        vm.expectRevert();
        escrow.openWithAuthorization(agreement, buyer, 0, START + 1, "salt", signature);
        _assertStatus(id, IERC8183.Status.Funded);
    }

    // Delivery and release

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
            emit IEscrow.MilestoneSettled(id, i, agreement.milestones[i], 0);
            vm.prank(buyer);
            escrow.complete(id, 0, abi.encode(agreement));
            sum += agreement.milestones[i];
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

    // Disputes

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
        agreement.arbiter = address(judge);
        id = _open(agreement);
        _submit(id, agreement);
        vm.prank(buyer);
        escrow.dispute{value: 0.01 ether}(id, abi.encode(agreement));
    }

    function test_arbitrator_isAskedAndPaid() public {
        IAgreements.Agreement memory agreement = _three();
        agreement.arbiter = address(judge);
        vm.expectEmit(true, true, true, true);
        emit IEscrow.AgreementOpened(1, buyer, true, agreement);
        uint256 id = _open(agreement);
        _submit(id, agreement);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_WrongFee.selector, 1, 0.01 ether));
        vm.prank(buyer);
        escrow.dispute{value: 1}(id, abi.encode(agreement));
        vm.expectEmit(true, true, true, true);
        emit IArbitrator.DisputeCreation(0, escrow);
        vm.expectEmit(true, true, true, true);
        emit IEvidence.Dispute(judge, 0, 0, id);
        vm.prank(buyer);
        escrow.dispute{value: 0.01 ether}(id, abi.encode(agreement));
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
        vm.prank(buyer);
        escrow.dispute{value: 0.01 ether}(id, abi.encode(agreement));
        judge.give(0, 1);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_NotRuled.selector, id));
        escrow.executeRuling(id, abi.encode(agreement));
        judge.give(1, 10_001);
        escrow.executeRuling(id, abi.encode(agreement));
        assertEq(usdc.balanceOf(seller), 30 * USD, "10 and 20");
    }

    // Joint settlement

    function test_settle_asBothSigned() public {
        IAgreements.Agreement memory agreement = _three();
        uint256 id = _open(agreement);
        bytes32 digest = escrow.settlementDigest(id, 45 * USD, START + 5);
        bytes memory encoded = abi.encode(agreement);
        (bytes memory ofBuyer, bytes memory ofSeller) = (_sign(buyerKey, digest), _sign(sellerKey, digest));
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_BadSignature.selector, buyer));
        escrow.settle(id, 45 * USD, START + 5, ofSeller, ofSeller, encoded);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_BadSignature.selector, seller));
        escrow.settle(id, 45 * USD, START + 5, ofBuyer, ofBuyer, encoded);
        vm.warp(START + 6);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_DeadlinePassed.selector, START + 6, START + 5));
        escrow.settle(id, 45 * USD, START + 5, ofBuyer, ofSeller, encoded);
        vm.warp(START + 5);
        vm.expectEmit(true, true, true, true);
        emit IEscrow.JointlySettled(id, 45 * USD, 15 * USD);
        escrow.settle(id, 45 * USD, START + 5, ofBuyer, ofSeller, encoded);
        assertEq(usdc.balanceOf(seller), 45 * USD, "seller");
        assertEq(usdc.balanceOf(buyer), 999_955 * USD, "buyer");
        _assertStatus(id, IERC8183.Status.Completed);
        vm.expectRevert(
            abi.encodeWithSelector(IEscrow.Escrow_WrongStatus.selector, id, IERC8183.Status.Completed)
        );
        escrow.settle(id, 45 * USD, START + 5, ofBuyer, ofSeller, encoded);
    }

    function test_settle_forNothing_isARejection() public {
        IAgreements.Agreement memory agreement = _one();
        uint256 id = _open(agreement);
        bytes32 digest = escrow.settlementDigest(id, 0, START);
        (bytes memory ofBuyer, bytes memory ofSeller) = (_sign(buyerKey, digest), _sign(sellerKey, digest));
        vm.expectEmit(true, true, true, true);
        emit IERC8183.JobRejected(id, address(this), 0);
        escrow.settle(id, 0, START, ofBuyer, ofSeller, abi.encode(agreement));
        _assertStatus(id, IERC8183.Status.Rejected);
    }

    function test_settle_forMoreThanIsThere_isRefused() public {
        IAgreements.Agreement memory agreement = _one();
        uint256 id = _open(agreement);
        bytes32 digest = escrow.settlementDigest(id, 100 * USD + 1, START);
        (bytes memory ofBuyer, bytes memory ofSeller) = (_sign(buyerKey, digest), _sign(sellerKey, digest));
        vm.expectRevert(
            abi.encodeWithSelector(IEscrow.Escrow_ShareTooLarge.selector, 100 * USD + 1, 100 * USD)
        );
        escrow.settle(id, 100 * USD + 1, START, ofBuyer, ofSeller, abi.encode(agreement));
    }

    function test_settle_withAContractAsBuyer() public {
        ContractWallet wallet = new ContractWallet(buyer);
        IAgreements.Agreement memory agreement = _one();
        agreement.buyer = address(wallet);
        uint256 id = _open(agreement);
        bytes32 digest = escrow.settlementDigest(id, 60 * USD, START);
        bytes memory encoded = abi.encode(agreement);
        escrow.settle(id, 60 * USD, START, _sign(buyerKey, digest), _sign(sellerKey, digest), encoded);
        assertEq(usdc.balanceOf(address(wallet)), 40 * USD, "the contract's part");
    }

    function test_settle_byKeysOfAccountsWhoseCodeDenies() public {
        IAgreements.Agreement memory agreement = _one();
        uint256 id = _open(agreement);
        bytes32 digest = escrow.settlementDigest(id, 60 * USD, START);
        (bytes memory ofBuyer, bytes memory ofSeller) = (_sign(buyerKey, digest), _sign(sellerKey, digest));
        // EIP-7702: this code takes nobody's word but another key's.
        bytes memory code = abi.encodePacked(hex"ef0100", address(new ContractWallet(makeAddr("other"))));
        vm.etch(buyer, code);
        vm.etch(seller, code);
        escrow.settle(id, 60 * USD, START, ofBuyer, ofSeller, abi.encode(agreement));
        assertEq(usdc.balanceOf(seller), 60 * USD, "the seller's part");
    }

    // Payouts that fail

    function test_blockedSeller_isCredited() public {
        IAgreements.Agreement memory agreement = _one();
        uint256 id = _open(agreement);
        usdc.blocklist(seller);
        _submit(id, agreement);
        vm.expectEmit(true, true, true, true);
        emit IEscrow.PayoutCredited(address(usdc), seller, 100 * USD);
        vm.prank(buyer);
        escrow.complete(id, 0, abi.encode(agreement));
        assertEq(escrow.creditOf(address(usdc), seller), 100 * USD, "credit");
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_NoCredit.selector, address(usdc), stranger));
        vm.prank(stranger);
        escrow.withdrawCredit(address(usdc), stranger);
        vm.expectEmit(true, true, true, true);
        emit IEscrow.CreditWithdrawn(address(usdc), seller, stranger, 100 * USD);
        vm.prank(seller);
        assertEq(escrow.withdrawCredit(address(usdc), stranger), 100 * USD, "withdrawn");
        assertEq(usdc.balanceOf(stranger), 100 * USD, "to where it can go");
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_NoCredit.selector, address(usdc), seller));
        vm.prank(seller);
        escrow.withdrawCredit(address(usdc), stranger);
    }

    function test_tokenWithoutReturnValue_works() public {
        NoReturn token = new NoReturn();
        token.mint(buyer, 100 * USD);
        vm.prank(buyer);
        token.approve(address(escrow), 100 * USD);
        IAgreements.Agreement memory agreement = _one();
        agreement.token = address(token);
        uint256 id = _open(agreement);
        vm.prank(buyer);
        escrow.release(id, abi.encode(agreement));
        assertEq(token.balanceOf(seller), 100 * USD, "paid");
    }

    // Wrong handles

    function test_unknownJobsAndAgreements_areRefused() public {
        IAgreements.Agreement memory agreement = _one();
        uint256 id = _open(agreement);
        bytes memory unknown = abi.encodeWithSelector(IEscrow.Escrow_UnknownJob.selector, id + 1);
        vm.expectRevert(unknown);
        escrow.statusOf(id + 1);
        vm.expectRevert(unknown);
        escrow.outcomeOf(id + 1, agreement);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_UnknownJob.selector, 0));
        escrow.release(0, abi.encode(agreement));
        bytes memory mismatch = abi.encodeWithSelector(IEscrow.Escrow_AgreementMismatch.selector, id);
        vm.expectRevert(mismatch);
        escrow.release(id, NONE);
        agreement.milestones[0] += 1;
        vm.expectRevert(mismatch);
        vm.prank(buyer);
        escrow.release(id, abi.encode(agreement));
        vm.expectRevert(mismatch);
        escrow.outcomeOf(id, agreement);
        vm.expectRevert(mismatch);
        escrow.claimRefund(id);
    }

    function _permitDigest(address owner) private view returns (bytes32) {
        bytes32 typehash = keccak256(
            "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
        );
        bytes32 message = keccak256(abi.encode(typehash, owner, address(escrow), 100 * USD, 0, START));
        return keccak256(abi.encodePacked(hex"1901", usdc.DOMAIN_SEPARATOR(), message));
    }

    function _authorize(
        IAgreements.Agreement memory agreement,
        bytes32 salt
    ) private view returns (bytes memory) {
        bytes32 typehash = keccak256(
            "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
        );
        bytes32 nonce = escrow.authorizationNonce(agreement, salt);
        bytes32 message = keccak256(
            abi.encode(typehash, buyer, address(escrow), 100 * USD, 0, START + 1, nonce)
        );
        return _sign(buyerKey, keccak256(abi.encodePacked(hex"1901", usdc.DOMAIN_SEPARATOR(), message)));
    }
}
