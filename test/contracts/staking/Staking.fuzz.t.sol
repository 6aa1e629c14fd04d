// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {StakingMath} from "../../../contracts/staking/StakingMath.sol";
import {StakingFixture} from "../support/StakingFixture.sol";

/// @notice What holds for every amount and time.
contract StakingFuzzTest is StakingFixture {
    using StakingMath for StakingMath.Pool;

    function testFuzz_stakeAndLeave_neverProfits(uint256 mine, uint256 others, uint256 slashed) public {
        mine = bound(mine, 1, 1e24);
        others = bound(others, 1, 1e24);
        _stake(bob, others);
        staking.slash(validator, bound(slashed, 0, 1e24), stranger, "");
        try this.stakeAs(alice, mine) {} catch {
            return;
        }
        uint256 id = _unstakeAll(alice);
        if (id == 0) return;
        skip(UNBONDING);
        vm.prank(alice);
        assertLe(staking.withdraw(id), mine, "out and in");
    }

    /// @dev The classic inflation: be first with next to nothing, give the contract tokens, dilute the next.
    function testFuzz_theFirstStaker_cannotInflate(uint256 first, uint256 given, uint256 next) public {
        first = bound(first, 1, 1e6);
        next = bound(next, 1, 1e24);
        _stake(alice, first);
        avt.mint(address(staking), bound(given, 0, 1e24));
        _stake(bob, next);
        assertEq(_assetsOf(bob), next, "bob's stake is worth what he paid");
    }

    function testFuzz_orderOfClaims_doesNotMatter(
        uint256 one,
        uint256 other,
        uint256 reserve,
        uint256 time
    ) public {
        _fund(bound(reserve, 1, 1e24));
        _stake(alice, bound(one, 1e18, 1e24));
        _stake(bob, bound(other, 1e18, 1e24));
        skip(bound(time, 1, 5 * CYCLE));
        uint256 snapshot = vm.snapshotState();
        (uint256 aliceFirst, uint256 bobSecond) = (_claimOrZero(alice), _claimOrZero(bob));
        vm.revertToState(snapshot);
        (uint256 bobFirst, uint256 aliceSecond) = (_claimOrZero(bob), _claimOrZero(alice));
        assertEq(aliceFirst, aliceSecond, "alice");
        assertEq(bobFirst, bobSecond, "bob");
    }

    function testFuzz_claimingOften_givesNoMore(uint256 times, uint256 amount) public {
        times = bound(times, 1, 20);
        _fund(1e24);
        _stake(alice, bound(amount, 1e18, 1e24));
        _stake(bob, bound(amount, 1e18, 1e24));
        uint256 often;
        for (uint256 i = 0; i < times; ++i) {
            skip(CYCLE / times);
            often += _claimOrZero(alice);
        }
        assertLe(often, staking.rewardOf(validator, bob), "often and once");
        assertLe(staking.rewardOf(validator, bob) - often, times * 1e7, "hardly less either");
    }

    function testFuzz_pool_roundsInItsOwnFavour(uint96 assets, uint96 shares, uint96 amount) public pure {
        shares = uint96(bound(shares, 1, type(uint96).max / 2));
        assets = uint96(bound(assets, 1, shares));
        StakingMath.Pool memory pool = StakingMath.Pool(assets, shares);
        amount = uint96(bound(amount, 1, assets));
        uint256 given = pool.sharesFor(amount);
        assertLe(amount, pool.worth(given), "shares for assets are worth at least the assets");
        if (given > 1) assertLe(pool.worth(given - 1), amount, "and no share too many");
        pool.unstake(amount, given);
        assertEq(uint256(pool.assets) + amount, assets, "assets are kept");
        assertEq(pool.shares == 0, pool.assets == 0, "the last share takes the last base unit");
        assertLe(pool.assets, pool.shares, "a share is worth one at most");
    }

    function stakeAs(address staker, uint256 amount) external {
        _stake(staker, amount);
    }

    function _unstakeAll(address staker) private returns (uint256) {
        if (_assetsOf(staker) == 0) return 0;
        return _unstake(staker, type(uint256).max);
    }

    function _claimOrZero(address staker) private returns (uint256) {
        return staking.rewardOf(validator, staker) == 0 ? 0 : _claim(staker);
    }
}
