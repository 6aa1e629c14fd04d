// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IBonds} from "../interfaces/staking/IBonds.sol";
import {IDisputes} from "../interfaces/trust/IDisputes.sol";
import {IParameters} from "../interfaces/governance/IParameters.sol";
import {SeatTree} from "./SeatTree.sol";

/// @notice Whom a panel is drawn from: seats, each backed by own stake that is locked for it alone, and the draws that
///         wait for their seed.
/// @dev A draw depends on its seed and on the pool alone. So the pool stands still from shortly before the seed can be
///      known until the draw is made, and draws are made in the order of their seeds: nobody who knows the seed has a
///      choice left. That is why a draw asks for nobody's stake, which anybody adds to, and a slash takes from, at any
///      time: whom a slash has left with less than is locked, anybody takes out of the pool before (`evict`).
///      A draw that finds too few seats keeps its place, and a later block is to seed it and those behind it. First
///      panels leave half of the pool to appeals: so at most a sixth of the pool's seats are cases that can be
///      appealed, and all of their appeals are drawn in two turns, whoever fills the queue of first panels.
abstract contract PanelPool is IDisputes {
    using SeatTree for SeatTree.Tree;

    /// @dev One slot. All seats of a validator have the same bond. Seats that sit on panels stay locked whatever
    ///      becomes of the others; `isIn` says whether they come back. `since` is when it last took seats.
    struct Member {
        uint96 bond;
        uint32 index;
        uint32 free;
        uint32 seated;
        uint40 since;
        bool isIn;
    }

    struct Draw {
        uint192 disputeID;
        uint64 seedBlock;
    }

    /// @dev Draws from `first` up to `end`; none is seeded by a block before `seedFrom`.
    struct Queue {
        uint64 first;
        uint64 end;
        uint64 seedFrom;
        mapping(uint256 place => Draw) draws;
    }

    /// @dev One slot. `seats` are those of all who are in the pool, free or seated; `busy` those that disputes sit on,
    ///      or wait for, until they are settled.
    struct Load {
        uint128 seats;
        uint128 busy;
    }

    bytes32 private constant MIN_BOND = "disputeMinBond";
    /// @dev Where EIP-2935 keeps the hashes of the last 8,191 blocks.
    address private constant HISTORY = 0x0000F90827F1C53a10cb7A02335B175320002935;
    /// @dev Beyond it a price is out of everybody's reach; so it overflows nothing.
    uint256 private constant MAX_DOUBLINGS = 20;
    /// @notice Seats of the first panel.
    uint256 public constant SEATS = 3;
    /// @notice Seats of the appeal's panel.
    uint256 public constant APPEAL_SEATS = 5;
    /// @notice Blocks from the request of a draw to the one that seeds it: two epochs, beyond which nobody knows who
    ///         proposes.
    uint256 public constant SEED_DELAY = 64;
    /// @notice Blocks for which the pool stands still before a seed: whoever proposes the last ones knows it early.
    uint256 public constant POOL_FREEZE = 8;
    /// @notice How long a validator stays once it has taken seats, seconds: longer than a panel sits. Else whoever has
    ///         stake could take many for a moment, in which filling the pool is cheap.
    uint256 public constant MIN_STAY = 7 days;

    /// @notice Where the bonds lie.
    IBonds public immutable bonds;
    /// @notice Where fees and bonds are read.
    IParameters public immutable parameters;

    SeatTree.Tree private _tree;
    mapping(uint256 index => address) private _holders;
    mapping(address validator => Member) private _members;
    mapping(uint256 round => Queue) private _queues;
    Load private _load;

    constructor(IBonds bonds_, IParameters parameters_) {
        (bonds, parameters) = (bonds_, parameters_);
    }

    /// @inheritdoc IDisputes
    function joinPool(uint256 seats) external {
        _requireThawed();
        Member storage member = _members[msg.sender];
        uint256 wanted = _minBond();
        uint256 bond = member.free + member.seated == 0 ? wanted : member.bond;
        if (bond < wanted || bond == 0) revert Disputes_BondTooLow(bond, wanted);
        uint256 most = type(uint32).max - member.free - member.seated;
        if (seats == 0 || seats > most) revert Disputes_BadSeats(seats, most);
        if (member.index == 0) {
            uint256 index = _tree.append();
            member.index = uint32(index);
            _holders[index] = msg.sender;
        }
        // Who comes back brings the seats that are still on panels.
        _load.seats += uint128(member.isIn ? seats : seats + member.seated);
        (member.bond, member.since, member.isIn) = (uint96(bond), uint40(block.timestamp), true);
        member.free += uint32(seats);
        _tree.add(member.index, seats);
        emit PoolChanged(msg.sender, member.free);
        bonds.lock(msg.sender, seats * bond);
    }

    /// @inheritdoc IDisputes
    function leavePool() external {
        _requireThawed();
        Member storage member = _members[msg.sender];
        if (!member.isIn) revert Disputes_NotInPool(msg.sender);
        uint256 from = _mayLeaveFrom(msg.sender);
        if (block.timestamp < from) revert Disputes_WrongTime(block.timestamp, from);
        _remove(msg.sender);
    }

    /// @inheritdoc IDisputes
    function evict(address validator) external {
        _requireThawed();
        if (!_members[validator].isIn) revert Disputes_NotInPool(validator);
        // What a seat needs by now is asked when it has sat.
        uint256 locked = bonds.lockedBy(validator, address(this));
        if (bonds.bondFor(validator, address(this)) >= locked) revert Disputes_Bonded(validator);
        _remove(validator);
    }

    /// @inheritdoc IDisputes
    function seatsOf(address validator) external view returns (uint256 free, uint256 seated, uint256 bond) {
        Member memory member = _members[validator];
        return (member.free, member.seated, member.bond);
    }

    /// @inheritdoc IDisputes
    function poolSeats() external view returns (uint256 free, uint256 seats, uint256 busy) {
        return (_tree.total, _load.seats, _load.busy);
    }

    /// @inheritdoc IDisputes
    function nextDraw() external view returns (uint256 disputeID, uint256 seedBlock) {
        (disputeID, , seedBlock) = _next();
    }

    function _requestDraw(uint256 disputeID, uint256 round) internal {
        uint256 seedBlock = block.number + SEED_DELAY;
        Queue storage queue = _queues[round];
        queue.draws[queue.end++] = Draw(uint192(disputeID), uint64(seedBlock));
        _load.busy += uint128(_sizeOf(round));
        emit DrawRequested(disputeID, round, seedBlock);
    }

    /// @dev The draw that is next keeps its place, and begins anew. Those behind it wait as long: their seeds may be
    ///      known by then.
    function _postponeDraw(uint256 disputeID, uint256 round) internal {
        uint256 seedBlock = block.number + SEED_DELAY;
        _queues[round].seedFrom = uint64(seedBlock);
        emit DrawRequested(disputeID, round, seedBlock);
    }

    function _endDraw(uint256 round) internal {
        Queue storage queue = _queues[round];
        delete queue.draws[queue.first++];
    }

    /// @dev Seats a panel, or nobody.
    /// @return isShort Whether there are too few seats.
    function _pick(address[] storage panel, uint256 round, bytes32 seed) internal returns (bool isShort) {
        (uint256 total, uint256 wanted) = (_tree.total, _sizeOf(round));
        uint256 kept = round == 0 ? Math.max(_load.seats / 2, APPEAL_SEATS) : 0;
        if (total < wanted + kept) return true;
        // Every pick lowers the total, so that none repeats another's number.
        for (uint256 left = total; left > total - wanted; --left) {
            uint256 random = uint256(keccak256(abi.encode(seed, left)));
            address picked = _holders[_tree.holderOf(random % left)];
            Member storage member = _members[picked];
            --member.free;
            ++member.seated;
            _tree.remove(member.index, 1);
            panel.push(picked);
        }
    }

    /// @dev Frees a seat: back into the pool, unless its validator has left, the seat is lost, or a seat
    ///      needs more by now.
    function _free(address validator, bool isLost, uint256 minBond) internal {
        Member storage member = _members[validator];
        --member.seated;
        if (member.isIn && !isLost && member.bond >= minBond) {
            ++member.free;
            _tree.add(member.index, 1);
            return;
        }
        if (member.isIn) --_load.seats;
        bonds.unlock(validator, member.bond);
    }

    /// @dev A dispute's seats are settled, those that were never drawn, too.
    function _unload(uint256 seats) internal {
        _load.busy -= uint128(seats);
    }

    /// @dev Takes a validator's free seats out of the pool and unlocks their bonds.
    function _remove(address validator) internal {
        Member storage member = _members[validator];
        if (!member.isIn) return;
        uint256 free = member.free;
        (member.free, member.isIn) = (0, false);
        _load.seats -= uint128(free + member.seated);
        _tree.remove(member.index, free);
        emit PoolChanged(validator, 0);
        bonds.unlock(validator, free * member.bond);
    }

    function _mayLeaveFrom(address validator) internal view returns (uint256) {
        return _members[validator].since + MIN_STAY;
    }

    /// @dev What a draw waits for may be known, or soon is.
    function _requireThawed() internal view {
        (uint256 disputeID, , uint256 seedBlock) = _next();
        if (disputeID != 0 && block.number + POOL_FREEZE >= seedBlock)
            revert Disputes_PoolFrozen(disputeID, seedBlock);
    }

    /// @dev Draws are made in the order of their seeds, an appeal's before a first panel's of the same block. Nobody
    ///      can ask for one before another whose seed is known.
    function _next() internal view returns (uint256 disputeID, uint256 round, uint256 seedBlock) {
        (disputeID, seedBlock) = _headOf(0);
        (uint256 appealed, uint256 appealSeed) = _headOf(1);
        if (appealed != 0 && (disputeID == 0 || appealSeed <= seedBlock)) return (appealed, 1, appealSeed);
    }

    /// @dev Whether the pool can never seat a case and its appeal as it is.
    function _isTooSmall() internal view returns (bool) {
        return _load.seats < SEATS + APPEAL_SEATS;
    }

    /// @dev How often the price of a first panel has doubled: once for each half of the pool that is busy, which is
    ///      what first panels may have at a time.
    function _doublings() internal view returns (uint256) {
        Load memory load = _load;
        return Math.min(load.busy / (Math.max(load.seats, SEATS + APPEAL_SEATS) / 2), MAX_DOUBLINGS);
    }

    /// @dev Zero if it is not known any more, as beyond 256 blocks on a chain without EIP-2935.
    function _hashOf(uint256 blockNumber) internal view returns (bytes32) {
        bytes32 recent = blockhash(blockNumber);
        if (recent != 0) return recent;
        (bool ok, bytes32 older, ) = LowLevelCall.staticcallReturn64Bytes(HISTORY, abi.encode(blockNumber));
        return ok && LowLevelCall.returnDataSize() == 32 ? older : bytes32(0);
    }

    /// @dev No stake is more than 96 bits.
    function _minBond() internal view returns (uint256) {
        return Math.min(parameters.valueOf(MIN_BOND), type(uint96).max);
    }

    function _sizeOf(uint256 round) internal pure returns (uint256) {
        return round == 0 ? SEATS : APPEAL_SEATS;
    }

    function _headOf(uint256 round) private view returns (uint256 disputeID, uint256 seedBlock) {
        Queue storage queue = _queues[round];
        Draw memory head = queue.draws[queue.first];
        return (head.disputeID, Math.max(head.seedBlock, queue.seedFrom));
    }
}
