// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TestUSDC} from "../../../contracts/dev/TestUSDC.sol";
import {Roles} from "../../../contracts/governance/Roles.sol";
import {IAgreements} from "../../../contracts/interfaces/payments/IAgreements.sol";
import {IDisputes} from "../../../contracts/interfaces/trust/IDisputes.sol";
import {Escrow} from "../../../contracts/payments/Escrow.sol";
import {DisputesFixture} from "../support/DisputesFixture.sol";

/// @notice What panelists earn and lose when a ruling is final.
contract DisputesSettleTest is DisputesFixture {
    function _settled(uint256 id) private {
        skip(2 days);
        disputes.settleSeats(id);
    }

    function test_settleSeats_theCoherentShareTheFee() public {
        uint256 id = _tallied(5_000, 5_500, 6_000);
        address[] memory panel = _panel(id);
        vm.expectRevert(
            abi.encodeWithSelector(IDisputes.Disputes_WrongTime.selector, OPENED, OPENED + 2 days)
        );
        disputes.settleSeats(id);
        _settled(id);
        for (uint256 i = 0; i < 3; ++i) {
            assertEq(disputes.feesOf(panel[i]), FEE, "fee");
            assertEq(_freeOf(panel[i]), 1, "in the pool again");
            assertEq(staking.lockedBy(panel[i], address(disputes)), BOND, "and bonded");
        }
        vm.expectRevert(abi.encodeWithSelector(IDisputes.Disputes_Settled.selector, id));
        disputes.settleSeats(id);
    }

    function test_settleSeats_theIncoherentLoseFeeSeatAndSlash() public {
        uint256 id = _tallied(5_000, 5_500, 9_000);
        address odd = _panel(id)[2];
        vm.warp(OPENED + 2 days);
        vm.expectEmit(true, true, true, true);
        emit IDisputes.PanelistSlashed(id, odd, SLASH, "dispute: incoherent vote");
        disputes.settleSeats(id);
        assertEq(disputes.feesOf(_panel(id)[0]), COST / 2, "the others share");
        assertEq(disputes.feesOf(odd), 0, "nothing");
        assertEq(staking.bondOf(odd), BOND - SLASH, "slashed");
        assertEq(staking.lockedBy(odd, address(disputes)), 0, "its seat is lost");
        assertEq(avt.balanceOf(fees), SLASH / 10, "a tenth for the fee's recipient");
    }

    function test_settleSeats_theAbsentLeaveThePool() public {
        uint256 id = _drawn();
        address[] memory panel = _panel(id);
        _panelist(panel[0], 2 * BOND, 2);
        for (uint256 i = 1; i < 3; ++i) _commit(id, panel[i], 5_000);
        skip(2 days);
        for (uint256 i = 1; i < 3; ++i) _reveal(id, panel[i], 5_000);
        disputes.tally(id);
        skip(3 days); // a week after it last took seats
        vm.expectEmit(true, true, true, true);
        emit IDisputes.PoolChanged(panel[0], 0);
        _settled(id);
        assertEq(_freeOf(panel[0]), 0, "all of its seats");
        assertEq(staking.lockedBy(panel[0], address(disputes)), 0, "unlocked");
        assertEq(staking.bondOf(panel[0]), 3 * BOND - SLASH, "slashed");
        assertEq(disputes.feesOf(panel[1]), COST / 2, "voters share the fee");
    }

    function test_settleSeats_afterAnOverturningAppeal_paysWhoAppealed() public {
        for (uint256 i = 0; i < 5; ++i) _panelist(vm.addr(2_000 + i), BOND, 1);
        uint256 id = _tallied(1, 1, 9_000);
        address[] memory panel = _panel(id);
        vm.deal(alice, 1 ether);
        vm.prank(alice);
        disputes.appeal{value: APPEAL_COST}(id, "");
        _draw("appeal");
        uint256[] memory votes = new uint256[](5);
        for (uint256 i = 0; i < 5; ++i) votes[i] = 9_000;
        _vote(id, votes);
        disputes.tally(id);
        disputes.settleSeats(id);
        assertEq(disputes.feesOf(panel[2]), FEE, "who was right, alone");
        assertEq(disputes.feesOf(panel[0]), 0, "who was wrong");
        assertEq(staking.bondOf(panel[1]), BOND - SLASH, "slashed");
        assertEq(disputes.feesOf(alice), 2 * FEE, "what they would have had");
        assertEq(disputes.feesOf(_panel(id)[0]), APPEAL_COST / 5, "the second panel's");
    }

    function test_settleSeats_afterAConfirmingAppeal_whoAppealedHasNothing() public {
        for (uint256 i = 0; i < 5; ++i) _panelist(vm.addr(2_000 + i), BOND, 1);
        uint256 id = _tallied(1, 1, 9_000);
        address[] memory panel = _panel(id);
        _appealed(id, 1);
        disputes.settleSeats(id);
        assertEq(disputes.feesOf(address(this)), 0, "who appealed");
        assertEq(disputes.feesOf(panel[0]), COST / 2, "the coherent share the fee");
    }

    function test_settleSeats_whereNoPanelRuled_whoVotedIsPaid() public {
        uint256 id = _drawn();
        address[] memory panel = _panel(id);
        for (uint256 i = 0; i < 3; ++i) _commit(id, panel[i], 5);
        _reveal(id, panel[1], 5);
        skip(1 days);
        disputes.tally(id);
        disputes.ruleByGovernance(id, CHOICES);
        disputes.settleSeats(id);
        assertEq(disputes.feesOf(panel[1]), COST, "all of it");
        assertEq(staking.bondOf(panel[1]), BOND, "governance's ruling judges nobody");
        assertEq(staking.bondOf(panel[0]), BOND - SLASH, "the absent are slashed");
    }

    function test_settleSeats_byWhoIsNoSlasherAnyMore_stillPaysAndFrees() public {
        uint256 id = _tallied(5_000, 5_500, 9_000);
        manager.revokeRole(Roles.SLASHER, address(disputes));
        manager.revokeRole(Roles.BONDER, address(disputes));
        address odd = _panel(id)[2];
        vm.warp(OPENED + 2 days);
        vm.expectEmit(true, true, true, true);
        emit IDisputes.PanelistSlashed(id, odd, 0, "dispute: incoherent vote");
        disputes.settleSeats(id);
        assertEq(disputes.feesOf(_panel(id)[0]), COST / 2, "paid");
        assertEq(staking.freeBondOf(odd), BOND, "free");
    }

    /// @dev A vote changes what a seat loses while a panel sits: it was asked for before.
    function test_settleSeats_slashesWhatWasKnown() public {
        uint256 id = _create();
        registry.set("disputeSlash", BOND / 2);
        _draw("random");
        address odd = _panel(id)[2];
        _vote(id, _votes(1, 1, 9_000));
        disputes.tally(id);
        _settled(id);
        assertEq(staking.bondOf(odd), BOND - SLASH, "as when the panel was asked for");
        id = _tallied(1, 1, 9_000);
        odd = _panel(id)[2];
        _settled(id);
        assertEq(staking.bondOf(odd), BOND - BOND / 2, "the next one as it is now");
    }

    function test_settleSeats_ofWhoHasLeft_unlocksTheSeat() public {
        uint256 id = _tallied(5_000, 5_500, 6_000);
        address panelist = _panel(id)[0];
        vm.prank(panelist);
        disputes.leavePool();
        assertEq(staking.lockedBy(panelist, address(disputes)), BOND, "locked while it sits");
        _settled(id);
        assertEq(staking.lockedBy(panelist, address(disputes)), 0, "then unlocked");
        assertEq(_freeOf(panelist), 0, "and gone");
    }

    function test_withdrawFees() public {
        uint256 id = _tallied(4, 5, 6);
        _settled(id);
        address panelist = _panel(id)[0];
        vm.expectRevert(abi.encodeWithSelector(IDisputes.Disputes_NoFees.selector, alice));
        vm.prank(alice);
        disputes.withdrawFees(payable(alice));
        vm.expectRevert(abi.encodeWithSelector(IDisputes.Disputes_PaymentFailed.selector, avt, FEE));
        vm.prank(panelist);
        disputes.withdrawFees(payable(address(avt)));
        vm.expectEmit(true, true, true, true);
        emit IDisputes.FeesWithdrawn(panelist, bob, FEE);
        vm.prank(panelist);
        disputes.withdrawFees(payable(bob));
        assertEq(bob.balance, FEE, "paid");
        vm.expectRevert(abi.encodeWithSelector(IDisputes.Disputes_NoFees.selector, panelist));
        vm.prank(panelist);
        disputes.withdrawFees(payable(bob));
    }

    /// @dev The whole way: Escrow asks, the panel splits, Escrow pays, and the loser has paid for the panel.
    function test_escrow_isSplitAsThePanelRules() public {
        TestUSDC usdc = new TestUSDC(address(this));
        Escrow escrow = new Escrow(address(usdc), "");
        usdc.mint(alice, 100e6);
        IAgreements.Agreement memory agreement = IAgreements.Agreement({
            buyer: alice,
            seller: bob,
            token: address(usdc),
            milestones: new IAgreements.Milestone[](1),
            acceptBy: 0,
            reviewWindow: 1 days,
            arbiter: address(disputes),
            termsHash: 0
        });
        agreement.milestones[0] = IAgreements.Milestone(100e6, uint40(OPENED + 1 days));
        vm.deal(alice, 1 ether);
        vm.deal(bob, 1 ether);
        vm.startPrank(alice);
        usdc.approve(address(escrow), 100e6);
        uint256 job = escrow.open(agreement);
        vm.stopPrank();
        vm.prank(bob);
        escrow.submit(job, "d", abi.encode(agreement));
        vm.prank(alice);
        escrow.dispute{value: COST}(job, abi.encode(agreement));
        vm.prank(bob);
        escrow.answer{value: COST}(job, abi.encode(agreement));
        _draw("random");
        _vote(1, _votes(7_001, 6_001, 10_001));
        disputes.tally(1);
        skip(2 days);
        disputes.execute(1);
        escrow.executeRuling(job, abi.encode(agreement));
        assertEq(usdc.balanceOf(bob), 70e6, "7,000 basis points");
        assertEq(usdc.balanceOf(alice), 30e6, "the rest");
        assertEq(escrow.creditOf(address(0), bob), COST, "alice paid for the panel");
    }
}
