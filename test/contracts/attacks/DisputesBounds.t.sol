// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDisputes} from "../../../contracts/interfaces/trust/IDisputes.sol";
import {DisputesFixture} from "../support/DisputesFixture.sol";

/// @notice What Disputes does not prevent, and what it costs: the bounds of docs/trust.md.
contract DisputesBounds is DisputesFixture {
    uint256 private constant SEATS_OF_ALL = 30;

    address private loser;
    address private winner;

    function setUp() public override {
        super.setUp();
        (loser, winner) = (makeAddr("loser"), makeAddr("winner"));
        vm.deal(loser, 100 ether);
        vm.deal(winner, 100 ether);
        for (uint256 i = 0; i < SEATS_OF_ALL - POOL; ++i) _panelist(vm.addr(2_000 + i), BOND, 1);
    }

    function test_takingEverySeat_byDisputesAboutNothing_costsAFeeForEachSeat() public {
        vm.startPrank(winner);
        _fill(SEATS_OF_ALL / 3);
        uint256 id = disputes.createDispute{value: COST}(1, "");
        vm.stopPrank();
        for (uint256 i = 0; i <= SEATS_OF_ALL / 3; ++i) _draw("random");
        assertEq(uint256(disputes.caseOf(id).stage), uint256(IDisputes.Stage.Governance), "no panel is left");
        assertEq(100 ether - winner.balance, (SEATS_OF_ALL / 3 + 1) * COST, "what it cost");
        assertEq(disputes.poolSeats(), 0, "each seat was paid for");
    }

    function test_appealingOneself_beforeAnEmptyPool_costsAFeeForEachSeatThatIsLeft() public {
        uint256 id = _tallied(1, 1, 1);
        uint256 panels = disputes.poolSeats() / 3;
        vm.startPrank(winner);
        _fill(panels);
        disputes.appeal{value: APPEAL_COST}(id, "");
        vm.stopPrank();
        for (uint256 i = 0; i <= panels; ++i) _draw("random");
        vm.expectPartialRevert(IDisputes.Disputes_WrongStage.selector);
        vm.prank(loser);
        disputes.appeal{value: APPEAL_COST}(id, "");
        disputes.execute(id);
        disputes.settleSeats(id);
        assertEq(ruled, 1, "the first ruling stands");
        assertEq(100 ether - winner.balance - disputes.feesOf(winner), panels * COST, "what it cost");
    }

    function test_raisingTheBond_leavesEveryDisputeToGovernance() public {
        uint256 id = _create();
        registry.set("disputeMinBond", BOND + 1);
        uint256 later = _create();
        _draw("random");
        assertEq(uint256(disputes.caseOf(id).stage), uint256(IDisputes.Stage.Committing), "asked for before");
        // Whoever lacks the bond is passed over, so many in a call.
        while (disputes.caseOf(later).stage == IDisputes.Stage.Drawing) _draw("random");
        assertEq(
            uint256(disputes.caseOf(later).stage),
            uint256(IDisputes.Stage.Governance),
            "asked for after"
        );
    }

    function _fill(uint256 panels) private {
        for (uint256 i = 0; i < panels; ++i) disputes.createDispute{value: COST}(1, "");
    }
}
