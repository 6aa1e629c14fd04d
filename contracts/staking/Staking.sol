// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IBonds} from "../interfaces/IBonds.sol";
import {IParameters} from "../interfaces/IParameters.sol";
import {IStaking} from "../interfaces/IStaking.sol";
import {StakedVotes} from "./StakedVotes.sol";
import {StakingMath} from "./StakingMath.sol";

/// @notice See `IStaking`. The arithmetic is `StakingMath`'s; here it is stored, and tokens move.
contract Staking is StakedVotes, AccessManaged, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;
    using StakingMath for StakingMath.Reserve;
    using StakingMath for StakingMath.Line;
    using StakingMath for StakingMath.Pool;
    using StakingMath for StakingMath.Earned;

    struct Terms {
        uint16 commissionBps;
        uint16 nextCommissionBps;
        uint40 commissionAt;
        bool isRegistered;
    }

    struct ValidatorRecord {
        StakingMath.Pool pool;
        // In the pool's slot.
        Terms terms;
        StakingMath.Earned earned;
        UnbondingPool unbonding;
    }

    /// @dev `paid` is moved so that what was earned before a stake stays owed: see `_stake`.
    struct Position {
        uint96 shares;
        uint80 paid;
    }

    struct UnbondingRecord {
        address owner;
        uint40 readyAt;
        uint32 generation;
        address validator;
        uint96 shares;
    }

    /// @dev Shares of unbonding stake are counted anew when slashing has left less than a 64th of it, for else
    ///      new shares could outgrow their record and nobody could leave any more.
    struct UnbondingPool {
        StakingMath.Pool pool;
        uint32 generation;
    }

    /// @dev 64 times AVT's cap still fits the 96 bits of a record.
    uint256 private constant MAX_SHARES_PER_ASSET = 64;
    bytes32 private constant REWARD_RATE = "rewardRateBps";
    bytes32 private constant REWARD_CYCLE = "rewardCycleSeconds";
    bytes32 private constant VALIDATOR_SHARE = "validatorShareBps";
    bytes32 private constant UNBONDING = "unbondingSeconds";
    bytes32 private constant MAX_SLASH = "maxSlashBps";

    /// @notice AVT.
    // solhint-disable-next-line immutable-vars-naming
    IERC20 public immutable token;
    /// @notice Where the bounds are read.
    // solhint-disable-next-line immutable-vars-naming
    IParameters public immutable parameters;

    StakingMath.Reserve private _reserve;
    StakingMath.Line private _line;
    mapping(address validator => ValidatorRecord) private _validators;
    mapping(address validator => mapping(address staker => Position)) private _positions;
    mapping(uint256 id => UnbondingRecord) private _unbondings;
    /// @notice How many times stake was taken out; the last one's id.
    uint256 public unbondingCount;

    /// @param authority The AccessManager that says who may slash.
    /// @param token_ AVT.
    /// @param parameters_ Where the bounds are read.
    constructor(address authority, IERC20 token_, IParameters parameters_) AccessManaged(authority) {
        token = token_;
        parameters = parameters_;
        _reserve.updatedAt = uint40(block.timestamp);
        _setLine(0);
    }

    /// @inheritdoc IStaking
    function registerValidator(uint256 commissionBps) external {
        ValidatorRecord storage record = _validators[msg.sender];
        if (record.terms.isRegistered) revert Staking_ValidatorExists(msg.sender);
        _requireCommission(commissionBps);
        record.terms = Terms(uint16(commissionBps), uint16(commissionBps), 0, true);
        record.earned.index = uint80(_accrue());
        emit ValidatorRegistered(msg.sender, commissionBps);
    }

    /// @inheritdoc IStaking
    function announceCommission(uint256 commissionBps) external {
        Terms storage terms = _known(msg.sender).terms;
        _requireCommission(commissionBps);
        uint256 delay = commissionBps > terms.commissionBps ? parameters.valueOf(UNBONDING) : 0;
        terms.nextCommissionBps = uint16(commissionBps);
        terms.commissionAt = uint40(block.timestamp + delay);
        emit CommissionAnnounced(msg.sender, commissionBps, block.timestamp + delay);
    }

    /// @inheritdoc IStaking
    function beginCommission(address validator) external {
        ValidatorRecord storage record = _known(validator);
        Terms memory terms = record.terms;
        if (terms.commissionAt == 0 || block.timestamp < terms.commissionAt)
            revert Staking_NoCommissionDue(validator, terms.commissionAt);
        _settle(record, _accrue());
        record.terms = Terms(terms.nextCommissionBps, terms.nextCommissionBps, 0, true);
        emit CommissionChanged(validator, terms.nextCommissionBps);
    }

    /// @inheritdoc IStaking
    function stake(address validator, uint256 assets) external nonReentrant returns (uint256) {
        return _stake(validator, assets);
    }

    /// @inheritdoc IStaking
    function stakeWithPermit(
        address validator,
        uint256 assets,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external nonReentrant returns (uint256) {
        bytes memory permit = abi.encodeCall(
            IERC20Permit.permit,
            (msg.sender, address(this), assets, deadline, v, r, s)
        );
        // Somebody may have used the permit first, out of the public pool; then the approval stands all the same.
        LowLevelCall.callNoReturn(address(token), permit);
        return _stake(validator, assets);
    }

    /// @inheritdoc IStaking
    function unstake(address validator, uint256 assets) external nonReentrant returns (uint256 id) {
        if (assets == 0) revert Staking_ZeroAmount();
        ValidatorRecord storage record = _known(validator);
        Position storage position = _positions[validator][msg.sender];
        uint256 perShare = _settle(record, _accrue());
        StakingMath.Pool memory pool = record.pool;
        uint256 held = position.shares;
        uint256 limit = pool.worth(held);
        if (assets == type(uint256).max) assets = limit;
        if (assets == 0 || assets > limit) revert Staking_InsufficientStake(assets, limit);
        uint256 shares = assets == limit ? held : pool.sharesFor(assets);

        uint256 reward = StakingMath.rewardOf(held, perShare, position.paid);
        (position.shares, position.paid) = (uint96(held - shares), uint80(perShare));
        uint256 left;
        (record.pool, left) = pool.unstake(assets, shares);
        _reserve.staked -= uint96(assets + left);
        if (left != 0) _addReserve(address(0), left);
        _setVotes(validator, msg.sender, record.pool.worth(held - shares));

        id = _unbond(record, validator, assets, shares);
        if (reward != 0) _payReward(validator, reward);
    }

    /// @inheritdoc IStaking
    function withdraw(uint256 unbondingId) external nonReentrant returns (uint256 assets) {
        UnbondingRecord memory unbonding = _unbondings[unbondingId];
        if (unbonding.owner == address(0)) revert Staking_UnknownUnbonding(unbondingId);
        if (msg.sender != unbonding.owner) revert Staking_NotOwner(msg.sender, unbonding.owner);
        if (block.timestamp < unbonding.readyAt)
            revert Staking_StillUnbonding(block.timestamp, unbonding.readyAt);

        delete _unbondings[unbondingId];
        UnbondingPool storage unbondings = _validators[unbonding.validator].unbonding;
        if (unbonding.generation == unbondings.generation) {
            StakingMath.Pool memory pool = unbondings.pool;
            assets = pool.worth(unbonding.shares);
            uint256 left;
            (unbondings.pool, left) = pool.unstake(assets, unbonding.shares);
            if (left != 0) {
                _accrue();
                _addReserve(address(0), left);
            }
        }
        emit Withdrawn(unbondingId, unbonding.owner, assets);
        token.safeTransfer(unbonding.owner, assets);
    }

    /// @inheritdoc IStaking
    function claim(address validator) external nonReentrant returns (uint256 amount) {
        uint256 perShare = _settle(_known(validator), _accrue());
        Position storage position = _positions[validator][msg.sender];
        amount = StakingMath.rewardOf(position.shares, perShare, position.paid);
        if (amount == 0) revert Staking_NothingToClaim();
        position.paid = uint80(perShare);
        _payReward(validator, amount);
    }

    /// @inheritdoc IStaking
    function claimCommission() external nonReentrant returns (uint256 amount) {
        ValidatorRecord storage record = _known(msg.sender);
        _settle(record, _accrue());
        amount = record.earned.commission;
        if (amount == 0) revert Staking_NothingToClaim();
        record.earned.commission = 0;
        emit CommissionClaimed(msg.sender, amount);
        token.safeTransfer(msg.sender, amount);
    }

    /// @inheritdoc IStaking
    function fund(uint256 amount) external nonReentrant {
        if (amount == 0) revert Staking_ZeroAmount();
        _accrue();
        _addReserve(msg.sender, amount);
        token.safeTransferFrom(msg.sender, address(this), amount);
    }

    /// @inheritdoc IStaking
    function updateRate() external {
        _setLine(_accrue());
    }

    /// @inheritdoc IStaking
    function delegateVotes(address validator, address delegatee) external {
        uint256 shares = _positions[validator][msg.sender].shares;
        _delegate(validator, msg.sender, delegatee, _known(validator).pool.worth(shares));
    }

    /// @inheritdoc IStaking
    function syncVotes(address validator, address staker) external {
        uint256 shares = _positions[validator][staker].shares;
        _setVotes(validator, staker, _known(validator).pool.worth(shares));
    }

    /// @inheritdoc IBonds
    /// @custom:role slasher
    function slash(
        address validator,
        uint256 amount,
        address beneficiary,
        bytes32 reason
    ) external restricted nonReentrant returns (uint256 slashed) {
        if (beneficiary == address(0)) revert Staking_NoBeneficiary();
        ValidatorRecord storage record = _known(validator);
        _settle(record, _accrue());
        uint256 active = record.pool.assets;
        uint256 unbonding = record.unbonding.pool.assets;
        uint256 all = active + unbonding;
        amount = Math.min(amount, (all * parameters.valueOf(MAX_SLASH)) / StakingMath.BPS);
        uint256 fromActive = StakingMath.portion(amount, active, all);
        uint256 fromUnbonding = _slashUnbonding(
            record.unbonding,
            StakingMath.portion(amount, unbonding, all)
        );
        record.pool.assets = uint96(active - fromActive);
        _reserve.staked -= uint96(fromActive);
        slashed = fromActive + fromUnbonding;
        emit Slashed(validator, beneficiary, reason, fromActive, fromUnbonding);
        token.safeTransfer(beneficiary, slashed);
    }

    /// @inheritdoc IBonds
    function bondOf(address validator) external view returns (uint256) {
        return _validators[validator].pool.worth(_positions[validator][validator].shares);
    }

    /// @inheritdoc IStaking
    function validatorOf(address validator) external view returns (Validator memory) {
        ValidatorRecord memory record = _validators[validator];
        return
            Validator({
                isRegistered: record.terms.isRegistered,
                assets: record.pool.assets,
                shares: record.pool.shares,
                unbondingAssets: record.unbonding.pool.assets,
                unbondingShares: record.unbonding.pool.shares,
                commissionBps: record.terms.commissionBps,
                nextCommissionBps: record.terms.nextCommissionBps,
                commissionAt: record.terms.commissionAt
            });
    }

    /// @inheritdoc IStaking
    function stakeOf(address validator, address staker) external view returns (uint256, uint256) {
        uint256 shares = _positions[validator][staker].shares;
        return (_validators[validator].pool.worth(shares), shares);
    }

    /// @inheritdoc IStaking
    function rewardOf(address validator, address staker) external view returns (uint256) {
        Position memory position = _positions[validator][staker];
        return StakingMath.rewardOf(position.shares, _earnedNow(validator).perShare, position.paid);
    }

    /// @inheritdoc IStaking
    function commissionOf(address validator) external view returns (uint256) {
        return _earnedNow(validator).commission;
    }

    /// @inheritdoc IStaking
    function unbondingOf(uint256 unbondingId) external view returns (Unbonding memory) {
        UnbondingRecord memory record = _unbondings[unbondingId];
        return Unbonding(record.owner, record.validator, record.shares, record.readyAt);
    }

    /// @inheritdoc IStaking
    function totals() external view returns (uint256, uint256) {
        (StakingMath.Reserve memory next, , ) = _reserve.accrue(_line, block.timestamp);
        return (next.staked, next.reserve);
    }

    function _stake(address validator, uint256 assets) private returns (uint256 shares) {
        if (assets == 0) revert Staking_ZeroAmount();
        if (assets > type(uint96).max) revert Staking_SharesOutOfRange(assets);
        ValidatorRecord storage record = _known(validator);
        uint256 perShare = _settle(record, _accrue());
        StakingMath.Pool memory pool = record.pool;
        (, shares) = pool.stake(assets);
        if (shares == 0 || shares + pool.shares > type(uint96).max) revert Staking_SharesOutOfRange(shares);
        (record.pool, ) = pool.stake(assets);
        _reserve.staked += uint96(assets);

        Position storage position = _positions[validator][msg.sender];
        uint256 held = position.shares;
        // What was earned so far is spread over all shares: the same slot says both, and rounding takes at most one
        // part in 1e18 of a share.
        uint256 owed = StakingMath.rewardOf(held, perShare, position.paid);
        position.shares = uint96(held + shares);
        position.paid = uint80(perShare - (owed * StakingMath.SCALE) / (held + shares));
        _setVotes(validator, msg.sender, record.pool.worth(held + shares));

        emit Staked(validator, msg.sender, assets, shares);
        token.safeTransferFrom(msg.sender, address(this), assets);
    }

    function _unbond(
        ValidatorRecord storage record,
        address validator,
        uint256 assets,
        uint256 shares
    ) private returns (uint256 id) {
        uint256 unbondingShares;
        (record.unbonding.pool, unbondingShares) = record.unbonding.pool.stake(assets);
        uint256 readyAt = block.timestamp + parameters.valueOf(UNBONDING);
        id = ++unbondingCount;
        _unbondings[id] = UnbondingRecord({
            owner: msg.sender,
            readyAt: uint40(readyAt),
            generation: record.unbonding.generation,
            validator: validator,
            shares: uint96(unbondingShares)
        });
        emit Unstaked(validator, msg.sender, id, assets, shares, unbondingShares, readyAt);
    }

    /// @dev Takes `amount`, or all when less than a 64th of what the shares were once worth would be left.
    function _slashUnbonding(UnbondingPool storage unbondings, uint256 amount) private returns (uint256) {
        StakingMath.Pool memory pool = unbondings.pool;
        uint256 left = pool.assets - amount;
        if (left * MAX_SHARES_PER_ASSET >= pool.shares) {
            unbondings.pool.assets = uint96(left);
            return amount;
        }
        unbondings.pool = StakingMath.Pool(0, 0);
        ++unbondings.generation;
        return pool.assets;
    }

    function _payReward(address validator, uint256 amount) private {
        emit RewardClaimed(validator, msg.sender, amount);
        token.safeTransfer(msg.sender, amount);
    }

    function _addReserve(address from, uint256 amount) private {
        _reserve.reserve += uint96(amount);
        emit RewardsFunded(from, amount);
    }

    /// @dev Moves what all stake has earned until now out of the reserve, and gives the index.
    function _accrue() private returns (uint256 index) {
        StakingMath.Reserve memory before = _reserve;
        if (before.updatedAt == block.timestamp) return StakingMath.indexAt(_line, block.timestamp);
        bool isExhausted;
        (_reserve, index, isExhausted) = before.accrue(_line, block.timestamp);
        if (isExhausted) (_line.index, _line.from) = (uint80(index), uint40(block.timestamp));
    }

    /// @dev Gives the pool what it has earned up to `index`, and the reward of one share so far.
    function _settle(ValidatorRecord storage record, uint256 index) private returns (uint256 perShare) {
        StakingMath.Earned memory next = record.earned.settle(record.pool, index, record.terms.commissionBps);
        record.earned = next;
        return next.perShare;
    }

    function _setLine(uint256 index) private {
        uint256 rateBps = parameters.valueOf(REWARD_RATE);
        uint256 cycleSeconds = parameters.valueOf(REWARD_CYCLE);
        _line = StakingMath.Line(
            uint80(index),
            uint40(block.timestamp),
            uint16(rateBps),
            uint32(cycleSeconds)
        );
        emit RateSet(rateBps, cycleSeconds);
    }

    function _known(address validator) private view returns (ValidatorRecord storage record) {
        record = _validators[validator];
        if (!record.terms.isRegistered) revert Staking_UnknownValidator(validator);
    }

    function _earnedNow(address validator) private view returns (StakingMath.Earned memory) {
        ValidatorRecord memory record = _validators[validator];
        (, uint256 index, ) = _reserve.accrue(_line, block.timestamp);
        return record.earned.settle(record.pool, index, record.terms.commissionBps);
    }

    function _requireCommission(uint256 commissionBps) private view {
        uint256 limit = parameters.valueOf(VALIDATOR_SHARE);
        if (commissionBps > limit) revert Staking_CommissionTooHigh(commissionBps, limit);
    }
}
