// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IArbitrable} from "./IArbitrable.sol";

/// @title Arbitrator
/// @notice Who decides disputes, as ERC-792 has it.
/// @dev Source: ERC-792 (2017). Costs are in the chain's native coin, wei.
interface IArbitrator {
    /// @notice Where a dispute stands: waiting for evidence and a ruling; ruled, but it can be appealed; final.
    enum DisputeStatus {
        Waiting,
        Appealable,
        Solved
    }

    /// @notice A dispute was opened by `arbitrable`.
    event DisputeCreation(uint256 indexed disputeID, IArbitrable indexed arbitrable);

    /// @notice There is a ruling which can still be appealed.
    event AppealPossible(uint256 indexed disputeID, IArbitrable indexed arbitrable);

    /// @notice The ruling was appealed.
    event AppealDecision(uint256 indexed disputeID, IArbitrable indexed arbitrable);

    /// @notice Opens a dispute for the calling arbitrable; `msg.value` must cover `arbitrationCost(extraData)`.
    /// @param choices Rulings go from 1 to `choices`; 0 is "refused to arbitrate".
    /// @param extraData In the arbitrator's own encoding.
    /// @return disputeID The arbitrator's number of the dispute.
    function createDispute(
        uint256 choices,
        bytes calldata extraData
    ) external payable returns (uint256 disputeID);

    /// @notice What opening a dispute costs, in wei.
    function arbitrationCost(bytes calldata extraData) external view returns (uint256 cost);

    /// @notice Appeals the present ruling; `msg.value` must cover `appealCost`.
    function appeal(uint256 disputeID, bytes calldata extraData) external payable;

    /// @notice What an appeal costs, in wei.
    function appealCost(uint256 disputeID, bytes calldata extraData) external view returns (uint256 cost);

    /// @notice From when until when the ruling can be appealed, in seconds; (0, 0) if it can't.
    function appealPeriod(uint256 disputeID) external view returns (uint256 start, uint256 end);

    /// @notice Where the dispute stands.
    function disputeStatus(uint256 disputeID) external view returns (DisputeStatus status);

    /// @notice The ruling as it is now, not yet final unless the status says so.
    function currentRuling(uint256 disputeID) external view returns (uint256 ruling);
}
