// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {GovernorSettings} from "@openzeppelin/contracts/governance/extensions/GovernorSettings.sol";
import {AgentGovernor} from "../../../contracts/governance/AgentGovernor.sol";
import {IStaking} from "../../../contracts/interfaces/staking/IStaking.sol";
import {GovernorFixture} from "../support/GovernorFixture.sol";

/// @notice What voters, the guardian and those who hurry would try.
contract AgentGovernorAttacks is GovernorFixture {
    function setUp() public override {
        super.setUp();
        _stakeAndVote(alice, 600_000 * AVT);
        _stakeAndVote(bob, 700_000 * AVT);
        skip(1);
    }

    // A late quorum

    function test_aQuorumInTheLastSecond_leavesADayToAnswer() public {
        uint256 id = _propose(alice, _policy(1));
        skip(DELAY + PERIOD);
        vm.prank(alice);
        governor.castVote(id, 1);
        skip(1);
        assertEq(uint256(governor.state(id)), uint256(IGovernor.ProposalState.Active), "it goes on");
        skip(LATE_QUORUM - 1);
        vm.prank(bob);
        governor.castVote(id, 0);
        skip(1);
        assertEq(uint256(governor.state(id)), uint256(IGovernor.ProposalState.Defeated), "answered");
    }

    function test_aQuorumInTheLastSecond_extendsOnce() public {
        uint256 id = _propose(alice, _policy(1));
        skip(DELAY + PERIOD);
        vm.prank(alice);
        governor.castVote(id, 1);
        uint256 deadline = governor.proposalDeadline(id);
        assertEq(deadline, block.timestamp + LATE_QUORUM, "a day more");
        skip(LATE_QUORUM);
        vm.prank(bob);
        governor.castVote(id, 1);
        assertEq(governor.proposalDeadline(id), deadline, "and no more");
    }

    /// @dev The bound of docs/trust.md: a quorum that stood before leaves no day to answer whoever turns the vote in its
    ///      last second. What is left is the timelock's time, and the guardian's.
    function test_turningAVoteInItsLastSecond_leavesTheTimelockAndTheGuardian() public {
        address second = _funded("second");
        _stakeAndVote(second, 500_000 * AVT);
        _stakeAndVote(alice, 200_000 * AVT);
        skip(1);
        uint256 id = _propose(second, _policy(1));
        skip(DELAY + 1);
        // The second name of who wants it brings the quorum early; who is against it is ahead all the time.
        vm.prank(second);
        governor.castVote(id, 2);
        vm.prank(bob);
        governor.castVote(id, 0);
        uint256 deadline = governor.proposalDeadline(id);
        vm.warp(deadline);
        vm.prank(alice);
        governor.castVote(id, 1);
        assertEq(governor.proposalDeadline(id), deadline, "no more time");
        skip(1);
        assertEq(uint256(governor.state(id)), uint256(IGovernor.ProposalState.Succeeded), "turned");
        _queue(_policy(1));
        vm.prank(guardian);
        governor.postpone(id);
        skip(TIMELOCK_DELAY + 3 days - 1);
        vm.expectPartialRevert(AgentGovernor.AgentGovernor_Postponed.selector);
        _execute(_policy(1));
        skip(1);
        _execute(_policy(1));
        assertEq(
            block.timestamp,
            deadline + 1 + 5 days,
            "five days after the vote, two without the guardian"
        );
    }

    // The guardian

    function test_theGuardian_postponesOnce_andPreventsNothing() public {
        uint256 id = _decide(_policy(1));
        vm.expectRevert(
            abi.encodeWithSelector(AgentGovernor.AgentGovernor_NotGuardian.selector, bob, guardian)
        );
        vm.prank(bob);
        governor.postpone(id);
        uint256 until = block.timestamp + TIMELOCK_DELAY + 3 days;
        vm.startPrank(guardian);
        vm.expectEmit(true, true, true, true);
        emit AgentGovernor.ProposalPostponed(id, until);
        governor.postpone(id);
        assertEq(governor.postponedUntil(id), until, "three days after its timelock");
        bytes memory postponed = abi.encodeWithSelector(
            AgentGovernor.AgentGovernor_Postponed.selector,
            id,
            until
        );
        vm.expectRevert(postponed);
        governor.postpone(id);
        vm.stopPrank();
        vm.warp(until - 1);
        vm.expectRevert(postponed);
        _execute(_policy(1));
        vm.warp(until);
        _execute(_policy(1));
        assertEq(registry.valueOf("maxSlashBps"), 1, "carried out");
    }

    function test_theGuardian_postponesOnlyWhatIsDecided() public {
        uint256 id = _propose(alice, _policy(1));
        vm.expectPartialRevert(IGovernor.GovernorUnexpectedProposalState.selector);
        vm.prank(guardian);
        governor.postpone(id);
    }

    function test_theGuardian_cannotKeepItsOffice() public {
        vm.expectRevert(abi.encodeWithSelector(IGovernor.GovernorOnlyExecutor.selector, guardian));
        vm.prank(guardian);
        governor.setGuardian(guardian);
        Act memory removal = Act(address(governor), abi.encodeCall(AgentGovernor.setGuardian, (address(0))));
        uint256 id = _decide(removal);
        vm.prank(guardian);
        governor.postpone(id);
        skip(TIMELOCK_DELAY + 3 days);
        vm.expectEmit(true, true, true, true);
        emit AgentGovernor.GuardianSet(address(0));
        _execute(removal);
        id = _decide(_policy(1));
        vm.expectRevert(
            abi.encodeWithSelector(AgentGovernor.AgentGovernor_NotGuardian.selector, guardian, address(0))
        );
        vm.prank(guardian);
        governor.postpone(id);
    }

    function test_executingPastTheGovernor_isRefused() public {
        uint256 id = _decide(_policy(1));
        vm.prank(guardian);
        governor.postpone(id);
        skip(TIMELOCK_DELAY + 1);
        (address[] memory targets, uint256[] memory values, bytes[] memory data) = _of(_policy(1));
        bytes32 salt = bytes20(address(governor)) ^ keccak256("why");
        bytes32 operation = timelock.hashOperationBatch(targets, values, data, 0, salt);
        assertTrue(timelock.isOperationReady(operation), "ready in the timelock");
        vm.expectRevert(
            abi.encodeWithSelector(
                IAccessControl.AccessControlUnauthorizedAccount.selector,
                stranger,
                timelock.EXECUTOR_ROLE()
            )
        );
        vm.prank(stranger);
        timelock.executeBatch(targets, values, data, 0, salt);
    }

    // Votes that become longer

    function _carryOut(Act memory act) private {
        _decide(act);
        skip(TIMELOCK_DELAY);
        _execute(act);
    }

    function test_longerVotes_lengthenUnbonding() public {
        assertEq(staking.unbondingSeconds(), 12 days, "before");
        Act memory act = Act(address(governor), abi.encodeCall(GovernorSettings.setVotingPeriod, (19 days)));
        _decide(act);
        skip(TIMELOCK_DELAY);
        vm.expectEmit(true, true, true, true);
        emit IStaking.MinUnbondingSet(12 days, 28 days);
        _execute(act);
        assertEq(governor.voteSeconds(), 28 days, "a vote");
        assertEq(staking.unbondingSeconds(), 28 days, "unbonding");
    }

    function test_aLongerTimelock_lengthensUnbondingToo() public {
        _carryOut(Act(address(timelock), abi.encodeCall(TimelockController.updateDelay, (9 days))));
        assertEq(staking.unbondingSeconds(), governor.voteSeconds(), "unbonding");
        assertEq(staking.unbondingSeconds(), 19 days, "a vote");
    }

    /// @notice Whoever was promised a longer time by a vote that still runs keeps it.
    function test_shorterVotes_shortenUnbondingNot() public {
        _carryOut(Act(address(governor), abi.encodeCall(GovernorSettings.setVotingPeriod, (19 days))));
        _carryOut(Act(address(governor), abi.encodeCall(GovernorSettings.setVotingPeriod, (2 days))));
        assertEq(staking.unbondingSeconds(), 28 days, "unbonding");
    }

    function test_votesLongerThanStakeCanBeHeld_areRefused() public {
        Act memory act = Act(address(governor), abi.encodeCall(GovernorSettings.setVotingPeriod, (54 days)));
        _decide(act);
        skip(TIMELOCK_DELAY);
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_UnbondingTooLong.selector, 63 days, 60 days));
        _execute(act);
        assertEq(governor.votingPeriod(), PERIOD, "as it was");
    }

    function test_lengtheningUnbondingWithoutTheVote_isRefused() public {
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
        vm.prank(stranger);
        staking.lengthenUnbonding(60 days);
    }

    /// @notice Alice votes, leaves with the snapshot, and is still there when the postponed decision is carried out.
    function test_votingAndLeaving_beforeAPostponedDecision_isNotPossible() public {
        _carryOut(Act(address(governor), abi.encodeCall(GovernorSettings.setVotingPeriod, (5 days))));
        uint256 id = _propose(alice, _policy(1));
        skip(DELAY + 1);
        uint256 unbonding = _unstake(alice, 600_000 * AVT);
        skip(5 days - 1);
        vm.prank(alice);
        governor.castVote(id, 1);
        skip(LATE_QUORUM + 1);
        _queue(_policy(1));
        vm.prank(guardian);
        governor.postpone(id);
        skip(TIMELOCK_DELAY + 3 days);
        _execute(_policy(1));
        assertEq(registry.valueOf("maxSlashBps"), 1, "carried out");
        assertTrue(block.timestamp < staking.unbondingOf(unbonding).readyAt, "alice's stake is still there");
    }
}
