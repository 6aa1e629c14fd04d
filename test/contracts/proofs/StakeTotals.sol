// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice All AVT in Staking: for any sequence of calls, what is held covers stake, unbonding stake, rewards earned and
///         rewards to be earned, and all principal is staked, unbonding, taken out or slashed.
/// @dev What shares are worth is left open: Staking rounds it down, and a pool never gives more than it has.
contract StakeTotals {
    uint256 public active;
    uint256 public unbonding;
    uint256 public reserve;
    uint256 public owed;
    uint256 public held;
    uint256 public paidIn;
    uint256 public paidOut;
    uint256 public slashed;

    function stake(uint256 amount) public {
        active += amount;
        held += amount;
        paidIn += amount;
    }

    function unstake(uint256 amount) public {
        active -= amount;
        unbonding += amount;
    }

    function withdraw(uint256 amount) public {
        unbonding -= amount;
        held -= amount;
        paidOut += amount;
    }

    function slash(uint256 fromActive, uint256 fromUnbonding) public {
        active -= fromActive;
        unbonding -= fromUnbonding;
        held -= fromActive + fromUnbonding;
        slashed += fromActive + fromUnbonding;
    }

    function fund(uint256 amount) public {
        reserve += amount;
        held += amount;
    }

    /// @param earned What leaves the reserve, and `shared` what of it the pools get; rounding keeps the rest.
    function accrue(uint256 earned, uint256 shared) public {
        require(earned <= reserve && shared <= earned);
        reserve -= earned;
        owed += shared;
    }

    /// @notice A reward or a commission.
    function claim(uint256 amount) public {
        owed -= amount;
        held -= amount;
    }

    function check() public view {
        assert(held >= active + unbonding + reserve + owed);
        assert(paidIn == active + unbonding + paidOut + slashed);
    }
}
