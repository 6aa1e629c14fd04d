// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SeatTree} from "../../../contracts/trust/SeatTree.sol";
import {Test} from "../support/Test.sol";

/// @notice The tree beside a plain list of counts.
contract SeatTreeTest is Test {
    using SeatTree for SeatTree.Tree;

    SeatTree.Tree private tree;
    uint256[] private counts;

    function _holderOf(uint256 seat) private view returns (uint256) {
        for (uint256 i = 0; i < counts.length; ++i) {
            if (seat < counts[i]) return i + 1;
            seat -= counts[i];
        }
        revert("no such seat");
    }

    function _assertEqual() private view {
        uint256 total;
        for (uint256 i = 0; i < counts.length; ++i) total += counts[i];
        assertEq(tree.total, total, "total");
        for (uint256 seat = 0; seat < total; ++seat)
            assertEq(tree.holderOf(seat), _holderOf(seat), "holder of a seat");
    }

    function testFuzz_tree_isTheListOfCounts(uint256 seed) public {
        for (uint256 i = 0; i < 40; ++i) {
            uint256 random = uint256(keccak256(abi.encode(seed, i)));
            uint256 count = (random >> 16) % 4;
            if (random % 3 == 0 || counts.length == 0) {
                counts.push(0);
                assertEq(tree.append(), counts.length, "numbered as they come");
            }
            uint256 at = (random >> 32) % counts.length;
            if (random % 5 == 0) {
                if (count > counts[at]) count = counts[at];
                counts[at] -= count;
                tree.remove(at + 1, count);
            } else {
                counts[at] += count;
                tree.add(at + 1, count);
            }
        }
        _assertEqual();
    }

    function test_remove_moreThanThereIs_isRefused() public {
        tree.append();
        tree.append();
        tree.add(1, 1);
        tree.add(2, 5);
        vm.expectRevert();
        this.remove(1, 2);
    }

    function remove(uint256 index, uint256 count) external {
        tree.remove(index, count);
    }
}
