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
/// @dev A draw depends on its seed and on the pool. So the pool stands still from shortly before the seed can be known
///      until the draw is made, and draws are made in the order of their requests: nobody who knows the seed has a
///      choice left.
abstract contract PanelPool is IDisputes {
    using SeatTree for SeatTree.Tree;

    /// @dev One slot. All seats of a validator have the same bond. Seats that sit on panels stay locked whatever
    ///      becomes of the others; `isIn` says whether they come back.
    struct Member {
        uint96 bond;
        uint32 index;
        uint32 free;
        uint32 seated;
        bool isIn;
    }

    struct Draw {
        uint192 disputeID;
        uint64 seedBlock;
    }

    bytes32 private constant MIN_BOND = "disputeMinBond";
    /// @dev Where EIP-2935 keeps the hashes of the last 8,191 blocks.
    address private constant HISTORY = 0x0000F90827F1C53a10cb7A02335B175320002935;
    /// @dev Picks of one call: the gas of a draw is bounded, and the next call goes on.
    uint256 private constant PICKS = 24;
    /// @notice Blocks from the request of a draw to the one that seeds it: two epochs, beyond which nobody knows who
    ///         proposes.
    uint256 public constant SEED_DELAY = 64;
    /// @notice Blocks for which the pool stands still before a seed: whoever proposes the last ones knows it early.
    uint256 public constant POOL_FREEZE = 8;

    /// @notice Where the bonds lie.
    IBonds public immutable bonds;
    /// @notice Where fees and bonds are read.
    IParameters public immutable parameters;

    SeatTree.Tree private _tree;
    mapping(uint256 index => address) private _holders;
    mapping(address validator => Member) private _members;
    mapping(uint256 place => Draw) private _draws;
    uint128 private _firstDraw;
    uint128 private _endOfDraws;

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
        (member.bond, member.isIn) = (uint96(bond), true);
        member.free += uint32(seats);
        _tree.add(member.index, seats);
        emit PoolChanged(msg.sender, member.free);
        bonds.lock(msg.sender, seats * bond);
    }

    /// @inheritdoc IDisputes
    function leavePool() external {
        _requireThawed();
        if (!_members[msg.sender].isIn) revert Disputes_NotInPool(msg.sender);
        _remove(msg.sender);
    }

    /// @inheritdoc IDisputes
    function evict(address validator) external {
        _requireThawed();
        if (!_members[validator].isIn) revert Disputes_NotInPool(validator);
        if (_isBonded(validator, _minBond())) revert Disputes_Bonded(validator);
        _remove(validator);
    }

    /// @inheritdoc IDisputes
    function seatsOf(address validator) external view returns (uint256 free, uint256 seated, uint256 bond) {
        Member memory member = _members[validator];
        return (member.free, member.seated, member.bond);
    }

    /// @inheritdoc IDisputes
    function poolSeats() external view returns (uint256) {
        return _tree.total;
    }

    /// @inheritdoc IDisputes
    function nextDraw() public view returns (uint256 disputeID, uint256 seedBlock) {
        Draw memory next = _draws[_firstDraw];
        return (next.disputeID, next.seedBlock);
    }

    function _requestDraw(uint256 disputeID, uint256 round) internal {
        uint256 seedBlock = block.number + SEED_DELAY;
        _draws[_endOfDraws++] = Draw(uint192(disputeID), uint64(seedBlock));
        emit DrawRequested(disputeID, round, seedBlock);
    }

    function _endDraw() internal {
        delete _draws[_firstDraw++];
    }

    /// @dev Goes on to fill the seats. Whoever is picked and lacks the bond leaves the pool.
    /// @return isOver Whether all are filled, or nobody is left to be picked.
    function _pick(
        address[] storage seats,
        uint256 wanted,
        uint256 bond,
        bytes32 seed
    ) internal returns (bool isOver) {
        for (uint256 i = 0; i < PICKS; ++i) {
            uint256 total = _tree.total;
            if (seats.length == wanted || total == 0) return true;
            // Every pick lowers the total, so that none repeats another's number.
            uint256 random = uint256(keccak256(abi.encode(seed, total)));
            address picked = _holders[_tree.holderOf(random % total)];
            if (!_isBonded(picked, bond)) {
                _remove(picked);
                continue;
            }
            Member storage member = _members[picked];
            --member.free;
            ++member.seated;
            _tree.remove(member.index, 1);
            seats.push(picked);
        }
        return seats.length == wanted;
    }

    /// @dev Frees a seat: back into the pool, unless its validator has left or the seat is lost.
    function _free(address validator, bool isLost) internal {
        Member storage member = _members[validator];
        --member.seated;
        if (isLost || !member.isIn) return bonds.unlock(validator, member.bond);
        ++member.free;
        _tree.add(member.index, 1);
    }

    /// @dev Takes a validator's free seats out of the pool and unlocks their bonds.
    function _remove(address validator) internal {
        Member storage member = _members[validator];
        if (!member.isIn) return;
        uint256 free = member.free;
        (member.free, member.isIn) = (0, false);
        _tree.remove(member.index, free);
        emit PoolChanged(validator, 0);
        bonds.unlock(validator, free * member.bond);
    }

    /// @dev What a draw waits for may be known, or soon is.
    function _requireThawed() internal view {
        (uint256 disputeID, uint256 seedBlock) = nextDraw();
        if (disputeID != 0 && block.number + POOL_FREEZE >= seedBlock)
            revert Disputes_PoolFrozen(disputeID, seedBlock);
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

    /// @dev Slashing may have left less than is locked, and a vote may have raised what a seat needs.
    function _isBonded(address validator, uint256 bond) private view returns (bool) {
        if (_members[validator].bond < bond) return false;
        return bonds.bondOf(validator) >= bonds.lockedBy(validator, address(this));
    }
}
