// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAgreements} from "../payments/IAgreements.sol";
import {IBatchSettlement} from "../payments/IBatchSettlement.sol";

/// @title Reputation registry
/// @notice Feedback about agents, and a score that only real payments can move.
/// @dev Source: ERC-8004 (2025, with the values of January 2026), reputation registry; the score is Bursar's own.
///      Anyone may give feedback, so its summary is of clients that the reader names. Beyond the standard, the first
///      tag `ticket` is that of signals alone, and who was refused as the agent's operator is heard once it has paid.
///
///      The score moves by signals of who paid, in a listed token, a wallet that the agent has proven, also one that it
///      has left: milestones that Escrow paid in full, and what was claimed from a payment channel. A signal uses up
///      all that its payment has brought since the last signal about it, and weighs one point for each `unitOf` of the
///      token, but at the least `MIN_SIGNAL` and at the most what is free: one client moves at most `CLIENT_LIMIT` in
///      any 30 days, beside what it takes back of its own signals (`revokeFeedback`), all together raise an agent by at
///      most `RISE_LIMIT` in any 30 days, and the score stays between -1000 and +1000. It halves in 180 days. Points
///      are counted in millionths, but for `scoreOf`, which is in whole points.
interface IReputationRegistry {
    /// @notice A token in which payments count, and how many of its base units weigh one point.
    struct TokenUnit {
        address token;
        uint256 unit;
    }

    /// @notice Feedback was given.
    event NewFeedback(
        uint256 indexed agentId,
        address indexed clientAddress,
        uint64 feedbackIndex,
        int128 value,
        uint8 valueDecimals,
        string indexed indexedTag1,
        string tag1,
        string tag2,
        string endpoint,
        string feedbackURI,
        bytes32 feedbackHash
    );
    /// @notice Feedback was taken back.
    event FeedbackRevoked(
        uint256 indexed agentId,
        address indexed clientAddress,
        uint64 indexed feedbackIndex
    );
    /// @notice Somebody answered to feedback.
    event ResponseAppended(
        uint256 indexed agentId,
        address indexed clientAddress,
        uint64 feedbackIndex,
        address indexed responder,
        string responseURI,
        bytes32 responseHash
    );
    /// @notice A payer moved an agent's score by `signal`, or took of that back what moved it by so much; `score` is
    ///         the agent's after it. Both are in millionths of a point.
    event Signalled(
        uint256 indexed agentId,
        address indexed clientAddress,
        uint64 indexed feedbackIndex,
        int256 signal,
        int256 score
    );

    /// @notice Payments in a token count from now on, one point for each `unit` of base units; 0: no longer.
    event TokenSet(address indexed token, uint256 unit);

    /// @notice There is no such agent.
    error ReputationRegistry_UnknownAgent(uint256 agentId);
    /// @notice Nobody judges its own agent: neither its owner, nor a wallet that it has or has left, nor, without a
    ///         payment, who is approved for it.
    error ReputationRegistry_SelfFeedback(address client, uint256 agentId);
    /// @notice A value has at most 18 decimals.
    error ReputationRegistry_TooManyDecimals(uint256 got, uint256 limit);
    /// @notice A value is at most 10^38 from zero.
    error ReputationRegistry_ValueTooLarge(int128 got, int128 limit);
    /// @notice The tag says that feedback comes of a payment: only a signal's does.
    error ReputationRegistry_ReservedTag();
    /// @notice There is no such feedback.
    error ReputationRegistry_UnknownFeedback(uint256 agentId, address client, uint64 feedbackIndex);
    /// @notice The feedback was taken back already.
    error ReputationRegistry_Revoked(uint64 feedbackIndex);
    /// @notice A response says something.
    error ReputationRegistry_EmptyResponse();
    /// @notice A summary is of clients that are named.
    error ReputationRegistry_NoClients();
    /// @notice Only who paid has the ticket.
    error ReputationRegistry_NotPayer(address caller, address payer);
    /// @notice The payment went to somebody else: to no wallet that the agent has proven; it now has `wallet`.
    error ReputationRegistry_NotPaid(address payee, address wallet);
    /// @notice Payments in this token do not count.
    error ReputationRegistry_TokenNotListed(address token);
    /// @notice Of what was paid, too little came since the last signal about it.
    error ReputationRegistry_NoTicket(uint256 spent, uint256 paid);
    /// @notice The client has signalled as much as it may for now, or the agent's score has moved as far as it can.
    error ReputationRegistry_NoRoom(uint256 points, uint256 least);

    /// @notice Gives feedback about an agent. For anybody but its owner, its wallets, and who is approved for it and
    ///         has never signalled about it.
    /// @param value Signed fixed-point number, at most 10^38 from zero.
    /// @param valueDecimals Its decimals, at most 18.
    /// @param tag1 What it is about; anything but `ticket`.
    /// @param tag2 Further.
    /// @param endpoint Where the agent was met.
    /// @param feedbackURI More, off-chain.
    /// @param feedbackHash Keccak-256 of that.
    function giveFeedback(
        uint256 agentId,
        int128 value,
        uint8 valueDecimals,
        string calldata tag1,
        string calldata tag2,
        string calldata endpoint,
        string calldata feedbackURI,
        bytes32 feedbackHash
    ) external;

    /// @notice Raises or lowers the agent's score by what an agreement has paid it since the last signal about it, and
    ///         gives feedback that says so. For the agreement's buyer.
    /// @return feedbackIndex By which it can be revoked.
    function signalByAgreement(
        uint256 agentId,
        uint256 jobId,
        IAgreements.Agreement calldata agreement,
        bool isPositive
    ) external returns (uint64 feedbackIndex);

    /// @notice Raises or lowers the agent's score by what was claimed for it from the caller's channel since the last
    ///         signal about it, and gives feedback that says so. What is claimed is the receiver's, whoever claimed it.
    /// @return feedbackIndex By which it can be revoked.
    function signalByChannel(
        uint256 agentId,
        IBatchSettlement.ChannelConfig calldata config,
        bool isPositive
    ) external returns (uint64 feedbackIndex);

    /// @notice Lists a token, with the base units that weigh one point, or (with 0) takes it off the list.
    /// @custom:role admin
    function setToken(address token, uint256 unit) external;

    /// @notice Takes the caller's feedback back, with what is left of what it gave to the score; its payment stays
    ///         used up, and what the client may move in this month, too. What it raises the score by counts in the
    ///         month of all, as any raise does: where that leaves less room, or a bound is met, the rest is lost.
    function revokeFeedback(uint256 agentId, uint64 feedbackIndex) external;

    /// @notice Answers to feedback; anyone may.
    function appendResponse(
        uint256 agentId,
        address clientAddress,
        uint64 feedbackIndex,
        string calldata responseURI,
        bytes32 responseHash
    ) external;

    /// @notice The agent's score in whole points, rounded towards zero: 0 at first, -1000 to +1000.
    function scoreOf(uint256 agentId) external view returns (int256 score);

    /// @notice The agent's score in millionths of a point.
    function exactScoreOf(uint256 agentId) external view returns (int256 score);

    /// @notice How far a client may move an agent's score now, in millionths of a point, if it has paid enough.
    function roomOf(uint256 agentId, address client, bool isPositive) external view returns (uint256 points);

    /// @notice What an entry of feedback did to the score, in millionths of a point.
    /// @return given What it gave; 0 for feedback without a payment.
    /// @return left What is left of that: revoking it takes back so much, or what the bounds leave of it.
    function signalOf(
        uint256 agentId,
        address clientAddress,
        uint64 feedbackIndex
    ) external view returns (int256 given, int256 left);

    /// @notice The base units of a token that weigh one point; 0: payments in it do not count.
    function unitOf(address token) external view returns (uint256 unit);

    /// @notice The registry whose agents these are.
    function getIdentityRegistry() external view returns (address identityRegistry);

    /// @notice Average of the named clients' feedback with these tags ("" is any), at the decimals that most of it has.
    /// @dev Costs the same for a client with one entry and for one with a million. Where the average does not fit its
    ///      type at those decimals, it has fewer.
    /// @return count Entries counted.
    /// @return summaryValue Their average.
    /// @return summaryValueDecimals Its decimals.
    function getSummary(
        uint256 agentId,
        address[] calldata clientAddresses,
        string calldata tag1,
        string calldata tag2
    ) external view returns (uint64 count, int128 summaryValue, uint8 summaryValueDecimals);

    /// @notice One entry.
    /// @return value Its value.
    /// @return valueDecimals Its decimals.
    /// @return tag1 Its tag.
    /// @return tag2 Its second tag.
    /// @return isRevoked Whether it was taken back.
    function readFeedback(
        uint256 agentId,
        address clientAddress,
        uint64 feedbackIndex
    )
        external
        view
        returns (int128 value, uint8 valueDecimals, string memory tag1, string memory tag2, bool isRevoked);

    /// @notice All entries of the named clients, or of all, with these tags ("" is any). Clients decide how many there
    ///         are: who must not run out of gas reads `readFeedbackPage`.
    function readAllFeedback(
        uint256 agentId,
        address[] calldata clientAddresses,
        string calldata tag1,
        string calldata tag2,
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
        );

    /// @notice A client's entries from number `from` on, at most `limit` of them.
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
        );

    /// @notice How many responses an entry has: from the named responders, or from all; of one entry, or with
    ///         index 0 of all of the client's, or with client 0 of all of the agent's.
    /// @dev Of one entry it costs the same however many have answered; of more it grows with the entries, whose number
    ///      clients decide: who must not run out of gas reads `getResponseCountPage`, client by client.
    function getResponseCount(
        uint256 agentId,
        address clientAddress,
        uint64 feedbackIndex,
        address[] calldata responders
    ) external view returns (uint64 count);

    /// @notice The same of a client's entries from number `from` on, at most `limit` of them.
    function getResponseCountPage(
        uint256 agentId,
        address clientAddress,
        uint64 from,
        uint64 limit,
        address[] calldata responders
    ) external view returns (uint64 count);

    /// @notice Who has given feedback about the agent: anybody can make this longer, see `getClientsPage`.
    function getClients(uint256 agentId) external view returns (address[] memory clients);

    /// @notice The agent's clients from place `from` on, which is 0 at first, at most `limit` of them.
    /// @return clients Those of this page.
    /// @return total How many there are.
    function getClientsPage(
        uint256 agentId,
        uint256 from,
        uint256 limit
    ) external view returns (address[] memory clients, uint256 total);

    /// @notice The number of the client's last entry; 0 for none.
    function getLastIndex(uint256 agentId, address clientAddress) external view returns (uint64 lastIndex);
}
