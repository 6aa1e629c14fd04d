// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDisputes} from "../../../contracts/interfaces/trust/IDisputes.sol";
import {IStaking} from "../../../contracts/interfaces/staking/IStaking.sol";
import {DisputesFixture} from "../support/DisputesFixture.sol";

/// @notice Seats in the pool, and how a panel is drawn from them.
contract DisputesPoolTest is DisputesFixture {
    function test_joinPool_locksABondForEachSeat() public {
        address panelist = _panelist(alice, 3 * BOND, 0);
        vm.expectEmit(true, true, true, true);
        emit IDisputes.PoolChanged(panelist, 2);
        vm.prank(panelist);
        disputes.joinPool(2);
        assertEq(staking.lockedBy(panelist, address(disputes)), 2 * BOND, "locked");
        assertEq(_freeSeats(), POOL + 2, "seats");
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_InsufficientStake.selector, 2 * BOND, BOND));
        vm.prank(panelist);
        disputes.joinPool(2);
        vm.prank(panelist);
        disputes.joinPool(1);
        (uint256 free, uint256 seated, uint256 bond) = disputes.seatsOf(panelist);
        assertEq(free, 3, "free");
        assertEq(seated, 0, "seated");
        assertEq(bond, BOND, "bond");
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_InsufficientStake.selector, 1, 0));
        vm.prank(panelist);
        staking.unstake(panelist, 1);
    }

    function test_joinPool_refusals() public {
        uint256 most = type(uint32).max;
        bytes4 bad = IDisputes.Disputes_BadSeats.selector;
        vm.startPrank(pool[0]);
        vm.expectRevert(abi.encodeWithSelector(bad, 0, most - 1));
        disputes.joinPool(0);
        vm.expectRevert(abi.encodeWithSelector(bad, most, most - 1));
        disputes.joinPool(most);
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_UnknownValidator.selector, alice));
        vm.prank(alice);
        disputes.joinPool(1);
        registry.set("disputeMinBond", 2 * BOND);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.Disputes_BondTooLow.selector, BOND, 2 * BOND));
        vm.prank(pool[0]);
        disputes.joinPool(1);
        registry.set("disputeMinBond", 0);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.Disputes_BondTooLow.selector, 0, 0));
        vm.prank(alice);
        disputes.joinPool(1);
    }

    function test_leavePool_unlocks_andMayJoinAgain() public {
        vm.expectEmit(true, true, true, true);
        emit IDisputes.PoolChanged(pool[0], 0);
        vm.prank(pool[0]);
        disputes.leavePool();
        assertEq(staking.freeBondOf(pool[0]), BOND, "unlocked");
        assertEq(_freeSeats(), POOL - 1, "seats");
        vm.expectRevert(abi.encodeWithSelector(IDisputes.Disputes_NotInPool.selector, pool[0]));
        vm.prank(pool[0]);
        disputes.leavePool();
        registry.set("disputeMinBond", BOND / 2);
        vm.prank(pool[0]);
        disputes.joinPool(2);
        (uint256 free, , uint256 bond) = disputes.seatsOf(pool[0]);
        assertEq(free, 2, "at what a seat needs now");
        assertEq(bond, BOND / 2, "bond");
    }

    function test_leavePool_afterAStay() public {
        address late = _panelist(alice, BOND, 1);
        bytes4 wrong = IDisputes.Disputes_WrongTime.selector;
        vm.warp(OPENED + 7 days - 1);
        vm.expectRevert(abi.encodeWithSelector(wrong, OPENED + 7 days - 1, OPENED + 7 days));
        vm.prank(late);
        disputes.leavePool();
        vm.warp(OPENED + 7 days);
        vm.prank(late);
        disputes.leavePool();
        assertEq(_freeOf(late), 0, "left");
    }

    function test_evict_whoseBondIsTooLow() public {
        vm.expectRevert(abi.encodeWithSelector(IDisputes.Disputes_Bonded.selector, pool[0]));
        disputes.evict(pool[0]);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.Disputes_NotInPool.selector, alice));
        disputes.evict(alice);
        staking.slash(pool[0], 1, stranger, "elsewhere");
        vm.prank(stranger);
        disputes.evict(pool[0]);
        assertEq(_freeOf(pool[0]), 0, "slashed elsewhere");
        registry.set("disputeMinBond", BOND + 1);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.Disputes_Bonded.selector, pool[1]));
        disputes.evict(pool[1]);
    }

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

    function test_draw_passesOverAndEvictsWhoLacksTheBond() public {
        for (uint256 i = 0; i < POOL; ++i) _panelist(vm.addr(2_000 + i), BOND, 1);
        for (uint256 i = 0; i < POOL; ++i) staking.slash(pool[i], 1, stranger, "elsewhere");
        address[] memory panel = _panel(_drawn());
        for (uint256 i = 0; i < 3; ++i)
            for (uint256 j = 0; j < POOL; ++j) assertFalse(panel[i] == pool[j], "not bonded");
        assertLe(_freeSeats(), 2 * POOL - 4, "some were picked and left");
    }

    function test_draw_ofALargePool_goesOnInTheNextCall() public {
        for (uint256 i = 0; i < 200; ++i) {
            address panelist = _panelist(vm.addr(2_000 + i), BOND, 1);
            staking.slash(panelist, 1, stranger, "elsewhere");
        }
        uint256 id = _create();
        bytes memory header = _reachSeed("a long draw");
        uint256 calls;
        while (disputes.caseOf(id).stage == IDisputes.Stage.Drawing) {
            disputes.draw(header);
            ++calls;
        }
        assertLe(2, calls, "calls");
        assertEq(_panel(id).length, 3, "a whole panel");
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

    function test_poolSeats_countWhoIsIn() public {
        uint256 id = _tallied(1, 1, 9_000);
        (address first, address odd) = (_panel(id)[0], _panel(id)[2]);
        _assertSeats(POOL - 3, POOL, 3);
        vm.prank(first);
        disputes.leavePool();
        _assertSeats(POOL - 3, POOL - 1, 3);
        _panelist(first, BOND, 1);
        _assertSeats(POOL - 2, POOL + 1, 3);
        skip(2 days);
        disputes.settleSeats(id);
        assertEq(staking.lockedBy(odd, address(disputes)), 0, "lost");
        _assertSeats(POOL, POOL, 0);
        skip(5 days);
        vm.prank(first);
        disputes.leavePool();
        _assertSeats(POOL - 2, POOL - 2, 0);
    }

    function _assertSeats(uint256 free, uint256 seats, uint256 busy) private view {
        (uint256 free_, uint256 seats_, uint256 busy_) = disputes.poolSeats();
        assertEq(free_, free, "free");
        assertEq(seats_, seats, "seats");
        assertEq(busy_, busy, "busy");
    }

    /// @dev Half of eleven seats is five.
    function test_arbitrationCost_doublesWithEachHalfOfThePool() public {
        uint256[6] memory costs = [COST, COST, 2 * COST, 2 * COST, 4 * COST, 8 * COST];
        for (uint256 i = 0; i < 6; ++i) {
            assertEq(disputes.arbitrationCost(""), costs[i], "cost");
            assertEq(disputes.appealCost(1, ""), APPEAL_COST, "an appeal's does not change");
            _create();
        }
        assertEq(disputes.feesOf(fees), (2 + 3 + 7) * COST, "what is more than a panel's fee");
    }

    function test_arbitrationCost_hasATop() public {
        vm.deal(address(this), 1e9 ether);
        for (uint256 i = 0; i < 40; ++i) _create();
        assertEq(disputes.arbitrationCost(""), COST << 20, "twenty doublings");
    }

    function test_arbitrationCost_fallsAsSeatsAreSettled() public {
        uint256 first = _tallied(1, 1, 1);
        _create();
        assertEq(disputes.arbitrationCost(""), 2 * COST, "six of eleven");
        skip(2 days);
        disputes.settleSeats(first);
        assertEq(disputes.arbitrationCost(""), COST, "three");
    }

    function test_createDispute_creditsWhatIsTooMuch() public {
        uint256 id = disputes.createDispute{value: COST + 5}(2, "");
        assertEq(disputes.feesOf(address(this)), 5, "the payer's");
        _draw("random");
        _vote(id, _votes(1, 1, 1));
        disputes.tally(id);
        disputes.appeal{value: APPEAL_COST + 7}(id, "");
        assertEq(disputes.feesOf(address(this)), 12, "again");
        assertEq(disputes.feesOf(fees), 0, "nobody else's");
    }

    // Seats that others sit on

    /// @dev Eleven seats, of which five are left for appeals: two panels, and a third when one is settled.
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

    // What a seat needs

    /// @dev A vote raises the bond: seats keep theirs until they have sat.
    function test_aHigherBond_isAskedForOnceASeatHasSat() public {
        registry.set("disputeMinBond", BOND + 1);
        uint256 id = _tallied(1, 1, 1);
        address[] memory panel = _panel(id);
        skip(2 days);
        disputes.settleSeats(id);
        for (uint256 i = 0; i < 3; ++i) {
            assertEq(_freeOf(panel[i]), 0, "left the pool");
            assertEq(staking.lockedBy(panel[i], address(disputes)), 0, "unlocked");
        }
        _assertSeats(POOL - 3, POOL - 3, 0);
        _panelist(panel[0], 1, 1);
        (, , uint256 bond) = disputes.seatsOf(panel[0]);
        assertEq(bond, BOND + 1, "and comes back with more");
        registry.set("disputeMinBond", BOND);
        id = _tallied(1, 1, 1);
        panel = _panel(id);
        skip(2 days);
        disputes.settleSeats(id);
        _assertSeats(POOL - 2, POOL - 2, 0);
    }
}
