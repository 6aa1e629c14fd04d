// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IParameters} from "../interfaces/governance/IParameters.sol";
import {IStaking} from "../interfaces/staking/IStaking.sol";
import {IVotingStake} from "../interfaces/staking/IVotingStake.sol";
import {SlashBound} from "./SlashBound.sol";
import {StakingMath} from "./StakingMath.sol";

/// @notice The validators of Staking: their commissions, and what all stake earns. The arithmetic is `StakingMath`'s.
abstract contract ValidatorBook is IStaking, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;
    using StakingMath for StakingMath.Reserve;
    using StakingMath for StakingMath.Line;
    using StakingMath for StakingMath.Earned;

    /// @dev Four slots: what a claim reads is the first, what it writes is the second, the others are slashing's.
    struct ValidatorRecord {
        uint96 assets;
        uint96 locked;
        uint16 commissionBps;
        uint16 nextCommissionBps;
        // 0 for nobody, NOTHING_ANNOUNCED for a validator without an announced commission.
        uint32 commissionAt;
        StakingMath.Earned earned;
        SlashBound.Slashes slashes;
    }

    uint32 private constant NOTHING_ANNOUNCED = 1;
    bytes32 private constant REWARD_RATE = "rewardRateBps";
    bytes32 private constant REWARD_CYCLE = "rewardCycleSeconds";
    bytes32 private constant VALIDATOR_SHARE = "validatorShareBps";
    bytes32 private constant UNBONDING = "unbondingSeconds";
    /// @notice How long an announced commission can be begun, seconds from when it first could.
    uint256 public constant COMMISSION_WINDOW = 7 days;

    /// @notice AVT.
    IERC20 public immutable token;
    /// @notice Where the bounds are read.
    IParameters public immutable parameters;
    /// @inheritdoc IVotingStake
    uint256 public minUnbondingSeconds;
    StakingMath.Reserve internal _reserve;
    StakingMath.Line private _line;
    mapping(address validator => ValidatorRecord) internal _validators;

    constructor(IERC20 token_, IParameters parameters_, uint256 minUnbondingSeconds_) {
        (token, parameters, minUnbondingSeconds) = (token_, parameters_, minUnbondingSeconds_);
        _reserve.updatedAt = uint40(block.timestamp);
        _setLine(0);
    }

    /// @inheritdoc IStaking
    function registerValidator(uint256 commissionBps) external {
        ValidatorRecord storage record = _validators[msg.sender];
        if (record.commissionAt != 0) revert Staking_ValidatorExists(msg.sender);
        _requireCommission(commissionBps);
        _setCommission(record, uint16(commissionBps));
        record.earned.index = uint80(_index());
        emit ValidatorRegistered(msg.sender, commissionBps);
    }

    /// @inheritdoc IStaking
    function announceCommission(uint256 commissionBps) external {
        ValidatorRecord storage record = _known(msg.sender);
        _requireCommission(commissionBps);
        uint256 delay = commissionBps > record.commissionBps ? unbondingSeconds() : 0;
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
        _requireAmount(amount);
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
    function validatorOf(address validator) external view returns (Validator memory) {
        ValidatorRecord memory record = _validators[validator];
        uint256 effectiveAt = _announcedAt(record.commissionAt);
        return
            Validator({
                isRegistered: record.commissionAt != 0,
                assets: record.assets,
                commissionBps: record.commissionBps,
                nextCommissionBps: effectiveAt == 0 ? record.commissionBps : record.nextCommissionBps,
                commissionAt: effectiveAt
            });
    }

    /// @inheritdoc IStaking
    function commissionOf(address validator) external view returns (uint256) {
        return _earnedNow(validator).commission;
    }

    /// @inheritdoc IStaking
    function totals() external view returns (uint256, uint256) {
        (, uint256 earned, ) = _reserve.reach(_line, block.timestamp);
        return (_reserve.staked, _reserve.reserve - earned);
    }

    /// @inheritdoc IStaking
    function unbondingSeconds() public view returns (uint256) {
        return Math.max(parameters.valueOf(UNBONDING), minUnbondingSeconds);
    }

    /// @dev Moves what all stake has earned until now out of the reserve, and gives the index.
    function _accrue() internal returns (uint256 index) {
        StakingMath.Reserve memory reserve = _reserve;
        uint256 earned;
        bool isExhausted;
        (index, earned, isExhausted) = reserve.reach(_line, block.timestamp);
        reserve.reserve -= uint96(earned);
        reserve.updatedAt = uint40(block.timestamp);
        _reserve = reserve;
        if (isExhausted) (_line.index, _line.from) = (uint80(index), uint40(block.timestamp));
    }

    /// @dev Gives the validator's stake what it has earned up to `index`, and the reward of one base unit so far.
    function _settle(ValidatorRecord storage record, uint256 index) internal returns (uint256 perUnit) {
        StakingMath.Earned memory earned = record.earned;
        earned.settle(record.assets, index, record.commissionBps);
        record.earned = earned;
        return earned.perUnit;
    }

    /// @dev The index now, for what moves neither stake nor reserve: `_accrue` will later come by the same one.
    function _index() internal view returns (uint256 index) {
        (index, , ) = _reserve.reach(_line, block.timestamp);
    }

    function _earnedNow(address validator) internal view returns (StakingMath.Earned memory earned) {
        ValidatorRecord storage record = _validators[validator];
        earned = record.earned;
        earned.settle(record.assets, _index(), record.commissionBps);
    }

    function _known(address validator) internal view returns (ValidatorRecord storage record) {
        record = _validators[validator];
        if (record.commissionAt == 0) revert Staking_UnknownValidator(validator);
    }

    function _requireAmount(uint256 amount) internal pure {
        if (amount == 0) revert Staking_ZeroAmount();
        if (amount > type(uint96).max) revert Staking_AmountOutOfRange(amount, type(uint96).max);
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

    /// @dev 0 when nothing was announced, or when what was announced has lapsed.
    function _announcedAt(uint256 commissionAt) private view returns (uint256) {
        return block.timestamp < commissionAt + COMMISSION_WINDOW ? commissionAt : 0;
    }

    function _requireCommission(uint256 commissionBps) private view {
        uint256 limit = parameters.valueOf(VALIDATOR_SHARE);
        if (commissionBps > limit) revert Staking_CommissionTooHigh(commissionBps, limit);
    }
}
