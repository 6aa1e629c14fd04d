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

/// @notice See `IVickreyAuction`. Holds deposits and what members have locked; income is minted when it is claimed.
contract VickreyAuction is IVickreyAuction, AccessManaged, EIP712, ReentrancyGuardTransient {
    using SafeERC20 for Scrip;

    /// @dev What a house is made of.
    struct House {
        Scrip scrip;
        IAgents agents;
        IParameters parameters;
        address scorer;
        uint32 commitSeconds;
        uint32 revealSeconds;
    }

    bytes32 private constant SCORE_TYPEHASH = keccak256(
        "Score(uint256 round,uint256 agentId,bytes32 artifactHash,uint256 score)"
    );
    bytes32 private constant RESERVE = "auctionReserve";
    bytes32 private constant INCOME = "auctionIncome";
    bytes32 private constant PENALTY = "auctionPenaltyBps";
    bytes32 private constant MAX_MINT = "auctionMaxMint";
    uint256 private constant BPS = 10_000;
    /// @dev Income of one unit of weight is counted in parts of this, and rounded up: as long as the weight times the
    ///      number of rounds is below it, that makes less than one unit of scrip, so that all shares together, each
    ///      rounded down, are never more than the incomes.
    uint256 private constant SCALE = 1e27;

    /// @notice What is bid, locked, burnt and minted.
    Scrip public immutable scrip;
    /// @notice Who the agents are.
    IAgents public immutable agents;
    /// @notice Where the policies are read.
    IParameters public immutable parameters;
    /// @notice How long bids are committed.
    uint256 public immutable commitSeconds;
    /// @notice How long they are revealed.
    uint256 public immutable revealSeconds;

    /// @notice Who scores artifacts.
    address public scorer;
    /// @notice The scrip that members have locked.
    uint64 public totalWeight;
    /// @notice The last round's number.
    uint256 public roundCount;
    mapping(uint256 round => Round) private _rounds;
    mapping(uint256 round => mapping(uint256 agentId => Bid)) private _bids;
    mapping(uint256 agentId => Member) private _members;
    /// @dev The income of one unit of weight up to a round, times `SCALE`.
    mapping(uint256 round => uint256) private _incomes;

    /// @param authority The AccessManager whose admin names the scorer.
    /// @param house What the house is made of.
    constructor(
        address authority,
        House memory house
    ) AccessManaged(authority) EIP712("VickreyAuction", "1") {
        (scrip, agents, parameters, scorer) = (house.scrip, house.agents, house.parameters, house.scorer);
        (commitSeconds, revealSeconds) = (house.commitSeconds, house.revealSeconds);
        emit ScorerSet(house.scorer);
    }

    modifier onlyFor(uint256 agentId) {
        if (!agents.isAuthorizedOrOwner(msg.sender, agentId))
            revert VickreyAuction_NotAuthorized(msg.sender, agentId);
        _;
    }

    /// @inheritdoc IVickreyAuction
    function join(uint256 agentId, uint64 weight) external onlyFor(agentId) nonReentrant {
        if (_members[agentId].weight != 0) revert VickreyAuction_Member(agentId);
        if (weight == 0) revert VickreyAuction_NoWeight();
        uint256 fromRound = roundCount + 1;
        _members[agentId] = Member(weight, uint64(fromRound), _members[agentId].claimed);
        totalWeight += weight;
        emit Joined(agentId, weight, fromRound);
        scrip.safeTransferFrom(msg.sender, address(this), weight);
    }

    /// @inheritdoc IVickreyAuction
    function quit(
        uint256 agentId,
        address to
    ) external onlyFor(agentId) nonReentrant returns (uint256 amount) {
        Member memory member = _members[agentId];
        if (member.weight == 0) revert VickreyAuction_NotMember(agentId);
        uint256 income = incomeOf(agentId);
        delete _members[agentId];
        totalWeight -= member.weight;
        uint256 round = roundCount;
        if (member.fromRound <= round && !_rounds[round].isSettled) _rounds[round].weight -= member.weight;
        emit Left(agentId, to, member.weight);
        scrip.safeTransfer(to, member.weight);
        amount = member.weight;
        if (income == 0) return amount;
        // A house that may not mint, as one that is retired, gives back what is locked, and owes the rest.
        try scrip.mint(to, income) {
            amount += income;
            emit IncomeClaimed(agentId, to, income);
        } catch {
            _members[agentId].claimed = -int128(uint128(income));
        }
    }

    /// @inheritdoc IVickreyAuction
    function open() external returns (uint256 round) {
        round = roundCount;
        if (round != 0 && !_rounds[round].isSettled) revert VickreyAuction_RoundOpen(round);
        roundCount = ++round;
        Round storage state = _rounds[round];
        state.commitEnd = uint40(block.timestamp + commitSeconds);
        state.revealEnd = uint40(block.timestamp + commitSeconds + revealSeconds);
        state.penaltyBps = uint16(parameters.valueOf(PENALTY));
        state.maxMint = uint64(parameters.valueOf(MAX_MINT));
        state.reserve = uint96(parameters.valueOf(RESERVE));
        state.income = uint96(parameters.valueOf(INCOME));
        state.weight = totalWeight;
        emit RoundOpened(
            round,
            state.commitEnd,
            state.revealEnd,
            state.weight,
            state.income,
            state.reserve,
            state.penaltyBps,
            state.maxMint
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
        if (commitment == 0) revert VickreyAuction_EmptyCommitment();
        if (deposit == 0) revert VickreyAuction_NoDeposit();
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
        emit Revealed(round, agentId, amount, artifactHash);
        if (amount != 0 && amount >= state.reserve) _rank(state, agentId, amount, bid.order);
    }

    /// @inheritdoc IVickreyAuction
    function settle() external nonReentrant {
        uint256 round = roundCount;
        Round storage state = _rounds[round];
        if (round == 0 || state.isSettled) revert VickreyAuction_NotSettled(round);
        _requireTime(state.revealEnd, type(uint40).max);
        state.isSettled = true;
        (uint256 weight, uint256 price) = (state.weight, state.price);
        uint256 income = weight == 0 ? 0 : state.income;
        _incomes[round] = _incomes[round - 1];
        if (income != 0) _incomes[round] += Math.ceilDiv(income * SCALE, weight);
        emit RoundSettled(round, state.winner, price, income, weight);
        // The winner's deposit is here and covers it.
        if (price != 0) scrip.burn(price);
    }

    /// @inheritdoc IVickreyAuction
    function withdraw(uint256 round, uint256 agentId) external nonReentrant returns (uint256 amount) {
        Round storage state = _rounds[round];
        if (!state.isSettled) revert VickreyAuction_NotSettled(round);
        Bid storage bid = _bids[round][agentId];
        if (bid.commitment == 0 || bid.isWithdrawn) revert VickreyAuction_NothingToWithdraw(agentId);
        bid.isWithdrawn = true;
        uint256 penalty = bid.isRevealed ? 0 : (bid.deposit * uint256(state.penaltyBps)) / BPS;
        amount = bid.deposit - penalty;
        if (agentId == state.winner) amount -= state.price;
        emit DepositWithdrawn(round, agentId, amount);
        if (penalty != 0) scrip.burn(penalty);
        scrip.safeTransfer(bid.bidder, amount);
    }

    /// @inheritdoc IVickreyAuction
    function claimIncome(
        uint256 agentId,
        address to
    ) external onlyFor(agentId) nonReentrant returns (uint256 amount) {
        amount = incomeOf(agentId);
        if (amount == 0) revert VickreyAuction_NothingToClaim(agentId);
        _members[agentId].claimed += int128(uint128(amount));
        emit IncomeClaimed(agentId, to, amount);
        scrip.mint(to, amount);
    }

    /// @inheritdoc IVickreyAuction
    function score(
        uint256 round,
        uint256 points,
        bytes calldata signature
    ) external returns (uint256 minted) {
        Round storage state = _rounds[round];
        uint256 winner = state.winner;
        Bid storage bid = _bids[round][winner];
        bytes32 artifactHash = bid.artifactHash;
        if (!state.isSettled || artifactHash == 0) revert VickreyAuction_NothingToScore(round);
        if (!Signatures.isSigned(scorer, scoreDigest(round, points), signature))
            revert VickreyAuction_BadScore(scorer);
        minted = Math.min(points, state.maxMint);
        emit Scored(round, winner, points, minted);
        // A copy that is worth nothing uses nobody's artifact up.
        if (minted != 0) scrip.mintFor(artifactHash, bid.bidder, minted);
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
    function memberOf(uint256 agentId) external view returns (Member memory) {
        return _members[agentId];
    }

    /// @inheritdoc IVickreyAuction
    function incomeOf(uint256 agentId) public view returns (uint256) {
        Member memory member = _members[agentId];
        uint256 last = roundCount;
        if (last != 0 && !_rounds[last].isSettled) --last;
        uint256 earned = 0;
        if (member.weight != 0 && last >= member.fromRound)
            earned = (member.weight * (_incomes[last] - _incomes[member.fromRound - 1])) / SCALE;
        return uint256(int256(earned) - member.claimed);
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

    /// @dev A tie is the earlier commitment's.
    function _rank(Round storage state, uint256 agentId, uint96 amount, uint32 order) private {
        uint96 highest = state.highest;
        if (amount > highest || (amount == highest && order < state.leaderOrder)) {
            (state.winner, state.leaderOrder, state.highest) = (agentId, order, amount);
            state.price = uint96(Math.max(highest, state.reserve));
        } else if (amount > state.price) {
            state.price = amount;
        }
    }

    function _requireTime(uint256 from, uint256 until) private view {
        if (block.timestamp < from || block.timestamp >= until)
            revert VickreyAuction_WrongTime(block.timestamp, from, until);
    }
}
