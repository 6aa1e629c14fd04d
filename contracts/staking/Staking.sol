// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IAgentToken} from "../interfaces/staking/IAgentToken.sol";
import {IBonds} from "../interfaces/staking/IBonds.sol";
import {IParameters} from "../interfaces/governance/IParameters.sol";
import {IStaking} from "../interfaces/staking/IStaking.sol";
import {IVotingStake} from "../interfaces/staking/IVotingStake.sol";
import {SlashBound} from "./SlashBound.sol";
import {StakedVotes} from "./StakedVotes.sol";
import {StakingMath} from "./StakingMath.sol";
import {ValidatorBook} from "./ValidatorBook.sol";

/// @notice See `IStaking`. What is staked with a validator, and how it leaves; `ValidatorBook` has what it earns.
contract Staking is StakedVotes, ValidatorBook, AccessManaged {
    using SafeERC20 for IERC20;
    using SlashBound for SlashBound.Slashes;

    /// @dev `paid` is moved so that what was earned before a stake stays owed: see `_putIn`.
    struct Position {
        uint96 assets;
        uint80 paid;
        // Spares those who have no delegate a look.
        bool hasDelegate;
    }

    struct UnbondingRecord {
        address owner;
        uint96 assets;
        address validator;
        uint48 readyAt;
    }

    bytes32 private constant MAX_SLASH = "maxSlashBps";
    bytes32 private constant SLASH_REWARD = "slashRewardBps";
    /// @notice The longest that `minUnbondingSeconds` can become, seconds.
    uint256 public constant MAX_MIN_UNBONDING = 60 days;

    mapping(address validator => mapping(address staker => Position)) private _positions;
    mapping(uint256 id => UnbondingRecord) private _unbondings;
    mapping(address validator => mapping(address bonder => uint256)) private _locks;
    /// @notice How many times delegated stake was taken out; the last one's id.
    uint256 public unbondingCount;

    /// @param authority The AccessManager that says who may slash and lock, and who is the Governor.
    /// @param token_ AVT.
    /// @param parameters_ Where the bounds are read.
    /// @param minUnbondingSeconds_ The shortest unbonding time at first.
    constructor(
        address authority,
        IERC20 token_,
        IParameters parameters_,
        uint256 minUnbondingSeconds_
    ) ValidatorBook(token_, parameters_, minUnbondingSeconds_) AccessManaged(authority) {}

    /// @inheritdoc IStaking
    function stake(address validator, uint256 assets) external nonReentrant {
        _stake(validator, assets);
    }

    /// @inheritdoc IStaking
    function stakeWithPermit(
        address validator,
        uint256 assets,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external nonReentrant {
        bytes memory permit = abi.encodeCall(
            IERC20Permit.permit,
            (msg.sender, address(this), assets, deadline, v, r, s)
        );
        // Somebody may have used the permit first, out of the public pool; then the approval stands all the same.
        LowLevelCall.callNoReturn(address(token), permit);
        _stake(validator, assets);
    }

    /// @inheritdoc IStaking
    function unstake(address validator, uint256 assets) external nonReentrant returns (uint256 id) {
        ValidatorRecord storage record = _known(validator);
        bool isOwn = msg.sender == validator;
        assets = _upTo(assets, isOwn ? freeBondOf(validator) : stakeOf(validator, msg.sender));
        uint256 reward = _takeOut(record, validator, msg.sender, assets, _accrue());
        _reserve.staked -= uint96(assets);
        id = isOwn ? _idOfOwn(validator) : ++unbondingCount;
        uint256 matured = isOwn ? _takeMatured(id) : 0;
        UnbondingRecord storage unbonding = _unbondings[id];
        // What already leaves may wait longer: the unbonding time may have been lowered since.
        uint256 readyAt = Math.max(unbonding.readyAt, block.timestamp + unbondingSeconds());
        (unbonding.owner, unbonding.validator) = (msg.sender, validator);
        (unbonding.assets, unbonding.readyAt) = (unbonding.assets + uint96(assets), uint48(readyAt));
        emit Unstaked(validator, msg.sender, id, assets, readyAt);
        _pay(msg.sender, reward + matured);
    }

    /// @inheritdoc IStaking
    function restake(address from, address to, uint256 assets) external nonReentrant {
        if (msg.sender == from) revert Staking_OwnStake(from);
        (ValidatorRecord storage source, ValidatorRecord storage target) = (_known(from), _known(to));
        assets = _upTo(assets, stakeOf(from, msg.sender));
        uint256 index = _accrue();
        uint256 reward = _takeOut(source, from, msg.sender, assets, index);
        _putIn(target, to, assets, index);
        emit Restaked(from, to, msg.sender, assets);
        _pay(msg.sender, reward);
    }

    /// @inheritdoc IStaking
    function withdraw(uint256 unbondingId) external nonReentrant returns (uint256 assets) {
        UnbondingRecord storage unbonding = _unbondings[unbondingId];
        (address owner, uint256 readyAt) = (unbonding.owner, unbonding.readyAt);
        if (owner == address(0)) revert Staking_UnknownUnbonding(unbondingId);
        if (msg.sender != owner) revert Staking_NotOwner(msg.sender, owner);
        if (block.timestamp < readyAt) revert Staking_StillUnbonding(block.timestamp, readyAt);
        assets = _takeMatured(unbondingId);
        _pay(msg.sender, assets);
    }

    /// @inheritdoc IStaking
    function claim(address validator) external nonReentrant returns (uint256 amount) {
        uint256 perUnit = _settle(_known(validator), _index());
        Position storage position = _positions[validator][msg.sender];
        amount = StakingMath.rewardOf(position.assets, perUnit, position.paid);
        if (amount == 0) revert Staking_NothingToClaim();
        position.paid = uint80(perUnit);
        emit RewardClaimed(validator, msg.sender, amount);
        token.safeTransfer(msg.sender, amount);
    }

    /// @inheritdoc IBonds
    /// @custom:role slasher
    function slash(
        address validator,
        uint256 amount,
        address reporter,
        bytes32 reason
    ) external restricted nonReentrant returns (uint256 slashed) {
        if (reporter == address(0)) revert Staking_NoReporter();
        ValidatorRecord storage record = _known(validator);
        UnbondingRecord storage unbonding = _unbondings[_idOfOwn(validator)];
        uint256 active = bondOf(validator);
        uint256 leaving = block.timestamp < unbonding.readyAt ? unbonding.assets : 0;
        slashed = _bounded(record, active + leaving, amount, unbonding.readyAt);
        uint256 fromActive = Math.min(slashed, active);
        unbonding.assets -= uint96(slashed - fromActive);
        uint256 earned = _takeOut(record, validator, validator, fromActive, _accrue());
        _reserve.staked -= uint96(fromActive);
        uint256 reward = (slashed * parameters.valueOf(SLASH_REWARD)) / StakingMath.BPS;
        emit Slashed(validator, reporter, reason, fromActive, slashed - fromActive, reward);
        _pay(validator, earned);
        _pay(reporter, reward);
        if (slashed != reward) IAgentToken(address(token)).burn(slashed - reward);
    }

    /// @inheritdoc IBonds
    /// @custom:role bonder
    function lock(address validator, uint256 amount) external restricted {
        ValidatorRecord storage record = _known(validator);
        uint256 limit = freeBondOf(validator);
        if (amount > limit) revert Staking_InsufficientStake(amount, limit);
        _locks[validator][msg.sender] += amount;
        record.locked += uint96(amount);
        emit Locked(validator, msg.sender, amount);
    }

    /// @inheritdoc IBonds
    function unlock(address validator, uint256 amount) external {
        uint256 limit = _locks[validator][msg.sender];
        if (amount > limit) revert Staking_InsufficientLock(amount, limit);
        _locks[validator][msg.sender] = limit - amount;
        _validators[validator].locked -= uint96(amount);
        emit Unlocked(validator, msg.sender, amount);
    }

    /// @inheritdoc IVotingStake
    /// @custom:role governor
    function lengthenUnbonding(uint256 least) external restricted {
        uint256 before = minUnbondingSeconds;
        if (least <= before) return;
        if (least > MAX_MIN_UNBONDING) revert Staking_UnbondingTooLong(least, MAX_MIN_UNBONDING);
        minUnbondingSeconds = least;
        emit MinUnbondingSet(before, least);
    }

    /// @inheritdoc IStaking
    function rewardOf(address validator, address staker) external view returns (uint256) {
        Position memory position = _positions[validator][staker];
        return StakingMath.rewardOf(position.assets, _earnedNow(validator).perUnit, position.paid);
    }

    /// @inheritdoc IStaking
    function unbondingOf(uint256 unbondingId) external view returns (Unbonding memory) {
        UnbondingRecord memory record = _unbondings[unbondingId];
        return Unbonding(record.owner, record.validator, record.assets, record.readyAt);
    }

    /// @inheritdoc IBonds
    function lockedBy(address validator, address bonder) external view returns (uint256) {
        return _locks[validator][bonder];
    }

    /// @inheritdoc IBonds
    function bondFor(address validator, address bonder) external view returns (uint256) {
        uint256 elsewhere = _validators[validator].locked - _locks[validator][bonder];
        return Math.saturatingSub(bondOf(validator), elsewhere);
    }

    /// @inheritdoc IBonds
    function bondOf(address validator) public view returns (uint256) {
        return _positions[validator][validator].assets;
    }

    /// @inheritdoc IBonds
    function freeBondOf(address validator) public view returns (uint256) {
        // Slashing may have left less than is locked.
        return Math.saturatingSub(bondOf(validator), _validators[validator].locked);
    }

    /// @inheritdoc IStaking
    function stakeOf(
        address validator,
        address staker
    ) public view override(IStaking, StakedVotes) returns (uint256) {
        return _positions[validator][staker].assets;
    }

    /// @inheritdoc StakedVotes
    function _noteDelegate(
        address validator,
        address staker,
        bool hasDelegate
    ) internal override returns (uint256) {
        _known(validator);
        Position storage position = _positions[validator][staker];
        position.hasDelegate = hasDelegate;
        return position.assets;
    }

    function _stake(address validator, uint256 assets) private {
        _requireAmount(assets);
        _putIn(_known(validator), validator, assets, _accrue());
        _reserve.staked += uint96(assets);
        emit Staked(validator, msg.sender, assets);
        token.safeTransferFrom(msg.sender, address(this), assets);
    }

    /// @dev Adds to what the caller has with a validator. What it earned so far is spread over all of its stake, so
    ///      that the same slot says both.
    function _putIn(
        ValidatorRecord storage record,
        address validator,
        uint256 assets,
        uint256 index
    ) private {
        uint256 perUnit = _settle(record, index);
        record.assets += uint96(assets);
        Position storage position = _positions[validator][msg.sender];
        uint256 before = position.assets;
        uint256 owed = StakingMath.rewardOf(before, perUnit, position.paid);
        position.assets = uint96(before + assets);
        position.paid = uint80(StakingMath.paidAt(before + assets, perUnit, owed));
        if (position.hasDelegate) _followStake(validator, msg.sender, before, before + assets);
    }

    /// @dev Takes from what a staker has with a validator.
    /// @return reward What it earned there so far, which is to be paid out.
    function _takeOut(
        ValidatorRecord storage record,
        address validator,
        address staker,
        uint256 assets,
        uint256 index
    ) private returns (uint256 reward) {
        uint256 perUnit = _settle(record, index);
        record.assets -= uint96(assets);
        Position storage position = _positions[validator][staker];
        uint256 before = position.assets;
        reward = StakingMath.rewardOf(before, perUnit, position.paid);
        (position.assets, position.paid) = (uint96(before - assets), uint80(perUnit));
        if (position.hasDelegate) _followStake(validator, staker, before, before - assets);
        if (reward != 0) emit RewardClaimed(validator, staker, reward);
    }

    /// @dev Ends unbonding stake that is ready, if there is any; its assets are to be paid to its owner.
    function _takeMatured(uint256 id) private returns (uint256 assets) {
        UnbondingRecord memory unbonding = _unbondings[id];
        if (unbonding.owner == address(0) || block.timestamp < unbonding.readyAt) return 0;
        delete _unbondings[id];
        emit Withdrawn(id, unbonding.owner, unbonding.assets);
        return unbonding.assets;
    }

    function _bounded(
        ValidatorRecord storage record,
        uint256 own,
        uint256 amount,
        uint256 readyAt
    ) private returns (uint256 slashed) {
        SlashBound.Slashes memory slashes = record.slashes;
        uint256 bps = parameters.valueOf(MAX_SLASH);
        slashed = slashes.take(own, amount, bps, block.timestamp, unbondingSeconds(), readyAt);
        record.slashes = slashes;
    }

    function _pay(address to, uint256 amount) private {
        if (amount != 0) token.safeTransfer(to, amount);
    }

    /// @dev `wanted`, where the greatest number means all of `limit`.
    function _upTo(uint256 wanted, uint256 limit) private pure returns (uint256 assets) {
        if (wanted == 0) revert Staking_ZeroAmount();
        assets = wanted == type(uint256).max ? limit : wanted;
        if (assets == 0 || assets > limit) revert Staking_InsufficientStake(assets, limit);
    }

    /// @dev Own unbonding stake is one record, so that a slash needs no list: its id is its validator's address.
    function _idOfOwn(address validator) private pure returns (uint256) {
        return uint160(validator);
    }
}
