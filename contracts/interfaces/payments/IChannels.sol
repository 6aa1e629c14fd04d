// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITreasury} from "../treasury/ITreasury.sol";

/// @title Channels
/// @notice What the Treasury calls of a contract of x402's `batch-settlement` scheme, as the payer of a channel.
interface IChannels {
    /// @notice Starts taking back up to `amount` of what is unclaimed; the receiver may claim until the delay ends.
    function initiateWithdraw(ITreasury.ChannelConfig calldata config, uint128 amount) external;

    /// @notice Pays the withdrawal out to the payer once the delay has ended.
    function finalizeWithdraw(ITreasury.ChannelConfig calldata config) external;
}
