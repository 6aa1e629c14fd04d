// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Arrays} from "@openzeppelin/contracts/utils/Arrays.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IAgents} from "../interfaces/trust/IAgents.sol";
import {IAgreements} from "../interfaces/payments/IAgreements.sol";
import {IBatchSettlement} from "../interfaces/payments/IBatchSettlement.sol";
import {IEscrow} from "../interfaces/payments/IEscrow.sol";
import {IReputationRegistry} from "../interfaces/trust/IReputationRegistry.sol";
import {FeedbackBook} from "./FeedbackBook.sol";
import {ScoreMath} from "./ScoreMath.sol";

/// @notice See `IReputationRegistry`: what payments do to a score. `FeedbackBook` is the standard's part.
contract ReputationRegistry is FeedbackBook, AccessManaged {
    /// @dev One slot. In millionths of a point as of `day`; `rise` is the window of what it rose by.
    struct Score {
        int48 points;
        uint32 day;
        uint176 rise;
    }

    uint256 private constant POINT = ScoreMath.POINT;
    /// @dev Feedback that comes of a signal has the points that it gave as its value, in millionths.
    uint8 private constant POINT_DECIMALS = 6;
    int256 private constant BOUND = MAX_SCORE * int256(POINT);

    /// @notice Highest score in points; its negative is the lowest.
    int256 public constant MAX_SCORE = 1_000;
    /// @notice The least that a signal moves, in millionths of a point.
    uint256 public constant MIN_SIGNAL = POINT / 10;
    /// @notice The most that one client moves an agent's score by, up and down together, in any 30 days.
    uint256 public constant CLIENT_LIMIT = 10 * POINT;
    /// @notice The most that all clients together raise an agent's score by in any 30 days, by signals and by taking
    ///         some back, less the signals that they take back: an agent that pays itself through others loses nothing
    ///         by it, so it is made slow.
    uint256 public constant RISE_LIMIT = 150 * POINT;

    IEscrow private immutable _escrow;
    IBatchSettlement private immutable _settlement;

    /// @inheritdoc IReputationRegistry
    mapping(address token => uint256) public unitOf;
    mapping(uint256 agentId => Score) private _scores;
    mapping(uint256 jobId => uint256) private _spentByJob;
    mapping(bytes32 channelId => uint256) private _spentByChannel;

    /// @param agents The identity registry.
    /// @param escrow Where agreements are paid.
    /// @param settlement The payment channels.
    /// @param authority The AccessManager whose admin lists tokens.
    /// @param tokens The tokens that are listed from the start.
    constructor(
        IAgents agents,
        IEscrow escrow,
        IBatchSettlement settlement,
        address authority,
        TokenUnit[] memory tokens
    ) FeedbackBook(agents) AccessManaged(authority) {
        (_escrow, _settlement) = (escrow, settlement);
        for (uint256 i = 0; i < tokens.length; ++i) _setToken(tokens[i].token, tokens[i].unit);
    }

    /// @inheritdoc IReputationRegistry
    function setToken(address token, uint256 unit) external restricted {
        _setToken(token, unit);
    }

    /// @inheritdoc IReputationRegistry
    function signalByAgreement(
        uint256 agentId,
        uint256 jobId,
        IAgreements.Agreement calldata agreement,
        bool isPositive
    ) external returns (uint64) {
        if (msg.sender != agreement.buyer) revert ReputationRegistry_NotPayer(msg.sender, agreement.buyer);
        _requirePaid(agentId, agreement.seller);
        uint256 paid = _paidBy(jobId, agreement);
        uint256 spent = _spentByJob[jobId];
        _spentByJob[jobId] = paid;
        return _signal(agentId, _worth(agreement.token, spent, paid), isPositive, "escrow");
    }

    /// @inheritdoc IReputationRegistry
    function signalByChannel(
        uint256 agentId,
        IBatchSettlement.ChannelConfig calldata config,
        bool isPositive
    ) external returns (uint64) {
        if (msg.sender != config.payer) revert ReputationRegistry_NotPayer(msg.sender, config.payer);
        _requirePaid(agentId, config.receiver);
        bytes32 channelId = _settlement.getChannelId(config);
        (, uint128 claimed) = _settlement.channels(channelId);
        uint256 spent = _spentByChannel[channelId];
        _spentByChannel[channelId] = claimed;
        return _signal(agentId, _worth(config.token, spent, claimed), isPositive, "channel");
    }

    /// @inheritdoc IReputationRegistry
    function scoreOf(uint256 agentId) external view returns (int256) {
        return exactScoreOf(agentId) / int256(POINT);
    }

    /// @inheritdoc IReputationRegistry
    function signalOf(
        uint256 agentId,
        address clientAddress,
        uint64 feedbackIndex
    ) external view returns (int256 given, int256 left) {
        _requireFeedback(agentId, clientAddress, feedbackIndex);
        Feedback storage feedback = _feedback[agentId][clientAddress][feedbackIndex];
        given = feedback.given;
        if (!feedback.isRevoked) left = _left(feedback);
    }

    /// @inheritdoc IReputationRegistry
    function exactScoreOf(uint256 agentId) public view returns (int256) {
        Score storage score = _scores[agentId];
        return ScoreMath.fade(score.points, ScoreMath.today() - score.day);
    }

    /// @inheritdoc IReputationRegistry
    function roomOf(uint256 agentId, address client, bool isPositive) public view returns (uint256 points) {
        (uint256 day, int256 score) = (ScoreMath.today(), exactScoreOf(agentId));
        points = ScoreMath.room(_clientOf[agentId][client].window, day, CLIENT_LIMIT);
        points = Math.min(points, uint256(isPositive ? BOUND - score : score + BOUND));
        if (isPositive) points = Math.min(points, ScoreMath.room(_scores[agentId].rise, day, RISE_LIMIT));
    }

    /// @dev What it raises is charged to the agent's window, or signals against oneself would be a store of points.
    ///      What it lowers frees that window, or somebody could keep it full with signals that do not stand; but not
    ///      where the bound cut something off, or signals in a circle would raise the agent beyond its limit. The
    ///      client's own window stays charged.
    /// @inheritdoc FeedbackBook
    function _takeBack(uint256 agentId, uint64 feedbackIndex, Feedback storage feedback) internal override {
        Score storage score = _scores[agentId];
        (int256 by, int256 before, uint32 day) = (-_left(feedback), exactScoreOf(agentId), ScoreMath.today());
        if (by > 0) by = int256(Math.min(uint256(by), ScoreMath.room(score.rise, day, RISE_LIMIT)));
        int256 after_ = _move(agentId, by);
        if (feedback.given < 0) score.rise = ScoreMath.charge(score.rise, day, uint256(after_ - before));
        else if (after_ == before + by)
            score.rise = ScoreMath.free(score.rise, day, feedback.day, uint48(feedback.given));
        emit Signalled(agentId, msg.sender, feedbackIndex, after_ - before, after_);
    }

    function _signal(
        uint256 agentId,
        uint256 worth,
        bool isPositive,
        string memory source
    ) private returns (uint64 index) {
        _requireOther(agentId, true);
        uint256 room = roomOf(agentId, msg.sender, isPositive);
        if (room < MIN_SIGNAL) revert ReputationRegistry_NoRoom(room, MIN_SIGNAL);
        uint256 points = Math.min(worth, room);
        uint32 day = ScoreMath.today();
        Client storage client = _clientOf[agentId][msg.sender];
        client.window = ScoreMath.charge(client.window, day, points);
        Score storage score = _scores[agentId];
        if (isPositive) score.rise = ScoreMath.charge(score.rise, day, points);
        int48 given = isPositive ? int48(uint48(points)) : -int48(uint48(points));
        int256 after_ = _move(agentId, given);
        index = _addTicket(agentId, given, day, source);
        emit Signalled(agentId, msg.sender, index, given, after_);
    }

    /// @dev The feedback that says what a signal gave.
    function _addTicket(
        uint256 agentId,
        int48 given,
        uint32 day,
        string memory source
    ) private returns (uint64 index) {
        index = _add(agentId, Feedback(given, POINT_DECIMALS, false, given, day, TICKET, source));
        emit NewFeedback(
            agentId,
            msg.sender,
            index,
            given,
            POINT_DECIMALS,
            TICKET,
            TICKET,
            source,
            "",
            "",
            0
        );
    }

    /// @dev Clamped when it is written, so that no surplus is kept that could hide what comes later. A signal fits by
    ///      its room; of a revocation is lost what would leave the bounds.
    function _move(uint256 agentId, int256 by) private returns (int256 points) {
        points = exactScoreOf(agentId) + by;
        if (points > BOUND) points = BOUND;
        if (points < -BOUND) points = -BOUND;
        Score storage score = _scores[agentId];
        (score.points, score.day) = (int48(points), ScoreMath.today());
    }

    function _setToken(address token, uint256 unit) private {
        unitOf[token] = unit;
        emit TokenSet(token, unit);
    }

    function _left(Feedback storage feedback) private view returns (int256) {
        return ScoreMath.fade(feedback.given, ScoreMath.today() - feedback.day);
    }

    /// @dev What was paid since the last signal, in millionths of a point.
    function _worth(address token, uint256 spent, uint256 paid) private view returns (uint256 points) {
        uint256 unit = unitOf[token];
        if (unit == 0) revert ReputationRegistry_TokenNotListed(token);
        if (paid > spent) points = Math.mulDiv(paid - spent, POINT, unit);
        if (points < MIN_SIGNAL) revert ReputationRegistry_NoTicket(spent, paid);
    }

    /// @dev What Escrow paid to the seller in full milestones. Escrow says how many there were, and not which: where
    ///      some were split between the parties, the smallest of those that are settled are taken for them.
    function _paidBy(
        uint256 jobId,
        IAgreements.Agreement calldata agreement
    ) private view returns (uint256 amount) {
        (uint256 paid, ) = _escrow.outcomeOf(jobId, agreement);
        (, uint256 settled, ) = _escrow.statusOf(jobId);
        uint256[] memory milestones = new uint256[](settled);
        for (uint256 i = 0; i < settled; ++i) milestones[i] = agreement.milestones[i].amount;
        if (paid < settled) Arrays.sort(milestones);
        for (uint256 i = 0; i < paid; ++i) amount += milestones[i];
    }

    /// @dev Whoever was paid must be a wallet of the agent's. One that it has left counts, or it would leave the wallet
    ///      in front of what its payers say.
    function _requirePaid(uint256 agentId, address payee) private view {
        if (!_agents.hasProven(agentId, payee))
            revert ReputationRegistry_NotPaid(payee, _agents.getAgentWallet(agentId));
    }
}
