// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Governor} from "@openzeppelin/contracts/governance/Governor.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {GovernorCountingSimple} from "@openzeppelin/contracts/governance/extensions/GovernorCountingSimple.sol";
import {GovernorPreventLateQuorum} from "@openzeppelin/contracts/governance/extensions/GovernorPreventLateQuorum.sol";
import {GovernorSettings} from "@openzeppelin/contracts/governance/extensions/GovernorSettings.sol";
import {GovernorTimelockControl} from "@openzeppelin/contracts/governance/extensions/GovernorTimelockControl.sol";
import {GovernorVotes} from "@openzeppelin/contracts/governance/extensions/GovernorVotes.sol";
// solhint-disable-next-line max-line-length
import {GovernorVotesQuorumFraction} from "@openzeppelin/contracts/governance/extensions/GovernorVotesQuorumFraction.sol";
import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IVotingStake} from "../interfaces/staking/IVotingStake.sol";

/// @title AgentGovernor
/// @notice Holders and stakers of AVT propose, vote and, through the timelock, execute. OpenZeppelin's Governor; what
///         is added is that staked AVT votes too and stays until the vote is carried out or has expired, and that a
///         guardian may postpone what was decided, once.
/// @dev Staked tokens belong to Staking, which delegates them to nobody, so no vote counts twice. A quorum that is
///      reached at the last moment extends the vote. The governor must be the timelock's only executor: the timelock
///      itself knows neither of what is postponed nor of what has expired.
contract AgentGovernor is
    Governor,
    GovernorSettings,
    GovernorCountingSimple,
    GovernorVotes,
    GovernorVotesQuorumFraction,
    GovernorPreventLateQuorum,
    GovernorTimelockControl
{
    /// @notice How a governor starts; each is changed by a vote only.
    /// @param votingDelaySeconds From proposal to snapshot.
    /// @param votingPeriodSeconds From snapshot to the end of the vote.
    /// @param lateQuorumSeconds How long a vote goes on at least after its quorum is reached.
    /// @param proposalThreshold Votes that a proposer needs, in base units of AVT.
    /// @param quorumPercent Part of the supply that must vote for or abstain, in percent.
    /// @param guardian Who may postpone; address(0) for nobody.
    struct Settings {
        uint48 votingDelaySeconds;
        uint32 votingPeriodSeconds;
        uint48 lateQuorumSeconds;
        uint256 proposalThreshold;
        uint256 quorumPercent;
        address guardian;
    }

    /// @notice How much later a postponed proposal is carried out at the earliest, seconds after its timelock.
    uint256 public constant POSTPONEMENT = 3 days;
    /// @notice How long what has succeeded can be queued, and for how long at least what was queued and postponed can
    ///         then be executed, seconds each.
    uint256 public constant GRACE = 1 days;

    /// @notice Counts the votes of staked AVT.
    IVotingStake public immutable staking;

    /// @notice Who may postpone; address(0) for nobody.
    address public guardian;
    /// @notice Before when a postponed proposal is not carried out, Unix seconds; 0 for one that is not postponed.
    mapping(uint256 proposalId => uint256) public postponedUntil;
    /// @notice From when on a proposal is not carried out any more, Unix seconds: `voteSeconds` after it was made, as
    ///         votes were then. Later ones may take longer, but whose stake voted on this one may leave from then on.
    mapping(uint256 proposalId => uint256) public expiresAt;

    /// @notice Another guardian.
    event GuardianSet(address indexed guardian);
    /// @notice The guardian postponed a proposal.
    event ProposalPostponed(uint256 indexed proposalId, uint256 until);

    /// @notice Only the guardian postpones.
    error AgentGovernor_NotGuardian(address caller, address guardian);
    /// @notice The proposal is postponed: it can be carried out from `until` on, and can't be postponed again.
    error AgentGovernor_Postponed(uint256 proposalId, uint256 until);

    /// @param token AVT.
    /// @param staking_ Where AVT is staked.
    /// @param timelock Executes what was decided; this governor must be its only proposer and executor.
    /// @param settings How it starts.
    constructor(
        IVotes token,
        IVotingStake staking_,
        TimelockController timelock,
        Settings memory settings
    )
        Governor("AgentGovernor")
        GovernorSettings(
            settings.votingDelaySeconds,
            settings.votingPeriodSeconds,
            settings.proposalThreshold
        )
        GovernorVotes(token)
        GovernorVotesQuorumFraction(settings.quorumPercent)
        GovernorPreventLateQuorum(settings.lateQuorumSeconds)
        GovernorTimelockControl(timelock)
    {
        staking = staking_;
        _setGuardian(settings.guardian);
    }

    /// @notice Postpones a proposal that waits in the timelock, once. For the guardian: all it can do is to give
    ///         those whom a decision would harm time to leave.
    function postpone(uint256 proposalId) external {
        if (msg.sender != guardian) revert AgentGovernor_NotGuardian(msg.sender, guardian);
        uint256 until = postponedUntil[proposalId];
        if (until != 0) revert AgentGovernor_Postponed(proposalId, until);
        _validateStateBitmap(proposalId, _encodeStateBitmap(ProposalState.Queued));
        // A timelock that was lengthened meanwhile leaves less time, of which the last day is not the guardian's.
        until = Math.min(proposalEta(proposalId) + POSTPONEMENT, expiresAt[proposalId] - GRACE);
        postponedUntil[proposalId] = until;
        emit ProposalPostponed(proposalId, until);
    }

    /// @notice Names who may postpone, or with address(0) nobody. By a vote.
    function setGuardian(address guardian_) external onlyGovernance {
        _setGuardian(guardian_);
    }

    /// @notice How long it takes at the most from a proposal until it is carried out or has expired, with a late
    ///         quorum, postponed, and queued and executed at the last moment.
    function voteSeconds() public view returns (uint256) {
        return
            votingDelay() +
            votingPeriod() +
            lateQuorumVoteExtension() +
            TimelockController(payable(timelock())).getMinDelay() +
            POSTPONEMENT +
            2 * GRACE;
    }

    /// @inheritdoc Governor
    /// @dev What nobody queues within `GRACE`, or executes before `expiresAt`, has expired and must be proposed anew.
    function state(
        uint256 proposalId
    ) public view override(Governor, GovernorTimelockControl) returns (ProposalState) {
        ProposalState current = super.state(proposalId);
        bool isQueued = current == ProposalState.Queued;
        if (!isQueued && current != ProposalState.Succeeded) return current;
        bool hasExpired =
            block.timestamp >= expiresAt[proposalId] ||
                (!isQueued && block.timestamp > proposalDeadline(proposalId) + GRACE);
        return hasExpired ? ProposalState.Expired : current;
    }

    /// @inheritdoc Governor
    function proposalDeadline(
        uint256 proposalId
    ) public view override(Governor, GovernorPreventLateQuorum) returns (uint256) {
        return super.proposalDeadline(proposalId);
    }

    /// @inheritdoc Governor
    function proposalNeedsQueuing(
        uint256 proposalId
    ) public view override(Governor, GovernorTimelockControl) returns (bool) {
        return super.proposalNeedsQueuing(proposalId);
    }

    /// @inheritdoc Governor
    function proposalThreshold() public view override(Governor, GovernorSettings) returns (uint256) {
        return super.proposalThreshold();
    }

    function _propose(
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        string memory description,
        address proposer
    ) internal override returns (uint256 proposalId) {
        proposalId = super._propose(targets, values, calldatas, description, proposer);
        expiresAt[proposalId] = block.timestamp + voteSeconds();
    }

    function _tallyUpdated(uint256 proposalId) internal override(Governor, GovernorPreventLateQuorum) {
        super._tallyUpdated(proposalId);
    }

    function _queueOperations(
        uint256 proposalId,
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) returns (uint48) {
        return super._queueOperations(proposalId, targets, values, calldatas, descriptionHash);
    }

    /// @dev Whatever was decided, a vote's own length included: from then on stake unbonds no faster than votes take.
    function _executeOperations(
        uint256 proposalId,
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) {
        uint256 until = postponedUntil[proposalId];
        if (block.timestamp < until) revert AgentGovernor_Postponed(proposalId, until);
        super._executeOperations(proposalId, targets, values, calldatas, descriptionHash);
        uint256 time = voteSeconds();
        if (time > staking.minUnbondingSeconds()) staking.lengthenUnbonding(time);
    }

    function _cancel(
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) returns (uint256) {
        return super._cancel(targets, values, calldatas, descriptionHash);
    }

    function _getVotes(
        address account,
        uint256 timepoint,
        bytes memory params
    ) internal view override(Governor, GovernorVotes) returns (uint256) {
        return super._getVotes(account, timepoint, params) + staking.getPastVotes(account, timepoint);
    }

    function _executor() internal view override(Governor, GovernorTimelockControl) returns (address) {
        return super._executor();
    }

    function _setGuardian(address guardian_) private {
        guardian = guardian_;
        emit GuardianSet(guardian_);
    }
}
