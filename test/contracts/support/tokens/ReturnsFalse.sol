// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice Answers every transfer with `false` instead of reverting, and moves nothing.
contract ReturnsFalse {
    mapping(address account => uint256) public balanceOf;

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function transfer(address, uint256) external pure returns (bool) {
        return false;
    }

    function transferFrom(address, address, uint256) external pure returns (bool) {
        return false;
    }

    function approve(address, uint256) external pure returns (bool) {
        return false;
    }
}
