// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Bonds
/// @notice What stands behind a validator's word: its own stake, which a slasher may take from.
/// @dev Staking implements it; Clearing (its operator's bond) and Disputes (its panel's bonds) call it.
interface IBonds {
    /// @notice The validator's own active stake, in base units of the staked token; delegations do not count.
    function bondOf(address validator) external view returns (uint256 assets);

    /// @notice Takes up to `amount` from the validator's pool, its unbonding stake included, and gives it to
    /// `beneficiary`. For the slasher role only; bounded per event by a parameter.
    /// @param validator Whose pool is slashed.
    /// @param amount In base units of the staked token; what exceeds the bound or the pool is not taken.
    /// @param beneficiary Who receives what was taken; never address(0).
    /// @param reason Hash of the reason, which lies off-chain.
    /// @return slashed What was taken.
    function slash(
        address validator,
        uint256 amount,
        address beneficiary,
        bytes32 reason
    ) external returns (uint256 slashed);
}
