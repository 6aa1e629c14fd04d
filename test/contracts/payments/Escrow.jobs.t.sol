// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC8183} from "../../../contracts/interfaces/payments/IERC8183.sol";
import {IEscrow} from "../../../contracts/interfaces/payments/IEscrow.sol";
import {EscrowFixture} from "../support/EscrowFixture.sol";

/// @notice Escrow as an ERC-8183 tool meets it: jobs by number, without agreements.
contract EscrowJobsTest is EscrowFixture {
    address private evaluator = address(0xe);

    function _create() private returns (uint256 id) {
        vm.prank(buyer);
        id = escrow.createJob(seller, evaluator, DELIVER_BY, "translate", address(0));
    }

    function _funded() private returns (uint256 id) {
        id = _create();
        vm.prank(seller);
        escrow.setBudget(id, 40 * USD, NONE);
        vm.prank(buyer);
        escrow.fund(id, 40 * USD, NONE);
    }

    function _submitted() private returns (uint256 id) {
        id = _funded();
        vm.prank(seller);
        escrow.submit(id, "work", NONE);
    }

    function test_createJob() public {
        vm.expectEmit(true, true, true, true);
        emit IERC8183.JobCreated(1, buyer, seller, evaluator, DELIVER_BY);
        uint256 id = _create();
        IERC8183.Job memory job = escrow.getJob(id);
        assertEq(job.client, buyer, "client");
        assertEq(job.provider, seller, "provider");
        assertEq(job.evaluator, evaluator, "evaluator");
        assertEq(bytes(job.description), bytes("translate"), "description");
        assertEq(job.budget, 0, "budget");
        assertEq(job.expiredAt, DELIVER_BY, "expiry");
        assertEq(uint256(job.status), uint256(IERC8183.Status.Open), "status");
        assertEq(job.hook, address(0), "hook");
    }

    function test_createJob_refusals() public {
        vm.startPrank(buyer);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_NoHooks.selector, stranger));
        escrow.createJob(seller, evaluator, DELIVER_BY, "", stranger);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_BadParties.selector, buyer, seller, 0));
        escrow.createJob(seller, address(0), DELIVER_BY, "", address(0));
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_BadParties.selector, buyer, buyer, evaluator));
        escrow.createJob(buyer, evaluator, DELIVER_BY, "", address(0));
        vm.expectRevert(
            abi.encodeWithSelector(
                IEscrow.Escrow_BadDeadline.selector,
                START,
                START + 1,
                START + 5 * 365 days
            )
        );
        escrow.createJob(seller, evaluator, START, "", address(0));
        vm.stopPrank();
    }

    function test_setProvider_onceByTheClient() public {
        vm.prank(buyer);
        uint256 id = escrow.createJob(address(0), evaluator, DELIVER_BY, "", address(0));
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_NotAllowed.selector, seller, buyer));
        vm.prank(seller);
        escrow.setProvider(id, seller, NONE);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_BadParties.selector, buyer, 0, evaluator));
        vm.prank(buyer);
        escrow.setProvider(id, address(0), NONE);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_BadParties.selector, buyer, buyer, evaluator));
        vm.prank(buyer);
        escrow.setProvider(id, buyer, NONE);
        vm.prank(buyer);
        escrow.setBudget(id, 5, NONE);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_BadParties.selector, buyer, 0, evaluator));
        vm.prank(buyer);
        escrow.fund(id, 5, NONE);
        vm.expectEmit(true, true, true, true);
        emit IERC8183.ProviderSet(id, seller);
        vm.prank(buyer);
        escrow.setProvider(id, seller, NONE);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_ProviderSet.selector, seller));
        vm.prank(buyer);
        escrow.setProvider(id, stranger, NONE);
    }

    function test_setBudget_byBothSides_whileOpen() public {
        uint256 id = _create();
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_NotAllowed.selector, stranger, buyer));
        vm.prank(stranger);
        escrow.setBudget(id, 1, NONE);
        vm.expectEmit(true, true, true, true);
        emit IERC8183.BudgetSet(id, 7);
        vm.prank(seller);
        escrow.setBudget(id, 7, NONE);
        vm.prank(buyer);
        escrow.setBudget(id, 8, NONE);
        assertEq(escrow.getJob(id).budget, 8, "budget");
        uint256 tooMuch = uint256(type(uint128).max) + 1;
        vm.expectRevert(
            abi.encodeWithSelector(IEscrow.Escrow_ShareTooLarge.selector, tooMuch, type(uint128).max)
        );
        vm.prank(buyer);
        escrow.setBudget(id, tooMuch, NONE);
        id = _funded();
        vm.expectRevert(
            abi.encodeWithSelector(IEscrow.Escrow_WrongStatus.selector, id, IERC8183.Status.Funded)
        );
        vm.prank(seller);
        escrow.setBudget(id, 9, NONE);
    }

    function test_fund_takesTheExpectedBudget() public {
        uint256 id = _create();
        vm.expectRevert(IEscrow.Escrow_ZeroAmount.selector);
        vm.prank(buyer);
        escrow.fund(id, 0, NONE);
        vm.prank(seller);
        escrow.setBudget(id, 50 * USD, NONE);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_BudgetMismatch.selector, 50 * USD, 40 * USD));
        vm.prank(buyer);
        escrow.fund(id, 40 * USD, NONE);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_NotAllowed.selector, seller, buyer));
        vm.prank(seller);
        escrow.fund(id, 50 * USD, NONE);
        vm.warp(DELIVER_BY);
        vm.expectRevert(
            abi.encodeWithSelector(IEscrow.Escrow_DeadlinePassed.selector, DELIVER_BY, DELIVER_BY)
        );
        vm.prank(buyer);
        escrow.fund(id, 50 * USD, NONE);
        vm.warp(DELIVER_BY - 1);
        vm.expectEmit(true, true, true, true);
        emit IERC8183.JobFunded(id, buyer, 50 * USD);
        vm.prank(buyer);
        escrow.fund(id, 50 * USD, NONE);
        assertEq(usdc.balanceOf(address(escrow)), 50 * USD, "in escrow");
    }

    function test_complete_byTheEvaluatorOnly() public {
        uint256 id = _submitted();
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_NotAllowed.selector, buyer, evaluator));
        vm.prank(buyer);
        escrow.complete(id, "r", NONE);
        vm.prank(evaluator);
        escrow.complete(id, "r", "for a hook that is not there");
        assertEq(usdc.balanceOf(seller), 40 * USD, "paid");
        assertEq(uint256(escrow.getJob(id).status), uint256(IERC8183.Status.Completed), "status");
    }

    function test_reject_byTheClientWhileOpen() public {
        uint256 id = _create();
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_NotAllowed.selector, evaluator, buyer));
        vm.prank(evaluator);
        escrow.reject(id, "r", NONE);
        vm.expectEmit(true, true, true, true);
        emit IERC8183.JobRejected(id, buyer, "r");
        vm.prank(buyer);
        escrow.reject(id, "r", NONE);
        _assertStatus(id, IERC8183.Status.Rejected);
        vm.expectRevert(
            abi.encodeWithSelector(IEscrow.Escrow_WrongStatus.selector, id, IERC8183.Status.Rejected)
        );
        vm.prank(buyer);
        escrow.reject(id, "r", NONE);
    }

    function test_reject_byTheEvaluator_fundedOrSubmitted() public {
        for (uint256 stage = 0; stage < 2; ++stage) {
            uint256 id = stage == 0 ? _funded() : _submitted();
            vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_NotAllowed.selector, buyer, evaluator));
            vm.prank(buyer);
            escrow.reject(id, "r", NONE);
            vm.expectEmit(true, true, true, true);
            emit IERC8183.JobRejected(id, evaluator, "r");
            vm.expectEmit(true, true, true, true);
            emit IERC8183.Refunded(id, buyer, 40 * USD);
            vm.prank(evaluator);
            escrow.reject(id, "r", NONE);
            _assertStatus(id, IERC8183.Status.Rejected);
        }
        assertEq(usdc.balanceOf(buyer), 1_000_000 * USD, "all back");
    }

    function test_reject_ofAnAgreement_isForNobody() public {
        uint256 id = _open(_one());
        _submit(id, _one());
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_NotAllowed.selector, buyer, arbiter));
        vm.prank(buyer);
        escrow.reject(id, "r", abi.encode(_one()));
    }

    function test_claimRefund_afterExpiry_byAnyone() public {
        uint256 id = _funded();
        vm.warp(DELIVER_BY - 1);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_TooEarly.selector, DELIVER_BY - 1, DELIVER_BY));
        escrow.claimRefund(id);
        vm.warp(DELIVER_BY);
        vm.prank(stranger);
        escrow.claimRefund(id);
        assertEq(usdc.balanceOf(buyer), 1_000_000 * USD, "all back");
        _assertStatus(id, IERC8183.Status.Expired);
    }

    function test_submitted_nobodyIsPaidOverTheEvaluator() public {
        uint256 id = _submitted();
        bytes memory notTheEvaluator;
        address[3] memory others = [buyer, seller, stranger];
        for (uint256 time = 0; time < 3; ++time) {
            for (uint256 i = 0; i < 3; ++i) {
                notTheEvaluator = abi.encodeWithSelector(
                    IEscrow.Escrow_NotAllowed.selector,
                    others[i],
                    evaluator
                );
                vm.startPrank(others[i]);
                vm.expectRevert(notTheEvaluator);
                escrow.release(id, NONE);
                vm.expectRevert(notTheEvaluator);
                escrow.complete(id, 0, NONE);
                vm.expectRevert(notTheEvaluator);
                escrow.settle(IEscrow.Settlement(id, 40 * USD, 0, type(uint256).max), NONE, NONE, NONE);
                vm.stopPrank();
            }
            vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_NoArbiter.selector, id));
            vm.prank(seller);
            escrow.dispute(id, NONE);
            skip(180 days);
        }
        vm.prank(evaluator);
        escrow.release(id, NONE);
        assertEq(usdc.balanceOf(seller), 40 * USD, "the evaluator's word, as late as it comes");
    }

    function test_funded_theClientReleasesNothingItself() public {
        uint256 id = _funded();
        vm.expectRevert(
            abi.encodeWithSelector(IEscrow.Escrow_WrongStatus.selector, id, IERC8183.Status.Funded)
        );
        vm.prank(buyer);
        escrow.release(id, NONE);
    }

    function test_claimRefund_whenTheEvaluatorIsSilentTooLong() public {
        uint256 id = _submitted();
        uint256 from = START + 180 days;
        vm.warp(from - 1);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_TooEarly.selector, from - 1, from));
        escrow.claimRefund(id);
        vm.warp(from);
        escrow.claimRefund(id);
        assertEq(usdc.balanceOf(buyer), 1_000_000 * USD, "as ERC-8183 has it");
        _assertStatus(id, IERC8183.Status.Expired);
    }

    function test_refund_byTheProvider() public {
        uint256 id = _submitted();
        vm.prank(seller);
        escrow.refund(id, NONE);
        assertEq(usdc.balanceOf(buyer), 1_000_000 * USD, "all back");
    }

    function test_extend_byTheClient() public {
        uint256 id = _funded();
        vm.prank(buyer);
        escrow.extend(id, DELIVER_BY + 1 days, NONE);
        assertEq(escrow.deadlineOf(id, NONE), DELIVER_BY + 1 days, "deadline");
        assertEq(escrow.getJob(id).expiredAt, DELIVER_BY + 1 days, "as the job says it");
        vm.warp(DELIVER_BY);
        vm.prank(seller);
        escrow.submit(id, "work", NONE);
    }

    function test_openJobs_doNothingElse() public {
        uint256 id = _create();
        bytes memory notOpen = abi.encodeWithSelector(
            IEscrow.Escrow_WrongStatus.selector,
            id,
            IERC8183.Status.Open
        );
        vm.expectRevert(notOpen);
        vm.prank(seller);
        escrow.submit(id, "d", NONE);
        vm.expectRevert(notOpen);
        escrow.claimRefund(id);
        vm.expectRevert(notOpen);
        vm.prank(buyer);
        escrow.release(id, NONE);
        assertEq(escrow.jobCount(), 1, "count");
    }

    function test_agreements_areNoOpenJobs() public {
        uint256 id = _open(_one());
        vm.expectRevert(
            abi.encodeWithSelector(IEscrow.Escrow_WrongStatus.selector, id, IERC8183.Status.Funded)
        );
        vm.prank(buyer);
        escrow.fund(id, 0, NONE);
        assertEq(escrow.getJob(id).client, address(0), "only its status is known");
    }
}
