// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice All AVT in Staking: for any sequence of calls, what is held covers stake, unbonding stake, rewards earned and
///         rewards to be earned; what delegators staked is staked, unbonding or taken out, and never slashed; and what
///         was slashed of validators' own stake was burned but for a part.
contract StakeTotals {
    uint256 public own;
    uint256 public ownUnbonding;
    uint256 public delegated;
    uint256 public delegatedUnbonding;
    uint256 public reserve;
    uint256 public owed;
    uint256 public held;
    uint256 public ownIn;
    uint256 public ownOut;
    uint256 public delegatedIn;
    uint256 public delegatedOut;
    uint256 public rewarded;
    uint256 public burned;

    function stake(uint256 amount, bool isOwn) public {
        if (isOwn) (own, ownIn) = (own + amount, ownIn + amount);
        else (delegated, delegatedIn) = (delegated + amount, delegatedIn + amount);
        held += amount;
    }

    function unstake(uint256 amount, bool isOwn) public {
        if (isOwn) (own, ownUnbonding) = (own - amount, ownUnbonding + amount);
        else (delegated, delegatedUnbonding) = (delegated - amount, delegatedUnbonding + amount);
    }

    /// @notice A validator moves what it had with another onto its own stake.
    function restakeOntoOwn(uint256 amount) public {
        delegated -= amount;
        delegatedOut += amount;
        own += amount;
        ownIn += amount;
    }

    function withdraw(uint256 amount, bool isOwn) public {
        if (isOwn) (ownUnbonding, ownOut) = (ownUnbonding - amount, ownOut + amount);
        else (delegatedUnbonding, delegatedOut) = (delegatedUnbonding - amount, delegatedOut + amount);
        held -= amount;
    }

    /// @param reward What of it goes to the reporter: a fifth at most.
    function slash(uint256 fromActive, uint256 fromUnbonding, uint256 reward) public {
        uint256 amount = fromActive + fromUnbonding;
        require(5 * reward <= amount);
        own -= fromActive;
        ownUnbonding -= fromUnbonding;
        held -= amount;
        rewarded += reward;
        burned += amount - reward;
    }

    function fund(uint256 amount) public {
        reserve += amount;
        held += amount;
    }

    /// @param earned What leaves the reserve, and `shared` what of it the stakers get; rounding keeps the rest.
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
        assert(held >= own + ownUnbonding + delegated + delegatedUnbonding + reserve + owed);
        assert(delegatedIn == delegated + delegatedUnbonding + delegatedOut);
        assert(ownIn == own + ownUnbonding + ownOut + rewarded + burned);
        assert(4 * rewarded <= burned);
    }
}
