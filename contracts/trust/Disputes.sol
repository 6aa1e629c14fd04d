// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {EnumerableSet} from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";
import {IArbitrable} from "../interfaces/trust/IArbitrable.sol";
import {IArbitrator} from "../interfaces/trust/IArbitrator.sol";
import {IBonds} from "../interfaces/staking/IBonds.sol";
import {IDisputes} from "../interfaces/trust/IDisputes.sol";
import {IParameters} from "../interfaces/governance/IParameters.sol";

/// @notice See `IDisputes`.
contract Disputes is IDisputes, AccessManaged, ReentrancyGuardTransient, IERC165 {
    using EnumerableSet for EnumerableSet.AddressSet;

    struct Panel {
        address[] seats;
        // Votes plus one, by seat; 0 is none.
        uint256[] votes;
        uint256 fee;
    }

    bytes32 private constant FEE = "disputeFeeWei";
    bytes32 private constant MIN_BOND = "disputeMinBond";
    bytes32 private constant SLASH = "disputeSlash";
    bytes32 private constant REASON = "dispute: no vote";
    /// @notice Seats of the first panel.
    uint256 public constant SEATS = 3;
    /// @notice Seats of the appeal's panel.
    uint256 public constant APPEAL_SEATS = 5;
    /// @notice How long a panel votes, seconds.
    uint256 public constant VOTING_PERIOD = 3 days;
    /// @notice How long a ruling can be appealed, seconds.
    uint256 public constant APPEAL_PERIOD = 2 days;
    /// @notice How long governance may take, seconds.
    uint256 public constant GOVERNANCE_PERIOD = 30 days;
    /// @notice Gas that an arbitrable may use to obey.
    uint256 public constant RULE_GAS = 300_000;

    /// @notice Where the bonds lie.
    IBonds public immutable bonds;
    /// @notice Where fees and bonds are read.
    IParameters public immutable parameters;
    /// @notice Who receives the rewards of slashes, and fees that nobody earned.
    address public immutable feeRecipient;

    /// @notice How many disputes there were; the last one's id.
    uint256 public disputeCount;
    EnumerableSet.AddressSet private _pool;
    mapping(uint256 disputeID => Case) private _cases;
    mapping(uint256 disputeID => mapping(uint256 round => Panel)) private _panels;
    mapping(address account => uint256) private _fees;

    /// @param authority The AccessManager whose admin is governance.
    /// @param bonds_ Where the bonds lie.
    /// @param parameters_ Where fees and bonds are read.
    /// @param feeRecipient_ Who receives the rewards of slashes, and fees that nobody earned.
    constructor(
        address authority,
        IBonds bonds_,
        IParameters parameters_,
        address feeRecipient_
    ) AccessManaged(authority) {
        (bonds, parameters, feeRecipient) = (bonds_, parameters_, feeRecipient_);
    }

    /// @inheritdoc IDisputes
    function joinPool() external {
        uint256 bond = bonds.bondOf(msg.sender);
        uint256 wanted = parameters.valueOf(MIN_BOND);
        if (bond < wanted || bond == 0) revert Disputes_BondTooLow(bond, wanted);
        if (!_pool.add(msg.sender)) revert Disputes_PoolUnchanged(msg.sender);
        emit PoolChanged(msg.sender, true);
    }

    /// @inheritdoc IDisputes
    function leavePool() external {
        if (!_pool.remove(msg.sender)) revert Disputes_PoolUnchanged(msg.sender);
        emit PoolChanged(msg.sender, false);
    }

    /// @inheritdoc IArbitrator
    function createDispute(
        uint256 choices,
        bytes calldata extraData
    ) external payable returns (uint256 disputeID) {
        if (choices == 0) revert Disputes_NoChoices();
        _requireFee(arbitrationCost(extraData));
        disputeID = ++disputeCount;
        Case storage state = _cases[disputeID];
        (state.arbitrable, state.choices) = (msg.sender, choices);
        emit DisputeCreation(disputeID, IArbitrable(msg.sender));
        _draw(disputeID, state, SEATS);
    }

    /// @inheritdoc IDisputes
    function vote(uint256 disputeID, uint256 ruling) external {
        Case storage state = _at(disputeID, Stage.Voting);
        if (block.timestamp >= state.until) revert Disputes_WrongTime(block.timestamp, state.until);
        if (ruling > state.choices) revert Disputes_BadRuling(ruling, state.choices);
        Panel storage panel = _panels[disputeID][state.round];
        for (uint256 i = 0; i < panel.seats.length; ++i) {
            if (panel.seats[i] != msg.sender || panel.votes[i] != 0) continue;
            panel.votes[i] = ruling + 1;
            emit Voted(disputeID, state.round, msg.sender, ruling);
            return;
        }
        revert Disputes_NoVote(msg.sender);
    }

    /// @inheritdoc IDisputes
    function tally(uint256 disputeID) external nonReentrant {
        Case storage state = _at(disputeID, Stage.Voting);
        Panel storage panel = _panels[disputeID][state.round];
        (uint256[] memory votes, uint256 count) = _sorted(panel.votes);
        uint256 seats = panel.seats.length;
        if (count < seats && block.timestamp < state.until)
            revert Disputes_WrongTime(block.timestamp, state.until);
        _settleSeats(disputeID, panel, count);
        if (2 * count <= seats) return _toGovernance(disputeID, state);
        // The median; of an even number the lower of the two in the middle.
        state.ruling = votes[(count - 1) / 2] - 1;
        emit Tallied(disputeID, state.round, count, state.ruling);
        if (state.round == 0) {
            (state.stage, state.until) = (Stage.Appealable, block.timestamp + APPEAL_PERIOD);
            emit AppealPossible(disputeID, IArbitrable(state.arbitrable));
        } else {
            state.stage = Stage.Solved;
        }
    }

    /// @inheritdoc IArbitrator
    function appeal(uint256 disputeID, bytes calldata extraData) external payable {
        Case storage state = _at(disputeID, Stage.Appealable);
        if (block.timestamp >= state.until) revert Disputes_WrongTime(block.timestamp, state.until);
        _requireFee(appealCost(disputeID, extraData));
        state.round = 1;
        emit AppealDecision(disputeID, IArbitrable(state.arbitrable));
        _draw(disputeID, state, APPEAL_SEATS);
    }

    /// @inheritdoc IDisputes
    function ruleByGovernance(uint256 disputeID, uint256 ruling) external restricted {
        Case storage state = _at(disputeID, Stage.Governance);
        if (ruling > state.choices) revert Disputes_BadRuling(ruling, state.choices);
        (state.stage, state.ruling) = (Stage.Solved, ruling);
        emit GovernanceRuled(disputeID, ruling);
    }

    /// @inheritdoc IDisputes
    function execute(uint256 disputeID) external nonReentrant {
        Case storage state = _cases[disputeID];
        Stage stage = state.stage;
        if (stage == Stage.Appealable || stage == Stage.Governance) {
            if (block.timestamp < state.until) revert Disputes_WrongTime(block.timestamp, state.until);
            // Governance was silent: refused.
            if (stage == Stage.Governance) state.ruling = 0;
            state.stage = Stage.Solved;
        } else if (stage != Stage.Solved) {
            revert Disputes_WrongStage(disputeID, stage);
        }
        if (state.isExecuted) revert Disputes_Executed(disputeID);
        uint256 wanted = (RULE_GAS * 64) / 63;
        if (gasleft() < wanted) revert Disputes_OutOfGas(gasleft(), wanted);
        try IArbitrable(state.arbitrable).rule{gas: RULE_GAS}(disputeID, state.ruling) {
            state.isExecuted = true;
            emit Executed(disputeID, state.ruling, true);
        } catch {
            emit Executed(disputeID, state.ruling, false);
        }
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
    function isInPool(address validator) external view returns (bool) {
        return _pool.contains(validator);
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
        return parameters.valueOf(FEE) * SEATS;
    }

    /// @inheritdoc IArbitrator
    function appealCost(uint256, bytes calldata) public view returns (uint256) {
        return 2 * parameters.valueOf(FEE) * APPEAL_SEATS;
    }

    /// @dev Draws distinct validators of the pool; with too few of them governance rules.
    function _draw(uint256 disputeID, Case storage state, uint256 seats) private {
        Panel storage panel = _panels[disputeID][state.round];
        panel.fee = msg.value;
        uint256 size = _pool.length();
        if (size < seats) {
            _fees[feeRecipient] += msg.value;
            return _toGovernance(disputeID, state);
        }
        uint256 seed = uint256(keccak256(abi.encode(block.prevrandao, disputeID, state.round)));
        for (uint256 i = 0; i < seats; ++i) {
            uint256 at = uint256(keccak256(abi.encode(seed, i))) % size;
            // Whoever sits already is passed over: at most as many steps as there are seats.
            while (_sits(panel, _pool.at(at))) at = (at + 1) % size;
            panel.seats.push(_pool.at(at));
            panel.votes.push(0);
        }
        (state.stage, state.until) = (Stage.Voting, block.timestamp + VOTING_PERIOD);
        emit PanelDrawn(disputeID, state.round, panel.seats, state.until);
    }

    function _toGovernance(uint256 disputeID, Case storage state) private {
        (state.stage, state.until) = (Stage.Governance, block.timestamp + GOVERNANCE_PERIOD);
        emit PanelFailed(disputeID, state.round, state.until);
    }

    /// @dev Voters share the fee; whoever did not vote is slashed and leaves the pool.
    function _settleSeats(uint256 disputeID, Panel storage panel, uint256 count) private {
        uint256 share = count == 0 ? 0 : panel.fee / count;
        for (uint256 i = 0; i < panel.seats.length; ++i) {
            address panelist = panel.seats[i];
            if (panel.votes[i] != 0) {
                _fees[panelist] += share;
                continue;
            }
            if (_pool.remove(panelist)) emit PoolChanged(panelist, false);
            uint256 slashed = bonds.slash(panelist, parameters.valueOf(SLASH), feeRecipient, REASON);
            emit PanelistSlashed(disputeID, panelist, slashed);
        }
        _fees[feeRecipient] += panel.fee - share * count;
    }

    function _sits(Panel storage panel, address validator) private view returns (bool) {
        for (uint256 i = 0; i < panel.seats.length; ++i) if (panel.seats[i] == validator) return true;
        return false;
    }

    function _at(uint256 disputeID, Stage wanted) private view returns (Case storage state) {
        state = _cases[disputeID];
        if (state.stage != wanted) revert Disputes_WrongStage(disputeID, state.stage);
    }

    function _requireFee(uint256 wanted) private view {
        if (msg.value != wanted) revert Disputes_WrongFee(msg.value, wanted);
    }

    /// @dev The votes that were given, ascending, and how many.
    function _sorted(uint256[] memory votes) private pure returns (uint256[] memory given, uint256 count) {
        given = votes;
        for (uint256 i = 0; i < votes.length; ++i) {
            uint256 current = votes[i];
            if (current == 0) continue;
            uint256 j = count++;
            for (; j > 0 && given[j - 1] > current; --j) given[j] = given[j - 1];
            given[j] = current;
        }
    }
}
