// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {StakingFixture} from "../support/StakingFixture.sol";

/// @notice Who earned what, written down plainly: whatever time passes, each stake is given its part at once, with no
///         index and nothing shared out afterwards. Amounts are kept a million times finer than base units.
contract RewardModel {
    uint256 private constant FINE = 1e6;

    uint256[2] public commissionBps;
    uint256[3][2] public stakes;
    uint256[3][2] public rewards;
    uint256[2] public commissions;
    uint256 public reserve;
    uint256 public rateBps;
    uint256 public cycle;

    function setRate(uint256 rateBps_, uint256 cycle_) external {
        (rateBps, cycle) = (rateBps_, cycle_);
    }

    function setCommission(uint256 slot, uint256 bps) external {
        commissionBps[slot] = bps;
    }

    function fund(uint256 amount) external {
        reserve += amount * FINE;
    }

    function setStake(uint256 slot, uint256 who, uint256 amount) external {
        stakes[slot][who] = amount;
    }

    function pay(uint256 slot, uint256 who) external {
        rewards[slot][who] = 0;
    }

    function payCommission(uint256 slot) external {
        commissions[slot] = 0;
    }

    /// @notice What everybody earns in `time`; if the reserve is less, each gets the same part of it.
    function pass(uint256 time) external {
        uint256 all;
        for (uint256 i = 0; i < 6; ++i) all += stakes[i / 3][i % 3];
        if (all == 0) return;
        uint256 wanted = (all * rateBps * time * FINE) / (10_000 * cycle);
        uint256 given = wanted < reserve ? wanted : reserve;
        reserve -= given;
        for (uint256 i = 0; i < 6; ++i) {
            (uint256 slot, uint256 who) = (i / 3, i % 3);
            uint256 gross = (stakes[slot][who] * given) / all;
            uint256 commission = (gross * commissionBps[slot]) / 10_000;
            commissions[slot] += commission;
            rewards[slot][who] += gross - commission;
        }
    }

    function rewardOf(uint256 slot, uint256 who) external view returns (uint256) {
        return rewards[slot][who] / FINE;
    }

    function commissionOf(uint256 slot) external view returns (uint256) {
        return commissions[slot] / FINE;
    }
}

/// @notice Staking beside that model, on three stakers and two validators that do everything which moves rewards.
contract RewardsFuzzTest is StakingFixture {
    uint256 private constant STEPS = 40;
    /// @dev Rounding loses, in each step, a base unit and a part in 1e18 of each base unit staked.
    uint256 private constant SLACK = STEPS * 1e7;

    RewardModel private model;
    address[2] private validators;
    address[3] private stakers;

    function setUp() public override {
        super.setUp();
        validators = [validator, _funded("second")];
        stakers = [validator, alice, bob];
        vm.prank(validators[1]);
        staking.registerValidator(0);
        avt.mint(address(this), 1e26);
        avt.approve(address(staking), type(uint256).max);
        model = new RewardModel();
        model.setRate(RATE_BPS, CYCLE);
        model.setCommission(0, SHARE_BPS);
    }

    function testFuzz_rewards_areTheModels(uint256 seed) public {
        for (uint256 i = 0; i < STEPS; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 time = (seed >> 8) % 3 == 0 ? 0 : bound(seed >> 16, 1, 10 days);
            skip(time);
            model.pass(time);
            _step(seed % 9, (seed >> 48) % 2, (seed >> 56) % 3, bound(seed >> 64, 1e18, 1e24 / STEPS));
            _compare();
        }
    }

    function testFuzz_orderOfClaims_doesNotMatter(
        uint256 one,
        uint256 other,
        uint256 funds,
        uint256 time
    ) public {
        _fund(bound(funds, 1, 1e24));
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

    function _step(uint256 what, uint256 slot, uint256 who, uint256 amount) private {
        (address pool, address staker) = (validators[slot], stakers[who]);
        uint256 held = staking.stakeOf(pool, staker);
        if (what < 2) {
            vm.prank(staker);
            staking.stake(pool, amount);
        } else if (what == 2 && held != 0) {
            vm.prank(staker);
            staking.unstake(pool, bound(amount, 1, held));
            model.pay(slot, who);
        } else if (what == 3 && held != 0 && staker != pool) {
            vm.prank(staker);
            staking.restake(pool, validators[1 - slot], bound(amount, 1, held));
            model.pay(slot, who);
        } else if (what == 4) {
            staking.fund(amount / 100);
            model.fund(amount / 100);
        } else if (what == 5) {
            staking.slash(validator, amount, stranger, "");
            model.pay(0, 0);
        } else if (what == 6) {
            _changePolicy(slot, amount);
        } else if (staking.rewardOf(pool, staker) != 0) {
            vm.prank(staker);
            staking.claim(pool);
            model.pay(slot, who);
        }
        for (uint256 i = 0; i < 6; ++i)
            model.setStake(i / 3, i % 3, staking.stakeOf(validators[i / 3], stakers[i % 3]));
    }

    function _changePolicy(uint256 slot, uint256 amount) private {
        if (amount % 2 == 0) {
            (uint256 rate, uint256 cycle) = (amount % 2_001, 1 days + (amount % 50 days));
            registry.set("rewardRateBps", rate);
            registry.set("rewardCycleSeconds", cycle);
            staking.updateRate();
            return model.setRate(rate, cycle);
        }
        uint256 bps = bound(amount, 0, staking.validatorOf(validators[slot]).commissionBps);
        vm.prank(validators[slot]);
        staking.announceCommission(bps);
        staking.beginCommission(validators[slot]);
        model.setCommission(slot, bps);
        if (staking.commissionOf(validators[slot]) == 0) return;
        vm.prank(validators[slot]);
        staking.claimCommission();
        model.payCommission(slot);
    }

    function _compare() private view {
        for (uint256 i = 0; i < 6; ++i)
            _near(
                staking.rewardOf(validators[i / 3], stakers[i % 3]),
                model.rewardOf(i / 3, i % 3),
                "a staker's reward"
            );
        for (uint256 slot = 0; slot < 2; ++slot)
            _near(staking.commissionOf(validators[slot]), model.commissionOf(slot), "a commission");
        (, uint256 reserve) = staking.totals();
        _near(reserve, model.reserve() / 1e6, "the reserve");
    }

    function _near(uint256 got, uint256 wanted, string memory what) private pure {
        assertLe(got > wanted ? got - wanted : wanted - got, SLACK, what);
    }

    function _claimOrZero(address staker) private returns (uint256) {
        return staking.rewardOf(validator, staker) == 0 ? 0 : _claim(staker);
    }
}
