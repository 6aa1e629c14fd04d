// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IArbitrator} from "../../../contracts/interfaces/trust/IArbitrator.sol";
import {IDisputes} from "../../../contracts/interfaces/trust/IDisputes.sol";
import {IEvidence} from "../../../contracts/interfaces/trust/IEvidence.sol";
import {DisputesFixture} from "../support/DisputesFixture.sol";

/// @notice How a dispute goes from its opening to the ruling that is carried out.
contract DisputesVotesTest is DisputesFixture {
    function test_constants() public view {
        assertEq(disputes.SEATS(), 3, "seats");
        assertEq(disputes.APPEAL_SEATS(), 5, "appeal's seats");
        assertEq(disputes.SEED_DELAY(), 64, "seed");
        assertEq(disputes.POOL_FREEZE(), 8, "freeze");
        assertEq(disputes.MIN_STAY(), 7 days, "stay");
        assertEq(disputes.DRAW_PERIOD(), 7 days, "draw");
        assertEq(disputes.WAIT_PERIOD(), 60 days, "wait");
        assertEq(disputes.COMMIT_PERIOD(), 2 days, "commit");
        assertEq(disputes.REVEAL_PERIOD(), 1 days, "reveal");
        assertEq(disputes.APPEAL_PERIOD(), 2 days, "appeal");
        assertEq(disputes.GOVERNANCE_PERIOD(), 30 days, "governance");
        assertEq(disputes.RULE_GAS(), 300_000, "gas");
        assertEq(disputes.SLASH_GAS(), 500_000, "gas of a slash");
        assertEq(disputes.arbitrationCost(""), COST, "cost");
        assertEq(disputes.appealCost(0, ""), APPEAL_COST, "appeal's cost");
        assertEq(disputes.feeRecipient(), fees, "recipient");
        assertTrue(disputes.supportsInterface(type(IArbitrator).interfaceId), "ERC-792");
        assertTrue(disputes.supportsInterface(0x01ffc9a7), "ERC-165");
        assertFalse(disputes.supportsInterface(0xffffffff), "nothing else");
    }

    function test_createDispute_refusals() public {
        uint256 most = type(uint128).max;
        bytes4 bad = IDisputes.Disputes_BadChoices.selector;
        vm.expectRevert(abi.encodeWithSelector(bad, 0, most));
        disputes.createDispute{value: COST}(0, "");
        vm.expectRevert(abi.encodeWithSelector(bad, most + 1, most));
        disputes.createDispute{value: COST}(most + 1, "");
        vm.expectRevert(abi.encodeWithSelector(IDisputes.Disputes_WrongFee.selector, COST - 1, COST));
        disputes.createDispute{value: COST - 1}(2, "");
        vm.expectEmit(true, true, true, true);
        emit IArbitrator.DisputeCreation(1, this);
        uint256 id = _create();
        assertEq(disputes.disputeCount(), 1, "count");
        IDisputes.Case memory state = disputes.caseOf(id);
        assertEq(state.arbitrable, address(this), "arbitrable");
        assertEq(state.choices, CHOICES, "choices");
        assertEq(uint256(state.stage), uint256(IDisputes.Stage.Drawing), "stage");
        assertEq(uint256(disputes.disputeStatus(id)), uint256(IArbitrator.DisputeStatus.Waiting), "status");
    }

    function test_commit_refusals() public {
        uint256 id = _drawn();
        (address panelist, address second) = (_panel(id)[0], _panel(id)[1]);
        bytes memory noVote = abi.encodeWithSelector(IDisputes.Disputes_NoVote.selector, panelist);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.Disputes_NoVote.selector, alice));
        vm.prank(alice);
        disputes.commit(id, "c");
        vm.startPrank(panelist);
        vm.expectRevert(noVote);
        disputes.commit(id, 0);
        vm.expectEmit(true, true, true, true);
        emit IDisputes.Committed(id, 0, panelist, "c");
        disputes.commit(id, "c");
        vm.expectRevert(noVote);
        disputes.commit(id, "d");
        vm.stopPrank();
        uint256 until = OPENED + 2 days;
        vm.warp(until);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.Disputes_WrongTime.selector, until, until));
        vm.prank(second);
        disputes.commit(id, "c");
        vm.expectRevert(
            abi.encodeWithSelector(IDisputes.Disputes_WrongStage.selector, 9, IDisputes.Stage.None)
        );
        disputes.commit(9, "c");
    }

    function test_reveal_beforeAPanelIsDrawn_isRefused() public {
        uint256 id = _create();
        vm.expectRevert(
            abi.encodeWithSelector(IDisputes.Disputes_WrongStage.selector, id, IDisputes.Stage.Drawing)
        );
        disputes.reveal(id, 5, "salt");
    }

    function test_reveal_onceAllHaveCommitted() public {
        uint256 id = _drawn();
        address[] memory panel = _panel(id);
        _commit(id, panel[0], 5);
        _commit(id, panel[1], 6);
        vm.expectRevert(
            abi.encodeWithSelector(IDisputes.Disputes_WrongTime.selector, OPENED, OPENED + 2 days)
        );
        vm.prank(panel[0]);
        disputes.reveal(id, 5, "salt");
        _commit(id, panel[2], 7);
        IDisputes.Case memory state = disputes.caseOf(id);
        assertEq(uint256(state.stage), uint256(IDisputes.Stage.Revealing), "stage");
        assertEq(state.until, OPENED + 1 days, "until");
        bytes memory noVote = abi.encodeWithSelector(IDisputes.Disputes_NoVote.selector, panel[0]);
        vm.startPrank(panel[0]);
        vm.expectRevert(noVote);
        disputes.reveal(id, 6, "salt");
        vm.expectRevert(noVote);
        disputes.reveal(id, 5, "other");
        vm.expectRevert(abi.encodeWithSelector(IDisputes.Disputes_BadRuling.selector, CHOICES + 1, CHOICES));
        disputes.reveal(id, CHOICES + 1, "salt");
        vm.expectEmit(true, true, true, true);
        emit IDisputes.Voted(id, 0, panel[0], 5);
        disputes.reveal(id, 5, "salt");
        vm.expectRevert(noVote);
        disputes.reveal(id, 5, "salt");
        vm.stopPrank();
        vm.warp(OPENED + 1 days);
        vm.expectRevert(
            abi.encodeWithSelector(IDisputes.Disputes_WrongTime.selector, OPENED + 1 days, OPENED + 1 days)
        );
        vm.prank(panel[1]);
        disputes.reveal(id, 6, "salt");
    }

    function test_reveal_whenTheTimeToCommitIsOver() public {
        uint256 id = _drawn();
        address[] memory panel = _panel(id);
        _commit(id, panel[0], 5);
        _commit(id, panel[1], 7);
        vm.warp(OPENED + 2 days);
        _reveal(id, panel[0], 5);
        vm.expectRevert(
            abi.encodeWithSelector(IDisputes.Disputes_WrongTime.selector, OPENED + 2 days, OPENED + 3 days)
        );
        disputes.tally(id);
        _reveal(id, panel[1], 7);
        vm.expectEmit(true, true, true, true);
        emit IDisputes.Tallied(id, 0, 2, 6);
        disputes.tally(id);
        assertEq(disputes.currentRuling(id), 6, "the middle of the two");
    }

    function test_execute_afterTheAppealPeriod() public {
        uint256 id = _tallied(4, 5, 6);
        assertEq(
            uint256(disputes.disputeStatus(id)),
            uint256(IArbitrator.DisputeStatus.Appealable),
            "status"
        );
        (uint256 start, uint256 end) = disputes.appealPeriod(id);
        assertEq(start, OPENED, "from");
        assertEq(end, OPENED + 2 days, "until");
        vm.expectRevert(
            abi.encodeWithSelector(IDisputes.Disputes_WrongTime.selector, OPENED, OPENED + 2 days)
        );
        disputes.execute(id);
        vm.warp(OPENED + 2 days);
        vm.expectEmit(true, true, true, true);
        emit IDisputes.Executed(id, 5, true);
        disputes.execute(id);
        assertEq(ruled, 5, "obeyed");
        assertEq(uint256(disputes.disputeStatus(id)), uint256(IArbitrator.DisputeStatus.Solved), "status");
        (start, end) = disputes.appealPeriod(id);
        assertEq(start + end, 0, "no more appeal");
        vm.expectRevert(abi.encodeWithSelector(IDisputes.Disputes_Executed.selector, id));
        disputes.execute(id);
    }

    function test_appeal_toALargerPanel_once() public {
        uint256 id = _tallied(4, 5, 6);
        for (uint256 i = 0; i < 5; ++i) _panelist(vm.addr(2_000 + i), BOND, 1);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.Disputes_WrongFee.selector, COST, APPEAL_COST));
        disputes.appeal{value: COST}(id, "");
        vm.expectEmit(true, true, true, true);
        emit IArbitrator.AppealDecision(id, this);
        _appealed(id, 102);
        assertEq(disputes.panelOf(id, 1).length, 5, "five");
        assertEq(disputes.currentRuling(id), 102, "their ruling");
        vm.expectRevert(
            abi.encodeWithSelector(IDisputes.Disputes_WrongStage.selector, id, IDisputes.Stage.Solved)
        );
        disputes.appeal{value: APPEAL_COST}(id, "");
        disputes.execute(id);
        assertEq(ruled, 102, "final at once");
    }

    function test_appeal_tooLate() public {
        uint256 id = _tallied(4, 5, 6);
        vm.warp(OPENED + 2 days);
        vm.expectRevert(
            abi.encodeWithSelector(IDisputes.Disputes_WrongTime.selector, OPENED + 2 days, OPENED + 2 days)
        );
        disputes.appeal{value: APPEAL_COST}(id, "");
    }

    function test_panelFails_governanceRules() public {
        uint256 id = _drawn();
        address[] memory panel = _panel(id);
        for (uint256 i = 0; i < 3; ++i) _commit(id, panel[i], 5);
        _reveal(id, panel[1], 5);
        vm.warp(OPENED + 1 days);
        vm.expectEmit(true, true, true, true);
        emit IDisputes.PanelFailed(id, 0, OPENED + 31 days);
        disputes.tally(id);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, alice));
        vm.prank(alice);
        disputes.ruleByGovernance(id, 7);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.Disputes_BadRuling.selector, CHOICES + 1, CHOICES));
        disputes.ruleByGovernance(id, CHOICES + 1);
        vm.expectEmit(true, true, true, true);
        emit IDisputes.GovernanceRuled(id, 7);
        disputes.ruleByGovernance(id, 7);
        disputes.execute(id);
        assertEq(ruled, 7, "obeyed");
    }

    /// @dev Governance takes up to a month, and judges nobody's vote: the seats do not wait for it.
    function test_panelFails_itsSeatsAreSettledAtOnce() public {
        uint256 id = _drawn();
        address[] memory panel = _panel(id);
        _commit(id, panel[0], 5);
        skip(2 days);
        _reveal(id, panel[0], 5);
        disputes.tally(id);
        disputes.settleSeats(id);
        assertEq(disputes.feesOf(panel[0]), COST, "who voted is paid");
        assertEq(staking.bondOf(panel[1]), BOND - SLASH, "who was absent is not");
        vm.expectRevert(abi.encodeWithSelector(IDisputes.Disputes_Settled.selector, id));
        disputes.settleSeats(id);
        disputes.ruleByGovernance(id, 7);
        disputes.execute(id);
        assertEq(ruled, 7, "obeyed");
    }

    function test_governanceSilent_refused_inBoundedTime() public {
        uint256 id = _drawn();
        vm.warp(OPENED + 3 days);
        disputes.tally(id);
        uint256 until = OPENED + 33 days;
        vm.warp(until - 1);
        bytes4 wrong = IDisputes.Disputes_WrongTime.selector;
        vm.expectRevert(abi.encodeWithSelector(wrong, until - 1, until));
        disputes.execute(id);
        vm.warp(until);
        vm.expectRevert(abi.encodeWithSelector(wrong, until, until));
        disputes.ruleByGovernance(id, 7);
        disputes.execute(id);
        assertEq(ruled, 0, "refused");
    }

    function test_aDeafArbitrable_jamsNothing_andMayObeyLater() public {
        uint256 id = _tallied(4, 5, 6);
        vm.warp(OPENED + 2 days);
        isDeaf = true;
        vm.expectEmit(true, true, true, true);
        emit IDisputes.Executed(id, 5, false);
        disputes.execute(id);
        assertFalse(disputes.caseOf(id).isExecuted, "not yet");
        vm.expectPartialRevert(IDisputes.Disputes_OutOfGas.selector);
        disputes.execute{gas: 200_000}(id);
        isDeaf = false;
        disputes.execute(id);
        assertEq(ruled, 5, "later");
        vm.expectRevert(
            abi.encodeWithSelector(IDisputes.Disputes_WrongStage.selector, 9, IDisputes.Stage.None)
        );
        disputes.execute(9);
    }

    function test_evidence_whileItIsOpen() public {
        uint256 id = _create();
        vm.expectEmit(true, true, true, true);
        emit IEvidence.Evidence(disputes, id, alice, "ipfs://e");
        vm.prank(alice);
        disputes.submitEvidence(id, "ipfs://e");
        vm.expectRevert(
            abi.encodeWithSelector(IDisputes.Disputes_WrongStage.selector, 9, IDisputes.Stage.None)
        );
        disputes.submitEvidence(9, "ipfs://e");
    }
}
