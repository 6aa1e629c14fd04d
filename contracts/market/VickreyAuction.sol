// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IAgents} from "../interfaces/trust/IAgents.sol";
import {IParameters} from "../interfaces/governance/IParameters.sol";
import {IVickreyAuction} from "../interfaces/market/IVickreyAuction.sol";
import {Signatures} from "../libraries/Signatures.sol";
import {Scrip} from "./Scrip.sol";

/// @notice See `IVickreyAuction`.
contract VickreyAuction is IVickreyAuction, AccessManaged, EIP712, ReentrancyGuardTransient {
    using SafeERC20 for Scrip;

    /// @dev The three highest bids, highest first; a tie is the earlier commitment's.
    struct Top {
        uint256[3] agentIds;
        uint96[3] amounts;
        uint32[3] orders;
    }

    /// @dev What a house is made of.
    struct House {
        Scrip scrip;
        IAgents agents;
        IParameters parameters;
        address treasury;
        address scorer;
        Rule rule;
        uint32 commitSeconds;
        uint32 revealSeconds;
    }

    /// @dev From which round on an agent is a member, and up to which its shares are paid.
    struct Member {
        uint128 fromRound;
        uint128 paidRound;
        // What it got too much of the common share, as one of a truthful round's top two.
        uint256 correction;
    }

    bytes32 private constant SCORE_TYPEHASH = keccak256(
        "Score(uint256 round,uint256 agentId,bytes32 artifactHash,uint256 score)"
    );
    bytes32 private constant RESERVE = "auctionReserve";
    bytes32 private constant PENALTY = "auctionPenalty";
    bytes32 private constant MAX_MINT = "auctionMaxMint";

    /// @notice What is bid, shared and minted.
    Scrip public immutable scrip;
    /// @notice Who the agents are.
    IAgents public immutable agents;
    /// @notice Where the policies are read.
    IParameters public immutable parameters;
    /// @notice Who gets the rest of a truthful round.
    address public immutable treasury;
    /// @notice How the price is shared.
    Rule public immutable rule;
    /// @notice How long bids are committed.
    uint256 public immutable commitSeconds;
    /// @notice How long they are revealed.
    uint256 public immutable revealSeconds;

    /// @notice Who scores artifacts.
    address public scorer;
    /// @notice How many agents have joined.
    uint32 public memberCount;
    /// @notice The last round's number.
    uint256 public roundCount;
    /// @notice What rounding left over for the next round.
    uint256 public carried;
    mapping(uint256 round => Round) private _rounds;
    mapping(uint256 round => Top) private _tops;
    mapping(uint256 round => mapping(uint256 agentId => Bid)) private _bids;
    mapping(uint256 agentId => Member) private _members;
    /// @dev The sum of a member's shares up to a round.
    mapping(uint256 round => uint256) private _shares;

    /// @param authority The AccessManager whose admin names the scorer.
    /// @param house What the house is made of.
    constructor(
        address authority,
        House memory house
    ) AccessManaged(authority) EIP712("VickreyAuction", "1") {
        (scrip, agents, parameters) = (house.scrip, house.agents, house.parameters);
        (treasury, scorer, rule) = (house.treasury, house.scorer, house.rule);
        (commitSeconds, revealSeconds) = (house.commitSeconds, house.revealSeconds);
        emit ScorerSet(house.scorer);
    }

    modifier onlyFor(uint256 agentId) {
        if (!agents.isAuthorizedOrOwner(msg.sender, agentId))
            revert VickreyAuction_NotAuthorized(msg.sender, agentId);
        _;
    }

    /// @inheritdoc IVickreyAuction
    function join(uint256 agentId) external onlyFor(agentId) {
        Member storage member = _members[agentId];
        if (member.fromRound != 0) revert VickreyAuction_Member(agentId);
        uint128 fromRound = uint128(roundCount + 1);
        (member.fromRound, member.paidRound) = (fromRound, fromRound - 1);
        ++memberCount;
        emit Joined(agentId, fromRound);
    }

    /// @inheritdoc IVickreyAuction
    function open() external returns (uint256 round) {
        round = roundCount;
        if (round != 0 && !_rounds[round].isSettled) revert VickreyAuction_RoundOpen(round);
        roundCount = ++round;
        Round storage state = _rounds[round];
        state.commitEnd = uint40(block.timestamp + commitSeconds);
        state.revealEnd = uint40(block.timestamp + commitSeconds + revealSeconds);
        state.members = memberCount;
        state.reserve = uint96(parameters.valueOf(RESERVE));
        state.penalty = uint96(parameters.valueOf(PENALTY));
        emit RoundOpened(
            round,
            state.commitEnd,
            state.revealEnd,
            state.members,
            state.reserve,
            state.penalty
        );
    }

    /// @inheritdoc IVickreyAuction
    function commit(
        uint256 agentId,
        bytes32 commitment,
        uint96 deposit
    ) external onlyFor(agentId) nonReentrant {
        uint256 round = roundCount;
        Round storage state = _rounds[round];
        _requireTime(0, state.commitEnd);
        uint256 fromRound = _members[agentId].fromRound;
        if (fromRound == 0 || fromRound > round) revert VickreyAuction_NotMember(agentId, round);
        if (commitment == 0) revert VickreyAuction_EmptyCommitment();
        if (deposit == 0 || deposit < state.penalty)
            revert VickreyAuction_BadDeposit(deposit, Math.max(1, state.penalty), type(uint96).max);
        Bid storage bid = _bids[round][agentId];
        if (bid.commitment != 0) revert VickreyAuction_Committed(agentId);
        uint32 order = ++state.committed;
        (bid.commitment, bid.bidder, bid.deposit, bid.order) = (commitment, msg.sender, deposit, order);
        emit Committed(round, agentId, msg.sender, commitment, deposit);
        scrip.safeTransferFrom(msg.sender, address(this), deposit);
    }

    /// @inheritdoc IVickreyAuction
    function reveal(uint256 agentId, uint96 amount, bytes32 artifactHash, bytes32 salt) external {
        uint256 round = roundCount;
        Round storage state = _rounds[round];
        _requireTime(state.commitEnd, state.revealEnd);
        Bid storage bid = _bids[round][agentId];
        if (bid.commitment == 0 || bid.isRevealed) revert VickreyAuction_NothingToReveal(agentId);
        if (commitmentOf(round, agentId, amount, artifactHash, salt) != bid.commitment)
            revert VickreyAuction_WrongReveal(agentId);
        if (amount > bid.deposit) revert VickreyAuction_BidAboveDeposit(amount, bid.deposit);
        (bid.isRevealed, bid.artifactHash) = (true, artifactHash);
        ++state.revealed;
        emit Revealed(round, agentId, amount, artifactHash);
        if (amount != 0 && amount >= state.reserve) _rank(_tops[round], agentId, amount, bid.order);
    }

    /// @inheritdoc IVickreyAuction
    function settle() external nonReentrant {
        uint256 round = roundCount;
        Round storage state = _rounds[round];
        if (round == 0 || state.isSettled) revert VickreyAuction_NotSettled(round);
        _requireTime(state.revealEnd, type(uint40).max);
        Top memory top = _tops[round];
        state.isSettled = true;
        state.winner = top.agentIds[0];
        if (state.winner != 0) state.price = uint96(Math.max(top.amounts[1], state.reserve));
        uint256 forfeits = uint256(state.committed - state.revealed) * state.penalty;
        if (rule == Rule.Equal) _shareEqually(round, state, forfeits);
        else _shareTruthfully(round, state, top, forfeits);
    }

    /// @inheritdoc IVickreyAuction
    function withdraw(uint256 round, uint256 agentId) external nonReentrant returns (uint256 amount) {
        Round storage state = _rounds[round];
        if (!state.isSettled) revert VickreyAuction_NotSettled(round);
        Bid storage bid = _bids[round][agentId];
        if (bid.commitment == 0 || bid.isWithdrawn) revert VickreyAuction_NothingToWithdraw(agentId);
        bid.isWithdrawn = true;
        amount = bid.deposit;
        if (!bid.isRevealed) amount -= state.penalty;
        else if (agentId == state.winner) amount -= state.price;
        emit DepositWithdrawn(round, agentId, amount);
        scrip.safeTransfer(bid.bidder, amount);
    }

    /// @inheritdoc IVickreyAuction
    function claimIncome(
        uint256 agentId,
        address to
    ) external onlyFor(agentId) nonReentrant returns (uint256 amount) {
        amount = incomeOf(agentId);
        if (amount == 0) revert VickreyAuction_NothingToClaim(agentId);
        Member storage member = _members[agentId];
        (member.paidRound, member.correction) = (uint128(_lastSettled()), 0);
        emit IncomeClaimed(agentId, to, amount);
        scrip.safeTransfer(to, amount);
    }

    /// @inheritdoc IVickreyAuction
    function score(
        uint256 round,
        uint256 points,
        bytes calldata signature
    ) external returns (uint256 minted) {
        Round storage state = _rounds[round];
        uint256 winner = state.winner;
        if (winner == 0 || state.isScored) revert VickreyAuction_NothingToScore(round);
        if (!Signatures.isSigned(scorer, scoreDigest(round, points), signature))
            revert VickreyAuction_BadScore(scorer);
        state.isScored = true;
        minted = Math.min(points, parameters.valueOf(MAX_MINT));
        emit Scored(round, winner, points, minted);
        if (minted != 0) scrip.mint(_bids[round][winner].bidder, minted);
    }

    /// @inheritdoc IVickreyAuction
    function setScorer(address scorer_) external restricted {
        scorer = scorer_;
        emit ScorerSet(scorer_);
    }

    /// @inheritdoc IVickreyAuction
    function roundOf(uint256 round) external view returns (Round memory) {
        return _rounds[round];
    }

    /// @inheritdoc IVickreyAuction
    function bidOf(uint256 round, uint256 agentId) external view returns (Bid memory) {
        return _bids[round][agentId];
    }

    /// @inheritdoc IVickreyAuction
    function topOf(uint256 round) external view returns (uint256[3] memory, uint256[3] memory amounts) {
        Top memory top = _tops[round];
        for (uint256 i = 0; i < 3; ++i) amounts[i] = top.amounts[i];
        return (top.agentIds, amounts);
    }

    /// @inheritdoc IVickreyAuction
    function incomeOf(uint256 agentId) public view returns (uint256) {
        Member memory member = _members[agentId];
        uint256 last = _lastSettled();
        if (member.fromRound == 0 || last <= member.paidRound) return 0;
        return _shares[last] - _shares[member.paidRound] - member.correction;
    }

    /// @inheritdoc IVickreyAuction
    function commitmentOf(
        uint256 round,
        uint256 agentId,
        uint96 amount,
        bytes32 artifactHash,
        bytes32 salt
    ) public view returns (bytes32) {
        return
            keccak256(abi.encode(block.chainid, address(this), round, agentId, amount, artifactHash, salt));
    }

    /// @inheritdoc IVickreyAuction
    function scoreDigest(uint256 round, uint256 points) public view returns (bytes32) {
        uint256 winner = _rounds[round].winner;
        bytes32 artifactHash = _bids[round][winner].artifactHash;
        return _hashTypedDataV4(keccak256(abi.encode(SCORE_TYPEHASH, round, winner, artifactHash, points)));
    }

    /// @dev Price and forfeits to all members alike; what does not divide is carried.
    function _shareEqually(uint256 round, Round storage state, uint256 forfeits) private {
        uint256 pot = state.price + forfeits + carried;
        uint256 share = state.members == 0 ? 0 : pot / state.members;
        carried = pot - share * state.members;
        _shares[round] = _shares[round - 1] + share;
        emit RoundSettled(round, state.winner, state.price, share, share, 0, carried);
    }

    /// @dev To each member the second-highest bid of the others over n: b2/n, to the top two b3/n; the rest to the
    ///      treasury.
    function _shareTruthfully(uint256 round, Round storage state, Top memory top, uint256 forfeits) private {
        uint256 members = state.members;
        uint256 share = members == 0 ? 0 : top.amounts[1] / members;
        uint256 topTwoShare = members == 0 ? 0 : top.amounts[2] / members;
        uint256 paid = share * members;
        for (uint256 i = 0; i < 2; ++i) {
            if (top.agentIds[i] == 0) continue;
            _members[top.agentIds[i]].correction += share - topTwoShare;
            paid -= share - topTwoShare;
        }
        _shares[round] = _shares[round - 1] + share;
        uint256 rest = state.price + forfeits - paid;
        emit RoundSettled(round, state.winner, state.price, share, topTwoShare, rest, 0);
        if (rest != 0) scrip.safeTransfer(treasury, rest);
    }

    function _rank(Top storage top, uint256 agentId, uint96 amount, uint32 order) private {
        for (uint256 i = 0; i < 3; ++i) {
            if (amount < top.amounts[i] || (amount == top.amounts[i] && order > top.orders[i])) continue;
            for (uint256 j = 2; j > i; --j)
                (top.agentIds[j], top.amounts[j], top.orders[j]) = (
                    top.agentIds[j - 1],
                    top.amounts[j - 1],
                    top.orders[j - 1]
                );
            (top.agentIds[i], top.amounts[i], top.orders[i]) = (agentId, amount, order);
            return;
        }
    }

    function _lastSettled() private view returns (uint256 round) {
        round = roundCount;
        if (round != 0 && !_rounds[round].isSettled) --round;
    }

    function _requireTime(uint256 from, uint256 until) private view {
        if (block.timestamp < from || block.timestamp >= until)
            revert VickreyAuction_WrongTime(block.timestamp, from, until);
    }
}
