// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IDepositCollector} from "../interfaces/payments/IDepositCollector.sol";
import {IERC3009Bytes} from "../interfaces/payments/IERC3009Bytes.sol";

/// @notice Collects channel deposits by the payer's ERC-3009 `ReceiveWithAuthorization`, whose nonce binds the
///         authorisation to one channel: `keccak256(abi.encode(channelId, salt))`.
/// @dev Stateless; the tokens only pass through within one call. The data is
///      `abi.encode(uint256 validAfter, uint256 validBefore, uint256 salt, bytes signature)`.
contract Erc3009DepositCollector is IDepositCollector {
    using SafeERC20 for IERC20;

    /// @notice The only contract that may collect, and the only one that receives.
    address public immutable settlement;

    constructor(address settlement_) {
        settlement = settlement_;
    }

    /// @inheritdoc IDepositCollector
    function collect(
        address payer,
        address token,
        uint256 amount,
        bytes32 channelId,
        bytes calldata data
    ) external {
        // else anyone could have the payer's tokens brought to itself
        if (msg.sender != settlement) revert DepositCollector_NotSettlement(msg.sender, settlement);
        (uint256 validAfter, uint256 validBefore, uint256 salt, bytes memory signature) = abi.decode(
            data,
            (uint256, uint256, uint256, bytes)
        );
        IERC3009Bytes(token).receiveWithAuthorization(
            payer,
            address(this),
            amount,
            validAfter,
            validBefore,
            keccak256(abi.encode(channelId, salt)),
            signature
        );
        IERC20(token).safeTransfer(settlement, amount);
    }
}
