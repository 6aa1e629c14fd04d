// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Bonds
/// @notice What stands behind a validator's word: its own stake, which a bonder may hold and a slasher may take from.
/// @dev Staking implements it; Clearing (its operator's bond) and Disputes (its panel's bonds) call it.
interface IBonds {
    /// @notice Own stake was locked for what `bonder` watches.
    event Locked(address indexed validator, address indexed bonder, uint256 amount);
    /// @notice A bonder let go of own stake.
    event Unlocked(address indexed validator, address indexed bonder, uint256 amount);

    /// @notice The validator's own active stake, in base units of the staked token; delegations do not count.
    function bondOf(address validator) external view returns (uint256 assets);

    /// @notice What of the validator's own active stake is not locked.
    function freeBondOf(address validator) external view returns (uint256 assets);

    /// @notice What of the validator's own active stake stands behind its word to `bonder`: all that no other has
    ///         locked. After a slash it may be less than what `bonder` has locked.
    function bondFor(address validator, address bonder) external view returns (uint256 assets);

    /// @notice What `bonder` has locked of the validator's own stake, as if nothing had been slashed since.
    function lockedBy(address validator, address bonder) external view returns (uint256 amount);

    /// @notice Locks own active stake that is free: it cannot be taken out until it is unlocked. For the bonder role
    ///         only. Slashing takes locked stake too; then the locks stand, and hold what comes in first.
    function lock(address validator, uint256 amount) external;

    /// @notice Unlocks what the caller locked. It needs no role any more, so that a bonder that lost it holds nobody.
    function unlock(address validator, uint256 amount) external;

    /// @notice Takes up to `amount` of the validator's own stake: of what is active first, then of what is unbonding.
    ///         A fixed part goes to `reporter`, the rest is burned. For the slasher role only; a parameter bounds what
    ///         the slashes within one unbonding time may take, together.
    /// @param validator Who is slashed. What others have staked with it is out of reach.
    /// @param amount In base units of the staked token; what exceeds the bound is not taken.
    /// @param reporter Who is rewarded; never address(0).
    /// @param reason Hash of the reason, which lies off-chain.
    /// @return slashed What was taken, the reporter's part included.
    function slash(
        address validator,
        uint256 amount,
        address reporter,
        bytes32 reason
    ) external returns (uint256 slashed);
}
