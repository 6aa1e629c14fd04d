// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {GovernorFixture} from "../support/GovernorFixture.sol";

/// @notice A vote of holders and stakers changes a policy through the timelock, and nothing else does.
contract AgentGovernorTest is GovernorFixture {
    function test_settings() public view {
        assertEq(governor.votingDelay(), DELAY, "delay");
        assertEq(governor.votingPeriod(), PERIOD, "period");
        assertEq(governor.proposalThreshold(), 100 * AVT, "threshold");
        assertEq(governor.quorumNumerator(), 10, "quorum");
        assertEq(address(governor.token()), address(avt), "token");
        assertEq(address(governor.staking()), address(staking), "staking");
        assertEq(governor.timelock(), address(timelock), "timelock");
        assertEq(governor.clock(), START, "clock");
        assertEq(governor.lateQuorumVoteExtension(), LATE_QUORUM, "late quorum");
        assertEq(governor.guardian(), guardian, "guardian");
        assertEq(governor.voteSeconds(), 12 days, "a vote, all told");
    }

    function test_aVote_ofStakersAndHolders_changesAPolicy() public {
        _stakeAndVote(alice, 200_000 * AVT);
        vm.prank(bob);
        avt.delegate(bob);
        skip(1);
        uint256 id = _propose(alice, _policy(1_234));
        assertTrue(governor.proposalNeedsQueuing(id), "goes through the timelock");
        skip(DELAY + 1);
        vm.prank(alice);
        assertEq(governor.castVote(id, 1), 200_000 * AVT, "staked votes");
        vm.prank(bob);
        assertEq(governor.castVote(id, 1), 1_000_000 * AVT, "held votes");
        skip(PERIOD);
        assertEq(uint256(governor.state(id)), uint256(IGovernor.ProposalState.Succeeded), "state");
        _queue(_policy(1_234));
        skip(TIMELOCK_DELAY);
        _execute(_policy(1_234));
        assertEq(registry.valueOf("maxSlashBps"), 1_234, "changed");
    }

    function test_aTokenVotesOnce_stakedOrHeld() public {
        vm.prank(alice);
        avt.delegate(alice);
        _stake(alice, 400_000 * AVT);
        vm.prank(alice);
        staking.delegateVotes(validator, alice);
        skip(1);
        assertEq(governor.getVotes(alice, block.timestamp - 1), 1_000_000 * AVT, "600,000 and 400,000");
    }

    function test_belowTheThreshold_nobodyProposes() public {
        _stakeAndVote(alice, 100 * AVT - 1);
        skip(1);
        (address[] memory targets, uint256[] memory values, bytes[] memory data) = _of(_policy(1));
        vm.expectRevert(
            abi.encodeWithSelector(
                IGovernor.GovernorInsufficientProposerVotes.selector,
                alice,
                100 * AVT - 1,
                100 * AVT
            )
        );
        vm.prank(alice);
        governor.propose(targets, values, data, "why");
    }

    function test_belowTheQuorum_nothingPasses() public {
        _stakeAndVote(alice, 299_999 * AVT);
        skip(1);
        uint256 id = _propose(alice, _policy(1));
        skip(DELAY + 1);
        vm.prank(alice);
        governor.castVote(id, 1);
        skip(PERIOD);
        assertEq(uint256(governor.state(id)), uint256(IGovernor.ProposalState.Defeated), "state");
    }

    function test_theProposer_cancelsBeforeTheVote() public {
        _stakeAndVote(alice, 200_000 * AVT);
        skip(1);
        uint256 id = _propose(alice, _policy(1));
        (address[] memory targets, uint256[] memory values, bytes[] memory data) = _of(_policy(1));
        vm.prank(alice);
        governor.cancel(targets, values, data, keccak256("why"));
        assertEq(uint256(governor.state(id)), uint256(IGovernor.ProposalState.Canceled), "state");
    }
}
