// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice What slashing takes of a validator's own stake (`SlashBound`), at a bound of half: in any time in which no
///         slash of that time ends, which is any that is shorter than the unbonding time, no more than half of the own
///         stake that stood at its beginning and of what was added in it.
contract SlashPeriod {
    /// @notice What a slash can reach: own stake, and what of it is still unbonding.
    uint256 public own;
    uint256 public taken;
    uint256 public seen;
    uint256 public takenSince;

    /// @notice The time that is looked at begins now.
    function watch() public {
        seen = own;
        takenSince = 0;
    }

    function stake(uint256 amount) public {
        own += amount;
        seen += amount;
    }

    /// @notice Stake that has unbonded is out of reach.
    function leave(uint256 amount) public {
        own -= amount;
    }

    function slash(uint256 amount) public {
        require(2 * (taken + amount) <= own + taken);
        own -= amount;
        taken += amount;
        takenSince += amount;
    }

    /// @notice Slashes count no more, of before the time that is looked at.
    function forget(uint256 amount) public {
        require(amount <= taken - takenSince);
        taken -= amount;
    }

    function check() public view {
        assert(2 * takenSince <= seen);
    }
}
