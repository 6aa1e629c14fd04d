// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBonds} from "./IBonds.sol";
import {IVotingStake} from "./IVotingStake.sol";

/// @title Staking
/// @notice AVT that is staked with validators: it earns and it votes. A validator's own stake also answers for what
///         the validator does; what others stake with it never does.
/// @dev A staked base unit stays one: only a slash lowers stake, and only its validator's own. A slash takes own
///      active stake first, then own stake that is unbonding; what has unbonded is out of reach. A slash counts for the
///      unbonding time at least, and for twice that at the most; those that count take no more, together, than
///      `maxSlashBps` of what they took and left (`SlashBound`); so who begins to leave when a vote on slashing is
///      proposed loses no more than that part.
///      Rewards are funded before they are earned, so the contract never owes more than it holds: when the reserve is
///      empty, nothing is earned until somebody funds it. Stake keeps its votes: each staker delegates them here, and
///      the Governor counts them beside AVT's own; unbonding stake does not vote. Amounts are base units of AVT,
///      times are Unix seconds. Parameters: `rewardRateBps` (of the stake, each cycle), `rewardCycleSeconds`,
///      `validatorShareBps` (the highest commission), `unbondingSeconds` (never less than `minUnbondingSeconds`),
///      `maxSlashBps` (of the own stake, within one unbonding time), `slashRewardBps` (of what is slashed, for who
///      reported it; the rest is burned).
interface IStaking is IBonds, IVotingStake {
    /// @notice A validator as it stands.
    /// @param isRegistered Whether there is one.
    /// @param assets Active stake, its own (see `bondOf`) and delegated.
    /// @param commissionBps Its part of all rewards that stake with it earns.
    /// @param nextCommissionBps What was announced; equal to the present one when nothing was.
    /// @param commissionAt When the announced commission may begin; 0 when there is none, or when it has lapsed.
    struct Validator {
        bool isRegistered;
        uint256 assets;
        uint256 commissionBps;
        uint256 nextCommissionBps;
        uint256 commissionAt;
    }

    /// @notice Stake on its way out.
    /// @param owner Who gets it.
    /// @param validator With whom it was staked.
    /// @param assets How much it is.
    /// @param readyAt When it can be withdrawn.
    struct Unbonding {
        address owner;
        address validator;
        uint256 assets;
        uint256 readyAt;
    }

    /// @notice What a staker signs to delegate its votes: EIP-712 `Delegation(address staker,address validator,
    ///         address delegatee,uint256 nonce,uint256 expiry)`.
    /// @param staker Whose votes.
    /// @param validator With whom the stake is.
    /// @param delegatee Who votes; address(0) for nobody.
    /// @param nonce The staker's next.
    /// @param expiry The last second at which it counts.
    struct Delegation {
        address staker;
        address validator;
        address delegatee;
        uint256 nonce;
        uint256 expiry;
    }

    /// @notice The shortest unbonding time became longer.
    event MinUnbondingSet(uint256 before, uint256 least);
    /// @notice A validator took up its work.
    event ValidatorRegistered(address indexed validator, uint256 commissionBps);
    /// @notice A commission was announced; from `effectiveAt` on anyone may begin it, until it lapses.
    event CommissionAnnounced(address indexed validator, uint256 commissionBps, uint256 effectiveAt);
    /// @notice An announced commission applies from here on.
    event CommissionChanged(address indexed validator, uint256 commissionBps);
    /// @notice Stake came in.
    event Staked(address indexed validator, address indexed staker, uint256 assets);
    /// @notice Stake leaves and waits; by `unbondingId`, which is the validator's address if it is its own stake.
    event Unstaked(
        address indexed validator,
        address indexed staker,
        uint256 indexed unbondingId,
        uint256 assets,
        uint256 readyAt
    );
    /// @notice Stake moved from one validator to another.
    event Restaked(address indexed from, address indexed to, address indexed staker, uint256 assets);
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
    /// @notice A validator was slashed: what was taken from its own active and unbonding stake, and what of it the
    ///         reporter got; the rest was burned.
    event Slashed(
        address indexed validator,
        address indexed reporter,
        bytes32 indexed reason,
        uint256 fromActive,
        uint256 fromUnbonding,
        uint256 reward
    );
    /// @notice The votes of what a staker has with a validator go to `delegatee`; 0 for nobody.
    event VotesDelegated(
        address indexed validator,
        address indexed staker,
        address indexed delegatee,
        uint256 votes
    );
    /// @notice A delegate's votes from staked AVT changed.
    event DelegateVotesChanged(address indexed delegatee, uint256 before, uint256 votes);

    /// @notice No unbonding time is forced above the limit, so that nobody's stake is held for ever.
    error Staking_UnbondingTooLong(uint256 got, uint256 limit);
    /// @notice Nothing can be done with no amount.
    error Staking_ZeroAmount();
    /// @notice The amount is more than records hold, and than there can be.
    error Staking_AmountOutOfRange(uint256 got, uint256 limit);
    /// @notice There is no such validator.
    error Staking_UnknownValidator(address validator);
    /// @notice The caller is a validator already.
    error Staking_ValidatorExists(address validator);
    /// @notice The commission is above what governance allows.
    error Staking_CommissionTooHigh(uint256 got, uint256 limit);
    /// @notice The commission is within what governance allows.
    error Staking_CommissionWithinBound(address validator, uint256 got, uint256 limit);
    /// @notice No announced commission can begin yet (`effectiveAt`), or any more (0).
    error Staking_NoCommissionDue(address validator, uint256 effectiveAt);
    /// @notice There is less stake that could be used so.
    error Staking_InsufficientStake(uint256 got, uint256 limit);
    /// @notice The caller has locked less.
    error Staking_InsufficientLock(uint256 got, uint256 limit);
    /// @notice A validator's own stake stays with it until it has unbonded.
    error Staking_OwnStake(address validator);
    /// @notice There is no such unbonding stake, or it was withdrawn.
    error Staking_UnknownUnbonding(uint256 unbondingId);
    /// @notice Only its owner withdraws unbonding stake.
    error Staking_NotOwner(address caller, address owner);
    /// @notice The stake is still unbonding.
    error Staking_StillUnbonding(uint256 time, uint256 readyAt);
    /// @notice There is nothing to pay out.
    error Staking_NothingToClaim();
    /// @notice A slash needs someone to reward.
    error Staking_NoReporter();
    /// @notice The signed delegation counts no more.
    error Staking_DelegationExpired(uint256 time, uint256 expiry);
    /// @notice The staker did not sign this delegation.
    error Staking_BadSignature(address staker);
    /// @notice Votes can be asked for of the past only (ERC-5805).
    error Staking_FutureLookup(uint256 timepoint, uint256 clock);

    /// @notice Makes the caller a validator.
    /// @param commissionBps Its part of all rewards that stake with it earns.
    function registerValidator(uint256 commissionBps) external;

    /// @notice Announces another commission: a lower one can begin at once, a higher one after the unbonding time, so
    ///         that every delegator can leave before. It lapses a week after it could begin.
    function announceCommission(uint256 commissionBps) external;

    /// @notice Begins the validator's announced commission, if governance still allows it. Anyone may call.
    function beginCommission(address validator) external;

    /// @notice Lowers a commission to what governance allows, if a vote has put it above that since; what was
    ///         announced is dropped. Anyone may call.
    function boundCommission(address validator) external;

    /// @notice Stakes AVT that the caller has approved. Rewards earned so far stay claimable.
    function stake(address validator, uint256 assets) external;

    /// @notice Stakes with an EIP-2612 permit in the same transaction. A permit that somebody else already used is no
    ///         hindrance, as long as the approval stands.
    function stakeWithPermit(
        address validator,
        uint256 assets,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;

    /// @notice Takes stake out; it can be withdrawn after the unbonding time. Pays the rewards out. A validator's own
    ///         stake leaves as one: what still unbonds waits with what is added to it, and what has unbonded is paid.
    /// @param assets Base units; the greatest uint256 means all, of a validator's own stake all that is not locked.
    /// @return unbondingId By which it is withdrawn; a validator's own stake by its address.
    function unstake(address validator, uint256 assets) external returns (uint256 unbondingId);

    /// @notice Moves delegated stake from one validator to another at once, and pays the rewards out. The votes of
    ///         what is moved go where the staker has delegated those of its stake there.
    /// @param assets Base units; the greatest uint256 means all.
    function restake(address from, address to, uint256 assets) external;

    /// @notice Pays out unbonded stake. Only its owner may call.
    /// @return assets What was paid.
    function withdraw(uint256 unbondingId) external returns (uint256 assets);

    /// @notice Pays out the caller's rewards from stake with a validator, of any age.
    /// @return amount What was paid.
    function claim(address validator) external returns (uint256 amount);

    /// @notice Pays out the calling validator's commission.
    /// @return amount What was paid.
    function claimCommission() external returns (uint256 amount);

    /// @notice Funds rewards with AVT that the caller has approved.
    function fund(uint256 amount) external;

    /// @notice Takes the reward rate over from the parameters, from now on. Anyone may call.
    function updateRate() external;

    /// @notice Gives the votes of the caller's stake with a validator to `delegatee`; address(0) takes them back.
    function delegateVotes(address validator, address delegatee) external;

    /// @notice The same, signed by the staker: by its key, or, if it has code, by ERC-1271.
    function delegateBySig(Delegation calldata delegation, bytes calldata signature) external;

    /// @notice A validator as it stands; all zero for an unknown one.
    function validatorOf(address validator) external view returns (Validator memory state);

    /// @notice What a staker has with a validator.
    function stakeOf(address validator, address staker) external view returns (uint256 assets);

    /// @notice What `claim` would pay now.
    function rewardOf(address validator, address staker) external view returns (uint256 amount);

    /// @notice What `claimCommission` would pay now.
    function commissionOf(address validator) external view returns (uint256 amount);

    /// @notice Unbonding stake; all zero when there is none.
    function unbondingOf(uint256 unbondingId) external view returns (Unbonding memory unbonding);

    /// @notice How long stake unbonds that is taken out now.
    function unbondingSeconds() external view returns (uint256 time);

    /// @notice All active stake, and the funded rewards that nobody has earned yet, at this moment.
    function totals() external view returns (uint256 staked, uint256 reserve);

    /// @notice Who votes with what a staker has with a validator, and with how many votes.
    function votesOf(
        address validator,
        address staker
    ) external view returns (address delegatee, uint256 votes);

    /// @notice Voting power from staked AVT now.
    function getVotes(address account) external view returns (uint256 votes);
}
