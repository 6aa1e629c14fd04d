// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAgreements} from "../payments/IAgreements.sol";
import {IBatchSettlement} from "../payments/IBatchSettlement.sol";

/// @title Reputation registry
/// @notice Feedback about agents, and a score that only real payments can move.
/// @dev Source: ERC-8004 (2025, with the values of January 2026), reputation registry; the score is Bursar's own.
///      Anyone may give feedback, so its summary is of clients that the reader names. What counts towards
///      `scoreOf` needs
///      a ticket: a milestone that Escrow paid, or value claimed from a payment channel, each spent once.
///      Parameter: `ticketMinAmount`, the claimed value that makes one ticket, base units of the channel's token.
interface IReputationRegistry {
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
    /// @notice A payer spent a ticket on a signal, or took it back; `score` is the agent's after it.
    event Signalled(
        uint256 indexed agentId,
        address indexed clientAddress,
        uint64 indexed feedbackIndex,
        int256 signal,
        int256 score
    );

    /// @notice There is no such agent.
    error ReputationRegistry_UnknownAgent(uint256 agentId);
    /// @notice Nobody judges its own agent.
    error ReputationRegistry_SelfFeedback(address client, uint256 agentId);
    /// @notice A value has at most 18 decimals.
    error ReputationRegistry_TooManyDecimals(uint256 got, uint256 limit);
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
    /// @notice The payment went to somebody else.
    error ReputationRegistry_NotPaid(address payee, address wallet);
    /// @notice All of this payment's tickets are spent.
    error ReputationRegistry_NoTicket(uint256 spent, uint256 limit);

    /// @notice Gives feedback about an agent.
    /// @param value Signed fixed-point number.
    /// @param valueDecimals Its decimals, at most 18.
    /// @param tag1 What it is about.
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

    /// @notice Spends a ticket of an agreement that paid the agent: +1 or -1, and feedback that says so.
    /// @return feedbackIndex By which it can be revoked.
    function signalByAgreement(
        uint256 agentId,
        uint256 jobId,
        IAgreements.Agreement calldata agreement,
        bool isPositive
    ) external returns (uint64 feedbackIndex);

    /// @notice Spends a ticket of value that was claimed from the caller's channel by the agent: +1 or -1.
    /// @return feedbackIndex By which it can be revoked.
    function signalByChannel(
        uint256 agentId,
        IBatchSettlement.ChannelConfig calldata config,
        bool isPositive
    ) external returns (uint64 feedbackIndex);

    /// @notice Takes the caller's feedback back, with what it did to the score; its ticket stays spent.
    function revokeFeedback(uint256 agentId, uint64 feedbackIndex) external;

    /// @notice Answers to feedback; anyone may.
    function appendResponse(
        uint256 agentId,
        address clientAddress,
        uint64 feedbackIndex,
        string calldata responseURI,
        bytes32 responseHash
    ) external;

    /// @notice The agent's score from ticketed signals: 0 at first, -1000 to +1000.
    function scoreOf(uint256 agentId) external view returns (int256 score);

    /// @notice The registry whose agents these are.
    function getIdentityRegistry() external view returns (address identityRegistry);

    /// @notice Average of the named clients' feedback with these tags ("" is any), at the most decimals among it.
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

    /// @notice All entries of the named clients, or of all, with these tags ("" is any).
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

    /// @notice How many responses an entry has: from the named responders, or from all; of one entry, or with
    ///         index 0 of
    ///         all of the client's, or with client 0 of all of the agent's.
    function getResponseCount(
        uint256 agentId,
        address clientAddress,
        uint64 feedbackIndex,
        address[] calldata responders
    ) external view returns (uint64 count);

    /// @notice Who has given feedback about the agent.
    function getClients(uint256 agentId) external view returns (address[] memory clients);

    /// @notice The number of the client's last entry; 0 for none.
    function getLastIndex(uint256 agentId, address clientAddress) external view returns (uint64 lastIndex);
}
