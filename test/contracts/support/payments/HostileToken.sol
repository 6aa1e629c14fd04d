// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice An ERC-20 that misbehaves as told: takes a fee, keeps a cut of every balance, says nothing or `false`, or
///         calls a target in the middle of a transfer.
contract HostileToken {
    enum Answer {
        True,
        Nothing,
        False
    }

    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;
    uint256 public feeBps;
    Answer public answer;
    address public hookTarget;
    bytes public hookData;
    bool public hookSucceeded;
    bytes public hookResult;

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function setFee(uint256 bps) external {
        feeBps = bps;
    }

    function setAnswer(Answer kind) external {
        answer = kind;
    }

    function setHook(address target, bytes calldata data) external {
        hookTarget = target;
        hookData = data;
    }

    /// @notice What a rebasing token does to a holder.
    function rebase(address holder, uint256 balance) external {
        balanceOf[holder] = balance;
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        return true;
    }

    function transfer(address to, uint256 amount) external {
        _move(msg.sender, to, amount);
        _answer();
    }

    function transferFrom(address from, address to, uint256 amount) external {
        allowance[from][msg.sender] -= amount;
        _move(from, to, amount);
        _answer();
    }

    function _move(address from, address to, uint256 amount) private {
        if (answer == Answer.False) return;
        balanceOf[from] -= amount;
        balanceOf[to] += amount - (amount * feeBps) / 10_000;
        if (hookTarget != address(0)) (hookSucceeded, hookResult) = hookTarget.call(hookData);
    }

    function _answer() private view {
        if (answer == Answer.Nothing) return;
        bool value = answer == Answer.True;
        assembly ("memory-safe") {
            mstore(0x00, value)
            return(0x00, 0x20)
        }
    }
}
