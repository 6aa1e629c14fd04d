// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IBonds} from "../interfaces/staking/IBonds.sol";
import {IParameters} from "../interfaces/governance/IParameters.sol";
import {IStaking} from "../interfaces/staking/IStaking.sol";
import {StakedVotes} from "./StakedVotes.sol";
import {StakingMath} from "./StakingMath.sol";

/// @notice See `IStaking`. The arithmetic is `StakingMath`'s; here it is stored, and tokens move.
contract Staking is StakedVotes, AccessManaged, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;
    using StakingMath for StakingMath.Reserve;
    using StakingMath for StakingMath.Line;
    using StakingMath for StakingMath.Pool;
    using StakingMath for StakingMath.Earned;

    /// @dev Three slots: what a claim reads is the first, what it writes is the second.
    struct ValidatorRecord {
        uint96 assets;
        uint96 shares;
        uint16 commissionBps;
        uint16 nextCommissionBps;
        // 0 for nobody, NOTHING_ANNOUNCED for a validator without an announced commission.
        uint32 commissionAt;
        StakingMath.Earned earned;
        uint96 unbondingAssets;
        uint96 unbondingShares;
        // How often the shares of unbonding stake were divided; what an older record holds is divided when it is read.
        uint32 unbondingDivisions;
    }

    /// @dev `paid` is moved so that what was earned before a stake stays owed: see `_stake`.
    struct Position {
        uint96 shares;
        uint80 paid;
        // Whether the stake's votes were ever delegated: spares those who never did a look.
        bool hasDelegate;
    }

    struct UnbondingRecord {
        address owner;
        uint40 readyAt;
        uint32 divisions;
        address validator;
        uint96 shares;
    }

    uint32 private constant NOTHING_ANNOUNCED = 1;
    bytes32 private constant REWARD_RATE = "rewardRateBps";
    bytes32 private constant REWARD_CYCLE = "rewardCycleSeconds";
    bytes32 private constant VALIDATOR_SHARE = "validatorShareBps";
    bytes32 private constant UNBONDING = "unbondingSeconds";
    bytes32 private constant MAX_SLASH = "maxSlashBps";

    /// @notice AVT.
    IERC20 public immutable token;
    /// @notice Where the bounds are read.
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
        if (record.commissionAt != 0) revert Staking_ValidatorExists(msg.sender);
        _requireCommission(commissionBps);
        _setCommission(record, uint16(commissionBps));
        // Nothing is staked yet, so any index would do; set now, the first staker need not pay for the slot.
        record.earned.index = uint80(_index());
        emit ValidatorRegistered(msg.sender, commissionBps);
    }

    /// @inheritdoc IStaking
    function announceCommission(uint256 commissionBps) external {
        ValidatorRecord storage record = _known(msg.sender);
        _requireCommission(commissionBps);
        uint256 delay = commissionBps > record.commissionBps ? parameters.valueOf(UNBONDING) : 0;
        record.nextCommissionBps = uint16(commissionBps);
        record.commissionAt = uint32(block.timestamp + delay);
        emit CommissionAnnounced(msg.sender, commissionBps, block.timestamp + delay);
    }

    /// @inheritdoc IStaking
    function beginCommission(address validator) external {
        ValidatorRecord storage record = _known(validator);
        uint256 effectiveAt = _announcedAt(record.commissionAt);
        if (effectiveAt == 0 || block.timestamp < effectiveAt)
            revert Staking_NoCommissionDue(validator, effectiveAt);
        // A vote may have lowered the bound since.
        _requireCommission(record.nextCommissionBps);
        _changeCommission(record, validator, record.nextCommissionBps);
    }

    /// @inheritdoc IStaking
    function boundCommission(address validator) external {
        ValidatorRecord storage record = _known(validator);
        uint256 limit = parameters.valueOf(VALIDATOR_SHARE);
        if (record.commissionBps <= limit)
            revert Staking_CommissionWithinBound(validator, record.commissionBps, limit);
        _changeCommission(record, validator, uint16(limit));
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
        StakingMath.Pool memory pool = _poolOf(record);
        uint256 held = position.shares;
        uint256 limit = pool.worth(held);
        if (assets == type(uint256).max) assets = limit;
        if (assets == 0 || assets > limit) revert Staking_InsufficientStake(assets, limit);
        uint256 shares = assets == limit ? held : pool.sharesFor(assets);

        uint256 reward = StakingMath.rewardOf(held, perShare, position.paid);
        (position.shares, position.paid) = (uint96(held - shares), uint80(perShare));
        pool.unstake(assets, shares);
        (record.assets, record.shares) = (pool.assets, pool.shares);
        _reserve.staked -= uint96(assets);
        if (position.hasDelegate) _setVotes(validator, msg.sender, pool.worth(held - shares));

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
        ValidatorRecord storage record = _validators[unbonding.validator];
        StakingMath.Pool memory pool = _unbondingOf(record);
        uint256 shares = _sharesNow(unbonding, record);
        assets = pool.worth(shares);
        pool.unstake(assets, shares);
        (record.unbondingAssets, record.unbondingShares) = (pool.assets, pool.shares);
        emit Withdrawn(unbondingId, unbonding.owner, assets);
        token.safeTransfer(unbonding.owner, assets);
    }

    /// @inheritdoc IStaking
    function claim(address validator) external nonReentrant returns (uint256 amount) {
        uint256 perShare = _settle(_known(validator), _index());
        Position storage position = _positions[validator][msg.sender];
        amount = StakingMath.rewardOf(position.shares, perShare, position.paid);
        if (amount == 0) revert Staking_NothingToClaim();
        position.paid = uint80(perShare);
        _payReward(validator, amount);
    }

    /// @inheritdoc IStaking
    function claimCommission() external nonReentrant returns (uint256 amount) {
        ValidatorRecord storage record = _known(msg.sender);
        _settle(record, _index());
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
        _reserve.reserve += uint96(amount);
        emit RewardsFunded(msg.sender, amount);
        token.safeTransferFrom(msg.sender, address(this), amount);
    }

    /// @inheritdoc IStaking
    function updateRate() external {
        _setLine(_accrue());
    }

    /// @inheritdoc IStaking
    function delegateVotes(address validator, address delegatee) external {
        Position storage position = _positions[validator][msg.sender];
        position.hasDelegate = true;
        _delegate(validator, msg.sender, delegatee, _poolOf(_known(validator)).worth(position.shares));
    }

    /// @inheritdoc IStaking
    function syncVotes(address validator, address staker) external {
        uint256 shares = _positions[validator][staker].shares;
        _setVotes(validator, staker, _poolOf(_known(validator)).worth(shares));
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
        (uint256 active, uint256 unbonding) = (record.assets, record.unbondingAssets);
        uint256 all = active + unbonding;
        amount = Math.min(amount, (all * parameters.valueOf(MAX_SLASH)) / StakingMath.BPS);
        uint256 fromActive = StakingMath.portion(amount, active, all);
        uint256 fromUnbonding = StakingMath.portion(amount, unbonding, all);
        record.assets = uint96(active - fromActive);
        _reserve.staked -= uint96(fromActive);
        slashed = fromActive + fromUnbonding;
        emit Slashed(validator, beneficiary, reason, fromActive, fromUnbonding);
        if (fromUnbonding != 0) _slashUnbonding(record, validator, fromUnbonding);
        token.safeTransfer(beneficiary, slashed);
    }

    /// @inheritdoc IBonds
    function bondOf(address validator) external view returns (uint256) {
        return _poolOf(_validators[validator]).worth(_positions[validator][validator].shares);
    }

    /// @inheritdoc IStaking
    function validatorOf(address validator) external view returns (Validator memory) {
        ValidatorRecord memory record = _validators[validator];
        return
            Validator({
                isRegistered: record.commissionAt != 0,
                assets: record.assets,
                shares: record.shares,
                unbondingAssets: record.unbondingAssets,
                unbondingShares: record.unbondingShares,
                commissionBps: record.commissionBps,
                nextCommissionBps: record.nextCommissionBps,
                commissionAt: _announcedAt(record.commissionAt)
            });
    }

    /// @inheritdoc IStaking
    function stakeOf(address validator, address staker) external view returns (uint256, uint256) {
        uint256 shares = _positions[validator][staker].shares;
        return (_poolOf(_validators[validator]).worth(shares), shares);
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
        uint256 shares = _sharesNow(record, _validators[record.validator]);
        return Unbonding(record.owner, record.validator, shares, record.readyAt);
    }

    /// @inheritdoc IStaking
    function totals() external view returns (uint256, uint256) {
        (, uint256 earned, ) = _reserve.reach(_line, block.timestamp);
        return (_reserve.staked, _reserve.reserve - earned);
    }

    function _stake(address validator, uint256 assets) private returns (uint256 shares) {
        if (assets == 0) revert Staking_ZeroAmount();
        if (assets > type(uint96).max) revert Staking_SharesOutOfRange(assets);
        ValidatorRecord storage record = _known(validator);
        uint256 perShare = _settle(record, _accrue());
        StakingMath.Pool memory pool = _poolOf(record);
        shares = pool.sharesBought(assets);
        if (shares + pool.shares > type(uint96).max) revert Staking_SharesOutOfRange(shares);
        pool.stake(assets, shares);
        (record.assets, record.shares) = (pool.assets, pool.shares);
        _reserve.staked += uint96(assets);

        Position storage position = _positions[validator][msg.sender];
        uint256 held = position.shares;
        // What was earned so far is spread over all shares: the same slot says both, and rounding takes at most one
        // part in 1e18 of a share.
        uint256 owed = StakingMath.rewardOf(held, perShare, position.paid);
        held += shares;
        position.shares = uint96(held);
        position.paid = uint80(perShare - (owed * StakingMath.SCALE) / held);
        if (position.hasDelegate) _setVotes(validator, msg.sender, pool.worth(held));

        emit Staked(validator, msg.sender, assets, shares);
        token.safeTransferFrom(msg.sender, address(this), assets);
    }

    function _unbond(
        ValidatorRecord storage record,
        address validator,
        uint256 assets,
        uint256 shares
    ) private returns (uint256 id) {
        StakingMath.Pool memory pool = _unbondingOf(record);
        uint256 unbondingShares = pool.sharesBought(assets);
        pool.stake(assets, unbondingShares);
        (record.unbondingAssets, record.unbondingShares) = (pool.assets, pool.shares);
        uint256 readyAt = block.timestamp + parameters.valueOf(UNBONDING);
        id = ++unbondingCount;
        _unbondings[id] = UnbondingRecord({
            owner: msg.sender,
            readyAt: uint40(readyAt),
            divisions: record.unbondingDivisions,
            validator: validator,
            shares: uint96(unbondingShares)
        });
        emit Unstaked(validator, msg.sender, id, assets, shares, unbondingShares, readyAt);
    }

    function _slashUnbonding(ValidatorRecord storage record, address validator, uint256 amount) private {
        StakingMath.Pool memory pool = _unbondingOf(record);
        pool.assets -= uint96(amount);
        uint256 divisions = pool.divide();
        (record.unbondingAssets, record.unbondingShares) = (pool.assets, pool.shares);
        if (divisions == 0) return;
        divisions += record.unbondingDivisions;
        record.unbondingDivisions = uint32(divisions);
        emit UnbondingSharesDivided(validator, divisions, pool.shares);
    }

    /// @dev What is left of the shares that unbonding stake was recorded with.
    function _sharesNow(
        UnbondingRecord memory unbonding,
        ValidatorRecord storage record
    ) private view returns (uint256) {
        return StakingMath.divided(unbonding.shares, record.unbondingDivisions - unbonding.divisions);
    }

    function _payReward(address validator, uint256 amount) private {
        emit RewardClaimed(validator, msg.sender, amount);
        token.safeTransfer(msg.sender, amount);
    }

    /// @dev Moves what all stake has earned until now out of the reserve, and gives the index.
    function _accrue() private returns (uint256 index) {
        StakingMath.Reserve memory reserve = _reserve;
        uint256 earned;
        bool isExhausted;
        (index, earned, isExhausted) = reserve.reach(_line, block.timestamp);
        reserve.reserve -= uint96(earned);
        reserve.updatedAt = uint40(block.timestamp);
        _reserve = reserve;
        if (isExhausted) (_line.index, _line.from) = (uint80(index), uint40(block.timestamp));
    }

    /// @dev The index now, for what moves neither stake nor reserve: `_accrue` will later come by the same one.
    function _index() private view returns (uint256 index) {
        (index, , ) = _reserve.reach(_line, block.timestamp);
    }

    /// @dev Gives the pool what it has earned up to `index`, and the reward of one share so far.
    function _settle(ValidatorRecord storage record, uint256 index) private returns (uint256 perShare) {
        StakingMath.Earned memory earned = record.earned;
        earned.settle(_poolOf(record), index, record.commissionBps);
        record.earned = earned;
        return earned.perShare;
    }

    /// @dev What was earned until now is shared at the old commission.
    function _changeCommission(
        ValidatorRecord storage record,
        address validator,
        uint16 commissionBps
    ) private {
        _settle(record, _index());
        _setCommission(record, commissionBps);
        emit CommissionChanged(validator, commissionBps);
    }

    function _setCommission(ValidatorRecord storage record, uint16 commissionBps) private {
        record.commissionBps = commissionBps;
        record.nextCommissionBps = commissionBps;
        record.commissionAt = NOTHING_ANNOUNCED;
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
        if (record.commissionAt == 0) revert Staking_UnknownValidator(validator);
    }

    function _earnedNow(address validator) private view returns (StakingMath.Earned memory earned) {
        ValidatorRecord storage record = _validators[validator];
        earned = record.earned;
        earned.settle(_poolOf(record), _index(), record.commissionBps);
    }

    function _poolOf(ValidatorRecord storage record) private view returns (StakingMath.Pool memory) {
        return StakingMath.Pool(record.assets, record.shares);
    }

    function _unbondingOf(ValidatorRecord storage record) private view returns (StakingMath.Pool memory) {
        return StakingMath.Pool(record.unbondingAssets, record.unbondingShares);
    }

    function _announcedAt(uint32 commissionAt) private pure returns (uint256) {
        return commissionAt == NOTHING_ANNOUNCED ? 0 : commissionAt;
    }

    function _requireCommission(uint256 commissionBps) private view {
        uint256 limit = parameters.valueOf(VALIDATOR_SHARE);
        if (commissionBps > limit) revert Staking_CommissionTooHigh(commissionBps, limit);
    }
}
