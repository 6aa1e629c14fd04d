// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IArbitrator} from "./IArbitrator.sol";

/// @title Arbitrable
/// @notice What obeys an arbitrator's rulings, as ERC-792 has it.
/// @dev Source: ERC-792 (2017).
interface IArbitrable {
    /// @notice A final ruling was given and obeyed.
    event Ruling(IArbitrator indexed arbitrator, uint256 indexed disputeID, uint256 ruling);

    /// @notice Called by the arbitrator, once, with its final ruling.
    /// @param disputeID The arbitrator's number of the dispute.
    /// @param ruling From 1 to the dispute's `choices`, or 0: refused to arbitrate.
    function rule(uint256 disputeID, uint256 ruling) external;
}
