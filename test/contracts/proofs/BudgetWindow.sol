// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice One window of a budget (contracts/treasury/Budget.sol), for any sequence of charges, pauses and limits of time.
/// @dev Steps and releases are Budget's `steps` and `_released(share)`; how a release is rounded is left open: anything
///      up to what the ended bucket holds. Time goes bucket by bucket, or beyond all that count.
contract BudgetWindowProof {
    uint256 private immutable limit;
    uint256 private steps;
    uint256 private latest;
    uint256 private middle;
    uint256 private oldest;
    /// @dev All that was charged since some moment that anybody chose, and how many buckets ended since its own.
    bool private isWatched;
    uint256 private watched;
    uint256 private ended;

    constructor(uint256 limit_) {
        require(limit_ < 2 ** 28);
        limit = limit_;
    }

    function watch() external {
        require(!isWatched);
        isWatched = true;
    }

    function charge(uint256 amount) external {
        require(amount <= limit && steps + amount <= limit);
        steps += amount;
        if (isWatched) watched += amount;
        // A window is three buckets long, so what is less than a window apart is at most three buckets apart.
        if (isWatched && ended <= 3) assert(watched <= limit);
    }

    /// @param release What the bucket that ends will release when it no longer counts.
    function pass(uint256 release) external {
        uint256 current = steps - (latest + middle + oldest);
        require(release <= current);
        steps -= oldest;
        (latest, middle, oldest) = (release, latest, middle);
        if (isWatched) ++ended;
    }

    function passAll() external {
        (steps, latest, middle, oldest) = (0, 0, 0, 0);
        if (isWatched) ended += 4;
    }
}
