// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Vickrey auction
/// @notice Rounds of sealed bids: the highest bidder wins and pays the second-highest bid, and the price goes to all
///         members; then the winner's artifact is scored and mints scrip.
/// @dev Rounds follow one another: bids are committed, then revealed, then the round is settled. Members are
///         agents of the
///      identity registry; who joins while a round is open belongs to the next one. All payments are pulled, nothing
///      loops, and what rounding leaves over is carried into the next round or goes to the treasury.
///      Rules (W. Vickrey, 1961; R. Cavallo, "Optimal decision-making with minimal waste", 2006): `Equal`
///      shares the price
///      among all members; a loser can gain by bidding higher. `Truthful` gives each member the second-highest
///      bid of the
///      *others* over n, so the top two get b3/n and all others b2/n, and the rest is the treasury's.
///      Parameters: `auctionReserve`, `auctionPenalty` (of a commitment that is not revealed), `auctionMaxMint`.
interface IVickreyAuction {
    /// @notice How the price is shared.
    enum Rule {
        Equal,
        Truthful
    }

    /// @notice A round as it stands.
    /// @param commitEnd Until when bids are committed, Unix seconds.
    /// @param revealEnd Until when they are revealed.
    /// @param members How many shared it, counted when it opened.
    /// @param reserve The least price.
    /// @param penalty What an unrevealed commitment loses.
    /// @param committed How many commitments.
    /// @param revealed How many of them were revealed.
    /// @param winner The winning agent; 0 for none.
    /// @param price What it pays.
    /// @param isSettled Whether it is over.
    /// @param isScored Whether the winner's artifact was scored.
    struct Round {
        uint40 commitEnd;
        uint40 revealEnd;
        uint32 members;
        uint32 committed;
        uint32 revealed;
        bool isSettled;
        bool isScored;
        uint96 reserve;
        uint96 penalty;
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

    /// @notice An agent became a member, from `fromRound` on.
    event Joined(uint256 indexed agentId, uint256 fromRound);
    /// @notice A round opened.
    event RoundOpened(
        uint256 indexed round,
        uint256 commitEnd,
        uint256 revealEnd,
        uint256 members,
        uint256 reserve,
        uint256 penalty
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
    /// @notice A round is over: who won, what it pays, each member's share, what went to the treasury and is carried.
    event RoundSettled(
        uint256 indexed round,
        uint256 indexed winner,
        uint256 price,
        uint256 share,
        uint256 topTwoShare,
        uint256 toTreasury,
        uint256 carried
    );
    /// @notice A deposit went back, less the price or the penalty.
    event DepositWithdrawn(uint256 indexed round, uint256 indexed agentId, uint256 amount);
    /// @notice A member took its shares.
    event IncomeClaimed(uint256 indexed agentId, address indexed to, uint256 amount);
    /// @notice The winner's artifact was scored, and scrip minted for it.
    event Scored(uint256 indexed round, uint256 indexed agentId, uint256 score, uint256 minted);
    /// @notice Another scorer.
    event ScorerSet(address indexed scorer);

    /// @notice The caller may not act for this agent.
    error VickreyAuction_NotAuthorized(address caller, uint256 agentId);
    /// @notice The agent is a member already.
    error VickreyAuction_Member(uint256 agentId);
    /// @notice The agent is no member of this round.
    error VickreyAuction_NotMember(uint256 agentId, uint256 round);
    /// @notice The last round is not settled.
    error VickreyAuction_RoundOpen(uint256 round);
    /// @notice It is not the time for this.
    error VickreyAuction_WrongTime(uint256 time, uint256 from, uint256 until);
    /// @notice A bid must be sealed.
    error VickreyAuction_EmptyCommitment();
    /// @notice The agent has committed a bid already.
    error VickreyAuction_Committed(uint256 agentId);
    /// @notice The deposit is below the penalty, or above what is counted.
    error VickreyAuction_BadDeposit(uint256 got, uint256 least, uint256 most);
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
    /// @notice The round has no winner, or was scored.
    error VickreyAuction_NothingToScore(uint256 round);
    /// @notice The score is not signed by the scorer.
    error VickreyAuction_BadScore(address scorer);

    /// @notice Makes an agent a member: it may bid and receives shares, from the next round on.
    function join(uint256 agentId) external;

    /// @notice Opens the next round. Anyone may call.
    /// @return round Its number, from 1.
    function open() external returns (uint256 round);

    /// @notice Commits a sealed bid, `commitmentOf(round, agentId, amount, artifactHash, salt)`, with a deposit
    ///         of scrip.
    function commit(uint256 agentId, bytes32 commitment, uint96 deposit) external;

    /// @notice Reveals a bid. Anyone who knows it may.
    function reveal(uint256 agentId, uint96 amount, bytes32 artifactHash, bytes32 salt) external;

    /// @notice Settles the round once its time is over. Anyone may call.
    function settle() external;

    /// @notice Gives a deposit back, less the winner's price or the penalty for not revealing. Anyone may call.
    /// @return amount What was paid to the bidder.
    function withdraw(uint256 round, uint256 agentId) external returns (uint256 amount);

    /// @notice Pays a member's shares of all rounds to `to`. For who may act for the agent.
    /// @return amount What was paid.
    function claimIncome(uint256 agentId, address to) external returns (uint256 amount);

    /// @notice Mints the winner's scrip for its artifact's score, as the scorer signed it, once. EIP-712
    ///         `Score(uint256 round,uint256 agentId,bytes32 artifactHash,uint256 score)`; one unit for each
    ///         point, up to
    ///         `auctionMaxMint`. Anyone may bring it.
    /// @return minted Whole units.
    function score(uint256 round, uint256 points, bytes calldata signature) external returns (uint256 minted);

    /// @notice Names who scores artifacts.
    /// @custom:role admin
    function setScorer(address scorer) external;

    /// @notice A round.
    function roundOf(uint256 round) external view returns (Round memory state);

    /// @notice An agent's bid in a round.
    function bidOf(uint256 round, uint256 agentId) external view returns (Bid memory bid);

    /// @notice The three highest bids revealed so far.
    function topOf(
        uint256 round
    ) external view returns (uint256[3] memory agentIds, uint256[3] memory amounts);

    /// @notice What a member could claim.
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
