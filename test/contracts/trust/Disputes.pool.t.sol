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
        assertEq(disputes.poolSeats(), POOL + 2, "seats");
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
        assertEq(disputes.poolSeats(), POOL - 1, "seats");
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
        disputes.evict(pool[1]);
        assertEq(_freeOf(pool[1]), 0, "a seat needs more now");
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
        assertEq(disputes.poolSeats(), POOL - 3, "the others");
        IDisputes.Case memory state = disputes.caseOf(id);
        assertEq(uint256(state.stage), uint256(IDisputes.Stage.Committing), "stage");
        assertEq(state.until, START + 2 days, "until");
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
        assertEq(disputes.poolSeats(), 1, "seats");
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
        for (uint256 i = 0; i < 4; ++i) staking.slash(pool[i], 1, stranger, "elsewhere");
        uint256 id = _drawn();
        address[] memory panel = _panel(id);
        for (uint256 i = 0; i < 3; ++i)
            assertTrue(panel[i] == pool[4] || panel[i] == pool[5] || panel[i] == pool[6], "bonded");
    }

    function test_draw_ofALargePool_goesOnInTheNextCall() public {
        for (uint256 i = 0; i < 40; ++i) {
            address panelist = _panelist(vm.addr(2_000 + i), BOND, 1);
            staking.slash(panelist, 1, stranger, "elsewhere");
        }
        uint256 id = _create();
        bytes memory header = _reachSeed("random");
        uint256 calls;
        while (disputes.caseOf(id).stage == IDisputes.Stage.Drawing) {
            disputes.draw(header);
            ++calls;
        }
        assertLe(2, calls, "calls");
        assertEq(_panel(id).length, 3, "a whole panel");
    }

    function test_draw_ofATooSmallPool_asksGovernance() public {
        for (uint256 i = 0; i < 5; ++i) {
            vm.prank(pool[i]);
            disputes.leavePool();
        }
        uint256 id = _create();
        bytes memory header = _reachSeed("random");
        vm.expectEmit(true, true, true, true);
        emit IDisputes.PanelFailed(id, 0, START + 30 days);
        disputes.draw(header);
        assertEq(uint256(disputes.caseOf(id).stage), uint256(IDisputes.Stage.Governance), "stage");
        assertEq(disputes.poolSeats(), 2, "who was drawn is free again");
        disputes.ruleByGovernance(id, 5);
        disputes.settleSeats(id);
        assertEq(disputes.feesOf(fees), COST, "nobody earned the fee");
    }

    function test_tally_givesUpAPanelThatNobodyDrew() public {
        uint256 id = _create();
        vm.warp(START + 7 days - 1);
        bytes4 wrong = IDisputes.Disputes_WrongTime.selector;
        vm.expectRevert(abi.encodeWithSelector(wrong, START + 7 days - 1, START + 7 days));
        disputes.tally(id);
        vm.warp(START + 7 days);
        disputes.tally(id);
        assertEq(uint256(disputes.caseOf(id).stage), uint256(IDisputes.Stage.Governance), "stage");
        _draw("random");
        assertEq(_panel(id).length, 0, "it is not drawn any more");
        (uint256 next, ) = disputes.nextDraw();
        assertEq(next, 0, "nor waited for");
    }
}
