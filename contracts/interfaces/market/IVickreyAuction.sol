// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Vickrey auction
/// @notice Rounds of sealed bids: the highest bidder wins and pays the second-highest bid; then the winner's artifact
///         is scored and mints scrip. Members receive an income in each round.
/// @dev Rounds follow one another: bids are committed, then revealed, then the round is settled. All payments are
///      pulled, and nothing loops.
///
/// A second-price auction of one good is truthful, also for who bids under several names (W. Vickrey, 1961; M. Yokoo
///      et al., "False-name bids in combinatorial auctions", 2004), but only while nobody gains by a price. If any
///      part of it were shared, who shares it would raise it by a second identity that bids and loses. So prices are
///      burnt, and the members' income is minted: as much in each round as governance has set, whatever is bid. It is
///      shared by the scrip that members have locked, so that many identities have no more of it than one.
///
/// Parameters: `auctionReserve`, `auctionIncome`, `auctionPenaltyBps` (of the deposit of a bid that is not revealed),
///      `auctionMaxMint`. A round has the values of its opening, to its end and its artifact's score.
interface IVickreyAuction {
    /// @notice A round as it stands.
    /// @param commitEnd Until when bids are committed, Unix seconds.
    /// @param revealEnd Until when they are revealed.
    /// @param committed How many commitments.
    /// @param leaderOrder Number of the commitment that leads.
    /// @param penaltyBps Part of its deposit that a commitment loses if it is not revealed.
    /// @param isSettled Whether it is over.
    /// @param maxMint The most that its artifact's score mints.
    /// @param reserve The least price.
    /// @param income What members share.
    /// @param weight The scrip that they have locked: who joins while the round is open is not counted, nor who
    ///      leaves.
    /// @param highest The highest bid revealed so far that reaches the reserve.
    /// @param price What its bidder pays: the second-highest bid, or the reserve.
    /// @param winner The agent that leads, and has won when the round is settled; 0 for none.
    struct Round {
        uint40 commitEnd;
        uint40 revealEnd;
        uint32 committed;
        uint32 leaderOrder;
        uint16 penaltyBps;
        bool isSettled;
        uint64 maxMint;
        uint96 reserve;
        uint96 income;
        uint64 weight;
        uint96 highest;
        uint96 price;
        uint256 winner;
    }

    /// @notice An agent's bid in a round.
    /// @param commitment The sealed bid; 0 for none.
    /// @param bidder Who committed it, and receives what it is due.
    /// @param deposit What lies with the auction; caps the bid.
    /// @param order Number of the commitment in its round, from 1.
    /// @param isRevealed Whether it was revealed.
    /// @param isWithdrawn Whether its deposit was taken back.
    /// @param artifactHash What it is for; after it was revealed.
    struct Bid {
        bytes32 commitment;
        address bidder;
        uint96 deposit;
        uint32 order;
        bool isRevealed;
        bool isWithdrawn;
        bytes32 artifactHash;
    }

    /// @notice A member's part.
    /// @param weight The scrip that it has locked; 0 for no member.
    /// @param fromRound The first round in which that counts.
    /// @param claimed What it has taken of its income; below 0: what it is still owed of an earlier membership.
    struct Member {
        uint64 weight;
        uint64 fromRound;
        int128 claimed;
    }

    /// @notice An agent became a member, from `fromRound` on.
    event Joined(uint256 indexed agentId, uint256 weight, uint256 fromRound);
    /// @notice An agent is no member any more; its scrip went to `to`.
    event Left(uint256 indexed agentId, address indexed to, uint256 weight);
    /// @notice A round opened.
    event RoundOpened(
        uint256 indexed round,
        uint256 commitEnd,
        uint256 revealEnd,
        uint256 weight,
        uint256 income,
        uint256 reserve,
        uint256 penaltyBps,
        uint256 maxMint
    );
    /// @notice A sealed bid was committed.
    event Committed(
        uint256 indexed round,
        uint256 indexed agentId,
        address indexed bidder,
        bytes32 commitment,
        uint256 deposit
    );
    /// @notice A bid was revealed.
    event Revealed(uint256 indexed round, uint256 indexed agentId, uint256 amount, bytes32 artifactHash);
    /// @notice A round is over: who won, the price that was burnt, and what those who hold `weight` share.
    event RoundSettled(
        uint256 indexed round,
        uint256 indexed winner,
        uint256 price,
        uint256 income,
        uint256 weight
    );
    /// @notice A deposit went back, less the price, or less the penalty, which was burnt.
    event DepositWithdrawn(uint256 indexed round, uint256 indexed agentId, uint256 amount);
    /// @notice A member took its income.
    event IncomeClaimed(uint256 indexed agentId, address indexed to, uint256 amount);
    /// @notice The winner's artifact was scored, and scrip minted for it.
    event Scored(uint256 indexed round, uint256 indexed agentId, uint256 score, uint256 minted);
    /// @notice Another scorer.
    event ScorerSet(address indexed scorer);

    /// @notice The caller may not act for this agent.
    error VickreyAuction_NotAuthorized(address caller, uint256 agentId);
    /// @notice The agent is a member already.
    error VickreyAuction_Member(uint256 agentId);
    /// @notice The agent is no member.
    error VickreyAuction_NotMember(uint256 agentId);
    /// @notice Who locks nothing shares nothing.
    error VickreyAuction_NoWeight();
    /// @notice The last round is not settled.
    error VickreyAuction_RoundOpen(uint256 round);
    /// @notice It is not the time for this.
    error VickreyAuction_WrongTime(uint256 time, uint256 from, uint256 until);
    /// @notice A bid must be sealed.
    error VickreyAuction_EmptyCommitment();
    /// @notice The agent has committed a bid already.
    error VickreyAuction_Committed(uint256 agentId);
    /// @notice A bid needs a deposit.
    error VickreyAuction_NoDeposit();
    /// @notice There is no such commitment, or it was revealed.
    error VickreyAuction_NothingToReveal(uint256 agentId);
    /// @notice This is not what was committed.
    error VickreyAuction_WrongReveal(uint256 agentId);
    /// @notice The bid is above its deposit.
    error VickreyAuction_BidAboveDeposit(uint256 got, uint256 limit);
    /// @notice The round is not settled, was settled, or there is none.
    error VickreyAuction_NotSettled(uint256 round);
    /// @notice The deposit was taken back, or there was none.
    error VickreyAuction_NothingToWithdraw(uint256 agentId);
    /// @notice There is nothing to claim.
    error VickreyAuction_NothingToClaim(uint256 agentId);
    /// @notice The round is not settled, has no winner, or its winner's bid names no artifact.
    error VickreyAuction_NothingToScore(uint256 round);
    /// @notice The score is not signed by the scorer.
    error VickreyAuction_BadScore(address scorer);

    /// @notice Makes an agent a member: it locks `weight` of the caller's scrip, and shares the income from the next
    ///         round on. Membership belongs to the agent, and is sold with it.
    function join(uint256 agentId, uint64 weight) external;

    /// @notice Ends a membership: its scrip and its income so far go to `to`. It has no part of a round that is open.
    ///         Where this house may not mint, the income is owed to the agent, until it can claim it.
    /// @return amount What was paid.
    function quit(uint256 agentId, address to) external returns (uint256 amount);

    /// @notice Opens the next round. Anyone may call.
    /// @return round Its number, from 1.
    function open() external returns (uint256 round);

    /// @notice Commits a sealed bid, `commitmentOf(round, agentId, amount, artifactHash, salt)`, with a deposit of
    ///         scrip. A bidder need not be a member.
    function commit(uint256 agentId, bytes32 commitment, uint96 deposit) external;

    /// @notice Reveals a bid. Anyone who knows it may.
    function reveal(uint256 agentId, uint96 amount, bytes32 artifactHash, bytes32 salt) external;

    /// @notice Settles the round once its time is over. Anyone may call.
    function settle() external;

    /// @notice Gives a deposit back, less the winner's price or the penalty for not revealing. Anyone may call.
    /// @return amount What was paid to the bidder.
    function withdraw(uint256 round, uint256 agentId) external returns (uint256 amount);

    /// @notice Pays a member's income of all rounds to `to`. For who may act for the agent.
    /// @return amount What was paid.
    function claimIncome(uint256 agentId, address to) external returns (uint256 amount);

    /// @notice Mints scrip to the winner for its artifact's score, as the scorer signed it, once for an artifact; a
    ///         score of 0 mints nothing, and uses none up. EIP-712
    ///         `Score(uint256 round,uint256 agentId,bytes32 artifactHash,uint256 score)`; one unit for each point, up
    ///         to the round's `maxMint`. Anyone may bring it.
    /// @return minted Whole units.
    function score(uint256 round, uint256 points, bytes calldata signature) external returns (uint256 minted);

    /// @notice Names who scores artifacts; address(0) for nobody.
    /// @custom:role admin
    function setScorer(address scorer) external;

    /// @notice A round.
    function roundOf(uint256 round) external view returns (Round memory state);

    /// @notice An agent's bid in a round.
    function bidOf(uint256 round, uint256 agentId) external view returns (Bid memory bid);

    /// @notice A membership.
    function memberOf(uint256 agentId) external view returns (Member memory member);

    /// @notice What an agent could claim: as a member, or of an earlier membership.
    function incomeOf(uint256 agentId) external view returns (uint256 amount);

    /// @notice The seal of a bid, for this chain, house, round and agent alone.
    function commitmentOf(
        uint256 round,
        uint256 agentId,
        uint96 amount,
        bytes32 artifactHash,
        bytes32 salt
    ) external view returns (bytes32 commitment);

    /// @notice What the scorer signs.
    function scoreDigest(uint256 round, uint256 points) external view returns (bytes32 digest);
}
