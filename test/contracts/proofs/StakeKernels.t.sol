// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IStaking} from "../../../contracts/interfaces/staking/IStaking.sol";
import {StakingFixture} from "../support/StakingFixture.sol";
import {SlashPeriod} from "./SlashPeriod.sol";
import {StakeTotals} from "./StakeTotals.sol";

/// @notice Staking beside the kernels that are proved: whatever it does, they do, and come to the same.
contract StakeKernelsTest is StakingFixture {
    uint256 private constant STEPS = 40;

    StakeTotals private totals;
    SlashPeriod private slashes;
    uint256[] private unbondings;
    uint256 private watchedAt;
    /// @dev What counts yet, in the contract's two groups: the latter, and the former.
    uint256[2] private taken;
    uint256[2] private lastAt;
    address private second;

    function setUp() public override {
        super.setUp();
        // The kernel's bound is half, as here; its reward a fifth at most.
        (totals, slashes) = (new StakeTotals(), new SlashPeriod());
        second = _funded("second");
        vm.prank(second);
        staking.registerValidator(0);
        avt.mint(address(this), 1e26);
        avt.approve(address(staking), type(uint256).max);
    }

    function testFuzz_stakingDoesWhatItsKernelsDo(uint256 seed) public {
        for (uint256 i = 0; i < STEPS; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            _pass(bound(seed >> 32, 1, 4 days));
            if (seed % 7 == 0) _watch();
            address who =
                seed % 3 == 0
                    ? validator
                    : seed % 3 == 1
                        ? alice
                        : bob;
            _step(who, (seed >> 8) % 8, bound(seed >> 64, 1, 1e6));
            _compare();
        }
    }

    function _step(address who, uint256 what, uint256 amount) private {
        bool isOwn = who == validator;
        uint256 before = avt.balanceOf(who);
        if (what == 0) {
            _stake(who, amount);
            totals.stake(amount, isOwn);
            if (isOwn) slashes.stake(amount);
        } else if (what == 1) {
            amount = amount < _assetsOf(who) ? amount : _assetsOf(who);
            if (amount != 0) _leave(who, amount, isOwn);
        } else if (what == 2) {
            if (unbondings.length != 0) _take(unbondings[amount % unbondings.length]);
        } else if (what == 3) {
            _slashBoth(amount);
        } else if (what == 4) {
            staking.fund(amount);
            totals.fund(amount);
        } else if (what == 5) {
            if (staking.rewardOf(validator, who) != 0) totals.claim(_claim(who));
        } else if (what == 6) {
            _restakeOntoOwn(amount);
        } else if (staking.commissionOf(validator) != 0) {
            before = avt.balanceOf(validator);
            vm.prank(validator);
            staking.claimCommission();
            totals.claim(avt.balanceOf(validator) - before);
        }
    }

    /// @dev The validator brings what it had with another one for a moment.
    function _restakeOntoOwn(uint256 amount) private {
        vm.startPrank(validator);
        staking.stake(second, amount);
        staking.restake(second, validator, amount);
        vm.stopPrank();
        totals.stake(amount, false);
        totals.restakeOntoOwn(amount);
        slashes.stake(amount);
    }

    function _leave(address who, uint256 amount, bool isOwn) private {
        IStaking.Unbonding memory ready = staking.unbondingOf(_ownId());
        uint256 matured = isOwn && block.timestamp >= ready.readyAt ? ready.assets : 0;
        uint256 before = avt.balanceOf(who);
        uint256 id = _unstake(who, amount);
        totals.unstake(amount, isOwn);
        totals.claim(avt.balanceOf(who) - before - matured);
        if (matured != 0) totals.withdraw(matured, true);
        unbondings.push(id);
    }

    function _take(uint256 id) private {
        address owner = staking.unbondingOf(id).owner;
        vm.prank(owner);
        try staking.withdraw(id) returns (uint256 assets) {
            totals.withdraw(assets, owner == validator);
        } catch {}
    }

    function _slashBoth(uint256 amount) private {
        uint256 active = staking.bondOf(validator);
        uint256 leaving = staking.unbondingOf(_ownId()).assets;
        (uint256 wealth, uint256 earned) = (avt.balanceOf(stranger), avt.balanceOf(validator));
        uint256 slashed = _slash(amount);
        totals.slash(
            active - staking.bondOf(validator),
            leaving - staking.unbondingOf(_ownId()).assets,
            avt.balanceOf(stranger) - wealth
        );
        totals.claim(avt.balanceOf(validator) - earned);
        if (slashed != 0) {
            slashes.slash(slashed);
            if (taken[1] == 0) (taken[1], lastAt[1], taken[0]) = (taken[0], lastAt[0], 0);
            (taken[0], lastAt[0]) = (taken[0] + slashed, block.timestamp);
        }
        if (slashed == amount) return;
        // The kernel would not have taken more either.
        try slashes.slash(1) {
            revert AssertionFailed("the kernel has more to take");
        } catch (bytes memory reason) {
            assertEq(reason.length, 0, "its own refusal");
        }
    }

    function _watch() private {
        slashes.watch();
        watchedAt = block.timestamp;
    }

    /// @dev Time ends slashes, and takes what has unbonded out of reach.
    function _pass(uint256 time) private {
        skip(time);
        if (block.timestamp >= watchedAt + UNBONDING) _watch();
        for (uint256 i = 0; i < 2; ++i) {
            if (block.timestamp < lastAt[i] + UNBONDING) continue;
            slashes.forget(taken[i]);
            taken[i] = 0;
        }
        slashes.leave(slashes.own() - _reachable());
        (, uint256 reserve) = staking.totals();
        // All that leaves the reserve may be owed; rounding owes less.
        totals.accrue(totals.reserve() - reserve, totals.reserve() - reserve);
    }

    function _reachable() private view returns (uint256) {
        IStaking.Unbonding memory unbonding = staking.unbondingOf(_ownId());
        return staking.bondOf(validator) + (block.timestamp < unbonding.readyAt ? unbonding.assets : 0);
    }

    function _compare() private view {
        (uint256 staked, uint256 reserve) = staking.totals();
        assertEq(totals.own() + totals.delegated(), staked, "active");
        assertEq(totals.own(), staking.bondOf(validator), "own");
        assertEq(totals.delegated(), _assetsOf(alice) + _assetsOf(bob), "delegated");
        assertEq(totals.ownUnbonding(), staking.unbondingOf(_ownId()).assets, "own unbonding");
        assertEq(totals.reserve(), reserve, "reserve");
        assertEq(totals.held(), avt.balanceOf(address(staking)), "held");
        uint256 owed = staking.commissionOf(validator) + staking.rewardOf(validator, validator);
        owed += staking.rewardOf(validator, alice) + staking.rewardOf(validator, bob);
        assertLe(owed, totals.owed(), "owed");
        assertEq(slashes.own(), _reachable(), "within reach");
        totals.check();
        slashes.check();
    }
}
