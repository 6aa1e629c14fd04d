// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDisputes} from "../../../contracts/interfaces/trust/IDisputes.sol";
import {BusyFixture} from "../support/BusyFixture.sol";
import {Print} from "../support/Print.sol";

/// @notice What an attacker who fills the pool with disputes about nothing reaches, and what it costs: the bounds of
///         docs/trust.md. Thirty seats, a validator each: five first panels sit at a time.
contract DisputesBounds is BusyFixture {
    uint256 private constant SEATS_OF_ALL = 30;
    uint256 private constant PANELS = 5;

    address private loser;
    address private winner;

    function setUp() public override {
        super.setUp();
        (loser, winner) = (makeAddr("loser"), makeAddr("winner"));
        vm.deal(loser, 100 ether);
        vm.deal(winner, 1_000 ether);
        for (uint256 i = 0; i < SEATS_OF_ALL - POOL; ++i) _panelist(vm.addr(2_000 + i), BOND, 1);
    }

    function test_fillingThePool_delaysByATurn_forTwiceThePriceOfTheLast() public {
        for (uint256 turns = 1; turns <= 6; ++turns) {
            uint256 before = vm.snapshotState();
            _fill(turns * PANELS);
            uint256 spent = 1_000 ether - winner.balance;
            assertEq(spent, PANELS * COST * (2 ** turns - 1), "what it cost");
            uint256 id = _create();
            uint256 waited;
            while (_turn(id)) ++waited;
            assertEq(waited, turns, "turns");
            assertEq(_panel(id).length, 3, "and then it is heard");
            Print.count("turns of five days", turns);
            Print.count("thousandths of a coin", spent / 1e15);
            vm.revertToState(before);
        }
    }

    /// @dev What the last of them pays goes to no panelist: whoever has seats earns nothing by filling the pool.
    function test_fillingThePool_isNoIncomeOfPanelists() public {
        _fill(2 * PANELS);
        assertEq(disputes.feesOf(fees), PANELS * COST, "all that is more than a panel's fee");
        _turn(0);
        uint256 paid;
        for (uint256 i = 0; i < SEATS_OF_ALL; ++i)
            paid += disputes.feesOf(i < POOL ? pool[i] : vm.addr(2_000 + i - POOL));
        assertEq(paid, PANELS * COST, "five panels'");
    }

    function test_appealingOneself_inAFullPool_isHeard() public {
        uint256 id = _tallied(1, 1, 1);
        _fill(4 * PANELS);
        vm.prank(winner);
        disputes.appeal{value: APPEAL_COST}(id, "");
        _drawAll();
        assertEq(_panel(id).length, 5, "at once");
        uint256[] memory votes = new uint256[](5);
        for (uint256 i = 0; i < 5; ++i) votes[i] = 9_000;
        _vote(id, votes);
        disputes.tally(id);
        disputes.execute(id);
        assertEq(ruled, 9_000, "overturned");
    }

    /// @dev Four of the five cases are the attacker's, and it appeals all of them first: fifteen seats hear three.
    function test_fillingTheAppeals_delaysOneByATurn() public {
        uint256[] memory ids = new uint256[](PANELS);
        for (uint256 i = 0; i < PANELS; ++i) ids[i] = _create();
        _drawAll();
        for (uint256 i = 0; i < PANELS; ++i) {
            _vote(ids[i], _votes(1, 1, 1));
            disputes.tally(ids[i]);
        }
        _fill(2 * PANELS);
        for (uint256 i = 0; i < PANELS; ++i) {
            vm.prank(i == PANELS - 1 ? loser : winner);
            disputes.appeal{value: APPEAL_COST}(ids[i], "");
        }
        _drawAll();
        for (uint256 i = 0; i < PANELS; ++i) assertEq(_panel(ids[i]).length, i < 3 ? 5 : 0, "three of five");
        skip(3 days);
        for (uint256 i = 0; i < 3; ++i) {
            disputes.tally(ids[i]);
            // Those who were absent leave the pool; as many come.
            _thaw();
            disputes.settleSeats(ids[i]);
            for (uint256 j = 0; j < 5; ++j) _panelist(vm.addr(3_000 + 5 * i + j), BOND, 1);
        }
        _drawAll();
        for (uint256 i = 3; i < PANELS; ++i) assertEq(_panel(ids[i]).length, 5, "the other two");
    }

    /// @dev Whoever has stake takes many seats, so that filling the pool is cheap: then there are as many, and they stay.
    function test_manySeatsForAMoment_makeNoFloodCheap() public {
        address rich = _panelist(makeAddr("rich"), 300 * BOND, 300);
        _fill(11 * PANELS);
        assertEq(1_000 ether - winner.balance, 11 * PANELS * COST, "cheap");
        vm.expectPartialRevert(IDisputes.Disputes_WrongTime.selector);
        vm.prank(rich);
        disputes.leavePool();
        uint256 id = _create();
        for (uint256 i = 0; i < 11 * PANELS; ++i) _draw("random");
        for (uint256 i = 1; i < id; ++i) assertEq(disputes.panelOf(i, 0).length, 3, "drawn at once");
    }

    /// @dev Was: who had to stay for a week left a day after it had joined, by being absent in a case of its own, behind
    ///      the flood that its seats had made cheap.
    function test_beingAbsentOnPurpose_endsNoStay() public {
        address rich = _panelist(makeAddr("rich"), 300 * BOND, 300);
        uint256 own = _create();
        uint256 before = vm.snapshotState();
        for (uint256 i = 0; disputes.caseOf(own).stage == IDisputes.Stage.Drawing; ++i) {
            _draw(keccak256(abi.encode(i)));
            address[] memory seats = _panel(own);
            if (seats[0] == rich && seats[1] == rich && seats[2] == rich) break;
            vm.revertToState(before);
            before = vm.snapshotState();
        }
        _commit(own, rich, 1);
        skip(1 days);
        _fill(10 * PANELS);
        assertEq(1_000 ether - winner.balance, 10 * PANELS * COST, "cheap");
        disputes.tally(own);
        disputes.settleSeats(own);
        assertEq(_freeOf(rich), 297, "it loses the seats that were absent, and no more");
        assertEq(staking.bondOf(rich), 300 * BOND - 3 * SLASH, "with their slashes");
        vm.expectPartialRevert(IDisputes.Disputes_WrongTime.selector);
        vm.prank(rich);
        disputes.leavePool();
        vm.expectRevert(abi.encodeWithSelector(IDisputes.Disputes_Bonded.selector, rich));
        disputes.evict(rich);
        uint256 id = _create();
        for (uint256 i = own; i < id; ++i) _draw("random");
        for (uint256 i = own + 1; i <= id; ++i)
            assertEq(disputes.panelOf(i, 0).length, 3, "its seats hear what it filled the pool with");
        skip(7 days);
        _thaw();
        disputes.tally(id);
        disputes.settleSeats(id);
        address[] memory panel = disputes.panelOf(id, 0);
        bool sat = panel[0] == rich || panel[1] == rich || panel[2] == rich;
        assertTrue(sat, "it sat again");
        assertEq(_freeOf(rich), 0, "once it may leave, absence ends its stay");
    }

    function test_raisingTheBond_leavesNoDisputeToGovernance() public {
        registry.set("disputeMinBond", BOND + 1);
        for (uint256 i = 0; i < PANELS; ++i) {
            uint256 id = _create();
            _draw("random");
            assertEq(_panel(id).length, 3, "drawn from those who have what was asked of them");
        }
    }

    function _fill(uint256 panels) private {
        vm.startPrank(winner);
        for (uint256 i = 0; i < panels; ++i)
            disputes.createDispute{value: disputes.arbitrationCost("")}(1, "");
        vm.stopPrank();
    }
}
