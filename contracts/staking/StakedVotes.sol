// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";
import {Time} from "@openzeppelin/contracts/utils/types/Time.sol";
import {IStaking} from "../interfaces/staking/IStaking.sol";

/// @notice The votes of staked AVT: each staker's stake in each pool is delegated by itself, as AVT is (ERC-5805).
/// @dev Slashing changes nobody's votes at once, for that would touch every delegator: votes follow at the staker's
///      next move, or when anyone calls `syncVotes`.
abstract contract StakedVotes is IStaking {
    using Checkpoints for Checkpoints.Trace208;

    struct Delegation {
        address delegatee;
        uint96 votes;
    }

    mapping(address validator => mapping(address staker => Delegation)) private _delegations;
    mapping(address delegatee => Checkpoints.Trace208) private _votes;

    /// @inheritdoc IStaking
    function votesOf(address validator, address staker) external view returns (address, uint256) {
        Delegation memory delegation = _delegations[validator][staker];
        return (delegation.delegatee, delegation.votes);
    }

    /// @inheritdoc IStaking
    function getVotes(address account) external view returns (uint256) {
        return _votes[account].latest();
    }

    /// @notice Voting power of `account` from staked AVT at a past time, in base units of AVT.
    function getPastVotes(address account, uint256 timepoint) external view returns (uint256) {
        uint48 time = clock();
        if (timepoint >= time) revert Staking_FutureLookup(timepoint, time);
        return _votes[account].upperLookupRecent(uint48(timepoint));
    }

    /// @notice The clock of votes: Unix seconds (ERC-6372).
    function clock() public view returns (uint48) {
        return Time.timestamp();
    }

    /// @notice How the clock counts, as ERC-6372 writes it.
    // solhint-disable-next-line func-name-mixedcase
    function CLOCK_MODE() external pure returns (string memory) {
        return "mode=timestamp";
    }

    /// @dev Gives the stake's votes, which are `votes`, to `delegatee`.
    function _delegate(address validator, address staker, address delegatee, uint256 votes) internal {
        Delegation storage delegation = _delegations[validator][staker];
        _move(delegation.delegatee, delegation.votes, 0);
        if (delegatee == address(0)) votes = 0;
        (delegation.delegatee, delegation.votes) = (delegatee, uint96(votes));
        emit VotesDelegated(validator, staker, delegatee, votes);
        _move(delegatee, 0, votes);
    }

    /// @dev The stake is now worth `votes`; its delegate, if it has one, learns it.
    function _setVotes(address validator, address staker, uint256 votes) internal {
        Delegation storage delegation = _delegations[validator][staker];
        address delegatee = delegation.delegatee;
        if (delegatee == address(0)) return;
        uint256 before = delegation.votes;
        delegation.votes = uint96(votes);
        emit VotesDelegated(validator, staker, delegatee, votes);
        _move(delegatee, before, votes);
    }

    function _move(address delegatee, uint256 taken, uint256 given) private {
        if (delegatee == address(0) || taken == given) return;
        Checkpoints.Trace208 storage trace = _votes[delegatee];
        uint256 before = trace.latest();
        uint256 votes = before - taken + given;
        trace.push(clock(), uint208(votes));
        emit DelegateVotesChanged(delegatee, before, votes);
    }
}
