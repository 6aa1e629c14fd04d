// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Roles
/// @notice The roles of the one AccessManager that stands over the whole set; its admin role (0) ends at the
///         timelock.
/// @dev The deployment maps restricted functions to these; a contract itself only says `restricted`.
library Roles {
    /// @notice May mint AVT, within the token's cap.
    uint64 internal constant MINTER = 1;
    /// @notice May mint and burn scrip: the auction houses.
    uint64 internal constant SCRIP_MINTER = 2;
    /// @notice May slash a validator's own stake: Clearing and Disputes.
    uint64 internal constant SLASHER = 3;
    /// @notice May anchor Merkle roots of receipts: the service.
    uint64 internal constant ANCHORER = 4;
    /// @notice May lock a validator's own stake, so that it stays behind what the validator has promised.
    uint64 internal constant BONDER = 5;
    /// @notice May make the shortest unbonding time longer: the Governor, whose votes it has to outlast.
    uint64 internal constant GOVERNOR = 6;
}
