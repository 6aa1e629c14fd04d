// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDisputes} from "../../../contracts/interfaces/trust/IDisputes.sol";
import {IStaking} from "../../../contracts/interfaces/staking/IStaking.sol";
import {DisputesFixture} from "../support/DisputesFixture.sol";

/// @notice Seats in the pool, and what it costs to ask for some.
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

    function test_evict_whereAnotherBonderHoldsWhatIsLeft() public {
        _panelist(pool[0], BOND, 0);
        staking.lock(pool[0], BOND);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.Disputes_Bonded.selector, pool[0]));
        disputes.evict(pool[0]);
        staking.slash(pool[0], 1, stranger, "elsewhere");
        disputes.evict(pool[0]);
        assertEq(_freeOf(pool[0]), 0, "of two bonds a unit is missing");
        assertEq(staking.freeBondOf(pool[0]), BOND - 1, "and the other's is whole again");
    }

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
