// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @notice Money, as COMP and UNI are: an allowance of 2^96 - 1 is not counted down. What a refund owes the Treasury
/// anybody may bring home.
contract Money is ERC20("Money", "MON") {
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function refund(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function _spendAllowance(address owner, address spender, uint256 value) internal override {
        if (allowance(owner, spender) != type(uint96).max) super._spendAllowance(owner, spender, value);
    }
}

/// @notice Takes for whoever asks, by an allowance of its own, as a router's transfer proxy does.
contract Proxy {
    function pull(IERC20 money, address from, address to, uint256 amount) external {
        money.transferFrom(from, to, amount);
    }
}

/// @notice A spender whose own code acts whenever it is called: the contract that a scope names, which takes what it can,
/// has refunds come home meanwhile and enters the Treasury again; and a token whose every answer is a lie.
contract Liar {
    address private _next;
    bytes private _data;
    uint256 private _lie;

    /// @dev What it does when it is called next, and what it says of every balance and allowance.
    function prepare(address next, bytes calldata data, uint256 lie) external {
        (_next, _data, _lie) = (next, data, lie);
    }

    function order(IERC20 money, uint256 amount) external payable {
        if (amount != 0) money.transferFrom(msg.sender, address(this), amount);
        _act();
    }

    function orderThrough(Proxy proxy, IERC20 money, uint256 amount) external {
        proxy.pull(money, msg.sender, address(this), amount);
        _act();
    }

    function balanceOf(address) external view returns (uint256) {
        // Another one at each question.
        return _lie ^ gasleft();
    }

    function allowance(address, address) external view returns (uint256) {
        return _lie;
    }

    function approve(address, uint256) external returns (bool) {
        _act();
        return true;
    }

    function transfer(address, uint256) external returns (bool) {
        _act();
        return true;
    }

    receive() external payable {
        _act();
    }

    function _act() private {
        (bool ok, ) = _next.call(_data);
        ok;
    }
}
