// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ParameterRegistry} from "../../../contracts/governance/ParameterRegistry.sol";
import {IStaking} from "../../../contracts/interfaces/staking/IStaking.sol";
import {AgentToken} from "../../../contracts/staking/AgentToken.sol";
import {Staking} from "../../../contracts/staking/Staking.sol";
import {Test} from "../support/Test.sol";

/// @notice A coalition that owns two of three validators, a delegator, the reporter, the slasher, the bonder and the
///         policies, beside an honest validator and two honest delegators; everybody acts at random, with time jumps.
/// @dev Every call is made as it must succeed, so one that does not is remembered as forbidden. What each side may have
///      earned is counted here by itself, from stakes, rate and time.
abstract contract StakingHandler is Test {
    uint256 public constant STAKERS = 6;
    uint256 public constant VALIDATORS = 3;
    /// @dev Which of the stakers and validators are honest: the last three and the last one.
    uint256 public constant HONEST = 3;
    uint256 public constant HONEST_VALIDATOR = 2;
    uint256 private constant BPS = 10_000;
    /// @dev Beyond any policy.
    uint256 private constant MOST_BPS = 9_000;
    uint256 private constant SHORTEST = 6 days;

    struct Slash {
        uint256 time;
        uint256 stood;
        uint256 cameBefore;
        uint256 taken;
    }

    Staking public staking;
    AgentToken public avt;
    ParameterRegistry public registry;
    address[STAKERS] public stakers;
    address[VALIDATORS] public validators;
    address public reporter;
    uint256[] public unbondings;
    mapping(string path => uint256) public reached;
    /// @notice What the coalition earned by staking at most, and got for slashing the honest validator.
    uint256 public earnedMost;
    uint256 public bounties;
    /// @notice What of the coalition's own stake was burned.
    uint256 public burnedOwn;
    /// @notice What each honest delegator earned by staking at least.
    mapping(uint256 who => uint256) public earnedLeast;
    string public forbidden;
    Slash[][VALIDATORS] private _slashes;
    uint256[VALIDATORS] private _came;
    uint256[VALIDATORS] private _locked;

    constructor(
        Staking staking_,
        ParameterRegistry registry_,
        address[STAKERS] memory stakers_,
        address reporter_
    ) {
        (staking, registry, stakers, reporter) = (staking_, registry_, stakers_, reporter_);
        avt = AgentToken(address(staking_.token()));
        validators = [stakers_[0], stakers_[1], stakers_[5]];
    }

    function unbondingCount() external view returns (uint256) {
        return unbondings.length;
    }

    function stake(uint256 who, uint256 pool, uint256 amount) external {
        _stake(stakers[who % STAKERS], pool % VALIDATORS, amount);
    }

    function stakeOwn(uint256 pool, uint256 amount) external {
        _stake(validators[pool % VALIDATORS], pool % VALIDATORS, amount);
    }

    function unstake(uint256 who, uint256 pool, uint256 amount) external {
        (address staker, address validator) = (stakers[who % STAKERS], validators[pool % VALIDATORS]);
        bool isOwn = staker == validator;
        uint256 limit = isOwn ? staking.freeBondOf(validator) : staking.stakeOf(validator, staker);
        if (limit == 0) return;
        vm.prank(staker);
        try staking.unstake(validator, bound(amount, 1, limit)) returns (uint256 id) {
            reached[isOwn ? "unstake own" : "unstake"]++;
            _pushOnce(id);
        } catch {
            forbidden = "unstake";
        }
    }

    function restake(uint256 who, uint256 pool, uint256 amount) external {
        (uint256 from, uint256 to) = (pool % VALIDATORS, (pool >> 8) % VALIDATORS);
        address staker = stakers[who % STAKERS];
        uint256 limit = staking.stakeOf(validators[from], staker);
        if (staker == validators[from] || limit == 0) return;
        amount = bound(amount, 1, limit);
        vm.prank(staker);
        try staking.restake(validators[from], validators[to], amount) {
            reached["restake"]++;
            if (staker == validators[to]) _came[to] += amount;
        } catch {
            forbidden = "restake";
        }
    }

    function withdraw(uint256 which) external {
        if (unbondings.length == 0) return;
        IStaking.Unbonding memory unbonding = staking.unbondingOf(unbondings[which % unbondings.length]);
        if (unbonding.owner == address(0)) return;
        vm.prank(unbonding.owner);
        try staking.withdraw(unbondings[which % unbondings.length]) returns (uint256 assets) {
            reached["withdraw"]++;
            if (block.timestamp < unbonding.readyAt || assets != unbonding.assets) forbidden = "withdraw";
        } catch {
            reached["withdraw too early"]++;
            if (block.timestamp >= unbonding.readyAt) forbidden = "withdraw";
        }
    }

    function claim(uint256 who, uint256 pool) external {
        (address staker, address validator) = (stakers[who % STAKERS], validators[pool % VALIDATORS]);
        uint256 owed = staking.rewardOf(validator, staker);
        if (owed == 0) return;
        vm.prank(staker);
        try staking.claim(validator) returns (uint256 amount) {
            reached["claim"]++;
            if (amount != owed) forbidden = "claim";
        } catch {
            forbidden = "claim";
        }
    }

    function claimCommission(uint256 pool) external {
        address validator = validators[pool % VALIDATORS];
        uint256 owed = staking.commissionOf(validator);
        if (owed == 0) return;
        vm.prank(validator);
        try staking.claimCommission() returns (uint256 amount) {
            reached["claim commission"]++;
            if (amount != owed) forbidden = "claim commission";
        } catch {
            forbidden = "claim commission";
        }
    }

    function slash(uint256 pool, uint256 amount, uint256 whom) external {
        pool %= VALIDATORS;
        uint256 supply = avt.totalSupply();
        uint256 stood = reachableOf(pool);
        address rewarded = whom % 2 == 0 ? reporter : stakers[(whom >> 8) % HONEST];
        try staking.slash(validators[pool], bound(amount, 0, 1e24), rewarded, "") returns (uint256 taken) {
            reached[taken == 0 ? "slash of nothing" : "slash"]++;
            if (stood - reachableOf(pool) != taken) forbidden = "slash takes what it says";
            _slashes[pool].push(Slash(block.timestamp, stood, _came[pool], taken));
            _came[pool] = 0;
            uint256 burned = supply - avt.totalSupply();
            if (5 * burned < 4 * taken) forbidden = "slash burns four fifths";
            if (pool == HONEST_VALIDATOR) bounties += taken - burned;
            else burnedOwn += burned;
            _checkSpans(pool);
        } catch {
            forbidden = "slash";
        }
    }

    function lock(uint256 pool, uint256 amount) external {
        pool %= VALIDATORS;
        uint256 free = staking.freeBondOf(validators[pool]);
        if (free == 0) return;
        amount = bound(amount, 1, free);
        staking.lock(validators[pool], amount);
        _locked[pool] += amount;
        reached["lock"]++;
        if (staking.freeBondOf(validators[pool]) != free - amount) forbidden = "lock";
    }

    function unlock(uint256 pool, uint256 amount) external {
        pool %= VALIDATORS;
        if (_locked[pool] == 0) return;
        amount = bound(amount, 1, _locked[pool]);
        try staking.unlock(validators[pool], amount) {
            _locked[pool] -= amount;
            reached["unlock"]++;
        } catch {
            forbidden = "unlock";
        }
    }

    function commission(uint256 pool, uint256 bps) external {
        address validator = validators[pool % VALIDATORS];
        vm.prank(validator);
        staking.announceCommission(bound(bps, 0, 1_000));
        reached["announce commission"]++;
    }

    function beginCommission(uint256 pool) external {
        address validator = validators[pool % VALIDATORS];
        uint256 effectiveAt = staking.validatorOf(validator).commissionAt;
        if (effectiveAt == 0 || block.timestamp < effectiveAt) return;
        staking.beginCommission(validator);
        reached["begin commission"]++;
    }

    function delegateVotes(uint256 who, uint256 pool, uint256 to) external {
        address delegatee = to % 4 == 0 ? address(0) : stakers[to % STAKERS];
        vm.prank(stakers[who % STAKERS]);
        staking.delegateVotes(validators[pool % VALIDATORS], delegatee);
        reached["delegate votes"]++;
    }

    function policies(uint256 unbonding, uint256 maxSlash, uint256 reward) external {
        registry.set("unbondingSeconds", bound(unbonding, 1 days, 60 days));
        registry.set("maxSlashBps", bound(maxSlash, 0, MOST_BPS));
        registry.set("slashRewardBps", bound(reward, 0, 2_000));
        reached["policies"]++;
    }

    function pass(uint256 time) external {
        time = bound(time, 1, 12 days);
        for (uint256 pool = 0; pool < VALIDATORS; ++pool) {
            uint256 bps = staking.validatorOf(validators[pool]).commissionBps;
            for (uint256 who = 0; who < STAKERS; ++who) {
                // 500 of 10,000 in 30 days.
                uint256 gross =
                    (staking.stakeOf(validators[pool], stakers[who]) * 500 * time) / (BPS * 30 days);
                if (who < HONEST) earnedMost += gross;
                else earnedLeast[who] += (gross * (BPS - bps)) / BPS;
                if (who >= HONEST && pool != HONEST_VALIDATOR) earnedMost += (gross * bps) / BPS;
            }
        }
        skip(time);
        reached["time passes"]++;
    }

    /// @notice What a slash can reach.
    function reachableOf(uint256 pool) public view returns (uint256 own) {
        IStaking.Unbonding memory unbonding = staking.unbondingOf(uint160(validators[pool]));
        own = staking.bondOf(validators[pool]);
        if (block.timestamp < unbonding.readyAt) own += unbonding.assets;
    }

    /// @notice All that an account has, here and there.
    function wealthOf(address account) external view returns (uint256 wealth) {
        wealth = avt.balanceOf(account) + staking.commissionOf(account);
        for (uint256 pool = 0; pool < VALIDATORS; ++pool) {
            wealth += staking.stakeOf(validators[pool], account);
            wealth += staking.rewardOf(validators[pool], account);
        }
        for (uint256 i = 0; i < unbondings.length; ++i) {
            IStaking.Unbonding memory unbonding = staking.unbondingOf(unbondings[i]);
            if (unbonding.owner == account) wealth += unbonding.assets;
        }
    }

    function _stake(address staker, uint256 pool, uint256 amount) private {
        address validator = validators[pool];
        uint256 balance = avt.balanceOf(staker);
        if (balance == 0) return;
        amount = bound(amount, 1, balance);
        vm.prank(staker);
        try staking.stake(validator, amount) {
            reached[staker == validator ? "stake own" : "stake"]++;
            if (staker == validator) _came[pool] += amount;
        } catch {
            forbidden = "stake";
        }
    }

    /// @dev In any time shorter than the shortest unbonding time, no more was taken than nine tenths of what stood at
    ///      its beginning and what came in it.
    function _checkSpans(uint256 pool) private {
        Slash[] storage all = _slashes[pool];
        (uint256 taken, uint256 came) = (0, 0);
        for (uint256 i = all.length; i > 0 && block.timestamp < all[i - 1].time + SHORTEST; --i) {
            taken += all[i - 1].taken;
            if (taken * BPS > MOST_BPS * (all[i - 1].stood + came)) forbidden = "slash beyond the bound";
            came += all[i - 1].cameBefore;
        }
    }

    function _pushOnce(uint256 id) private {
        for (uint256 i = 0; i < unbondings.length; ++i) if (unbondings[i] == id) return;
        unbondings.push(id);
    }
}
