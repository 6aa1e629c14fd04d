// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IArbitrator} from "./IArbitrator.sol";
import {IEvidence} from "./IEvidence.sol";

/// @title Disputes
/// @notice Decides disputes by a panel of staked validators, an appeal to a larger one, and governance if the first
///         panel fails.
/// @dev An ERC-792 arbitrator.
///      A validator takes seats in the pool, each for `disputeMinBond` of its own stake, which Staking locks for it. A
///      panel is drawn from the seats, so that chances follow stake and splitting it over names changes nothing; a
///      seat sits on one panel at a time. Where too few seats are free, a panel waits until others are settled; a first
///      panel also until half of the pool is left for appeals. Its price doubles with each half of the pool that
///      disputes have taken or wait for; an appeal's does not change.
///      The seed is the beacon's randomness (EIP-4399) in the header of a block two epochs after the request; whoever
///      proposes blocks just before can change it by withholding them, one bit each.
///      Panelists commit to their votes, then reveal them. The ruling is the median, so that a split in basis points
///      cannot be pulled to an end by one. A panel of which a majority of seats did not reveal has failed: an appeal
///      then leaves the ruling as it was; a first panel leaves it to governance, and if that is silent, 0: refused.
///      Seats are settled when the ruling is final: those whose vote agrees with it share their panel's fee; those
///      whose vote does not, or that did not vote, lose `disputeSlash` of own stake and leave the pool. If an appeal
///      overturns a ruling, what the first panel's losers would have had is the appellant's.
///      Parameters: `disputeFeeWei` (for each seat), `disputeMinBond` (for each seat, as of when it joined or last
///      sat), `disputeSlash` (as of when the panel was asked for).
interface IDisputes is IArbitrator, IEvidence {
    /// @notice Where a dispute stands.
    enum Stage {
        None,
        Drawing,
        Committing,
        Revealing,
        Appealable,
        Governance,
        Solved
    }

    /// @notice A dispute as it stands.
    /// @param arbitrable Who asked.
    /// @param choices Rulings go from 1 to this.
    /// @param round 0, or 1 after an appeal.
    /// @param stage Where it stands.
    /// @param until When the stage ends, Unix seconds.
    /// @param ruling The present one.
    /// @param isExecuted Whether the arbitrable has obeyed.
    /// @param isSettled Whether fees and seats are settled.
    struct Case {
        address arbitrable;
        uint256 choices;
        uint256 round;
        Stage stage;
        uint256 until;
        uint256 ruling;
        bool isExecuted;
        bool isSettled;
    }

    /// @notice A validator has so many seats that can be drawn.
    event PoolChanged(address indexed validator, uint256 seats);
    /// @notice A panel will be drawn with the randomness of a later block. If it was asked for before, it is postponed,
    ///         and so are those that were asked for after it in the same round.
    event DrawRequested(uint256 indexed disputeID, uint256 indexed round, uint256 seedBlock);
    /// @notice A panel was drawn.
    event PanelDrawn(uint256 indexed disputeID, uint256 indexed round, address[] panel, uint256 until);
    /// @notice A panelist committed to its vote.
    event Committed(
        uint256 indexed disputeID,
        uint256 indexed round,
        address indexed panelist,
        bytes32 commitment
    );
    /// @notice A panelist revealed its vote.
    event Voted(uint256 indexed disputeID, uint256 indexed round, address indexed panelist, uint256 ruling);
    /// @notice The votes were counted.
    event Tallied(uint256 indexed disputeID, uint256 indexed round, uint256 votes, uint256 ruling);
    /// @notice There was no panel, or too few of it voted. After a first one governance may rule until `until`; after
    ///         an appeal the ruling stays.
    event PanelFailed(uint256 indexed disputeID, uint256 indexed round, uint256 until);
    /// @notice Governance ruled.
    event GovernanceRuled(uint256 indexed disputeID, uint256 ruling);
    /// @notice A panelist who did not vote, or not as was ruled, was slashed.
    event PanelistSlashed(
        uint256 indexed disputeID,
        address indexed panelist,
        uint256 slashed,
        bytes32 reason
    );
    /// @notice The arbitrable obeyed the final ruling, or could not yet.
    event Executed(uint256 indexed disputeID, uint256 ruling, bool isObeyed);
    /// @notice Fees were withdrawn.
    event FeesWithdrawn(address indexed account, address indexed to, uint256 amount);

    /// @notice The bond of the caller's seats is lower than a seat needs now, or nothing.
    error Disputes_BondTooLow(uint256 bond, uint256 wanted);
    /// @notice The validator's seats are bonded as they must be.
    error Disputes_Bonded(address validator);
    /// @notice Seats must be 1 to `limit`.
    error Disputes_BadSeats(uint256 got, uint256 limit);
    /// @notice The validator has no seats in the pool.
    error Disputes_NotInPool(address validator);
    /// @notice This dispute's panel comes first: its seed is known, or soon is. `draw` thaws the pool.
    error Disputes_PoolFrozen(uint256 disputeID, uint256 seedBlock);
    /// @notice No panel waits to be drawn.
    error Disputes_NothingToDraw();
    /// @notice The block that seeds the draw must be over.
    error Disputes_SeedUnknown(uint256 blockNumber, uint256 seedBlock);
    /// @notice This is not the header of the block that seeds the draw.
    error Disputes_WrongHeader(bytes32 got, bytes32 wanted);
    /// @notice Choices must be 1 to `limit`.
    error Disputes_BadChoices(uint256 got, uint256 limit);
    /// @notice This is less than what it costs now.
    error Disputes_WrongFee(uint256 got, uint256 wanted);
    /// @notice There is no such dispute, or it is at another stage.
    error Disputes_WrongStage(uint256 disputeID, Stage stage);
    /// @notice It is too early or too late for this.
    error Disputes_WrongTime(uint256 time, uint256 until);
    /// @notice The caller is not on this panel, has voted, or committed to another vote.
    error Disputes_NoVote(address caller);
    /// @notice There is no such choice.
    error Disputes_BadRuling(uint256 got, uint256 limit);
    /// @notice The arbitrable has obeyed already.
    error Disputes_Executed(uint256 disputeID);
    /// @notice Fees and seats are settled already.
    error Disputes_Settled(uint256 disputeID);
    /// @notice Sent with too little gas to tell a call that fails from one that is starved.
    error Disputes_OutOfGas(uint256 got, uint256 wanted);
    /// @notice There is nothing to withdraw.
    error Disputes_NoFees(address account);
    /// @notice The recipient did not take the coin.
    error Disputes_PaymentFailed(address to, uint256 amount);

    /// @notice Takes seats in the pool for the calling validator, and locks `disputeMinBond` of its own stake for each.
    ///         Seats that it has already must have as much.
    function joinPool(uint256 seats) external;

    /// @notice Takes all free seats of the calling validator out of the pool and unlocks their bonds, `MIN_STAY` after
    ///         it last took any. Those that sit on panels are unlocked when they are settled.
    function leavePool() external;

    /// @notice Takes a validator out of the pool whose own stake, without what others have locked of it, is less than
    ///         what is locked for its seats, since it was slashed. A draw asks for nobody's stake. Anyone may call.
    function evict(address validator) external;

    /// @notice Draws the panel that is next. If there are too few seats, or the block's hash is no longer known
    ///         (EIP-2935: after 8,191 blocks), a later block is to seed the draw. Anyone may call.
    /// @param header The RLP-encoded header of the block that seeds the draw.
    function draw(bytes calldata header) external;

    /// @notice Commits to a vote, for all seats of the caller on the panel. Once all have, they may reveal.
    /// @param commitment As `commitmentOf` says.
    function commit(uint256 disputeID, bytes32 commitment) external;

    /// @notice Reveals the caller's vote, 0 to the dispute's choices.
    /// @param salt As it was committed to.
    function reveal(uint256 disputeID, uint256 ruling, bytes32 salt) external;

    /// @notice Counts the votes once all that were committed are revealed, or the time is over; gives up a panel that
    ///         was not drawn in `WAIT_PERIOD`, or in `DRAW_PERIOD` if the pool has too few seats for a case and its
    ///         appeal. Anyone may call.
    function tally(uint256 disputeID) external;

    /// @notice Rules where a panel failed.
    /// @custom:role admin
    function ruleByGovernance(uint256 disputeID, uint256 ruling) external;

    /// @notice Makes the ruling final once it can be appealed no more, and tells the arbitrable. May be repeated until
    ///         it obeys. Anyone may call.
    function execute(uint256 disputeID) external;

    /// @notice Pays and frees the seats of a dispute whose ruling is final or governance's, and slashes those who lost
    ///         theirs. A seat whose bond is less than `disputeMinBond` by now leaves the pool. Anyone may call.
    function settleSeats(uint256 disputeID) external;

    /// @notice Hands in evidence on an open dispute (ERC-1497).
    function submitEvidence(uint256 disputeID, string calldata evidence) external;

    /// @notice Withdraws the caller's fees to `to`.
    function withdrawFees(address payable to) external;

    /// @notice A dispute.
    function caseOf(uint256 disputeID) external view returns (Case memory state);

    /// @notice The panel of a round, a validator for each seat.
    function panelOf(uint256 disputeID, uint256 round) external view returns (address[] memory panel);

    /// @notice A validator's seats: those that can be drawn, those that sit on panels, and the bond of each, in base
    ///         units of AVT.
    function seatsOf(address validator) external view returns (uint256 free, uint256 seated, uint256 bond);

    /// @notice How many seats there are, and how many are taken.
    /// @return free Those that can be drawn.
    /// @return seats All of those in the pool, free or on panels.
    /// @return busy Those that disputes have taken or wait for, until they are settled. The price of a first panel
    ///         doubles with each half of `seats`.
    function poolSeats() external view returns (uint256 free, uint256 seats, uint256 busy);

    /// @notice The dispute whose panel is drawn next, and the block that seeds it; zeros if none waits.
    function nextDraw() external view returns (uint256 disputeID, uint256 seedBlock);

    /// @notice What a panelist commits to: the hash of dispute, round, itself, vote and a salt that nobody can guess.
    function commitmentOf(
        uint256 disputeID,
        uint256 round,
        address panelist,
        uint256 ruling,
        bytes32 salt
    ) external view returns (bytes32 commitment);

    /// @notice What an account could withdraw, in wei.
    function feesOf(address account) external view returns (uint256 amount);
}
