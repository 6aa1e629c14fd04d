// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBonds} from "./IBonds.sol";
import {IPastVotes} from "./IPastVotes.sol";

/// @title Staking
/// @notice AVT in validators' pools: it earns, it votes, and it answers for what the validator does.
/// @dev Who stakes gets shares of a pool; slashing lowers the pool's assets, so that every share is worth less.
///      Rewards are funded before they are earned, so the contract never owes more than it holds: when the reserve
///      is empty, nothing is earned until somebody funds it. Stake keeps its votes: each staker delegates them here,
///      and the Governor counts them beside AVT's own; unbonding stake does not vote. Amounts are base units of AVT,
///      times are Unix seconds.
///      Parameters: `rewardRateBps` (of the stake, each cycle), `rewardCycleSeconds`, `validatorShareBps` (the
///      highest commission), `unbondingSeconds`, `maxSlashBps` (of a pool, each slash; below 10,000, so that shares
///      keep a price).
interface IStaking is IBonds, IPastVotes {
    /// @notice A validator as it stands.
    /// @param isRegistered Whether there is one.
    /// @param assets Active stake, its own and delegated.
    /// @param shares Shares of it.
    /// @param unbondingAssets Stake on its way out, still slashable.
    /// @param unbondingShares Shares of that.
    /// @param commissionBps Its part of its delegators' rewards.
    /// @param nextCommissionBps What was announced; equal to the present one when nothing was.
    /// @param commissionAt When the announced commission may begin; 0 when there is none.
    struct Validator {
        bool isRegistered;
        uint256 assets;
        uint256 shares;
        uint256 unbondingAssets;
        uint256 unbondingShares;
        uint256 commissionBps;
        uint256 nextCommissionBps;
        uint256 commissionAt;
    }

    /// @notice Stake on its way out.
    /// @param owner Who gets it.
    /// @param validator Whose pool it was in, and who can still be slashed for it.
    /// @param shares Of the validator's unbonding stake, at present.
    /// @param readyAt When it can be withdrawn.
    struct Unbonding {
        address owner;
        address validator;
        uint256 shares;
        uint256 readyAt;
    }

    /// @notice A validator took up its work.
    event ValidatorRegistered(address indexed validator, uint256 commissionBps);
    /// @notice A commission was announced; from `effectiveAt` on anyone may begin it.
    event CommissionAnnounced(address indexed validator, uint256 commissionBps, uint256 effectiveAt);
    /// @notice An announced commission applies from here on.
    event CommissionChanged(address indexed validator, uint256 commissionBps);
    /// @notice Stake came into a pool.
    event Staked(address indexed validator, address indexed staker, uint256 assets, uint256 shares);
    /// @notice Stake left a pool and waits.
    event Unstaked(
        address indexed validator,
        address indexed staker,
        uint256 indexed unbondingId,
        uint256 assets,
        uint256 shares,
        uint256 unbondingShares,
        uint256 readyAt
    );
    /// @notice Unbonded stake was paid out.
    event Withdrawn(uint256 indexed unbondingId, address indexed owner, uint256 assets);
    /// @notice A staker's reward was paid out.
    event RewardClaimed(address indexed validator, address indexed staker, uint256 amount);
    /// @notice A validator's commission was paid out.
    event CommissionClaimed(address indexed validator, uint256 amount);
    /// @notice Rewards were funded.
    event RewardsFunded(address indexed from, uint256 amount);
    /// @notice The reward rate was taken over from the parameters.
    event RateSet(uint256 rateBps, uint256 cycleSeconds);
    /// @notice A validator was slashed: what was taken from active and from unbonding stake, to whom and why.
    event Slashed(
        address indexed validator,
        address indexed beneficiary,
        bytes32 indexed reason,
        uint256 fromActive,
        uint256 fromUnbonding
    );
    /// @notice Slashing left so little of a validator's unbonding stake that its shares were divided by 64, and so is
    ///         what everybody holds of them, rounded down: `divisions` times by now, which left `shares`.
    event UnbondingSharesDivided(address indexed validator, uint256 divisions, uint256 shares);
    /// @notice The votes of a staker's stake in a pool go to another delegate; 0 for none.
    event VotesDelegated(
        address indexed validator,
        address indexed staker,
        address indexed delegatee,
        uint256 votes
    );
    /// @notice A delegate's votes from staked AVT changed.
    event DelegateVotesChanged(address indexed delegatee, uint256 before, uint256 votes);

    /// @notice Nothing can be done with no amount.
    error Staking_ZeroAmount();
    /// @notice There is no such validator.
    error Staking_UnknownValidator(address validator);
    /// @notice The caller is a validator already.
    error Staking_ValidatorExists(address validator);
    /// @notice The commission is above what governance allows.
    error Staking_CommissionTooHigh(uint256 got, uint256 limit);
    /// @notice The commission is within what governance allows.
    error Staking_CommissionWithinBound(address validator, uint256 got, uint256 limit);
    /// @notice No announced commission can begin yet.
    error Staking_NoCommissionDue(address validator, uint256 effectiveAt);
    /// @notice The stake, or what it buys of a pool that was slashed almost to nothing, is more than records hold.
    error Staking_SharesOutOfRange(uint256 shares);
    /// @notice The staker's stake in this pool is worth less.
    error Staking_InsufficientStake(uint256 got, uint256 limit);
    /// @notice There is no such unbonding stake, or it was withdrawn.
    error Staking_UnknownUnbonding(uint256 unbondingId);
    /// @notice Only its owner withdraws unbonding stake.
    error Staking_NotOwner(address caller, address owner);
    /// @notice The stake is still unbonding.
    error Staking_StillUnbonding(uint256 time, uint256 readyAt);
    /// @notice There is nothing to pay out.
    error Staking_NothingToClaim();
    /// @notice A slash needs someone to receive what is taken.
    error Staking_NoBeneficiary();
    /// @notice Votes can be asked for of the past only (ERC-5805).
    error Staking_FutureLookup(uint256 timepoint, uint256 clock);

    /// @notice Makes the caller a validator.
    /// @param commissionBps Its part of its delegators' rewards.
    function registerValidator(uint256 commissionBps) external;

    /// @notice Announces another commission: a lower one can begin at once, a higher one after the unbonding time, so
    ///         that every delegator can leave before.
    function announceCommission(uint256 commissionBps) external;

    /// @notice Begins the validator's announced commission, if governance still allows it. Anyone may call.
    function beginCommission(address validator) external;

    /// @notice Lowers a commission to what governance allows, if a vote has put it above that since; what was
    ///         announced is dropped. Anyone may call.
    function boundCommission(address validator) external;

    /// @notice Stakes AVT that the caller has approved. Rewards earned so far stay claimable.
    /// @return shares Of the validator's pool.
    function stake(address validator, uint256 assets) external returns (uint256 shares);

    /// @notice Stakes with an EIP-2612 permit in the same transaction. A permit that somebody else already used is no
    ///         hindrance, as long as the approval stands.
    /// @return shares Of the validator's pool.
    function stakeWithPermit(
        address validator,
        uint256 assets,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external returns (uint256 shares);

    /// @notice Takes stake out of a pool; it can be withdrawn after the unbonding time. Pays the rewards out.
    /// @param assets Base units; the greatest uint256 means all.
    /// @return unbondingId By which it is withdrawn.
    function unstake(address validator, uint256 assets) external returns (uint256 unbondingId);

    /// @notice Pays out unbonded stake, as far as it was not slashed. Only its owner may call.
    /// @return assets What was paid.
    function withdraw(uint256 unbondingId) external returns (uint256 assets);

    /// @notice Pays out the caller's rewards from a pool, of any age.
    /// @return amount What was paid.
    function claim(address validator) external returns (uint256 amount);

    /// @notice Pays out the calling validator's commission.
    /// @return amount What was paid.
    function claimCommission() external returns (uint256 amount);

    /// @notice Funds rewards with AVT that the caller has approved.
    function fund(uint256 amount) external;

    /// @notice Takes the reward rate over from the parameters, from now on. Anyone may call.
    function updateRate() external;

    /// @notice Gives the votes of the caller's stake in a pool to `delegatee`; address(0) takes them back.
    function delegateVotes(address validator, address delegatee) external;

    /// @notice Brings a staker's votes down to what slashing left of its stake. Anyone may call.
    function syncVotes(address validator, address staker) external;

    /// @notice A validator as it stands; all zero for an unknown one.
    function validatorOf(address validator) external view returns (Validator memory state);

    /// @notice What a staker's stake in a pool is worth, and its shares.
    function stakeOf(
        address validator,
        address staker
    ) external view returns (uint256 assets, uint256 shares);

    /// @notice What `claim` would pay now.
    function rewardOf(address validator, address staker) external view returns (uint256 amount);

    /// @notice What `claimCommission` would pay now.
    function commissionOf(address validator) external view returns (uint256 amount);

    /// @notice Unbonding stake; all zero when there is none.
    function unbondingOf(uint256 unbondingId) external view returns (Unbonding memory unbonding);

    /// @notice All active stake, and the funded rewards that nobody has earned yet, at this moment.
    function totals() external view returns (uint256 staked, uint256 reserve);

    /// @notice Who votes with a staker's stake in a pool, and with how many votes.
    function votesOf(
        address validator,
        address staker
    ) external view returns (address delegatee, uint256 votes);

    /// @notice Voting power from staked AVT now.
    function getVotes(address account) external view returns (uint256 votes);
}
