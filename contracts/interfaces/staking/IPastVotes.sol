// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Past votes
/// @notice A source of voting power beside the token, as far as the Governor asks it.
interface IPastVotes {
    /// @notice Voting power of `account` at a past time (ERC-6372 `mode=timestamp`), in votes.
    function getPastVotes(address account, uint256 timepoint) external view returns (uint256 votes);
}
