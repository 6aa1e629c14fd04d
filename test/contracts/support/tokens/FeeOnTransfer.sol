// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PlainToken} from "./PlainToken.sol";

/// @notice Keeps a share of each transfer: the recipient gets less than was sent.
contract FeeOnTransfer is PlainToken {
    uint256 public constant FEE_BPS = 100;

    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (from != address(0) && to != address(0))
            super._update(to, address(0), (amount * FEE_BPS) / 10_000);
    }
}
