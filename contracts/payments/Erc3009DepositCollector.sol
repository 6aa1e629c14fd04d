// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC3009} from "@openzeppelin/contracts/interfaces/draft-IERC3009.sol";
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
        bytes32 nonce = keccak256(abi.encode(channelId, salt));
        try
            IERC3009Bytes(token).receiveWithAuthorization(
                payer,
                address(this),
                amount,
                validAfter,
                validBefore,
                nonce,
                signature
            )
        {
            IERC20(token).safeTransfer(settlement, amount);
        } catch (bytes memory reason) {
            // A token that knows only keys, as ERC-3009 has it, says nothing of the form for all signatures.
            if (reason.length != 0 || signature.length != 65) _revertWith(reason);
            _receiveByKey(payer, token, amount, validAfter, validBefore, nonce, signature);
            IERC20(token).safeTransfer(settlement, amount);
        }
    }

    function _receiveByKey(
        address payer,
        address token,
        uint256 amount,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes memory signature
    ) private {
        bytes32 r;
        bytes32 s;
        uint8 v;
        assembly ("memory-safe") {
            r := mload(add(signature, 0x20))
            s := mload(add(signature, 0x40))
            v := byte(0, mload(add(signature, 0x60)))
        }
        IERC3009(token).receiveWithAuthorization(
            payer,
            address(this),
            amount,
            validAfter,
            validBefore,
            nonce,
            v,
            r,
            s
        );
    }

    function _revertWith(bytes memory reason) private pure {
        assembly ("memory-safe") {
            revert(add(reason, 0x20), mload(reason))
        }
    }
}
