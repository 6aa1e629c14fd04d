// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IAgents} from "../interfaces/trust/IAgents.sol";
import {IAgreements} from "../interfaces/payments/IAgreements.sol";
import {IBatchSettlement} from "../interfaces/payments/IBatchSettlement.sol";
import {IParameters} from "../interfaces/governance/IParameters.sol";
import {IReputationRegistry} from "../interfaces/trust/IReputationRegistry.sol";

/// @notice See `IReputationRegistry`. The views that loop are the standard's; nothing that writes loops.
contract ReputationRegistry is IReputationRegistry {
    struct Feedback {
        int128 value;
        uint8 valueDecimals;
        bool isRevoked;
        // What it added to the score: +1, -1 or, without a ticket, 0.
        int8 signal;
        string tag1;
        string tag2;
    }

    uint256 private constant MAX_DECIMALS = 18;
    /// @notice Highest score; its negative is the lowest.
    int256 public constant MAX_SCORE = 1_000;
    bytes32 private constant TICKET = "ticketMinAmount";

    IAgents private immutable _agents;
    IAgreements private immutable _agreements;
    IBatchSettlement private immutable _settlement;
    IParameters private immutable _parameters;

    mapping(uint256 agentId => mapping(address client => mapping(uint64 index => Feedback)))
        private _feedback;
    mapping(uint256 agentId => mapping(address client => uint64)) private _lastIndex;
    mapping(uint256 agentId => address[]) private _clients;
    mapping(bytes32 entry => address[]) private _responders;
    mapping(bytes32 entry => mapping(address responder => uint64)) private _responses;
    /// @dev The sum of all signals. The score is it, kept within its bounds when read, so that revoking undoes
    ///         exactly.
    mapping(uint256 agentId => int256) private _signals;
    mapping(uint256 jobId => uint256) private _spentByJob;
    mapping(bytes32 channelId => uint256) private _spentByChannel;

    /// @param agents The identity registry.
    /// @param agreements Escrow.
    /// @param settlement The payment channels.
    /// @param parameters Where a ticket's value is read.
    constructor(IAgents agents, IAgreements agreements, IBatchSettlement settlement, IParameters parameters) {
        (_agents, _agreements, _settlement, _parameters) = (agents, agreements, settlement, parameters);
    }

    /// @inheritdoc IReputationRegistry
    function giveFeedback(
        uint256 agentId,
        int128 value,
        uint8 valueDecimals,
        string memory tag1,
        string memory tag2,
        string memory endpoint,
        string memory feedbackURI,
        bytes32 feedbackHash
    ) external {
        if (valueDecimals > MAX_DECIMALS)
            revert ReputationRegistry_TooManyDecimals(valueDecimals, MAX_DECIMALS);
        uint64 index = _add(agentId, Feedback(value, valueDecimals, false, 0, tag1, tag2));
        emit NewFeedback(
            agentId,
            msg.sender,
            index,
            value,
            valueDecimals,
            tag1,
            tag1,
            tag2,
            endpoint,
            feedbackURI,
            feedbackHash
        );
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
        (uint256 paid, ) = _agreements.outcomeOf(jobId, agreement);
        uint256 spent = _spentByJob[jobId];
        if (spent >= paid) revert ReputationRegistry_NoTicket(spent, paid);
        _spentByJob[jobId] = spent + 1;
        return _signal(agentId, isPositive, "escrow");
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
        uint256 spent = _spentByChannel[channelId] + _parameters.valueOf(TICKET);
        if (spent > claimed) revert ReputationRegistry_NoTicket(spent, claimed);
        _spentByChannel[channelId] = spent;
        return _signal(agentId, isPositive, "channel");
    }

    /// @inheritdoc IReputationRegistry
    function revokeFeedback(uint256 agentId, uint64 feedbackIndex) external {
        _requireFeedback(agentId, msg.sender, feedbackIndex);
        Feedback storage feedback = _feedback[agentId][msg.sender][feedbackIndex];
        if (feedback.isRevoked) revert ReputationRegistry_Revoked(feedbackIndex);
        feedback.isRevoked = true;
        emit FeedbackRevoked(agentId, msg.sender, feedbackIndex);
        int256 signal = feedback.signal;
        if (signal == 0) return;
        _signals[agentId] -= signal;
        emit Signalled(agentId, msg.sender, feedbackIndex, -signal, scoreOf(agentId));
    }

    /// @inheritdoc IReputationRegistry
    function appendResponse(
        uint256 agentId,
        address clientAddress,
        uint64 feedbackIndex,
        string calldata responseURI,
        bytes32 responseHash
    ) external {
        _requireFeedback(agentId, clientAddress, feedbackIndex);
        if (bytes(responseURI).length == 0) revert ReputationRegistry_EmptyResponse();
        bytes32 entry = _entry(agentId, clientAddress, feedbackIndex);
        if (_responses[entry][msg.sender]++ == 0) _responders[entry].push(msg.sender);
        emit ResponseAppended(agentId, clientAddress, feedbackIndex, msg.sender, responseURI, responseHash);
    }

    /// @inheritdoc IReputationRegistry
    function getIdentityRegistry() external view returns (address) {
        return address(_agents);
    }

    /// @inheritdoc IReputationRegistry
    function getSummary(
        uint256 agentId,
        address[] memory clientAddresses,
        string memory tag1,
        string memory tag2
    ) external view returns (uint64, int128, uint8) {
        if (clientAddresses.length == 0) revert ReputationRegistry_NoClients();
        (address[] memory clients, uint64[] memory indexes) = _matching(
            agentId,
            clientAddresses,
            tag1,
            tag2,
            false
        );
        (int128[] memory values, uint8[] memory decimals, ) = _valuesOf(agentId, clients, indexes);
        return _average(values, decimals);
    }

    /// @inheritdoc IReputationRegistry
    function readFeedback(
        uint256 agentId,
        address clientAddress,
        uint64 feedbackIndex
    ) external view returns (int128, uint8, string memory, string memory, bool) {
        _requireFeedback(agentId, clientAddress, feedbackIndex);
        Feedback storage feedback = _feedback[agentId][clientAddress][feedbackIndex];
        return (feedback.value, feedback.valueDecimals, feedback.tag1, feedback.tag2, feedback.isRevoked);
    }

    /// @inheritdoc IReputationRegistry
    function readAllFeedback(
        uint256 agentId,
        address[] memory clientAddresses,
        string memory tag1,
        string memory tag2,
        bool includeRevoked
    )
        external
        view
        returns (
            address[] memory clients,
            uint64[] memory feedbackIndexes,
            int128[] memory values,
            uint8[] memory valueDecimals,
            string[] memory tag1s,
            string[] memory tag2s,
            bool[] memory revokedStatuses
        )
    {
        (clients, feedbackIndexes) = _matching(agentId, clientAddresses, tag1, tag2, includeRevoked);
        (values, valueDecimals, revokedStatuses) = _valuesOf(agentId, clients, feedbackIndexes);
        (tag1s, tag2s) = _tagsOf(agentId, clients, feedbackIndexes);
    }

    /// @inheritdoc IReputationRegistry
    function getResponseCount(
        uint256 agentId,
        address clientAddress,
        uint64 feedbackIndex,
        address[] calldata responders
    ) external view returns (uint64 count) {
        address[] memory clients = _clients[agentId];
        if (clientAddress != address(0)) {
            clients = new address[](1);
            clients[0] = clientAddress;
        }
        for (uint256 i = 0; i < clients.length; ++i) {
            bool isOne = clientAddress != address(0) && feedbackIndex != 0;
            uint64 last = isOne ? feedbackIndex : _lastIndex[agentId][clients[i]];
            for (uint64 j = isOne ? feedbackIndex : 1; j <= last; ++j)
                count += _countResponses(_entry(agentId, clients[i], j), responders);
        }
    }

    /// @inheritdoc IReputationRegistry
    function getClients(uint256 agentId) external view returns (address[] memory) {
        return _clients[agentId];
    }

    /// @inheritdoc IReputationRegistry
    function getLastIndex(uint256 agentId, address clientAddress) external view returns (uint64) {
        return _lastIndex[agentId][clientAddress];
    }

    /// @inheritdoc IReputationRegistry
    function scoreOf(uint256 agentId) public view returns (int256 score) {
        score = _signals[agentId];
        if (score > MAX_SCORE) score = MAX_SCORE;
        if (score < -MAX_SCORE) score = -MAX_SCORE;
    }

    function _signal(uint256 agentId, bool isPositive, string memory source) private returns (uint64 index) {
        int8 signal = isPositive ? int8(1) : int8(-1);
        index = _add(agentId, Feedback(signal, 0, false, signal, "ticket", source));
        _signals[agentId] += signal;
        emit NewFeedback(agentId, msg.sender, index, signal, 0, "ticket", "ticket", source, "", "", 0);
        emit Signalled(agentId, msg.sender, index, signal, scoreOf(agentId));
    }

    function _add(uint256 agentId, Feedback memory feedback) private returns (uint64 index) {
        if (agentId == 0 || agentId > _agents.agentCount()) revert ReputationRegistry_UnknownAgent(agentId);
        if (_agents.isAuthorizedOrOwner(msg.sender, agentId) || _agents.getAgentWallet(agentId) == msg.sender)
            revert ReputationRegistry_SelfFeedback(msg.sender, agentId);
        index = ++_lastIndex[agentId][msg.sender];
        if (index == 1) _clients[agentId].push(msg.sender);
        _feedback[agentId][msg.sender][index] = feedback;
    }

    /// @dev Whoever was paid must be the agent's proven wallet.
    function _requirePaid(uint256 agentId, address payee) private view {
        address wallet = _agents.getAgentWallet(agentId);
        if (wallet == address(0) || payee != wallet) revert ReputationRegistry_NotPaid(payee, wallet);
    }

    function _requireFeedback(uint256 agentId, address client, uint64 index) private view {
        if (index == 0 || index > _lastIndex[agentId][client])
            revert ReputationRegistry_UnknownFeedback(agentId, client, index);
    }

    function _countResponses(
        bytes32 entry,
        address[] calldata responders
    ) private view returns (uint64 count) {
        address[] memory named = responders;
        if (named.length == 0) named = _responders[entry];
        for (uint256 i = 0; i < named.length; ++i) count += _responses[entry][named[i]];
    }

    /// @dev Once to count, once to fill: arrays in memory cannot grow.
    function _matching(
        uint256 agentId,
        address[] memory named,
        string memory tag1,
        string memory tag2,
        bool includeRevoked
    ) private view returns (address[] memory clients, uint64[] memory indexes) {
        if (named.length == 0) named = _clients[agentId];
        for (uint256 round = 0; round < 2; ++round) {
            uint256 count = 0;
            for (uint256 i = 0; i < named.length; ++i) {
                uint64 last = _lastIndex[agentId][named[i]];
                for (uint64 j = 1; j <= last; ++j) {
                    Feedback storage feedback = _feedback[agentId][named[i]][j];
                    if ((feedback.isRevoked && !includeRevoked) || !_hasTags(feedback, tag1, tag2)) continue;
                    if (round == 1) (clients[count], indexes[count]) = (named[i], j);
                    ++count;
                }
            }
            if (round == 0) (clients, indexes) = (new address[](count), new uint64[](count));
        }
    }

    function _valuesOf(
        uint256 agentId,
        address[] memory clients,
        uint64[] memory indexes
    ) private view returns (int128[] memory values, uint8[] memory decimals, bool[] memory revoked) {
        values = new int128[](clients.length);
        decimals = new uint8[](clients.length);
        revoked = new bool[](clients.length);
        for (uint256 i = 0; i < clients.length; ++i) {
            Feedback storage feedback = _feedback[agentId][clients[i]][indexes[i]];
            (values[i], decimals[i], revoked[i]) = (
                feedback.value,
                feedback.valueDecimals,
                feedback.isRevoked
            );
        }
    }

    /// @dev At the most decimals among the values, rounded towards zero.
    function _average(
        int128[] memory values,
        uint8[] memory decimals
    ) private pure returns (uint64 count, int128 average, uint8 averageDecimals) {
        count = uint64(values.length);
        if (count == 0) return (0, 0, 0);
        int256 sum;
        for (uint256 i = 0; i < count; ++i) {
            sum += int256(values[i]) * int256(10 ** (MAX_DECIMALS - decimals[i]));
            if (decimals[i] > averageDecimals) averageDecimals = decimals[i];
        }
        average = SafeCast.toInt128(
            sum / int256(uint256(count)) / int256(10 ** (MAX_DECIMALS - averageDecimals))
        );
    }

    function _tagsOf(
        uint256 agentId,
        address[] memory clients,
        uint64[] memory indexes
    ) private view returns (string[] memory tag1s, string[] memory tag2s) {
        tag1s = new string[](clients.length);
        tag2s = new string[](clients.length);
        for (uint256 i = 0; i < clients.length; ++i) {
            Feedback storage feedback = _feedback[agentId][clients[i]][indexes[i]];
            (tag1s[i], tag2s[i]) = (feedback.tag1, feedback.tag2);
        }
    }

    function _hasTags(
        Feedback storage feedback,
        string memory tag1,
        string memory tag2
    ) private view returns (bool) {
        return
            (bytes(tag1).length == 0 || keccak256(bytes(tag1)) == keccak256(bytes(feedback.tag1))) &&
            (bytes(tag2).length == 0 || keccak256(bytes(tag2)) == keccak256(bytes(feedback.tag2)));
    }

    function _entry(uint256 agentId, address client, uint64 index) private pure returns (bytes32) {
        return keccak256(abi.encode(agentId, client, index));
    }
}
