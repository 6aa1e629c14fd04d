// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {GovernorPreventLateQuorum} from "@openzeppelin/contracts/governance/extensions/GovernorPreventLateQuorum.sol";
import {AgentGovernor} from "../../../contracts/governance/AgentGovernor.sol";
import {GovernorFixture} from "../support/GovernorFixture.sol";

/// @notice What was decided is carried out while those who voted are bound by it, or not at all.
contract AgentGovernorExpiryTest is GovernorFixture {
    uint256 private constant GRACE = 1 days;

    function setUp() public override {
        super.setUp();
        _stakeAndVote(alice, 600_000 * AVT);
        _stakeAndVote(bob, 700_000 * AVT);
        skip(1);
    }

    function _assertState(uint256 id, IGovernor.ProposalState state, string memory what) private view {
        assertEq(uint256(governor.state(id)), uint256(state), what);
    }

    function _expectState(uint256 id, IGovernor.ProposalState got, IGovernor.ProposalState wanted) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IGovernor.GovernorUnexpectedProposalState.selector,
                id,
                got,
                bytes32(1 << uint256(wanted))
            )
        );
    }

    /// @dev Proposed and voted for in the last second, so that the vote goes on for as long as it can.
    function _succeedLate(Act memory act) private returns (uint256 id) {
        id = _propose(alice, act);
        skip(DELAY + PERIOD);
        vm.prank(alice);
        governor.castVote(id, 1);
        vm.warp(governor.proposalDeadline(id));
    }

    function test_propose_fixesWhenItExpires() public {
        uint256 id = _propose(alice, _policy(1));
        assertEq(governor.expiresAt(id), block.timestamp + 12 days, "as long as a vote takes at the most");
        assertEq(governor.GRACE(), GRACE, "to queue, and to execute");
    }

    function test_queue_forADayAfterTheVote() public {
        uint256 id = _succeedLate(_policy(1));
        skip(GRACE);
        _assertState(id, IGovernor.ProposalState.Succeeded, "the last moment");
        skip(1);
        _assertState(id, IGovernor.ProposalState.Expired, "over");
        _expectState(id, IGovernor.ProposalState.Expired, IGovernor.ProposalState.Succeeded);
        _queue(_policy(1));
    }

    /// @notice The longest way: late quorum, queued at the last moment, postponed, executed at the last moment. Alice
    ///         leaves in the moment after her votes were counted, and is there to the end.
    function test_execute_whereAllIsLate_bindsWhoVoted() public {
        uint256 id = _propose(alice, _policy(1));
        skip(DELAY + 1);
        uint256 unbonding = _unstake(alice, 600_000 * AVT);
        skip(PERIOD - 1);
        vm.prank(alice);
        governor.castVote(id, 1);
        vm.warp(governor.proposalDeadline(id) + GRACE);
        _queue(_policy(1));
        vm.prank(guardian);
        governor.postpone(id);
        vm.warp(governor.postponedUntil(id) + GRACE - 1);
        assertEq(block.timestamp, governor.expiresAt(id) - 1, "a day to execute");
        _execute(_policy(1));
        assertEq(registry.valueOf("maxSlashBps"), 1, "carried out");
        assertTrue(block.timestamp < staking.unbondingOf(unbonding).readyAt, "alice's stake is still there");
    }

    function test_execute_ofWhatHasExpired_isRefused() public {
        uint256 id = _decide(_policy(1));
        vm.warp(governor.expiresAt(id) - 1);
        _assertState(id, IGovernor.ProposalState.Queued, "the last moment");
        skip(1);
        _assertState(id, IGovernor.ProposalState.Expired, "over");
        _expectState(id, IGovernor.ProposalState.Expired, IGovernor.ProposalState.Queued);
        _execute(_policy(1));
        vm.expectPartialRevert(IGovernor.GovernorUnexpectedProposalState.selector);
        vm.prank(guardian);
        governor.postpone(id);
        (address[] memory targets, uint256[] memory values, bytes[] memory data) = _of(_policy(1));
        vm.expectPartialRevert(IGovernor.GovernorUnableToCancel.selector);
        vm.prank(alice);
        governor.cancel(targets, values, data, keccak256("why"));
    }

    function test_execute_ofWhatIsNotQueued_isRefused() public {
        uint256 id = _succeedLate(_policy(1));
        skip(1);
        _expectState(id, IGovernor.ProposalState.Succeeded, IGovernor.ProposalState.Queued);
        _execute(_policy(1));
    }

    function test_state_ofWhatWasCarriedOutOrRefused_expiresNot() public {
        uint256 done = _decide(_policy(1));
        skip(TIMELOCK_DELAY);
        _execute(_policy(1));
        uint256 refused = _propose(alice, _policy(2));
        skip(60 days);
        _assertState(done, IGovernor.ProposalState.Executed, "done");
        _assertState(refused, IGovernor.ProposalState.Defeated, "refused");
    }

    function test_propose_anew_whatHasExpired_needsOtherWords() public {
        uint256 id = _decide(_policy(1));
        vm.warp(governor.expiresAt(id));
        (address[] memory targets, uint256[] memory values, bytes[] memory data) = _of(_policy(1));
        vm.expectPartialRevert(IGovernor.GovernorUnexpectedProposalState.selector);
        vm.prank(alice);
        governor.propose(targets, values, data, "why");
        vm.prank(alice);
        id = governor.propose(targets, values, data, "why, again");
        skip(DELAY + 1);
        vm.prank(alice);
        governor.castVote(id, 1);
        skip(PERIOD);
        governor.queue(targets, values, data, keccak256("why, again"));
        skip(TIMELOCK_DELAY);
        governor.execute(targets, values, data, keccak256("why, again"));
        assertEq(registry.valueOf("maxSlashBps"), 1, "carried out");
    }

    // Votes that became longer while this one was under way

    /// @dev Carries `first` out while `second` waits to be queued, by the same voters in the same vote.
    function _carryOutFirst(Act memory first, Act memory second) private returns (uint256 id) {
        uint256 before = _propose(alice, first);
        skip(2 days);
        id = _propose(alice, second);
        skip(DELAY + 1);
        vm.startPrank(alice);
        governor.castVote(before, 1);
        governor.castVote(id, 1);
        vm.stopPrank();
        vm.warp(governor.proposalDeadline(before) + 1);
        _queue(first);
        skip(TIMELOCK_DELAY);
        _execute(first);
    }

    /// @notice A majority that lengthens the timelock, leaves by the old unbonding time, and has its decision carried
    ///         out when it is gone.
    function test_aTimelockLengthenedMeanwhile_outlastsNoVoter() public {
        Act memory longer = Act(address(timelock), abi.encodeCall(TimelockController.updateDelay, (30 days)));
        uint256 id = _carryOutFirst(longer, _policy(1));
        assertTrue(block.timestamp <= governor.proposalDeadline(id) + GRACE, "still to be queued");
        _queue(_policy(1));
        vm.warp(governor.proposalEta(id));
        _expectState(id, IGovernor.ProposalState.Expired, IGovernor.ProposalState.Queued);
        _execute(_policy(1));
    }

    function test_aLateQuorumLengthenedMeanwhile_outlastsNoVoter() public {
        Act memory longer = Act(
            address(governor),
            abi.encodeCall(GovernorPreventLateQuorum.setLateQuorumVoteExtension, (PERIOD))
        );
        _decide(longer);
        uint256 id = _propose(bob, _policy(1));
        skip(TIMELOCK_DELAY);
        _execute(longer);
        vm.warp(governor.proposalDeadline(id));
        vm.prank(bob);
        governor.castVote(id, 1);
        vm.warp(governor.proposalDeadline(id) + GRACE);
        _queue(_policy(1));
        vm.prank(guardian);
        governor.postpone(id);
        assertEq(governor.postponedUntil(id), governor.expiresAt(id) - GRACE, "less than three days");
        vm.warp(governor.expiresAt(id));
        _expectState(id, IGovernor.ProposalState.Expired, IGovernor.ProposalState.Queued);
        _execute(_policy(1));
    }

    /// @notice However little time a longer timelock leaves, the guardian prevents nothing.
    function test_aTimelockLengthenedMeanwhile_leavesTheGuardianNoVeto() public {
        Act memory longer = Act(address(timelock), abi.encodeCall(TimelockController.updateDelay, (5 days)));
        uint256 id = _carryOutFirst(longer, _policy(1));
        _queue(_policy(1));
        vm.prank(guardian);
        governor.postpone(id);
        assertEq(governor.postponedUntil(id), governor.expiresAt(id) - GRACE, "less than three days");
        vm.warp(governor.postponedUntil(id));
        _execute(_policy(1));
        assertEq(registry.valueOf("maxSlashBps"), 1, "carried out");
    }

    // Past the governor

    function test_atTheTimelock_whatHasExpired_isRefused() public {
        uint256 id = _decide(_policy(1));
        vm.warp(governor.expiresAt(id));
        (address[] memory targets, uint256[] memory values, bytes[] memory data) = _of(_policy(1));
        bytes32 salt = bytes20(address(governor)) ^ keccak256("why");
        assertTrue(
            timelock.isOperationReady(timelock.hashOperationBatch(targets, values, data, 0, salt)),
            "the timelock does not know that it has expired"
        );
        vm.expectRevert(
            abi.encodeWithSelector(
                IAccessControl.AccessControlUnauthorizedAccount.selector,
                alice,
                timelock.EXECUTOR_ROLE()
            )
        );
        vm.prank(alice);
        timelock.executeBatch(targets, values, data, 0, salt);
    }

    /// @notice Why the governor must be the only executor: a vote that opens the role revives what has expired.
    function test_atTheTimelock_withAnOpenExecutorRole_nothingExpires() public {
        uint256 id = _decide(_policy(1));
        vm.warp(governor.expiresAt(id));
        Act memory opening = Act(
            address(timelock),
            abi.encodeCall(IAccessControl.grantRole, (timelock.EXECUTOR_ROLE(), address(0)))
        );
        _decide(opening);
        skip(TIMELOCK_DELAY);
        _execute(opening);
        (address[] memory targets, uint256[] memory values, bytes[] memory data) = _of(_policy(1));
        timelock.executeBatch(targets, values, data, 0, bytes20(address(governor)) ^ keccak256("why"));
        assertEq(registry.valueOf("maxSlashBps"), 1, "carried out");
        _assertState(id, IGovernor.ProposalState.Executed, "as the timelock says");
    }

    /// @notice Whenever it is voted for, queued, postponed and executed: it is carried out while who voted, and left
    ///         as soon as its votes were counted, is still there.
    function testFuzz_execute_onlyWhileWhoVotedIsBound(uint256 vote, uint256 queue, uint256 execute) public {
        uint256 id = _propose(alice, _policy(1));
        skip(DELAY + 1);
        uint256 unbonding = _unstake(alice, 600_000 * AVT);
        skip(bound(vote, 0, PERIOD - 1));
        vm.prank(alice);
        governor.castVote(id, 1);
        vm.warp(governor.proposalDeadline(id) + bound(queue, 1, GRACE));
        _queue(_policy(1));
        if (queue % 2 == 0) {
            vm.prank(guardian);
            governor.postpone(id);
        }
        uint256 readyAt = staking.unbondingOf(unbonding).readyAt;
        vm.warp(bound(execute, governor.proposalEta(id), readyAt + 3 days));
        (address[] memory targets, uint256[] memory values, bytes[] memory data) = _of(_policy(1));
        bool isInTime =
            block.timestamp >= governor.postponedUntil(id) && block.timestamp < governor.expiresAt(id);
        try governor.execute(targets, values, data, keccak256("why")) {
            assertTrue(block.timestamp < readyAt, "alice is there");
            assertTrue(isInTime, "in time");
        } catch {
            assertFalse(isInTime, "and in time it is");
        }
    }
}
