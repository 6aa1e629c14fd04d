// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {BlockHeader} from "@openzeppelin/contracts/utils/BlockHeader.sol";
import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {IArbitrable} from "../interfaces/trust/IArbitrable.sol";
import {IArbitrator} from "../interfaces/trust/IArbitrator.sol";
import {IBonds} from "../interfaces/staking/IBonds.sol";
import {IDisputes} from "../interfaces/trust/IDisputes.sol";
import {IParameters} from "../interfaces/governance/IParameters.sol";
import {PanelPool} from "./PanelPool.sol";
import {Verdict} from "./Verdict.sol";

/// @notice See `IDisputes`: the cases, their panels' votes, and what panelists earn and lose. `PanelPool` has the
///         seats.
contract Disputes is PanelPool, AccessManaged, ReentrancyGuardTransient, IERC165 {
    struct Panel {
        address[] seats;
        uint128 fee;
        // What a seat loses, as it was when the panel was asked for.
        uint96 slash;
        uint8 committed;
        uint8 revealed;
        bool hasRuled;
        // Who gets what nobody on the panel earned.
        address payer;
        uint256 ruling;
    }

    struct Ballot {
        bytes32 commitment;
        // The vote plus one; 0 is none.
        uint256 vote;
    }

    bytes32 private constant FEE = "disputeFeeWei";
    bytes32 private constant SLASH = "disputeSlash";
    bytes32 private constant ABSENT = "dispute: no vote";
    bytes32 private constant INCOHERENT = "dispute: incoherent vote";
    /// @notice How long a panel remains undrawn where the pool is too small for it, seconds.
    uint256 public constant DRAW_PERIOD = 7 days;
    /// @notice How long a panel waits for seats to come free, seconds. All periods together are less than what Escrow
    ///         grants an arbitrator.
    uint256 public constant WAIT_PERIOD = 60 days;
    /// @notice How long a panel commits to its votes, seconds.
    uint256 public constant COMMIT_PERIOD = 2 days;
    /// @notice How long a panel reveals its votes, seconds.
    uint256 public constant REVEAL_PERIOD = 1 days;
    /// @notice How long a ruling can be appealed, seconds.
    uint256 public constant APPEAL_PERIOD = 2 days;
    /// @notice How long governance may take, seconds.
    uint256 public constant GOVERNANCE_PERIOD = 30 days;
    /// @notice Gas that an arbitrable may use to obey.
    uint256 public constant RULE_GAS = 300_000;
    /// @notice Gas that Staking may use to slash a seat.
    uint256 public constant SLASH_GAS = 500_000;

    /// @notice Who receives the rewards of slashes, first fees that nobody earned, and what first panels cost more
    ///         because others wait: nobody earns by filling the pool.
    address public immutable feeRecipient;

    /// @notice How many disputes there were; the last one's id.
    uint256 public disputeCount;
    mapping(uint256 disputeID => Case) private _cases;
    mapping(uint256 disputeID => mapping(uint256 round => Panel)) private _panels;
    mapping(uint256 disputeID => mapping(uint256 round => mapping(address panelist => Ballot)))
        private _ballots;
    mapping(address account => uint256) private _fees;

    /// @param authority The AccessManager whose admin is governance.
    /// @param bonds_ Where the bonds lie.
    /// @param parameters_ Where fees and bonds are read.
    /// @param feeRecipient_ Who receives the rewards of slashes, and what nobody earned of first fees.
    constructor(
        address authority,
        IBonds bonds_,
        IParameters parameters_,
        address feeRecipient_
    ) PanelPool(bonds_, parameters_) AccessManaged(authority) {
        feeRecipient = feeRecipient_;
    }

    /// @inheritdoc IArbitrator
    function createDispute(
        uint256 choices,
        bytes calldata extraData
    ) external payable returns (uint256 disputeID) {
        if (choices == 0 || choices > type(uint128).max)
            revert Disputes_BadChoices(choices, type(uint128).max);
        uint256 cost = arbitrationCost(extraData);
        _takeFee(cost);
        disputeID = ++disputeCount;
        Case storage state = _cases[disputeID];
        (state.arbitrable, state.choices) = (msg.sender, choices);
        emit DisputeCreation(disputeID, IArbitrable(msg.sender));
        uint256 fee = _feeOf(0);
        if (cost != fee) _fees[feeRecipient] += cost - fee;
        _convene(disputeID, state, feeRecipient, fee);
    }

    /// @inheritdoc IDisputes
    function draw(bytes calldata header) external {
        (uint256 disputeID, uint256 round, uint256 seedBlock) = _next();
        if (disputeID == 0) revert Disputes_NothingToDraw();
        if (block.number <= seedBlock) revert Disputes_SeedUnknown(block.number, seedBlock);
        Case storage state = _cases[disputeID];
        // Otherwise who knows the seed could choose between this and `tally`.
        if (_isGivenUp(state)) _fail(disputeID, state);
        if (state.stage != Stage.Drawing) return _endDraw(round);
        bytes32 seedHash = _hashOf(seedBlock);
        if (seedHash == 0) return _postponeDraw(disputeID, round);
        if (keccak256(header) != seedHash) revert Disputes_WrongHeader(keccak256(header), seedHash);
        bytes32 seed = keccak256(abi.encode(BlockHeader.getPrevRandao(header), disputeID, round));
        address[] storage seats = _panels[disputeID][round].seats;
        if (_pick(seats, round, seed)) return _postponeDraw(disputeID, round);
        _endDraw(round);
        (state.stage, state.until) = (Stage.Committing, block.timestamp + COMMIT_PERIOD);
        emit PanelDrawn(disputeID, round, seats, state.until);
    }

    /// @inheritdoc IDisputes
    function commit(uint256 disputeID, bytes32 commitment) external {
        Case storage state = _at(disputeID, Stage.Committing);
        if (block.timestamp >= state.until) revert Disputes_WrongTime(block.timestamp, state.until);
        (uint256 round, address panelist) = (state.round, msg.sender);
        Panel storage panel = _panels[disputeID][round];
        Ballot storage ballot = _ballots[disputeID][round][panelist];
        uint256 weight = _weightOf(panel, panelist);
        if (weight == 0 || commitment == 0 || ballot.commitment != 0) revert Disputes_NoVote(panelist);
        ballot.commitment = commitment;
        panel.committed += uint8(weight);
        emit Committed(disputeID, round, panelist, commitment);
        if (panel.committed == panel.seats.length)
            (state.stage, state.until) = (Stage.Revealing, block.timestamp + REVEAL_PERIOD);
    }

    /// @inheritdoc IDisputes
    function reveal(uint256 disputeID, uint256 ruling, bytes32 salt) external {
        Case storage state = _revealing(disputeID);
        if (block.timestamp >= state.until) revert Disputes_WrongTime(block.timestamp, state.until);
        if (ruling > state.choices) revert Disputes_BadRuling(ruling, state.choices);
        (uint256 round, address panelist) = (state.round, msg.sender);
        Ballot storage ballot = _ballots[disputeID][round][panelist];
        bytes32 commitment = commitmentOf(disputeID, round, panelist, ruling, salt);
        if (ballot.vote != 0 || ballot.commitment != commitment) revert Disputes_NoVote(panelist);
        ballot.vote = ruling + 1;
        Panel storage panel = _panels[disputeID][round];
        panel.revealed += uint8(_weightOf(panel, panelist));
        emit Voted(disputeID, round, panelist, ruling);
    }

    /// @inheritdoc IDisputes
    function tally(uint256 disputeID) external {
        Case storage state = _cases[disputeID];
        uint256 round = state.round;
        Panel storage panel = _panels[disputeID][round];
        if (state.stage == Stage.Drawing) {
            if (!_isGivenUp(state)) revert Disputes_WrongTime(block.timestamp, _untilDrawn(state));
            return _fail(disputeID, state);
        }
        _revealing(disputeID);
        uint256 revealed = panel.revealed;
        if (revealed < panel.committed && block.timestamp < state.until)
            revert Disputes_WrongTime(block.timestamp, state.until);
        if (2 * revealed <= panel.seats.length) return _fail(disputeID, state);
        uint256 ruling = Verdict.rulingOf(_votesOf(disputeID, round, panel));
        (panel.hasRuled, panel.ruling, state.ruling) = (true, ruling, ruling);
        emit Tallied(disputeID, round, revealed, ruling);
        if (round != 0) {
            state.stage = Stage.Solved;
            return;
        }
        (state.stage, state.until) = (Stage.Appealable, block.timestamp + APPEAL_PERIOD);
        emit AppealPossible(disputeID, IArbitrable(state.arbitrable));
    }

    /// @inheritdoc IArbitrator
    function appeal(uint256 disputeID, bytes calldata extraData) external payable {
        Case storage state = _at(disputeID, Stage.Appealable);
        if (block.timestamp >= state.until) revert Disputes_WrongTime(block.timestamp, state.until);
        uint256 cost = appealCost(disputeID, extraData);
        _takeFee(cost);
        state.round = 1;
        emit AppealDecision(disputeID, IArbitrable(state.arbitrable));
        _convene(disputeID, state, msg.sender, cost);
    }

    /// @inheritdoc IDisputes
    function ruleByGovernance(uint256 disputeID, uint256 ruling) external restricted {
        Case storage state = _at(disputeID, Stage.Governance);
        if (block.timestamp >= state.until) revert Disputes_WrongTime(block.timestamp, state.until);
        if (ruling > state.choices) revert Disputes_BadRuling(ruling, state.choices);
        (state.stage, state.ruling) = (Stage.Solved, ruling);
        emit GovernanceRuled(disputeID, ruling);
    }

    /// @inheritdoc IDisputes
    function execute(uint256 disputeID) external nonReentrant {
        Case storage state = _solved(disputeID);
        if (state.isExecuted) revert Disputes_Executed(disputeID);
        _requireGas(RULE_GAS);
        try IArbitrable(state.arbitrable).rule{gas: RULE_GAS}(disputeID, state.ruling) {
            state.isExecuted = true;
            emit Executed(disputeID, state.ruling, true);
        } catch {
            emit Executed(disputeID, state.ruling, false);
        }
    }

    /// @inheritdoc IDisputes
    function settleSeats(uint256 disputeID) external nonReentrant {
        _requireThawed();
        Case storage state = _cases[disputeID];
        // Governance judges nobody's vote: who sat on a panel that failed does not wait for it.
        if (state.stage != Stage.Governance) _solved(disputeID);
        if (state.isSettled) revert Disputes_Settled(disputeID);
        state.isSettled = true;
        uint256 minBond = _minBond();
        for (uint256 round = 0; round <= state.round; ++round) _settlePanel(disputeID, state, round, minBond);
    }

    /// @inheritdoc IDisputes
    function submitEvidence(uint256 disputeID, string calldata evidence) external {
        Stage stage = _cases[disputeID].stage;
        if (stage == Stage.None || stage == Stage.Solved) revert Disputes_WrongStage(disputeID, stage);
        emit Evidence(this, disputeID, msg.sender, evidence);
    }

    /// @inheritdoc IDisputes
    function withdrawFees(address payable to) external nonReentrant {
        uint256 amount = _fees[msg.sender];
        if (amount == 0) revert Disputes_NoFees(msg.sender);
        _fees[msg.sender] = 0;
        emit FeesWithdrawn(msg.sender, to, amount);
        if (!LowLevelCall.callNoReturn(to, amount, "")) revert Disputes_PaymentFailed(to, amount);
    }

    /// @inheritdoc IDisputes
    function caseOf(uint256 disputeID) external view returns (Case memory) {
        return _cases[disputeID];
    }

    /// @inheritdoc IDisputes
    function panelOf(uint256 disputeID, uint256 round) external view returns (address[] memory) {
        return _panels[disputeID][round].seats;
    }

    /// @inheritdoc IDisputes
    function feesOf(address account) external view returns (uint256) {
        return _fees[account];
    }

    /// @inheritdoc IArbitrator
    function appealPeriod(uint256 disputeID) external view returns (uint256 start, uint256 end) {
        Case storage state = _cases[disputeID];
        if (state.stage != Stage.Appealable) return (0, 0);
        return (state.until - APPEAL_PERIOD, state.until);
    }

    /// @inheritdoc IArbitrator
    function disputeStatus(uint256 disputeID) external view returns (DisputeStatus) {
        Stage stage = _cases[disputeID].stage;
        if (stage == Stage.Appealable) return DisputeStatus.Appealable;
        return stage == Stage.Solved ? DisputeStatus.Solved : DisputeStatus.Waiting;
    }

    /// @inheritdoc IArbitrator
    function currentRuling(uint256 disputeID) external view returns (uint256) {
        return _cases[disputeID].ruling;
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == type(IERC165).interfaceId || interfaceId == type(IArbitrator).interfaceId;
    }

    /// @inheritdoc IArbitrator
    function arbitrationCost(bytes calldata) public view returns (uint256) {
        return _feeOf(0) << _doublings();
    }

    /// @inheritdoc IArbitrator
    function appealCost(uint256, bytes calldata) public view returns (uint256) {
        return 2 * _feeOf(1);
    }

    /// @inheritdoc IDisputes
    function commitmentOf(
        uint256 disputeID,
        uint256 round,
        address panelist,
        uint256 ruling,
        bytes32 salt
    ) public pure returns (bytes32) {
        return keccak256(abi.encode(disputeID, round, panelist, ruling, salt));
    }

    /// @dev Asks for a panel. What it earns and loses is fixed now.
    function _convene(uint256 disputeID, Case storage state, address payer, uint256 fee) private {
        Panel storage panel = _panels[disputeID][state.round];
        uint256 slash = Math.min(parameters.valueOf(SLASH), type(uint96).max);
        (panel.fee, panel.slash, panel.payer) = (uint128(fee), uint96(slash), payer);
        (state.stage, state.until) = (Stage.Drawing, block.timestamp + WAIT_PERIOD);
        _requestDraw(disputeID, state.round);
    }

    /// @dev Without a panel's ruling: an appeal leaves the ruling that it was about, a first panel asks governance.
    function _fail(uint256 disputeID, Case storage state) private {
        if (state.round == 0)
            (state.stage, state.until) = (Stage.Governance, block.timestamp + GOVERNANCE_PERIOD);
        else state.stage = Stage.Solved;
        emit PanelFailed(disputeID, state.round, state.until);
    }

    /// @dev The earners share the fee. If the appeal overturned what this panel ruled, they share only what they would
    ///      have had anyway: the rest is the appellant's. Whoever has lost its seat is slashed.
    function _settlePanel(uint256 disputeID, Case storage state, uint256 round, uint256 minBond) private {
        Panel storage panel = _panels[disputeID][round];
        bool isOverturned = round == 0 && _isOverturned(disputeID, state);
        (bool[] memory isEarned, uint256 earners) = _earnersOf(disputeID, state, round);
        uint256 parts = isOverturned ? isEarned.length : earners;
        uint256 share = parts == 0 ? 0 : panel.fee / parts;
        address payer = isOverturned ? _panels[disputeID][1].payer : panel.payer;
        _fees[payer] += panel.fee - share * earners;
        for (uint256 i = 0; i < isEarned.length; ++i) {
            address panelist = panel.seats[i];
            _free(panelist, !isEarned[i], minBond);
            if (isEarned[i]) _fees[panelist] += share;
            else _punish(disputeID, round, panelist, panel.slash);
        }
        _unload(_sizeOf(round));
    }

    /// @dev The seats whose vote agrees with the final ruling; where no panel has ruled, whoever voted has done its
    ///      part.
    function _earnersOf(
        uint256 disputeID,
        Case storage state,
        uint256 round
    ) private view returns (bool[] memory isEarned, uint256 earners) {
        Panel storage panel = _panels[disputeID][round];
        isEarned = new bool[](panel.seats.length);
        for (uint256 i = 0; i < isEarned.length; ++i) {
            uint256 vote = _ballots[disputeID][round][panel.seats[i]].vote;
            if (vote == 0) continue;
            if (panel.hasRuled && !Verdict.isCoherent(vote - 1, state.ruling, state.choices)) continue;
            isEarned[i] = true;
            ++earners;
        }
    }

    /// @dev Whoever was absent leaves the pool, or loses this seat alone while it has to stay: absence is no way out. A
    ///      slash that Staking refuses, this being no slasher any more, holds nobody's fee or seat up.
    function _punish(uint256 disputeID, uint256 round, address panelist, uint256 amount) private {
        bool wasAbsent = _ballots[disputeID][round][panelist].vote == 0;
        if (wasAbsent && block.timestamp >= _mayLeaveFrom(panelist)) _remove(panelist);
        bytes32 reason = wasAbsent ? ABSENT : INCOHERENT;
        // Whoever settles must not be able to starve the slash and let the rest succeed.
        _requireGas(SLASH_GAS);
        try bonds.slash(panelist, amount, feeRecipient, reason) returns (uint256 slashed) {
            emit PanelistSlashed(disputeID, panelist, slashed, reason);
        } catch {
            emit PanelistSlashed(disputeID, panelist, 0, reason);
        }
    }

    /// @dev A case that is over, or is now that its time is.
    function _solved(uint256 disputeID) private returns (Case storage state) {
        state = _cases[disputeID];
        Stage stage = state.stage;
        if (stage == Stage.Appealable || stage == Stage.Governance) {
            if (block.timestamp < state.until) revert Disputes_WrongTime(block.timestamp, state.until);
            state.stage = Stage.Solved;
        } else if (stage != Stage.Solved) {
            revert Disputes_WrongStage(disputeID, stage);
        }
    }

    /// @dev A case whose panel reveals, or does so from now on because its time to commit is over.
    function _revealing(uint256 disputeID) private returns (Case storage state) {
        state = _cases[disputeID];
        if (state.stage == Stage.Committing) {
            if (block.timestamp < state.until) revert Disputes_WrongTime(block.timestamp, state.until);
            (state.stage, state.until) = (Stage.Revealing, state.until + REVEAL_PERIOD);
        } else if (state.stage != Stage.Revealing) {
            revert Disputes_WrongStage(disputeID, state.stage);
        }
    }

    function _at(uint256 disputeID, Stage wanted) private view returns (Case storage state) {
        state = _cases[disputeID];
        if (state.stage != wanted) revert Disputes_WrongStage(disputeID, state.stage);
    }

    /// @dev What comes in excess is the payer's: a price may fall until its transaction is included.
    function _takeFee(uint256 wanted) private {
        if (msg.value < wanted) revert Disputes_WrongFee(msg.value, wanted);
        if (msg.value != wanted) _fees[msg.sender] += msg.value - wanted;
    }

    /// @dev For a call that may fail: with less it would fail whatever it does.
    function _requireGas(uint256 forwarded) private view {
        uint256 wanted = (forwarded * 64) / 63;
        if (gasleft() < wanted) revert Disputes_OutOfGas(gasleft(), wanted);
    }

    /// @dev A panel's fee where nobody waits.
    function _feeOf(uint256 round) private view returns (uint256) {
        return parameters.valueOf(FEE) * _sizeOf(round);
    }

    /// @dev A panel that nobody has drawn, and nobody may any more.
    function _isGivenUp(Case storage state) private view returns (bool) {
        return state.stage == Stage.Drawing && block.timestamp >= _untilDrawn(state);
    }

    /// @dev Seats come free; where there are too few even then, nobody is to wait for long.
    function _untilDrawn(Case storage state) private view returns (uint256) {
        return _isTooSmall() ? state.until - WAIT_PERIOD + DRAW_PERIOD : state.until;
    }

    function _weightOf(Panel storage panel, address panelist) private view returns (uint256 weight) {
        for (uint256 i = 0; i < panel.seats.length; ++i) if (panel.seats[i] == panelist) ++weight;
    }

    /// @dev Whether an appeal's panel ruled otherwise than the first.
    function _isOverturned(uint256 disputeID, Case storage state) private view returns (bool) {
        if (!_panels[disputeID][1].hasRuled) return false;
        return !Verdict.isCoherent(_panels[disputeID][0].ruling, state.ruling, state.choices);
    }

    /// @dev The votes that were given, a seat each.
    function _votesOf(
        uint256 disputeID,
        uint256 round,
        Panel storage panel
    ) private view returns (uint256[] memory votes) {
        votes = new uint256[](panel.revealed);
        uint256 count;
        for (uint256 i = 0; i < panel.seats.length; ++i) {
            uint256 vote = _ballots[disputeID][round][panel.seats[i]].vote;
            if (vote != 0) votes[count++] = vote - 1;
        }
    }
}
