// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice One window of a budget (contracts/treasury/Budget.sol): for any sequence of charges and pauses, what was
///         charged since any moment is within the limit for as long as a window.
/// @dev `steps` and the releases are Budget's own. How a release is rounded is left open: whatever an ended bucket holds
///      at most. Time goes bucket by bucket, or beyond all that count.
contract BudgetWindow {
    /// @dev A window is three buckets: two moments less than a window apart are at most three buckets apart.
    uint256 private constant UNWATCHED = 4;

    uint256 public limit;
    uint256 public steps;
    uint256 public latest;
    uint256 public middle;
    uint256 public oldest;
    /// @dev All that was charged since a moment that anybody chose, and how many buckets ended since its own.
    uint256 public watched;
    uint256 public ended;

    constructor(uint256 limit_) {
        limit = limit_;
        ended = UNWATCHED;
    }

    function watch() public {
        require(ended >= UNWATCHED);
        (ended, watched) = (0, 0);
    }

    function charge(uint256 amount) public {
        require(amount <= limit && steps <= limit - amount);
        steps += amount;
        if (ended < UNWATCHED) {
            watched += amount;
            assert(watched <= limit);
        }
    }

    /// @param release What the bucket that ends will release when it no longer counts.
    function pass(uint256 release) public {
        require(release <= steps - latest - middle - oldest);
        steps -= oldest;
        oldest = middle;
        middle = latest;
        latest = release;
        if (ended < UNWATCHED) ++ended;
    }

    function passAll() public {
        (steps, latest, middle, oldest) = (0, 0, 0, 0);
        ended = UNWATCHED;
    }
}
