// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {StakingFixture} from "../support/StakingFixture.sol";

/// @notice Where stake lies, written down plainly: a balance for each, a list of all that leaves, and a list of all
///         slashes ever. A slash is bounded by the exact lists of one and of two unbonding times.
contract StakeModel {
    struct Leaving {
        address owner;
        uint256 assets;
        uint256 readyAt;
    }

    struct Slash {
        uint256 time;
        uint256 taken;
    }

    mapping(address staker => uint256) public staked;
    mapping(address account => uint256) public held;
    mapping(uint256 id => Leaving) public leaving;
    uint256 public locked;
    Slash[] private _slashes;

    function hold(address who, uint256 assets) external {
        held[who] = assets;
    }

    function stake(address who, uint256 assets) external {
        held[who] -= assets;
        staked[who] += assets;
    }

    /// @notice Own stake leaves as one: what has matured is paid first, the rest waits with what joins it.
    function unstake(address who, uint256 id, uint256 assets, uint256 time) external {
        Leaving memory record = leaving[id];
        if (record.assets != 0 && block.timestamp >= record.readyAt) {
            held[who] += record.assets;
            record.assets = 0;
        }
        staked[who] -= assets;
        leaving[id] = Leaving(who, record.assets + assets, block.timestamp + time);
    }

    function withdraw(uint256 id) external {
        held[leaving[id].owner] += leaving[id].assets;
        delete leaving[id];
    }

    function lock(uint256 assets) external {
        locked += assets;
    }

    function unlock(uint256 assets) external {
        locked -= assets;
    }

    function slash(address who, uint256 id, uint256 taken) external {
        _slashes.push(Slash(block.timestamp, taken));
        uint256 active = taken < staked[who] ? taken : staked[who];
        staked[who] -= active;
        leaving[id].assets -= taken - active;
    }

    /// @notice What can be taken if slashes of the last `time` count: so much that all of them are `bps` of what stood.
    function room(uint256 own, uint256 bps, uint256 time) external view returns (uint256) {
        uint256 before = 0;
        for (uint256 i = 0; i < _slashes.length; ++i)
            if (_slashes[i].time + time > block.timestamp) before += _slashes[i].taken;
        uint256 most = ((own + before) * bps) / 10_000;
        return most > before ? most - before : 0;
    }
}

/// @notice Staking beside that model: its own stake, two delegators, a slasher and a bonder, and no rewards.
contract StakingModelTest is StakingFixture {
    uint256 private constant STEPS = 40;

    StakeModel private model;
    address[3] private stakers;
    uint256[] private ids;

    function setUp() public override {
        super.setUp();
        model = new StakeModel();
        stakers = [validator, alice, bob];
        ids.push(_ownId());
        for (uint256 i = 0; i < 3; ++i) model.hold(stakers[i], 1_000_000 * AVT);
    }

    function testFuzz_stake_liesWhereTheModelSays(uint256 seed) public {
        for (uint256 i = 0; i < STEPS; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            skip((seed >> 8) % 3 == 0 ? bound(seed >> 16, 1, 4 days) : 0);
            _step(seed % 8, stakers[(seed >> 40) % 3], seed >> 64);
            _compare();
        }
    }

    function _step(uint256 what, address who, uint256 amount) private {
        if (what < 2) {
            amount = bound(amount, 1, 10_000 * AVT);
            _stake(who, amount);
            model.stake(who, amount);
        } else if (what == 2) {
            _leave(who, amount);
        } else if (what == 3) {
            _take(ids[amount % ids.length]);
        } else if (what == 4 && model.staked(validator) > model.locked()) {
            amount = bound(amount, 1, model.staked(validator) - model.locked());
            staking.lock(validator, amount);
            model.lock(amount);
        } else if (what == 5 && model.locked() != 0) {
            amount = bound(amount, 1, model.locked());
            staking.unlock(validator, amount);
            model.unlock(amount);
        } else if (what > 5) {
            _punish(bound(amount, 0, 20_000 * AVT));
        }
    }

    function _leave(address who, uint256 amount) private {
        uint256 free = model.staked(who);
        if (who == validator) free = free > model.locked() ? free - model.locked() : 0;
        if (free == 0) return;
        amount = bound(amount, 1, free);
        uint256 id = _unstake(who, amount);
        if (who != validator) ids.push(id);
        model.unstake(who, id, amount, UNBONDING);
    }

    function _take(uint256 id) private {
        (address owner, uint256 assets, uint256 readyAt) = model.leaving(id);
        if (owner == address(0) || block.timestamp < readyAt) return;
        assertEq(_withdraw(owner, id), assets, "withdrawn");
        model.withdraw(id);
    }

    function _punish(uint256 amount) private {
        (, uint256 assets, uint256 readyAt) = model.leaving(_ownId());
        uint256 own = model.staked(validator) + (block.timestamp < readyAt ? assets : 0);
        (uint256 least, uint256 most) = (
            model.room(own, MAX_SLASH_BPS, 2 * UNBONDING),
            model.room(own, MAX_SLASH_BPS, UNBONDING)
        );
        uint256 taken = _slash(amount);
        assertLe(taken, amount < most ? amount : most, "never more than one unbonding time's exact list");
        assertLe(amount < least ? amount : least, taken, "nor less than two's");
        model.slash(validator, _ownId(), taken);
    }

    function _compare() private view {
        uint256 sum = 0;
        for (uint256 i = 0; i < 3; ++i) {
            sum += model.staked(stakers[i]);
            assertEq(_assetsOf(stakers[i]), model.staked(stakers[i]), "staked");
            assertEq(avt.balanceOf(stakers[i]), model.held(stakers[i]), "held");
        }
        (uint256 all, ) = staking.totals();
        assertEq(all, sum, "all that is staked");
        for (uint256 i = 0; i < ids.length; ++i) {
            (, uint256 assets, ) = model.leaving(ids[i]);
            assertEq(staking.unbondingOf(ids[i]).assets, assets, "leaving");
            sum += assets;
        }
        assertEq(avt.balanceOf(address(staking)), sum, "what Staking holds is all of it");
        assertEq(staking.lockedBy(validator, address(this)), model.locked(), "locked");
    }
}
