// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice Balances are shares of a pool that can grow or shrink under every holder, as staked-ether tokens do.
contract Rebasing {
    uint256 public totalShares;
    uint256 public totalSupply;
    mapping(address account => uint256) public shares;
    mapping(address owner => mapping(address spender => uint256)) public allowance;

    error Rebasing_Insufficient(uint256 got, uint256 wanted);

    /// @notice Sets the pool's size: everyone's balance moves in proportion.
    function rebase(uint256 supply) external {
        totalSupply = supply;
    }

    function mint(address to, uint256 amount) external {
        uint256 minted = totalShares == 0 ? amount : (amount * totalShares) / totalSupply;
        totalShares += minted;
        totalSupply += amount;
        shares[to] += minted;
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        return true;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        _move(msg.sender, to, amount);
        return true;
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        uint256 allowed = allowance[from][msg.sender];
        if (allowed < amount) revert Rebasing_Insufficient(allowed, amount);
        allowance[from][msg.sender] = allowed - amount;
        _move(from, to, amount);
        return true;
    }

    function balanceOf(address account) public view returns (uint256) {
        return totalShares == 0 ? 0 : (shares[account] * totalSupply) / totalShares;
    }

    function _move(address from, address to, uint256 amount) private {
        uint256 moved = (amount * totalShares) / totalSupply;
        if (shares[from] < moved) revert Rebasing_Insufficient(balanceOf(from), amount);
        shares[from] -= moved;
        shares[to] += moved;
    }
}
