// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDisputes} from "../../../contracts/interfaces/trust/IDisputes.sol";
import {BusyFixture} from "../support/BusyFixture.sol";
import {Print} from "../support/Print.sol";

/// @notice What appeals and a chosen moment add to filling the pool: the bounds of docs/trust.md. Thirty seats, a
///         validator each; an appeal's price does not double, and holds five seats beside the three.
contract DisputesAppealed is BusyFixture {
    uint256 private constant PANELS = 5;
    uint256 private constant OWN = 10;
    uint256 private constant TRIES = 200;

    address private rich;
    mapping(address account => bool) private _isOwn;

    function setUp() public override {
        super.setUp();
        rich = makeAddr("rich");
        vm.deal(rich, 1_000 ether);
        for (uint256 i = 0; i < 30 - POOL; ++i) {
            address account = _panelist(vm.addr(2_000 + i), BOND, 1);
            if (i < OWN) _isOwn[account] = true;
        }
    }

    function test_appealingWhatFillsThePool_makesATurnOfElevenDays_forTenFeesACase() public {
        for (uint256 turns = 1; turns <= 5; ++turns) {
            uint256 before = vm.snapshotState();
            (uint256 elapsed, bool isHeard) = _delay(turns);
            uint256 spent = 1_000 ether - rich.balance;
            assertEq(spent, PANELS * (COST * (2 ** turns - 1) + turns * APPEAL_COST), "what it cost");
            assertTrue(elapsed <= turns * 11 days, "turns of eleven days");
            assertTrue(isHeard, "and then it is heard");
            Print.count("turns", turns);
            Print.count("days", elapsed / 1 days);
            Print.count("thousandths of a coin", spent / 1e15);
            vm.revertToState(before);
        }
    }

    function test_appealingWhatFillsThePool_forSixtyDays_leavesWhoComesNextToGovernance() public {
        (, bool isHeard) = _delay(6);
        assertFalse(isHeard, "given up");
        assertEq(1_000 ether - rich.balance, 12.45 ether, "what it cost");
    }

    /// @dev Seats that sit on appeals are missing from the half that first panels may have.
    function test_twoCasesWithTheirAppeals_stopAllFirstPanelsOfThirtySeats() public {
        uint256[2] memory ids = [_create(), _create()];
        _drawAll();
        for (uint256 i = 0; i < 2; ++i) {
            _vote(ids[i], _votes(1, 1, 1));
            disputes.tally(ids[i]);
            disputes.appeal{value: APPEAL_COST}(ids[i], "");
        }
        _drawAll();
        assertEq(_freeSeats(), 14, "sixteen seats, for 0.26 coins");
        uint256 id = _create();
        _drawAll();
        _assertStage(id, IDisputes.Stage.Drawing);
        skip(3 days);
        for (uint256 i = 0; i < 2; ++i) {
            disputes.tally(ids[i]);
            _thaw();
            disputes.settleSeats(ids[i]);
        }
        _drawAll();
        assertEq(_panel(id).length, 3, "until they are settled");
    }

    /// @dev A panel is drawn from the free seats. Whoever fills the pool can wait for panels that took few of its own.
    function test_aThirdOfTheSeats_rulesMoreOften_whereItChoosesTheMoment() public {
        uint256 usual = _wins();
        uint256 lucky;
        uint256 best;
        uint256 before = vm.snapshotState();
        for (uint256 seed = 0; seed < 100; ++seed) {
            if (_flood(seed) <= 2) {
                ++lucky;
                if (best == 0) best = seed + 1;
            }
            vm.revertToState(before);
            before = vm.snapshotState();
        }
        assertTrue(best != 0, "a lucky flood");
        _flood(best - 1);
        uint256 spent = 1_000 ether - rich.balance;
        uint256 wins = _wins();
        Print.count("majorities of 200", usual);
        Print.count("floods of 100 that took two of its ten at most", lucky);
        Print.count("thousandths of a coin for a flood", spent / 1e15);
        Print.count("majorities of 200 after one", wins);
        assertTrue(wins > usual, "more often");
        // With p = 10 / 18, which is the most that four panels leave, it would be 3p² - 2p³ = 58 %.
        assertTrue(wins < (TRIES * 58) / 100, "and no more often than that");
    }

    /// @dev Fills the pool for so many turns, appeals all of it at the last moment, and waits for who comes next.
    function _delay(uint256 turns) private returns (uint256 elapsed, bool isHeard) {
        vm.startPrank(rich);
        for (uint256 i = 0; i < turns * PANELS; ++i)
            disputes.createDispute{value: disputes.arbitrationCost("")}(1, "");
        vm.stopPrank();
        uint256 id = _create();
        uint256 began = block.timestamp;
        uint256 until = disputes.caseOf(id).until;
        while (true) {
            _drawAll();
            isHeard = _panel(id).length == 3;
            if (isHeard || block.timestamp >= until) return (block.timestamp - began, isHeard);
            _step(id);
        }
    }

    /// @dev The last second of the stage that ends next: every panel votes, nobody is absent, and all is appealed.
    function _step(uint256 last) private {
        uint256 next = type(uint256).max;
        for (uint256 i = 1; i < last; ++i) {
            IDisputes.Case memory state = disputes.caseOf(i);
            if (_isTimed(state.stage) && state.until < next) next = state.until;
        }
        vm.warp(next - 1);
        for (uint256 i = 1; i < last; ++i) {
            IDisputes.Case memory state = disputes.caseOf(i);
            if (!_isTimed(state.stage) || state.until != next) continue;
            if (state.stage == IDisputes.Stage.Appealable) {
                vm.prank(rich);
                disputes.appeal{value: APPEAL_COST}(i, "");
                continue;
            }
            address[] memory panel = _panel(i);
            bool isCommitting = state.stage == IDisputes.Stage.Committing;
            for (uint256 j = 0; j < panel.length; ++j) {
                if (isCommitting) _commit(i, panel[j], 1);
                else _reveal(i, panel[j], 1);
            }
            if (isCommitting) continue;
            disputes.tally(i);
            if (disputes.caseOf(i).stage != IDisputes.Stage.Solved) continue;
            _thaw();
            disputes.settleSeats(i);
        }
        if (block.timestamp < next) vm.warp(next);
    }

    /// @return own How many seats of the coalition four panels took.
    function _flood(uint256 seed) private returns (uint256 own) {
        for (uint256 i = 0; i < 4; ++i) {
            vm.startPrank(rich);
            uint256 id = disputes.createDispute{value: disputes.arbitrationCost("")}(1, "");
            vm.stopPrank();
            _draw(keccak256(abi.encode(seed, i)));
            own += _ownOf(id);
        }
    }

    /// @return wins How many of so many draws seat a majority of the coalition's.
    function _wins() private returns (uint256 wins) {
        uint256 outer = vm.snapshotState();
        uint256 id = _create();
        uint256 before = vm.snapshotState();
        for (uint256 i = 0; i < TRIES; ++i) {
            _draw(keccak256(abi.encode("case", i)));
            if (_ownOf(id) >= 2) ++wins;
            vm.revertToState(before);
            before = vm.snapshotState();
        }
        vm.revertToState(outer);
    }

    function _ownOf(uint256 id) private view returns (uint256 own) {
        address[] memory panel = _panel(id);
        for (uint256 i = 0; i < panel.length; ++i) if (_isOwn[panel[i]]) ++own;
    }

    function _isTimed(IDisputes.Stage stage) private pure returns (bool) {
        return
            stage == IDisputes.Stage.Committing ||
            stage == IDisputes.Stage.Revealing ||
            stage == IDisputes.Stage.Appealable;
    }
}
