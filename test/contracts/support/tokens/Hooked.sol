// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PlainToken} from "./PlainToken.sol";

/// @notice What a recipient or sender of {Hooked} may implement.
interface ITransferHook {
    function onTokenTransfer(address from, address to, uint256 amount) external;
}

/// @notice Calls sender and recipient around each transfer, as ERC-777 does: the way in for reentrancy.
contract Hooked is PlainToken {
    function _update(address from, address to, uint256 amount) internal override {
        _tell(from, from, to, amount);
        super._update(from, to, amount);
        _tell(to, from, to, amount);
    }

    /// @dev Accounts without the hook are left alone; a hook's revert is passed on.
    function _tell(address account, address from, address to, uint256 amount) private {
        if (account.code.length == 0) return;
        (bool ok, bytes memory answer) = account.call(
            abi.encodeCall(ITransferHook.onTokenTransfer, (from, to, amount))
        );
        if (!ok && answer.length != 0) {
            assembly ("memory-safe") {
                revert(add(answer, 0x20), mload(answer))
            }
        }
    }
}
