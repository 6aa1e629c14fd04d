// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {StakingMath} from "../../../contracts/staking/StakingMath.sol";
import {Test} from "../support/Test.sol";

/// @notice The steps of Staking's accounting by themselves, at their edges.
contract StakingMathTest is Test {
    using StakingMath for StakingMath.Pool;

    function test_divide_whenNothingIsLeft_leavesNoShares() public pure {
        StakingMath.Pool memory pool = StakingMath.Pool(0, type(uint96).max);
        uint256 divisions = pool.divide();
        assertEq(pool.shares, 0, "the pool's");
        assertEq(divisions, 16, "divisions");
        assertEq(StakingMath.divided(type(uint96).max, divisions), 0, "anyone's");
        assertEq(StakingMath.divided(type(uint96).max, divisions - 1), 63, "one fewer would leave some");
    }

    function test_divide_atASixtyFourth_doesNothing() public pure {
        StakingMath.Pool memory pool = StakingMath.Pool(1, 64);
        assertEq(pool.divide(), 0, "a 64th is enough");
        assertEq(pool.shares, 64, "as they were");
        pool.shares = 65;
        assertEq(pool.divide(), 1, "less is not");
        assertEq(pool.shares, 2, "rounded up");
    }

    function testFuzz_divide_keepsWhatEverybodyHolds(uint96 assets, uint96[4] memory held) public pure {
        uint256 all;
        for (uint256 i = 0; i < 4; ++i) all += held[i] /= 4;
        StakingMath.Pool memory pool = StakingMath.Pool(uint96(bound(assets, 0, all)), uint96(all));
        uint256 divisions = pool.divide();
        uint256 sum;
        uint256 worth;
        for (uint256 i = 0; i < 4; ++i) {
            uint256 left = StakingMath.divided(held[i], divisions);
            sum += left;
            worth += pool.worth(left);
        }
        assertLe(sum, pool.shares, "together no more shares than the pool has");
        assertLe(worth, pool.assets, "nor assets");
        assertLe(pool.assets, pool.shares, "a share is worth one at most");
        assertLe(pool.shares, uint256(pool.assets) * 64, "and a 64th at least");
    }

    function testFuzz_unstake_theLastShareTakesTheLastUnit(
        uint96 assets,
        uint96 shares,
        uint96 part
    ) public pure {
        shares = uint96(bound(shares, 1, type(uint96).max));
        StakingMath.Pool memory pool = StakingMath.Pool(uint96(bound(assets, 1, shares)), shares);
        uint256 first = bound(part, 0, shares);
        pool.unstake(pool.worth(first), first);
        pool.unstake(pool.worth(pool.shares), pool.shares);
        assertEq(pool.assets, 0, "assets");
        assertEq(pool.shares, 0, "shares");
    }
}
