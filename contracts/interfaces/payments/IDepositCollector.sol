// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice Moves a payer's tokens into the settlement contract by whatever authorisation the payer signed.
interface IDepositCollector {
    /// @notice The caller is not the settlement contract that this collector serves.
    error DepositCollector_NotSettlement(address caller, address settlement);

    /// @notice Brings exactly `amount` of `token` from `payer` to the calling settlement contract.
    /// @dev The settlement contract measures what arrived, so a faulty collector can only fail the deposit.
    /// @param payer Whose tokens are taken.
    /// @param token The ERC-20.
    /// @param amount In the token's base units.
    /// @param channelId The channel that the payer's authorisation must name.
    /// @param data The authorisation, in the collector's own encoding.
    function collect(
        address payer,
        address token,
        uint256 amount,
        bytes32 channelId,
        bytes calldata data
    ) external;
}
