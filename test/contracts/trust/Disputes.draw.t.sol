// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDisputes} from "../../../contracts/interfaces/trust/IDisputes.sol";
import {DisputesFixture} from "../support/DisputesFixture.sol";

/// @notice How panels are drawn from the pool: seeds, their order, seats that are too few.
contract DisputesDrawTest is DisputesFixture {
    function test_draw_seatsAPanel_fromALaterBlock() public {
        vm.expectRevert(IDisputes.Disputes_NothingToDraw.selector);
        disputes.draw("");
        vm.expectEmit(true, true, true, true);
        emit IDisputes.DrawRequested(1, 0, block.number + 64);
        uint256 id = _create();
        (uint256 next, uint256 seedBlock) = disputes.nextDraw();
        assertEq(next, id, "next");
        assertEq(seedBlock, block.number + 64, "seed");
        assertEq(disputes.panelOf(id, 0).length, 0, "nobody yet");
        vm.roll(seedBlock);
        vm.expectRevert(
            abi.encodeWithSelector(IDisputes.Disputes_SeedUnknown.selector, seedBlock, seedBlock)
        );
        disputes.draw("");
        bytes memory header = _reachSeed("random");
        bytes memory other = _headerOf("other");
        vm.expectRevert(
            abi.encodeWithSelector(
                IDisputes.Disputes_WrongHeader.selector,
                keccak256(other),
                keccak256(header)
            )
        );
        disputes.draw(other);
        vm.prank(stranger);
        disputes.draw(header);
        address[] memory panel = disputes.panelOf(id, 0);
        assertEq(panel.length, 3, "three");
        assertTrue(panel[0] != panel[1] && panel[0] != panel[2] && panel[1] != panel[2], "a seat sits once");
        for (uint256 i = 0; i < 3; ++i) {
            (uint256 free, uint256 seated, ) = disputes.seatsOf(panel[i]);
            assertEq(free, 0, "free");
            assertEq(seated, 1, "seated");
        }
        assertEq(_freeSeats(), POOL - 3, "the others");
        IDisputes.Case memory state = disputes.caseOf(id);
        assertEq(uint256(state.stage), uint256(IDisputes.Stage.Committing), "stage");
        assertEq(state.until, OPENED + 2 days, "until");
        (next, ) = disputes.nextDraw();
        assertEq(next, 0, "none waits");
    }

    function test_draw_followsTheSeed() public {
        uint256 before = vm.snapshotState();
        uint256 different;
        address first = _panel(_drawn())[0];
        for (uint256 i = 0; i < 8; ++i) {
            vm.revertToState(before);
            before = vm.snapshotState();
            uint256 id = _create();
            _draw(bytes32(i));
            if (_panel(id)[0] != first) ++different;
        }
        assertLe(4, different, "panels of other seeds");
    }

    function test_draw_inTheOrderOfTheRequests() public {
        uint256 first = _create();
        uint256 second = _create();
        _draw("random");
        assertEq(_panel(first).length, 3, "the first");
        assertEq(_panel(second).length, 0, "and not the second");
        _draw("random");
        assertEq(_panel(second).length, 3, "which is next");
        assertEq(_freeSeats(), POOL - 6, "seats");
    }

    function test_draw_afterManyBlocks_readsTheHistory() public {
        uint256 id = _create();
        vm.roll(block.number + 64 + 8_191);
        _draw("random");
        assertEq(_panel(id).length, 3, "a day later");
    }

    function test_draw_whenTheHashIsGone_takesALaterBlock() public {
        uint256 id = _create();
        vm.roll(block.number + 64 + 8_192);
        vm.expectEmit(true, true, true, true);
        emit IDisputes.DrawRequested(id, 0, block.number + 64);
        disputes.draw("");
        assertEq(_panel(id).length, 0, "not yet");
        _draw("random");
        assertEq(_panel(id).length, 3, "then");
    }

    /// @dev Stake comes and goes while the pool stands still: it would be a choice for who knows the seed.
    function test_draw_asksForNobodysStake() public {
        uint256 id = _create();
        bytes memory header = _reachSeed("random");
        address[] memory panel = _foreseen(id, header);
        for (uint256 i = 0; i < POOL; ++i) staking.slash(pool[i], BOND, stranger, "elsewhere");
        disputes.draw(header);
        for (uint256 i = 0; i < 3; ++i) assertEq(_panel(id)[i], panel[i], "the same panel");
    }

    function test_draw_ofALargePool_isOneCall() public {
        for (uint256 i = 0; i < 200; ++i) _panelist(vm.addr(2_000 + i), 3 * BOND, 1 + (i % 3));
        uint256 id = _create();
        _draw("random");
        assertEq(_panel(id).length, 3, "a whole panel");
    }

    function test_draw_ofOneBlock_theAppealComesFirst() public {
        uint256 id = _tallied(1, 1, 1);
        uint256 other = _create();
        disputes.appeal{value: APPEAL_COST}(id, "");
        (uint256 next, ) = disputes.nextDraw();
        assertEq(next, id, "the appeal");
        _draw("appeal");
        assertEq(_panel(id).length, 5, "drawn");
        (next, ) = disputes.nextDraw();
        assertEq(next, other, "then the other");
    }

    function test_draw_ofATooSmallPool_waits_thenAsksGovernance() public {
        _leave(0, POOL - 7);
        uint256 id = _create();
        bytes memory header = _reachSeed("random");
        vm.expectEmit(true, true, true, true);
        emit IDisputes.DrawRequested(id, 0, block.number + 64);
        disputes.draw(header);
        _assertStage(id, IDisputes.Stage.Drawing);
        assertEq(_freeSeats(), 7, "nobody is drawn");
        vm.warp(OPENED + 7 days);
        header = _reachSeed("random");
        vm.expectEmit(true, true, true, true);
        emit IDisputes.PanelFailed(id, 0, OPENED + 37 days);
        disputes.draw(header);
        _assertStage(id, IDisputes.Stage.Governance);
        disputes.ruleByGovernance(id, 5);
        disputes.settleSeats(id);
        assertEq(disputes.feesOf(fees), COST, "nobody earned the fee");
        (, , uint256 busy) = disputes.poolSeats();
        assertEq(busy, 0, "nobody waits");
    }

    function test_draw_ofAPoolThatGrows_takesPlaceInTheEnd() public {
        _leave(0, POOL - 7);
        uint256 id = _create();
        _draw("too few");
        skip(7 days - 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IDisputes.Disputes_WrongTime.selector,
                OPENED + 7 days - 1,
                OPENED + 7 days
            )
        );
        disputes.tally(id);
        vm.prank(pool[0]);
        disputes.joinPool(1);
        skip(30 days);
        vm.expectRevert(
            abi.encodeWithSelector(IDisputes.Disputes_WrongTime.selector, block.timestamp, OPENED + 60 days)
        );
        disputes.tally(id);
        _draw("enough");
        assertEq(_panel(id).length, 3, "drawn");
    }

    function test_tally_givesUpAPanelThatNobodyDrew() public {
        uint256 id = _create();
        vm.warp(OPENED + 60 days - 1);
        bytes4 wrong = IDisputes.Disputes_WrongTime.selector;
        vm.expectRevert(abi.encodeWithSelector(wrong, OPENED + 60 days - 1, OPENED + 60 days));
        disputes.tally(id);
        vm.warp(OPENED + 60 days);
        disputes.tally(id);
        _assertStage(id, IDisputes.Stage.Governance);
        _draw("random");
        assertEq(_panel(id).length, 0, "it is not drawn any more");
        (uint256 next, ) = disputes.nextDraw();
        assertEq(next, 0, "nor waited for");
    }

    /// @dev Who knows the seed cannot choose between a panel and none.
    function test_draw_ofAPanelThatIsGivenUp_isTheSameAsTally() public {
        uint256 id = _create();
        vm.warp(OPENED + 60 days);
        _draw("random");
        _assertStage(id, IDisputes.Stage.Governance);
        assertEq(_panel(id).length, 0, "no panel");
    }

    // How many seats there are, and what a panel costs

    function test_draw_leavesHalfOfThePoolForAppeals() public {
        (uint256 first, uint256 second, uint256 third) = (_create(), _create(), _create());
        for (uint256 i = 0; i < 3; ++i) _draw(bytes32(i));
        assertEq(_panel(first).length + _panel(second).length, 6, "two panels");
        assertEq(_panel(third).length, 0, "the third waits");
        _vote(first, _votes(1, 1, 1));
        disputes.tally(first);
        disputes.appeal{value: APPEAL_COST}(first, "");
        _draw("the third again");
        assertEq(_panel(third).length, 0, "it still does");
        _draw("appeal");
        assertEq(_panel(first).length, 5, "and the appeal does not");
        skip(3 days);
        disputes.tally(first);
        disputes.settleSeats(first);
        // Nobody voted on the appeal.
        for (uint256 i = 0; i < 5; ++i) _panelist(vm.addr(2_000 + i), BOND, 1);
        _draw("the third at last");
        assertEq(_panel(third).length, 3, "it does not wait for ever");
    }

    /// @dev A draw that is postponed takes those behind it along: else their seed would be known while the pool moves.
    function test_draw_postponed_keepsTheOrder_andNoKnownSeed() public {
        for (uint256 i = 0; i < 2; ++i) _create();
        uint256 third = _create();
        vm.roll(block.number + 32);
        uint256 fourth = _create();
        for (uint256 i = 0; i < 3; ++i) _draw(bytes32(i));
        (uint256 next, uint256 seedBlock) = disputes.nextDraw();
        assertEq(next, third, "keeps its place");
        assertEq(seedBlock, block.number + 64, "another block");
        for (uint256 i = 0; i < 6; ++i) _panelist(vm.addr(2_000 + i), BOND, 1);
        _draw("third");
        assertEq(_panel(third).length, 3, "the third");
        uint256 after_;
        (next, after_) = disputes.nextDraw();
        assertEq(next, fourth, "then the fourth");
        assertEq(after_, seedBlock, "by a block that nobody knew when the third was postponed");
    }
}
