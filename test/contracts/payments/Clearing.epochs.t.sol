// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {Roles} from "../../../contracts/governance/Roles.sol";
import {IClearing} from "../../../contracts/interfaces/payments/IClearing.sol";
import {IStaking} from "../../../contracts/interfaces/staking/IStaking.sol";
import {Clearing} from "../../../contracts/payments/Clearing.sol";
import {ClearingFixture} from "../support/ClearingFixture.sol";

/// @notice Who credits payees, when, and within what.
contract ClearingEpochsTest is ClearingFixture {
    function test_construction_namesTheFirstOperator() public view {
        (address inOffice, uint256 office) = clearing.operator();
        assertEq(inOffice, operator, "operator");
        assertEq(office, 0, "office");
        assertEq(clearing.officeOf(0).from, START, "from");
        assertEq(address(clearing.bonds()), address(staking), "bonds");
        assertEq(address(clearing.settlement()), address(settlement), "settlement");
        assertEq(address(clearing.parameters()), address(registry), "parameters");
        assertEq(clearing.CHALLENGE_WINDOW(), 1 days, "challenge");
        assertEq(clearing.HANDOVER(), 3 days, "handover");
        assertEq(clearing.RECEIPT_LIFE(), 21 days, "receipt");
        assertEq(clearing.EXIT_WINDOW(), 14 days, "exit");
    }

    function test_aSealedEpoch_isSettledAfterItsWindow() public {
        _receive(600);
        assertEq(clearing.receivedOf(address(usdc)), 600, "received, not yet paid over");
        vm.expectEmit(true, true, true, true);
        emit IClearing.EpochFilled(address(usdc), 1, 3, 600);
        vm.expectEmit(true, true, true, true);
        emit IClearing.EpochSealed(address(usdc), 1, 600);
        _seal(1, _rows(100, 200, 300));
        IClearing.Epoch memory epoch = clearing.epochOf(address(usdc), 1);
        assertEq(epoch.total, 600, "total");
        assertEq(epoch.rows, 3, "rows");
        assertEq(epoch.sealedAt, START, "time");
        assertFalse(epoch.isVoid, "void");
        assertEq(clearing.lastEpochOf(address(usdc)), 1, "last");
        IClearing.Credit memory credit = clearing.creditOf(address(usdc), payees[1]);
        assertEq(credit.settled, 0, "not settled yet");
        assertEq(credit.pending, 200, "pending");
        (uint256 settled, uint256 pending) = clearing.creditedOf(address(usdc));
        assertEq(settled, 0, "settled sum");
        assertEq(pending, 600, "pending sum");
        skip(DAY);
        credit = clearing.creditOf(address(usdc), payees[1]);
        assertEq(credit.settled, 200, "settled");
        assertEq(credit.pending, 0, "nothing pending");
        (settled, pending) = clearing.creditedOf(address(usdc));
        assertEq(settled, 600, "settled sum, later");
        assertEq(pending, 0, "pending sum, later");
    }

    function test_anEpoch_isFilledInSeveralCalls() public {
        _receive(600);
        vm.startPrank(operator);
        clearing.credit(address(usdc), 1, 0, abi.encodePacked(payees[2], uint96(300)), false);
        assertEq(clearing.creditOf(address(usdc), payees[2]).pending, 0, "not sealed");
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_WrongRow.selector, 0, 1));
        clearing.credit(address(usdc), 1, 0, abi.encodePacked(payees[2], uint96(300)), false);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_WrongRow.selector, 2, 1));
        clearing.credit(address(usdc), 1, 2, abi.encodePacked(payees[1], uint96(200)), true);
        // In no order, and one payee twice: what its highest row says.
        bytes memory more = abi.encodePacked(payees[0], uint96(100), payees[2], uint96(500));
        clearing.credit(address(usdc), 1, 1, more, true);
        vm.stopPrank();
        skip(DAY);
        assertEq(_settled(payees[2]), 500, "the later row's");
        assertEq(_settled(payees[0]), 100, "one row");
        assertEq(clearing.epochOf(address(usdc), 1).rows, 3, "rows");
    }

    function test_theNextEpoch_addsToWhatIsSettled() public {
        _receive(600);
        _seal(1, _rows(100, 200, 300));
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_EpochPending.selector, 1));
        _seal(2, _rows(100, 200, 300));
        skip(DAY);
        _receive(60);
        _seal(2, abi.encodePacked(payees[0], uint96(160)));
        IClearing.Credit memory credit = clearing.creditOf(address(usdc), payees[0]);
        assertEq(credit.settled, 100, "settled");
        assertEq(credit.pending, 60, "pending");
        assertEq(_settled(payees[2]), 300, "whom nothing touched");
        skip(DAY);
        assertEq(_settled(payees[0]), 160, "both");
        (uint256 settled, ) = clearing.creditedOf(address(usdc));
        assertEq(settled, 660, "sum");
    }

    function test_aRow_addsWhatIsMissingOfItsTotal_andNothingElse() public {
        _receive(600);
        _seal(1, _rows(100, 200, 0));
        skip(DAY);
        vm.expectEmit(true, true, true, true);
        emit IClearing.EpochFilled(address(usdc), 2, 6, 5);
        vm.prank(operator);
        clearing.credit(
            address(usdc),
            2,
            0,
            abi.encodePacked(
                _rows(100, 199, 3),
                payees[2],
                uint96(5),
                payees[2],
                uint96(4),
                payees[0],
                uint96(0)
            ),
            true
        );
        assertEq(clearing.creditOf(address(usdc), payees[2]).pending, 5, "once, however little it is");
        skip(DAY);
        assertEq(_settled(payees[0]), 100, "as much");
        assertEq(_settled(payees[1]), 200, "more, and keeps it");
    }

    function test_whatAVoidEpochAdded_isMissingAgain() public {
        _receive(600);
        _seal(1, _rows(100, 100, 0));
        skip(DAY);
        _seal(2, _rows(150, 0, 90));
        _challenge(2, payees[1], 300);
        _seal(3, _rows(160, 300, 90));
        assertEq(clearing.epochOf(address(usdc), 3).total, 60 + 200 + 90, "what is missing");
        skip(DAY);
        assertEq(_settled(payees[0]), 160, "as if the void one had not been");
    }

    function test_credits_neverExceedWhatWasReceived() public {
        _receive(600);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_TotalTooHigh.selector, 601, 600));
        _seal(1, _rows(100, 200, 301));
        _seal(1, _rows(100, 200, 300));
        skip(DAY);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_TotalTooHigh.selector, 610, 600));
        _seal(2, abi.encodePacked(payees[0], uint96(110)));
        // Anybody may make up for what is short.
        usdc.mint(address(clearing), 10);
        _seal(2, abi.encodePacked(payees[0], uint96(110)));
    }

    function test_credit_refusals() public {
        _receive(600);
        bytes memory rows = _rows(100, 200, 300);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_NotOperator.selector, stranger, operator));
        vm.prank(stranger);
        clearing.credit(address(usdc), 1, 0, rows, true);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_WrongEpoch.selector, 2, 1));
        _seal(2, rows);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_WrongEpoch.selector, 0, 1));
        _seal(0, rows);
        vm.expectRevert(IClearing.Clearing_BadRows.selector);
        _seal(1, "");
        vm.expectRevert(IClearing.Clearing_BadRows.selector);
        _seal(1, abi.encodePacked(rows, uint8(1)));
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_TokenNotListed.selector, address(avt)));
        vm.prank(operator);
        clearing.credit(address(avt), 1, 0, rows, true);
    }

    function test_beforeTheFirstAppointment_nobodyIsInOffice() public {
        Clearing fresh = new Clearing(address(manager), staking, settlement, registry);
        (address inOffice, uint256 office) = fresh.operator();
        assertEq(inOffice, address(0), "nobody");
        assertEq(office, 0, "no office");
        vm.expectRevert(
            abi.encodeWithSelector(IClearing.Clearing_NotOperator.selector, stranger, address(0))
        );
        vm.prank(stranger);
        fresh.credit(address(usdc), 1, 0, "", true);
        fresh.listToken(address(usdc), IClearing.TokenTerms(true, LEAST, EXIT_CAP));
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _due(
            operatorKey,
            0,
            payees[0],
            100
        );
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_WrongOffice.selector, 0, 0));
        fresh.demand(receipt, signature);
    }

    function test_credit_needsTheBond() public {
        _receive(600);
        registry.set("clearingMinBond", 2 * BOND + 1);
        vm.expectRevert(
            abi.encodeWithSelector(IClearing.Clearing_BondTooLow.selector, 2 * BOND, 2 * BOND + 1)
        );
        _seal(1, _rows(100, 200, 300));
        registry.set("clearingMinBond", 2 * BOND);
        _seal(1, _rows(100, 200, 300));
    }

    function test_credit_needsTheBond_heldOrFree() public {
        (address successor, ) = _succeed();
        assertEq(staking.freeBondOf(successor), 0, "all of it is held for its office");
        _receive(100);
        vm.prank(successor);
        clearing.credit(address(usdc), 1, 0, abi.encodePacked(payees[0], uint96(100)), true);
        assertEq(clearing.creditOf(address(usdc), payees[0]).pending, 100, "credited");
    }

    function test_anAbandonedEpoch_creditsNobody() public {
        _receive(600);
        vm.startPrank(operator);
        clearing.credit(address(usdc), 1, 0, _rows(100, 200, 300), false);
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_NotOperator.selector, stranger, operator));
        vm.prank(stranger);
        clearing.abandon(address(usdc), 1);
        vm.startPrank(operator);
        vm.expectEmit(true, true, true, true);
        emit IClearing.EpochVoided(address(usdc), 1, address(0), 0);
        clearing.abandon(address(usdc), 1);
        bytes memory notThere = abi.encodeWithSelector(
            IClearing.Clearing_NotChallengeable.selector,
            address(usdc),
            1
        );
        vm.expectRevert(notThere);
        clearing.abandon(address(usdc), 1);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_WrongEpoch.selector, 1, 2));
        clearing.credit(address(usdc), 1, 3, _rows(100, 200, 300), true);
        clearing.credit(address(usdc), 2, 0, _rows(300, 200, 100), true);
        vm.expectRevert(
            abi.encodeWithSelector(IClearing.Clearing_NotChallengeable.selector, address(usdc), 2)
        );
        clearing.abandon(address(usdc), 2);
        vm.stopPrank();
        skip(DAY);
        assertEq(_settled(payees[0]), 300, "the second alone");
        assertEq(_settled(payees[2]), 100, "the second alone");
    }

    function test_governance_listsTokens() public {
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
        vm.prank(stranger);
        clearing.listToken(address(avt), IClearing.TokenTerms(true, 1, 1));
        vm.expectEmit(true, true, true, true);
        emit IClearing.TokenListed(address(usdc), true, LEAST, 7, type(uint40).max);
        clearing.listToken(address(usdc), IClearing.TokenTerms(true, LEAST, 7));
        IClearing.TokenTerms memory terms = clearing.termsOf(address(usdc));
        assertTrue(terms.isListed, "listed");
        assertEq(terms.leastCredit, LEAST, "least");
        assertEq(terms.exitCap, 7, "cap");
        assertEq(clearing.listedUntil(address(avt)), 0, "what never was listed");
        clearing.listToken(address(avt), IClearing.TokenTerms(false, 1, 1));
        assertEq(clearing.listedUntil(address(avt)), 0, "is not, by that");
    }

    function test_aTokenOffTheList_isCreditedForAReceiptsLife() public {
        _receive(600);
        uint256 end = START + 21 days;
        vm.expectEmit(true, true, true, true);
        emit IClearing.TokenListed(address(usdc), false, LEAST, EXIT_CAP, end);
        clearing.listToken(address(usdc), IClearing.TokenTerms(false, LEAST, EXIT_CAP));
        assertFalse(clearing.termsOf(address(usdc)).isListed, "off the list");
        skip(1 days);
        clearing.listToken(address(usdc), IClearing.TokenTerms(false, LEAST, EXIT_CAP));
        assertEq(clearing.listedUntil(address(usdc)), end, "saying so again is no later end");
        vm.warp(end - 1);
        _seal(1, _rows(100, 200, 200));
        skip(DAY);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_TokenNotListed.selector, address(usdc)));
        _seal(2, abi.encodePacked(payees[0], uint96(200)));
        clearing.listToken(address(usdc), IClearing.TokenTerms(true, LEAST, EXIT_CAP));
        _seal(2, abi.encodePacked(payees[0], uint96(200)));
    }

    // Offices

    function test_aSuccessor_takesOverAfterTheHandover() public {
        address successor = makeAddr("successor");
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
        vm.prank(stranger);
        clearing.appoint(stranger);
        vm.expectRevert(IClearing.Clearing_NoOperator.selector);
        clearing.appoint(address(0));
        _bond(successor, BOND);
        vm.expectEmit(true, true, true, true);
        emit IClearing.OperatorAppointed(1, successor, START + 3 days);
        clearing.appoint(successor);
        (address inOffice, uint256 office) = clearing.operator();
        assertEq(inOffice, operator, "until then the old one");
        assertEq(clearing.officeOf(0).until, START + 3 days, "until");
        skip(3 days);
        (inOffice, office) = clearing.operator();
        assertEq(inOffice, successor, "then the new one");
        assertEq(office, 1, "office");
        _receive(600);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_NotOperator.selector, operator, successor));
        _seal(1, _rows(100, 200, 300));
    }

    function test_anAppointmentThatHasNotBegun_isReplaced_andItsBondLetGo() public {
        (address mistake, address successor) = (makeAddr("mistake"), makeAddr("successor"));
        _bond(mistake, BOND);
        _bond(successor, BOND);
        clearing.appoint(mistake);
        skip(1 days);
        vm.expectRevert(
            abi.encodeWithSelector(IClearing.Clearing_StillBound.selector, mistake, type(uint256).max)
        );
        clearing.release(mistake);
        clearing.appoint(successor);
        assertEq(clearing.officeOf(0).until, START + 4 days, "whoever is in office stays until then");
        assertEq(clearing.release(mistake), BOND, "nothing to answer for");
        assertEq(staking.freeBondOf(mistake), BOND, "free");
        skip(2 days);
        (address inOffice, ) = clearing.operator();
        assertEq(inOffice, operator, "the mistake never was in office");
        skip(1 days);
        uint256 office;
        (inOffice, office) = clearing.operator();
        assertEq(inOffice, successor, "the successor is");
        assertEq(office, 1, "in its place");
    }

    function test_appoint_holdsTheLeastBond_untilTheLastReceiptHasEnded() public {
        assertEq(staking.lockedBy(operator, address(clearing)), BOND, "held");
        (address successor, ) = _succeed();
        assertEq(staking.lockedBy(successor, address(clearing)), BOND, "the successor's, too");
        uint256 until = START + 3 days + 21 days;
        vm.warp(until - 1);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_StillBound.selector, operator, until));
        clearing.release(operator);
        skip(1);
        vm.prank(stranger);
        assertEq(clearing.release(operator), BOND, "anybody lets go of it");
        assertEq(staking.freeBondOf(operator), 2 * BOND, "free");
    }

    function test_appoint_refusesWhoHasNoBond() public {
        address successor = makeAddr("successor");
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_BondTooLow.selector, 0, BOND));
        clearing.appoint(successor);
        _bond(successor, BOND - 1);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_BondTooLow.selector, BOND - 1, BOND));
        clearing.appoint(successor);
        manager.grantRole(Roles.BONDER, address(this), 0);
        avt.mint(successor, 1);
        vm.prank(successor);
        staking.stake(successor, 1);
        staking.lock(successor, 1);
        // What another bonder holds is no bond of Clearing's.
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_BondTooLow.selector, BOND - 1, BOND));
        clearing.appoint(successor);
    }

    function test_appointedAgain_anOperatorIsHeldOnce_andForTheHigherBond() public {
        registry.set("clearingMinBond", BOND + 5);
        clearing.appoint(operator);
        assertEq(staking.lockedBy(operator, address(clearing)), BOND + 5, "what was missing");
        skip(60 days);
        vm.expectRevert(
            abi.encodeWithSelector(IClearing.Clearing_StillBound.selector, operator, type(uint256).max)
        );
        clearing.release(operator);
    }

    function test_aSuccessor_sealsWhatItFindsOpen() public {
        address successor = makeAddr("successor");
        _bond(successor, BOND);
        _receive(600);
        vm.prank(operator);
        clearing.credit(address(usdc), 1, 0, _rows(100, 200, 300), false);
        clearing.appoint(successor);
        skip(3 days);
        _receive(60);
        vm.prank(successor);
        clearing.credit(address(usdc), 1, 3, abi.encodePacked(payees[0], uint96(160)), true);
        assertEq(clearing.epochOf(address(usdc), 1).office, 1, "who seals answers");
        skip(DAY);
        assertEq(_settled(payees[0]), 160, "credited");
    }
}
