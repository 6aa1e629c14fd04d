// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PlainToken} from "./PlainToken.sol";

/// @notice Refuses transfers from or to blocked accounts, as USDC does.
contract Blocklist is PlainToken {
    mapping(address account => bool) public isBlocked;

    error Blocklist_Blocked(address account);

    function setBlocked(address account, bool blocked) external {
        isBlocked[account] = blocked;
    }

    function _update(address from, address to, uint256 amount) internal override {
        if (isBlocked[from]) revert Blocklist_Blocked(from);
        if (isBlocked[to]) revert Blocklist_Blocked(to);
        super._update(from, to, amount);
    }
}
