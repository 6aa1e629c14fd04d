// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IArbitrable} from "../../../contracts/interfaces/trust/IArbitrable.sol";
import {IArbitrator} from "../../../contracts/interfaces/trust/IArbitrator.sol";
import {IDisputes} from "../../../contracts/interfaces/trust/IDisputes.sol";
import {Disputes} from "../../../contracts/trust/Disputes.sol";
import {DisputesFixture} from "../support/DisputesFixture.sol";
import {Print} from "../support/Print.sol";
import {Walk} from "../support/Walk.sol";

/// @notice Whose cases they are. By itself, because the engine calls the handler in anybody's name, the court's included.
contract Party is IArbitrable {
    Disputes private immutable disputes;
    uint256 private immutable choices;
    mapping(uint256 disputeID => bool) private isRuled;
    bool public somethingForbidden;

    constructor(Disputes disputes_, uint256 choices_) {
        (disputes, choices) = (disputes_, choices_);
    }

    function create() external payable {
        disputes.createDispute{value: msg.value}(choices, "");
    }

    /// @inheritdoc IArbitrable
    function rule(uint256 disputeID, uint256 ruling) external {
        if (isRuled[disputeID] || ruling > choices) somethingForbidden = true;
        isRuled[disputeID] = true;
        emit Ruling(IArbitrator(msg.sender), disputeID, ruling);
    }
}

/// @notice Disputes are opened, drawn, voted on, appealed and carried out at random. Every second validator is the
///         adversary's: it stays away, votes at random, comes and goes; the others vote what they find and in time.
contract DisputesHandler is DisputesFixture {
    uint256 private constant OPEN_CASES = 3;
    uint256 private constant FLOOD = 6;
    uint256 private constant SCALE = 100;

    Party private party;
    mapping(uint256 id => mapping(uint256 round => mapping(address => uint256))) private voteOf;
    uint256 public paidIn;
    uint256 public paidOut;
    mapping(uint256 id => mapping(uint256 round => uint256)) private askedAt;
    uint256[11] public reached;
    string[11] public paths = [
        string("created"),
        "drawn",
        "tallied",
        "appealed",
        "executed",
        "governed",
        "settled",
        "slashed",
        "joined or left",
        "flooded",
        "waited for seats"
    ];
    bool private somethingForbidden;

    constructor() {
        super.setUp();
        for (uint256 i = 0; i < pool.length; ++i) _panelist(pool[i], 10 * BOND, 1);
        party = new Party(disputes, SCALE);
    }

    /// @dev The engine calls whatever is public: nothing begins twice.
    function setUp() public override {}

    /// @dev Nor is it anybody's arbitrable.
    function rule(uint256, uint256) external pure override {}

    function create() external {
        if (_pending().length >= OPEN_CASES) return;
        _open(0);
        ++reached[0];
    }

    /// @dev The adversary fills the pool at whatever that costs, and pays too much.
    function flood(uint256 excess) external {
        if (_pending().length > OPEN_CASES || excess % 4 != 0) return;
        for (uint256 i = 0; i < FLOOD; ++i) _open(excess % 1 ether);
        ++reached[9];
    }

    function _open(uint256 excess) private {
        uint256 paid = disputes.arbitrationCost("") + excess;
        vm.deal(address(this), paid);
        party.create{value: paid}();
        paidIn += paid;
        askedAt[disputes.disputeCount()][0] = block.timestamp;
    }

    function draw(bytes32 randao) external {
        (uint256 id, uint256 seedBlock) = disputes.nextDraw();
        if (id == 0) return;
        // Now and then nobody draws until the hash is gone.
        if (uint256(randao) % 16 == 0) vm.roll(seedBlock + 8_200);
        else if (block.number <= seedBlock + 8_000) _reachSeed(randao);
        disputes.draw(_headerOf(randao));
        IDisputes.Case memory state = disputes.caseOf(id);
        if (state.stage == IDisputes.Stage.Committing) ++reached[1];
        else if (state.stage == IDisputes.Stage.Drawing) ++reached[10];
        else if (!_isGivenUp(id, state)) somethingForbidden = true;
    }

    /// @dev All of a panel who vote, the honest ones always.
    function vote(uint256 id, uint256 random) external {
        id = _in(IDisputes.Stage.Committing, id);
        IDisputes.Case memory state = disputes.caseOf(id);
        if (state.stage != IDisputes.Stage.Committing || block.timestamp >= state.until) return;
        address[] memory panel = _panel(id);
        for (uint256 i = 0; i < panel.length; ++i) {
            if (voteOf[id][state.round][panel[i]] != 0) continue;
            uint256 chance = uint256(keccak256(abi.encode(random, panel[i])));
            bool isHonest = _isHonest(panel[i]);
            uint256 ruling = isHonest ? 50 + (id % 9) + (chance % 3) : chance % (SCALE + 1);
            if (!isHonest && chance % 3 == 0) continue;
            _commit(id, panel[i], ruling);
            voteOf[id][state.round][panel[i]] = ruling + 1;
        }
        if (disputes.caseOf(id).stage == IDisputes.Stage.Committing) vm.warp(state.until);
        for (uint256 i = 0; i < panel.length; ++i) {
            uint256 given = voteOf[id][state.round][panel[i]];
            if (given == 0) continue;
            if (!_isHonest(panel[i]) && uint256(keccak256(abi.encode(panel[i], random))) % 4 == 0)
                voteOf[id][state.round][panel[i]] = 0;
            else {
                vm.prank(panel[i]);
                try disputes.reveal(id, given - 1, "salt") {} catch {}
            }
        }
    }

    function tally(uint256 id) external {
        id = _in(IDisputes.Stage.Revealing, id);
        IDisputes.Case memory state = disputes.caseOf(id);
        try disputes.tally(id) {
            ++reached[2];
            if (state.stage == IDisputes.Stage.Drawing && !_isGivenUp(id, state)) somethingForbidden = true;
        } catch {}
    }

    /// @dev A panel waits for seats, a week in a pool too small for it and two months in any other.
    function _isGivenUp(uint256 id, IDisputes.Case memory state) private view returns (bool) {
        if (askedAt[id][state.round] == 0) return true;
        (, uint256 seats, ) = disputes.poolSeats();
        return block.timestamp >= askedAt[id][state.round] + (seats < 8 ? 7 days : 60 days);
    }

    function appeal(uint256 id) external {
        id = _in(IDisputes.Stage.Appealable, id);
        uint256 cost = disputes.appealCost(id, "");
        vm.deal(address(this), cost);
        try disputes.appeal{value: cost}(id, "") {
            paidIn += cost;
            askedAt[id][1] = block.timestamp;
            ++reached[3];
        } catch {}
    }

    function execute(uint256 id) external {
        try disputes.execute(_any(id)) {
            ++reached[4];
        } catch {}
    }

    function govern(uint256 id, uint256 ruling) external {
        id = _in(IDisputes.Stage.Governance, id);
        ruling %= SCALE + 2;
        try disputes.ruleByGovernance(id, ruling) {
            if (ruling > SCALE) somethingForbidden = true;
            ++reached[5];
        } catch {}
    }

    /// @dev Only who was absent, or voted far from what a panel ruled, loses anything.
    function settle(uint256 id) external {
        id = _unsettled(id);
        uint256[] memory before = new uint256[](pool.length);
        for (uint256 i = 0; i < pool.length; ++i) before[i] = staking.bondOf(pool[i]);
        try disputes.settleSeats(id) {} catch {
            return;
        }
        ++reached[6];
        for (uint256 i = 0; i < pool.length; ++i) {
            uint256 lost = before[i] - staking.bondOf(pool[i]);
            if (lost != 0) ++reached[7];
            if (lost != 0 && !_deservesIt(id, pool[i])) somethingForbidden = true;
        }
    }

    function join(uint256 who, uint256 seats) external {
        vm.prank(pool[who % pool.length]);
        try disputes.joinPool(1 + (seats % 3)) {
            ++reached[8];
        } catch {}
    }

    function leave(uint256 who) external {
        address validator = pool[(who % pool.length) & ~uint256(1)];
        vm.prank(validator);
        try disputes.leavePool() {
            ++reached[8];
        } catch {}
        uint256 free = staking.freeBondOf(validator);
        vm.prank(validator);
        if (free > 8 * BOND) staking.unstake(validator, free / 8);
    }

    function withdrawFees(uint256 who) external {
        address account = who % (pool.length + 1) == pool.length ? fees : pool[who % (pool.length + 1)];
        uint256 owed = disputes.feesOf(account);
        vm.prank(account);
        try disputes.withdrawFees(payable(address(0xfee))) {
            paidOut += owed;
        } catch {
            if (owed != 0) somethingForbidden = true;
        }
    }

    function pass(uint256 timeSeconds) external {
        // Now and then as long as governance may take.
        skip(timeSeconds % 8 == 7 ? 30 days : bound(timeSeconds, 12 hours, 1 days));
    }

    function isForbidden() external view returns (bool) {
        return somethingForbidden || party.somethingForbidden();
    }

    /// @notice Fees that are owed, and those of disputes that are not settled.
    function feesKept() external view returns (uint256 owed) {
        for (uint256 i = 0; i < pool.length; ++i) owed += disputes.feesOf(pool[i]);
        owed += disputes.feesOf(fees) + disputes.feesOf(address(this)) + disputes.feesOf(address(party));
        for (uint256 id = 1; id <= disputes.disputeCount(); ++id) {
            IDisputes.Case memory state = disputes.caseOf(id);
            if (state.isSettled) continue;
            owed += COST + (state.round == 0 ? 0 : APPEAL_COST);
        }
    }

    function court() external view returns (Disputes) {
        return disputes;
    }

    /// @notice Every seat is locked, free ones can be drawn, and those that sit are on panels.
    function areSeatsKept() external view returns (bool) {
        uint256 total;
        uint256 sitting;
        uint256 asked;
        for (uint256 i = 0; i < pool.length; ++i) {
            (uint256 free, uint256 seated, uint256 bond) = disputes.seatsOf(pool[i]);
            if (staking.lockedBy(pool[i], address(disputes)) != (free + seated) * bond) return false;
            total += free;
            sitting += seated;
        }
        uint256 all = sitting;
        for (uint256 id = 1; id <= disputes.disputeCount(); ++id) {
            IDisputes.Case memory state = disputes.caseOf(id);
            if (state.isSettled) continue;
            asked += 3 + 5 * state.round;
            for (uint256 round = 0; round < 2; ++round) sitting -= disputes.panelOf(id, round).length;
        }
        (uint256 free, uint256 seats, uint256 busy) = disputes.poolSeats();
        return total == free && sitting == 0 && asked == busy && free <= seats && seats <= free + all;
    }

    function _isHonest(address validator) private view returns (bool) {
        for (uint256 i = 1; i < pool.length; i += 2) if (pool[i] == validator) return true;
        return false;
    }

    function _deservesIt(uint256 id, address validator) private view returns (bool) {
        IDisputes.Case memory state = disputes.caseOf(id);
        for (uint256 round = 0; round <= state.round; ++round) {
            address[] memory panel = disputes.panelOf(id, round);
            for (uint256 i = 0; i < panel.length; ++i) {
                if (panel[i] != validator) continue;
                uint256 given = voteOf[id][round][validator];
                if (given == 0 || given == 1 || state.ruling == 0) return true;
                uint256 vote_ = given - 1;
                if (vote_ > state.ruling + SCALE / 10 || state.ruling > vote_ + SCALE / 10) return true;
            }
        }
        return false;
    }

    /// @dev Mostly one that is at this stage, else any that is not over, and now and then one that is.
    function _in(IDisputes.Stage stage, uint256 id) private view returns (uint256) {
        uint256[] memory pending = _pending();
        if (id % 4 == 3) return _any(id);
        for (uint256 i = 0; i < pending.length; ++i) {
            uint256 found = pending[((id % pending.length) + i) % pending.length];
            if (disputes.caseOf(found).stage == stage) return found;
        }
        return _any(id);
    }

    function _any(uint256 id) private view returns (uint256) {
        uint256 count = disputes.disputeCount();
        uint256[] memory pending = _pending();
        if (pending.length != 0 && id % 4 != 3) return pending[(id / 4) % pending.length];
        return count == 0 ? 0 : 1 + (id % count);
    }

    function _unsettled(uint256 id) private view returns (uint256) {
        for (uint256 i = 1; i <= disputes.disputeCount(); ++i)
            if (!disputes.caseOf(i).isSettled && disputes.caseOf(i).stage == IDisputes.Stage.Solved) return i;
        return _any(id);
    }

    /// @dev The cases that have not been carried out.
    function _pending() private view returns (uint256[] memory pending) {
        uint256 count = disputes.disputeCount();
        pending = new uint256[](count);
        uint256 length;
        for (uint256 id = 1; id <= count; ++id) {
            if (!disputes.caseOf(id).isExecuted) pending[length++] = id;
        }
        assembly ("memory-safe") {
            mstore(pending, length)
        }
    }
}

contract DisputesInvariantTest is Walk {
    DisputesHandler private handler;
    Disputes private disputes;

    function setUp() public {
        handler = new DisputesHandler();
        disputes = handler.court();
        targetContract(address(handler));
    }

    /// @dev One campaign asks all of them after each call: a campaign of its own for each would walk the same ways.
    function invariant_allHold() public view {
        check_feesAreKept();
        check_everySeatIsBonded();
        check_rulingsAreChoices();
        check_nothingForbiddenHappened();
    }

    /// @notice Every fee that was paid is held for seats that are not settled, owed to somebody, or paid out.
    function check_feesAreKept() public view {
        uint256 kept = handler.feesKept();
        assertEq(handler.paidIn(), kept + handler.paidOut(), "fees");
        assertEq(address(disputes).balance, kept, "held");
    }

    /// @notice Each seat has a bond that is locked for it alone, and sits on one panel or can be drawn.
    function check_everySeatIsBonded() public view {
        assertTrue(handler.areSeatsKept(), "seats");
    }

    /// @notice A panel is whole, a ruling is one of the choices, and an executed case is a solved one.
    function check_rulingsAreChoices() public view {
        for (uint256 id = 1; id <= disputes.disputeCount(); ++id) {
            IDisputes.Case memory state = disputes.caseOf(id);
            for (uint256 round = 0; round <= state.round; ++round) {
                uint256 seats = disputes.panelOf(id, round).length;
                assertTrue(seats == 0 || seats == (round == 0 ? 3 : 5), "a whole panel");
            }
            assertLe(state.ruling, state.choices, "ruling");
            if (state.isExecuted) assertTrue(state.stage == IDisputes.Stage.Solved, "executed");
        }
    }

    function check_nothingForbiddenHappened() public view {
        assertFalse(handler.isForbidden(), "see the handler");
    }

    function test_aWalk_reachesEveryPath() public {
        bytes4[] memory selectors = new bytes4[](13);
        selectors[0] = handler.create.selector;
        selectors[1] = handler.draw.selector;
        selectors[2] = handler.vote.selector;
        selectors[3] = handler.tally.selector;
        selectors[4] = handler.appeal.selector;
        selectors[5] = handler.execute.selector;
        selectors[6] = handler.govern.selector;
        selectors[7] = handler.settle.selector;
        selectors[8] = handler.join.selector;
        selectors[9] = handler.leave.selector;
        selectors[10] = handler.withdrawFees.selector;
        selectors[11] = handler.pass.selector;
        selectors[12] = handler.flood.selector;
        _walk(address(handler), selectors, 1, 1_500);
        invariant_allHold();
        for (uint256 i = 0; i < 11; ++i) {
            Print.count(handler.paths(i), handler.reached(i));
            assertLe(1, handler.reached(i), handler.paths(i));
        }
    }
}
