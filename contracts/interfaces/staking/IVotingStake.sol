// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Voting stake
/// @notice What the Governor asks of Staking: the voting power of staked AVT, and that it stays until a vote is done.
interface IVotingStake {
    /// @notice Makes the shortest unbonding time longer: a shorter one than it is changes nothing. For the Governor.
    /// @param least Seconds.
    /// @custom:role governor
    function lengthenUnbonding(uint256 least) external;

    /// @notice Voting power of `account` at a past time (ERC-6372 `mode=timestamp`), in votes.
    function getPastVotes(address account, uint256 timepoint) external view returns (uint256 votes);

    /// @notice The shortest unbonding time that any policy can set, seconds: a vote until it is carried out, so that
    ///         whoever votes still has its stake here when the decision takes effect.
    function minUnbondingSeconds() external view returns (uint256 time);
}
