// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IStaking} from "../../../contracts/interfaces/staking/IStaking.sol";
import {AgentToken} from "../../../contracts/staking/AgentToken.sol";
import {Staking} from "../../../contracts/staking/Staking.sol";
import {StakingFixture} from "../support/StakingFixture.sol";
import {Test} from "../support/Test.sol";

/// @notice Two validators and four stakers act at random, with time jumps, slashes, droughts of the reserve and
///         changes
///         of commission and rate.
/// @dev Keeps for each staker what it put in, what it got out, and what it had to lose by slashes at least.
contract StakingHandler is Test {
    uint256 public constant STAKERS = 4;
    uint256 public constant VALIDATORS = 2;

    Staking public staking;
    AgentToken public avt;
    address[STAKERS] public stakers;
    address[VALIDATORS] public validators;
    uint256[] public unbondings;

    uint256[STAKERS] public paidIn;
    uint256[STAKERS] public principalOut;
    uint256 public funded;
    uint256 public rewardsOut;
    uint256 public slashedOut;
    bool public somethingForbidden;

    constructor(Staking staking_, AgentToken avt_) {
        (staking, avt) = (staking_, avt_);
    }

    function begin(address[STAKERS] memory stakers_, address[VALIDATORS] memory validators_) external {
        if (stakers[0] != address(0)) return;
        (stakers, validators) = (stakers_, validators_);
        avt.approve(address(staking), type(uint256).max);
    }

    function stake(uint256 who, uint256 pool, uint256 amount) external {
        who %= STAKERS;
        pool %= VALIDATORS;
        uint256 reward = staking.rewardOf(validators[pool], stakers[who]);
        vm.prank(stakers[who]);
        try staking.stake(validators[pool], bound(amount, 1, 1e22)) returns (uint256) {
            paidIn[who] += bound(amount, 1, 1e22);
            // What was earned before stays owed, less at most a billionth of a token by rounding.
            uint256 now_ = staking.rewardOf(validators[pool], stakers[who]);
            if (now_ > reward || reward - now_ > 1e9) somethingForbidden = true;
        } catch {}
    }

    function unstake(uint256 who, uint256 pool, uint256 amount) external {
        who %= STAKERS;
        pool %= VALIDATORS;
        (uint256 assets, ) = staking.stakeOf(validators[pool], stakers[who]);
        if (assets == 0) return;
        uint256 before = avt.balanceOf(stakers[who]);
        amount = bound(amount, 1, assets);
        vm.prank(stakers[who]);
        unbondings.push(staking.unstake(validators[pool], amount));
        rewardsOut += avt.balanceOf(stakers[who]) - before;
    }

    function withdraw(uint256 at) external {
        if (unbondings.length == 0) return;
        uint256 id = unbondings[at % unbondings.length];
        IStaking.Unbonding memory unbonding = staking.unbondingOf(id);
        if (unbonding.owner == address(0)) return;
        vm.prank(unbonding.owner);
        try staking.withdraw(id) returns (uint256 assets) {
            if (block.timestamp < unbonding.readyAt) somethingForbidden = true;
            for (uint256 i = 0; i < STAKERS; ++i)
                if (stakers[i] == unbonding.owner) principalOut[i] += assets;
        } catch {
            if (block.timestamp >= unbonding.readyAt) somethingForbidden = true;
        }
    }

    function claim(uint256 who, uint256 pool) external {
        who %= STAKERS;
        pool %= VALIDATORS;
        uint256 owed = staking.rewardOf(validators[pool], stakers[who]);
        vm.prank(stakers[who]);
        try staking.claim(validators[pool]) returns (uint256 amount) {
            if (amount != owed) somethingForbidden = true;
            rewardsOut += amount;
        } catch {
            if (owed != 0) somethingForbidden = true;
        }
    }

    function claimCommission(uint256 pool) external {
        pool %= VALIDATORS;
        uint256 owed = staking.commissionOf(validators[pool]);
        vm.prank(validators[pool]);
        try staking.claimCommission() returns (uint256 amount) {
            if (amount != owed) somethingForbidden = true;
            rewardsOut += amount;
        } catch {
            if (owed != 0) somethingForbidden = true;
        }
    }

    function fund(uint256 amount) external {
        amount = bound(amount, 1, 1e21);
        staking.fund(amount);
        funded += amount;
    }

    function slash(uint256 pool, uint256 amount) external {
        address validator = validators[pool % VALIDATORS];
        IStaking.Validator memory state = staking.validatorOf(validator);
        uint256 all = state.assets + state.unbondingAssets;
        uint256 before = avt.balanceOf(address(0xbeef));
        amount = bound(amount, 0, 1e22);
        uint256 slashed = staking.slash(validator, amount, address(0xbeef), "");
        if (slashed > amount || slashed > all / 2) somethingForbidden = true;
        if (avt.balanceOf(address(0xbeef)) - before != slashed) somethingForbidden = true;
        slashedOut += slashed;
    }

    function commission(uint256 pool, uint256 bps) external {
        address validator = validators[pool % VALIDATORS];
        vm.prank(validator);
        staking.announceCommission(bound(bps, 0, 1_000));
    }

    function beginCommission(uint256 pool) external {
        try staking.beginCommission(validators[pool % VALIDATORS]) {} catch {}
    }

    function updateRate() external {
        staking.updateRate();
    }

    function pass(uint256 timeSeconds) external {
        skip(bound(timeSeconds, 1, 40 days));
    }
}

contract StakingInvariantTest is StakingFixture {
    StakingHandler private handler;

    function setUp() public override {
        super.setUp();
        handler = new StakingHandler(staking, avt);
        avt.mint(address(handler), 100_000_000 * AVT);
        manager.grantRole(1, address(handler), 0);
        manager.grantRole(3, address(handler), 0);
        address second = _funded("second");
        vm.prank(second);
        staking.registerValidator(0);
        handler.begin([alice, bob, validator, _funded("dave")], [validator, second]);
        targetContract(address(handler));
    }

    /// @dev One campaign asks all of them after each call: a campaign of its own for each would walk the same ways.
    function invariant_allHold() public view {
        check_holdsWhatItOwes();
        check_nobodyTakesWhatOthersStaked();
        check_rewardsAreFunded();
        check_unbondingSharesAreThePools();
        check_aShareIsWorthOneAtMost();
        check_nothingForbiddenHappened();
    }

    /// @notice Staking holds at least what it owes: stake, unbonding stake, rewards earned and not yet earned.
    function check_holdsWhatItOwes() public view {
        (uint256 staked, uint256 owed) = staking.totals();
        uint256 inPools;
        for (uint256 pool = 0; pool < handler.VALIDATORS(); ++pool) {
            address at = handler.validators(pool);
            IStaking.Validator memory state = staking.validatorOf(at);
            inPools += state.assets;
            owed += state.unbondingAssets + staking.commissionOf(at);
            for (uint256 i = 0; i < handler.STAKERS(); ++i) owed += staking.rewardOf(at, handler.stakers(i));
        }
        assertEq(inPools, staked, "the pools' assets");
        assertLe(owed + staked, avt.balanceOf(address(staking)), "owed and held");
    }

    /// @notice Nobody takes out more of what was staked than was put in, less what was slashed.
    function check_nobodyTakesWhatOthersStaked() public view {
        uint256 paidIn;
        uint256 out;
        for (uint256 i = 0; i < handler.STAKERS(); ++i) {
            assertLe(handler.principalOut(i), handler.paidIn(i), "one staker's principal");
            paidIn += handler.paidIn(i);
            out += handler.principalOut(i);
        }
        assertLe(out + handler.slashedOut(), paidIn, "all principal");
    }

    /// @notice Rewards and commissions never exceed what was funded and what rounding left over.
    function check_rewardsAreFunded() public view {
        assertLe(handler.rewardsOut(), handler.funded() + handler.slashedOut() + 1e6, "rewards");
    }

    /// @notice All records of unbonding stake together never hold more shares than their pool has.
    function check_unbondingSharesAreThePools() public view {
        address first = handler.validators(0);
        uint256[2] memory recorded;
        for (uint256 i = 1; i <= staking.unbondingCount(); ++i) {
            IStaking.Unbonding memory unbonding = staking.unbondingOf(i);
            recorded[unbonding.validator == first ? 0 : 1] += unbonding.shares;
        }
        for (uint256 pool = 0; pool < 2; ++pool) {
            uint256 shares = staking.validatorOf(handler.validators(pool)).unbondingShares;
            assertLe(recorded[pool], shares, "recorded and the pool's");
        }
    }

    /// @notice Shares never outnumber their assets' price of one: a share is worth one AVT at most.
    function check_aShareIsWorthOneAtMost() public view {
        for (uint256 pool = 0; pool < handler.VALIDATORS(); ++pool) {
            IStaking.Validator memory state = staking.validatorOf(handler.validators(pool));
            assertLe(state.assets, state.shares, "active");
            assertLe(state.unbondingAssets, state.unbondingShares, "unbonding");
        }
    }

    function check_nothingForbiddenHappened() public view {
        assertFalse(handler.somethingForbidden(), "see the handler");
    }
}
