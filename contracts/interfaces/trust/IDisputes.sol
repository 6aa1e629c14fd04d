// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IArbitrator} from "./IArbitrator.sol";
import {IEvidence} from "./IEvidence.sol";

/// @title Disputes
/// @notice Decides disputes by a panel of staked validators, an appeal to a larger one, and governance if a
///         panel fails.
/// @dev An ERC-792 arbitrator. A panel is drawn from a pool of validators whose own stake is at least
///         `disputeMinBond`. Each
///      panelist votes for a ruling by the deadline; the ruling is the median of the votes, so that a split in
///      basis points
///      cannot be pulled to an end by one. Whoever does not vote is slashed and leaves the pool; voters share
///      the fee. With
///      less than a majority of votes governance rules, and if it is silent the ruling is 0, "refused".
///      The draw uses the beacon's randomness (EIP-4399), which a block's proposer can influence by one bit:
///      fees and bonds
///      are to be set with that in mind.
///      Parameters: `disputeFeeWei` (for each seat), `disputeMinBond`, `disputeSlash`.
interface IDisputes is IArbitrator, IEvidence {
    /// @notice Where a dispute stands.
    enum Stage {
        None,
        Voting,
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
    struct Case {
        address arbitrable;
        uint256 choices;
        uint256 round;
        Stage stage;
        uint256 until;
        uint256 ruling;
        bool isExecuted;
    }

    /// @notice A validator may be drawn from now on, or no more.
    event PoolChanged(address indexed validator, bool isIn);
    /// @notice A panel was drawn.
    event PanelDrawn(uint256 indexed disputeID, uint256 indexed round, address[] panel, uint256 until);
    /// @notice A panelist voted.
    event Voted(uint256 indexed disputeID, uint256 indexed round, address indexed panelist, uint256 ruling);
    /// @notice The votes were counted.
    event Tallied(uint256 indexed disputeID, uint256 indexed round, uint256 votes, uint256 ruling);
    /// @notice Governance must rule: there was no panel, or too few of it voted.
    event PanelFailed(uint256 indexed disputeID, uint256 indexed round, uint256 until);
    /// @notice Governance ruled.
    event GovernanceRuled(uint256 indexed disputeID, uint256 ruling);
    /// @notice A panelist who did not vote was slashed.
    event PanelistSlashed(uint256 indexed disputeID, address indexed panelist, uint256 slashed);
    /// @notice The arbitrable obeyed the final ruling, or could not yet.
    event Executed(uint256 indexed disputeID, uint256 ruling, bool isObeyed);
    /// @notice Fees were withdrawn.
    event FeesWithdrawn(address indexed account, address indexed to, uint256 amount);

    /// @notice The validator's own stake is too low.
    error Disputes_BondTooLow(uint256 bond, uint256 wanted);
    /// @notice The caller is in the pool already, or is not.
    error Disputes_PoolUnchanged(address validator);
    /// @notice There is something to choose.
    error Disputes_NoChoices();
    /// @notice The fee is exact.
    error Disputes_WrongFee(uint256 got, uint256 wanted);
    /// @notice There is no such dispute, or it is at another stage.
    error Disputes_WrongStage(uint256 disputeID, Stage stage);
    /// @notice It is too early or too late for this.
    error Disputes_WrongTime(uint256 time, uint256 until);
    /// @notice The caller is not on this panel, or has voted.
    error Disputes_NoVote(address caller);
    /// @notice There is no such choice.
    error Disputes_BadRuling(uint256 got, uint256 limit);
    /// @notice The arbitrable has obeyed already.
    error Disputes_Executed(uint256 disputeID);
    /// @notice Sent with too little gas to tell an arbitrable that fails from one that is starved.
    error Disputes_OutOfGas(uint256 got, uint256 wanted);
    /// @notice There is nothing to withdraw.
    error Disputes_NoFees(address account);
    /// @notice The recipient did not take the coin.
    error Disputes_PaymentFailed(address to, uint256 amount);

    /// @notice Puts the calling validator into the pool.
    function joinPool() external;

    /// @notice Takes the calling validator out of the pool; seats that it has stay its own.
    function leavePool() external;

    /// @notice Votes for a ruling, 0 to the dispute's choices. For its panel.
    function vote(uint256 disputeID, uint256 ruling) external;

    /// @notice Counts the votes once all have voted or the time is over. Anyone may call.
    function tally(uint256 disputeID) external;

    /// @notice Rules where a panel failed.
    /// @custom:role admin
    function ruleByGovernance(uint256 disputeID, uint256 ruling) external;

    /// @notice Makes the ruling final once it can be appealed no more, and tells the arbitrable. May be
    ///         repeated until it
    ///         obeys. Anyone may call.
    function execute(uint256 disputeID) external;

    /// @notice Hands in evidence on an open dispute (ERC-1497).
    function submitEvidence(uint256 disputeID, string calldata evidence) external;

    /// @notice Withdraws the caller's fees to `to`.
    function withdrawFees(address payable to) external;

    /// @notice A dispute.
    function caseOf(uint256 disputeID) external view returns (Case memory state);

    /// @notice The panel of a round.
    function panelOf(uint256 disputeID, uint256 round) external view returns (address[] memory panel);

    /// @notice Whether a validator may be drawn.
    function isInPool(address validator) external view returns (bool isIn);

    /// @notice What an account could withdraw, in wei.
    function feesOf(address account) external view returns (uint256 amount);
}
