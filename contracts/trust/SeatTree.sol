// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title SeatTree
/// @notice Numbers the seats of many holders one after another, so that a random number finds the holder of a seat: a
///         binary indexed tree (Fenwick, 1994) over the holders' counts.
/// @dev Holders are numbered from 1 in the order in which they come. The node n holds the sum of the counts from
///      n - (n & -n) + 1 to n, so every operation touches as many nodes as the number of holders has bits.
library SeatTree {
    struct Tree {
        uint128 size;
        uint128 total;
        mapping(uint256 index => uint256) nodes;
    }

    /// @notice Appends a holder without seats.
    function append(Tree storage self) internal returns (uint256 index) {
        index = ++self.size;
        uint256 first = index - (index & (~index + 1));
        uint256 sum;
        for (uint256 i = index - 1; i > first; i &= i - 1) sum += self.nodes[i];
        if (sum != 0) self.nodes[index] = sum;
    }

    /// @notice Gives a holder more seats.
    function add(Tree storage self, uint256 index, uint256 count) internal {
        uint256 size = self.size;
        self.total += uint128(count);
        for (uint256 i = index; i <= size; i += i & (~i + 1)) self.nodes[i] += count;
    }

    /// @notice Takes seats from a holder, who has as many.
    function remove(Tree storage self, uint256 index, uint256 count) internal {
        uint256 size = self.size;
        self.total -= uint128(count);
        for (uint256 i = index; i <= size; i += i & (~i + 1)) self.nodes[i] -= count;
    }

    /// @notice The holder of a seat by its number, from 0 to the total less one.
    function holderOf(Tree storage self, uint256 seat) internal view returns (uint256 index) {
        uint256 size = self.size;
        uint256 step = 1;
        while (step * 2 <= size) step *= 2;
        for (; step != 0; step /= 2) {
            if (index + step > size) continue;
            uint256 sum = self.nodes[index + step];
            if (sum <= seat) (index, seat) = (index + step, seat - sum);
        }
        ++index;
    }
}
