// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IAgents} from "../interfaces/trust/IAgents.sol";
import {IReputationRegistry} from "../interfaces/trust/IReputationRegistry.sol";
import {FeedbackTally} from "./FeedbackTally.sol";

/// @notice Feedback as ERC-8004 has it: who gave which, what was answered, and what it comes to.
/// @dev Nothing that writes loops over feedback, nor does the summary: each client has tallies of its own. The other
///      views that loop are the standard's, and have pages beside them. What an entry's responses come to is kept, so
///      that nobody makes an entry's count dearer by answering to it.
abstract contract FeedbackBook is IReputationRegistry {
    using FeedbackTally for mapping(bytes32 key => FeedbackTally.Tally);

    /// @dev The first slot is full but for 32 bits. `given` and `day` are a signal's: what it gave to the score, in
    ///      millionths of a point, and when.
    struct Feedback {
        int128 value;
        uint8 valueDecimals;
        bool isRevoked;
        int48 given;
        uint32 day;
        string tag1;
        string tag2;
    }

    /// @dev One slot: the number of its last entry, and the window of what it has moved the agent's score by.
    struct Client {
        uint64 lastIndex;
        uint176 window;
    }

    uint8 internal constant MAX_DECIMALS = 18;
    /// @dev The first tag of what comes of a signal, and of nothing else.
    string internal constant TICKET = "ticket";
    /// @dev As the standard's reference has it.
    int128 private constant MAX_VALUE = 1e38;

    IAgents internal immutable _agents;

    mapping(uint256 agentId => mapping(address client => mapping(uint64 index => Feedback)))
        internal _feedback;
    mapping(uint256 agentId => mapping(address client => Client)) internal _clientOf;
    mapping(uint256 agentId => address[]) private _clients;
    /// @dev How many responses an entry has from each, and from all under address(0).
    mapping(bytes32 entry => mapping(address responder => uint64)) private _responses;
    mapping(bytes32 key => FeedbackTally.Tally) private _tallies;

    constructor(IAgents agents) {
        _agents = agents;
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
        if (value > MAX_VALUE || value < -MAX_VALUE)
            revert ReputationRegistry_ValueTooLarge(value, MAX_VALUE);
        if (keccak256(bytes(tag1)) == keccak256(bytes(TICKET))) revert ReputationRegistry_ReservedTag();
        if (agentId == 0 || agentId > _agents.agentCount()) revert ReputationRegistry_UnknownAgent(agentId);
        _requireOther(agentId, _hasSignalled(agentId));
        uint64 index = _add(agentId, Feedback(value, valueDecimals, false, 0, 0, tag1, tag2));
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
    function revokeFeedback(uint256 agentId, uint64 feedbackIndex) external {
        _requireFeedback(agentId, msg.sender, feedbackIndex);
        Feedback storage feedback = _feedback[agentId][msg.sender][feedbackIndex];
        if (feedback.isRevoked) revert ReputationRegistry_Revoked(feedbackIndex);
        feedback.isRevoked = true;
        (int128 value, uint8 decimals) = (feedback.value, feedback.valueDecimals);
        _tallies.remove(agentId, msg.sender, feedback.tag1, feedback.tag2, value, decimals);
        emit FeedbackRevoked(agentId, msg.sender, feedbackIndex);
        if (feedback.given != 0) _takeBack(agentId, feedbackIndex, feedback);
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
        mapping(address responder => uint64) storage responses = _responses[
            _entry(agentId, clientAddress, feedbackIndex)
        ];
        ++responses[msg.sender];
        ++responses[address(0)];
        emit ResponseAppended(agentId, clientAddress, feedbackIndex, msg.sender, responseURI, responseHash);
    }

    /// @inheritdoc IReputationRegistry
    function getIdentityRegistry() external view returns (address) {
        return address(_agents);
    }

    /// @inheritdoc IReputationRegistry
    function getSummary(
        uint256 agentId,
        address[] calldata clientAddresses,
        string calldata tag1,
        string calldata tag2
    ) external view returns (uint64, int128, uint8) {
        if (clientAddresses.length == 0) revert ReputationRegistry_NoClients();
        return _tallies.summary(agentId, clientAddresses, tag1, tag2);
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
    function readFeedbackPage(
        uint256 agentId,
        address clientAddress,
        uint64 from,
        uint64 limit
    )
        external
        view
        returns (
            int128[] memory values,
            uint8[] memory valueDecimals,
            string[] memory tag1s,
            string[] memory tag2s,
            bool[] memory revokedStatuses
        )
    {
        _requireFeedback(agentId, clientAddress, from);
        uint256 count = Math.min(limit, _clientOf[agentId][clientAddress].lastIndex - from + 1);
        address[] memory clients = new address[](count);
        uint64[] memory indexes = new uint64[](count);
        for (uint64 i = 0; i < count; ++i) (clients[i], indexes[i]) = (clientAddress, from + i);
        (values, valueDecimals, revokedStatuses) = _valuesOf(agentId, clients, indexes);
        (tag1s, tag2s) = _tagsOf(agentId, clients, indexes);
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
            uint64 last = isOne ? feedbackIndex : _clientOf[agentId][clients[i]].lastIndex;
            for (uint64 j = isOne ? feedbackIndex : 1; j <= last; ++j)
                count += _countResponses(_entry(agentId, clients[i], j), responders);
        }
    }

    /// @inheritdoc IReputationRegistry
    function getResponseCountPage(
        uint256 agentId,
        address clientAddress,
        uint64 from,
        uint64 limit,
        address[] calldata responders
    ) external view returns (uint64 count) {
        _requireFeedback(agentId, clientAddress, from);
        uint256 entries = Math.min(limit, _clientOf[agentId][clientAddress].lastIndex - from + 1);
        for (uint64 i = 0; i < entries; ++i)
            count += _countResponses(_entry(agentId, clientAddress, from + i), responders);
    }

    /// @inheritdoc IReputationRegistry
    function getClients(uint256 agentId) external view returns (address[] memory) {
        return _clients[agentId];
    }

    /// @inheritdoc IReputationRegistry
    function getClientsPage(
        uint256 agentId,
        uint256 from,
        uint256 limit
    ) external view returns (address[] memory clients, uint256 total) {
        address[] storage all = _clients[agentId];
        total = all.length;
        clients = new address[](from < total ? Math.min(limit, total - from) : 0);
        for (uint256 i = 0; i < clients.length; ++i) clients[i] = all[from + i];
    }

    /// @inheritdoc IReputationRegistry
    function getLastIndex(uint256 agentId, address clientAddress) external view returns (uint64) {
        return _clientOf[agentId][clientAddress].lastIndex;
    }

    /// @dev Takes out of the score what is left of a signal that its client revokes.
    function _takeBack(uint256 agentId, uint64 feedbackIndex, Feedback storage feedback) internal virtual;

    function _add(uint256 agentId, Feedback memory feedback) internal returns (uint64 index) {
        index = ++_clientOf[agentId][msg.sender].lastIndex;
        if (index == 1) _clients[agentId].push(msg.sender);
        _feedback[agentId][msg.sender][index] = feedback;
        (int128 value, uint8 decimals) = (feedback.value, feedback.valueDecimals);
        _tallies.add(agentId, msg.sender, feedback.tag1, feedback.tag2, value, decimals);
    }

    /// @dev The caller is neither the agent's owner, nor a wallet that it has proven, nor approved for it. Who has paid
    ///      may be approved: an owner approves whom it likes, unasked, and would silence whom it likes.
    function _requireOther(uint256 agentId, bool hasPaid) internal view {
        bool isOwn =
            hasPaid
                ? _agents.ownerOf(agentId) == msg.sender
                : _agents.isAuthorizedOrOwner(msg.sender, agentId);
        if (isOwn || _agents.hasProven(agentId, msg.sender))
            revert ReputationRegistry_SelfFeedback(msg.sender, agentId);
    }

    function _requireFeedback(uint256 agentId, address client, uint64 index) internal view {
        if (index == 0 || index > _clientOf[agentId][client].lastIndex)
            revert ReputationRegistry_UnknownFeedback(agentId, client, index);
    }

    /// @dev Whether the caller has paid the agent and said so: its window stays written.
    function _hasSignalled(uint256 agentId) private view returns (bool) {
        return _clientOf[agentId][msg.sender].window != 0;
    }

    function _countResponses(
        bytes32 entry,
        address[] calldata responders
    ) private view returns (uint64 count) {
        mapping(address responder => uint64) storage responses = _responses[entry];
        if (responders.length == 0) return responses[address(0)];
        for (uint256 i = 0; i < responders.length; ++i)
            if (responders[i] != address(0)) count += responses[responders[i]];
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
                uint64 last = _clientOf[agentId][named[i]].lastIndex;
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
