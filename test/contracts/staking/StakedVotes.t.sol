// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IStaking} from "../../../contracts/interfaces/staking/IStaking.sol";
import {StakingFixture} from "../support/StakingFixture.sol";
import {Vm} from "../support/Test.sol";

/// @notice The votes of staked AVT (ERC-5805 on a timestamp clock, ERC-6372).
contract StakedVotesTest is StakingFixture {
    function test_votes_startWithDelegation() public {
        _stake(alice, 100 * AVT);
        assertEq(staking.getVotes(alice), 0, "not delegated yet");
        vm.expectEmit(true, true, true, true);
        emit IStaking.VotesDelegated(validator, alice, bob, 100 * AVT);
        vm.expectEmit(true, true, true, true);
        emit IStaking.DelegateVotesChanged(bob, 0, 100 * AVT);
        vm.prank(alice);
        staking.delegateVotes(validator, bob);
        assertEq(staking.getVotes(bob), 100 * AVT, "bob votes");
        (address delegatee, uint256 votes) = staking.votesOf(validator, alice);
        assertEq(delegatee, bob, "delegatee");
        assertEq(votes, 100 * AVT, "votes");
    }

    function test_votes_followStakeAndUnstake() public {
        vm.prank(alice);
        staking.delegateVotes(validator, bob);
        assertEq(staking.getVotes(bob), 0, "no stake");
        _stake(alice, 100 * AVT);
        assertEq(staking.getVotes(bob), 100 * AVT, "staked");
        vm.expectEmit(true, true, true, true);
        emit IStaking.DelegateVotesChanged(bob, 100 * AVT, 150 * AVT);
        _stake(alice, 50 * AVT);
        _unstake(alice, 120 * AVT);
        assertEq(staking.getVotes(bob), 30 * AVT, "unbonding stake does not vote");
    }

    function test_syncVotes_ofWhatDidNotChange_movesNoVotes() public {
        _stake(alice, 100 * AVT);
        vm.prank(alice);
        staking.delegateVotes(validator, bob);
        vm.recordLogs();
        staking.syncVotes(validator, alice);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 1, "one event");
        assertEq(logs[0].topics[0], IStaking.VotesDelegated.selector, "which says what is delegated");
    }

    function test_votes_ofSeveralStakers_addUp() public {
        _stake(alice, 100 * AVT);
        _stake(bob, 7 * AVT);
        vm.prank(alice);
        staking.delegateVotes(validator, stranger);
        vm.prank(bob);
        staking.delegateVotes(validator, stranger);
        assertEq(staking.getVotes(stranger), 107 * AVT, "both");
        vm.prank(alice);
        staking.delegateVotes(validator, alice);
        assertEq(staking.getVotes(stranger), 7 * AVT, "bob's");
        assertEq(staking.getVotes(alice), 100 * AVT, "alice's own");
    }

    function test_votes_canBeTakenBack() public {
        _stake(alice, 100 * AVT);
        vm.prank(alice);
        staking.delegateVotes(validator, bob);
        vm.expectEmit(true, true, true, true);
        emit IStaking.VotesDelegated(validator, alice, address(0), 0);
        vm.prank(alice);
        staking.delegateVotes(validator, address(0));
        assertEq(staking.getVotes(bob), 0, "none");
        assertEq(staking.getVotes(address(0)), 0, "nobody has them");
        _stake(alice, 1);
        assertEq(staking.getVotes(bob), 0, "still none");
    }

    function test_getPastVotes_isTheVoteOfThatTime() public {
        _stake(alice, 100 * AVT);
        vm.prank(alice);
        staking.delegateVotes(validator, alice);
        skip(10);
        _stake(alice, 50 * AVT);
        skip(10);
        assertEq(staking.getPastVotes(alice, START - 1), 0, "before");
        assertEq(staking.getPastVotes(alice, START), 100 * AVT, "at first");
        assertEq(staking.getPastVotes(alice, START + 9), 100 * AVT, "until the next");
        assertEq(staking.getPastVotes(alice, START + 10), 150 * AVT, "then");
        vm.expectRevert(
            abi.encodeWithSelector(IStaking.Staking_FutureLookup.selector, START + 20, START + 20)
        );
        staking.getPastVotes(alice, START + 20);
    }

    function test_syncVotes_followsASlash_whoeverCalls() public {
        _stake(alice, 100 * AVT);
        vm.prank(alice);
        staking.delegateVotes(validator, alice);
        staking.slash(validator, 50 * AVT, stranger, "why");
        assertEq(staking.getVotes(alice), 100 * AVT, "stale until somebody says so");
        vm.prank(stranger);
        staking.syncVotes(validator, alice);
        assertEq(staking.getVotes(alice), 50 * AVT, "what is left");
    }

    function test_unknownValidator_isRefused() public {
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_UnknownValidator.selector, bob));
        staking.syncVotes(bob, alice);
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_UnknownValidator.selector, bob));
        staking.delegateVotes(bob, alice);
    }

    function test_clock_isTime() public view {
        assertEq(staking.clock(), START, "clock");
        assertEq(bytes(staking.CLOCK_MODE()), bytes("mode=timestamp"), "mode");
        assertEq(avt.clock(), START, "AVT's clock");
        assertEq(bytes(avt.CLOCK_MODE()), bytes("mode=timestamp"), "AVT's mode");
    }
}
