// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Roles} from "../../../contracts/governance/Roles.sol";
import {IClearing} from "../../../contracts/interfaces/payments/IClearing.sol";
import {IStaking} from "../../../contracts/interfaces/staking/IStaking.sol";
import {ClearingFixture} from "../support/ClearingFixture.sol";
import {ContractWallet} from "../support/ContractWallet.sol";

/// @notice Operators that come, go, return and never were bonded; governance that hurries them; and what stands behind
///         their word.
contract ClearingOfficesAttacks is ClearingFixture {
    address private puppet;

    function setUp() public override {
        super.setUp();
        puppet = makeAddr("puppet");
    }

    // Governance

    function test_raisingTheBondForOneCall_skipsNoHandover() public {
        _bond(puppet, 3 * BOND);
        registry.set("clearingMinBond", 2 * BOND + 1);
        clearing.appoint(puppet);
        registry.set("clearingMinBond", BOND);
        (address inOffice, ) = clearing.operator();
        assertEq(inOffice, operator, "who is in office stays for three days");
        assertEq(clearing.officeOf(1).from, START + 3 days, "whatever its bond");
    }

    function test_slashingTheOperator_skipsNoHandover() public {
        _bond(puppet, BOND);
        vm.prank(operator);
        staking.unstake(operator, BOND);
        staking.slash(operator, 1, stranger, "why");
        clearing.appoint(puppet);
        (address inOffice, ) = clearing.operator();
        assertEq(inOffice, operator, "who is in office stays for three days");
    }

    function test_anOperatorThatIsNoValidator_isNotAppointed() public {
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_BondTooLow.selector, 0, BOND));
        clearing.appoint(puppet);
        registry.set("clearingMinBond", 1);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_BondTooLow.selector, 0, 1));
        clearing.appoint(puppet);
    }

    /// @dev Nobody is made an operator who does not want to: it takes its stake out in front. Nobody else is held up.
    function test_whoDoesNotWantTheOffice_isNotAppointed_andHoldsNobodyUp() public {
        _bond(puppet, BOND);
        vm.prank(puppet);
        staking.unstake(puppet, 1);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_BondTooLow.selector, BOND - 1, BOND));
        clearing.appoint(puppet);
        assertEq(clearing.officeOf(0).until, 0, "who is in office stays");
        (address successor, ) = _succeed();
        (address inOffice, ) = clearing.operator();
        assertEq(inOffice, successor, "whoever else has the bond is appointed");
    }

    function test_withoutTheSlashersRole_liesAreVoid_andDemandsAreGiven() public {
        _receive(600);
        manager.revokeRole(Roles.SLASHER, address(clearing));
        _seal(1, abi.encodePacked(puppet, uint96(300)));
        assertEq(_challenge(1, payees[0], 300), 0, "nothing is slashed");
        assertTrue(clearing.epochOf(address(usdc), 1).isVoid, "void all the same");
        assertEq(_demandOf(operatorKey, 0, payees[0], 300), 300, "credited all the same");
    }

    /// @dev The slash would run out of gas, and with it what follows would be cheap.
    function test_givingLittleGas_letsNoSlashFail() public {
        _receive(600);
        _seal(1, abi.encodePacked(puppet, uint96(600)));
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _receipt(payees[0], 600, 1);
        vm.expectPartialRevert(IClearing.Clearing_TooLittleGas.selector);
        clearing.challenge{gas: 450_000}(1, receipt, signature);
        for (uint256 gas = 100_000; gas < 1_200_000; gas += 50_000) {
            uint256 bond = staking.bondOf(operator);
            uint256 snapshot = vm.snapshotState();
            try clearing.challenge{gas: gas}(1, receipt, signature) {
                assertEq(staking.bondOf(operator), bond - SLASH, "void and slashed, or neither");
            } catch {}
            vm.revertToState(snapshot);
        }
    }

    // The bond

    /// @dev A receipt is due seven days after it was written, which is when stake that left meanwhile has unbonded.
    function test_takingTheNewestMoneyAndTheBond_isNotPossible() public {
        _receive(600);
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _receipt(payees[0], 600, 2);
        _seal(1, abi.encodePacked(puppet, uint96(600)));
        vm.startPrank(operator);
        staking.unstake(operator, type(uint256).max);
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_InsufficientStake.selector, 0, 0));
        staking.unstake(operator, type(uint256).max);
        vm.stopPrank();
        skip(7 days);
        assertEq(clearing.demand(receipt, signature), 0, "nothing is left to give");
        assertEq(staking.bondOf(operator), BOND - SLASH, "but the bond is there");
        assertEq(staking.freeBondOf(operator), 0, "and held");
    }

    /// @dev Was: after a slash the same stake stood behind its seats and behind its epochs.
    function test_stakeThatOthersHold_standsBehindNoEpoch() public {
        _receive(600);
        manager.grantRole(Roles.BONDER, address(this), 0);
        staking.lock(operator, BOND);
        _seal(1, abi.encodePacked(payees[0], uint96(100)));
        skip(DAY);
        staking.slash(operator, 1, stranger, "elsewhere");
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_BondTooLow.selector, BOND - 1, BOND));
        _seal(2, abi.encodePacked(payees[0], uint96(200)));
        staking.unlock(operator, BOND);
        _seal(2, abi.encodePacked(payees[0], uint96(200)));
    }

    function test_anEarlierOperator_paysForVoidingItsLastEpoch() public {
        _receive(600);
        address successor = makeAddr("successor");
        _bond(successor, BOND);
        clearing.appoint(successor);
        vm.prank(operator);
        staking.unstake(operator, type(uint256).max);
        skip(3 days - 1 hours);
        _seal(1, _rows(100, 200, 300));
        skip(2 hours);
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _due(operatorKey, 0, puppet, 1e9);
        assertEq(clearing.challenge(1, receipt, signature), SLASH, "out of office, and slashed");
    }

    // Contracts

    function test_aContractAsOperator_handsOutNoReceiptsThatItCouldTakeBack() public {
        (address keyHolder, uint256 key) = makeAddrAndKey("keyHolder");
        ContractWallet account = new ContractWallet(keyHolder);
        _bond(address(account), BOND);
        clearing.appoint(address(account));
        skip(3 days);
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _due(key, 1, payees[0], 600);
        bytes32 digest = clearing.receiptDigest(receipt);
        assertEq(
            bytes32(account.isValidSignature(digest, signature)),
            bytes32(bytes4(0x1626ba7e)),
            "its word"
        );
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_BadReceipt.selector, payees[0]));
        clearing.demand(receipt, signature);
    }

    function test_anOperatorsCode_speaksForNoReceipt() public {
        (address keyHolder, uint256 key) = makeAddrAndKey("keyHolder");
        vm.etch(operator, address(new ContractWallet(keyHolder)).code);
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _due(key, 0, payees[0], 600);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_BadReceipt.selector, payees[0]));
        clearing.demand(receipt, signature);
    }

    // Earlier operators

    function test_appointedAgain_anOperatorIsBoundByItsOldWord() public {
        _receive(600);
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _receipt(payees[0], 600, 1);
        clearing.appoint(operator);
        skip(3 days);
        (, uint256 office) = clearing.operator();
        assertEq(office, 1, "in a new office");
        _seal(1, abi.encodePacked(puppet, uint96(600)));
        clearing.challenge(1, receipt, signature);
        assertTrue(clearing.epochOf(address(usdc), 1).isVoid, "its own word stands against it");
    }

    /// @dev Was: once a day for each of its offices.
    function test_appointedAgain_anOperatorIsSlashedOnceADayForAPayee() public {
        clearing.appoint(operator);
        skip(3 days);
        uint256 bond = staking.bondOf(operator);
        assertEq(_demandOf(operatorKey, 0, payees[0], 600), 0, "by its first office's word");
        assertEq(_demandOf(operatorKey, 1, payees[0], 600), 0, "and by its second's");
        assertEq(staking.bondOf(operator), bond - SLASH, "one slash");
        assertEq(_demandOf(operatorKey, 1, payees[1], 600), 0, "another payee");
        assertEq(staking.bondOf(operator), bond - 2 * SLASH, "is another's");
        skip(DAY);
        clearing.demandDebt(address(usdc), payees[0], 1);
        vm.expectPartialRevert(IClearing.Clearing_NothingToGive.selector);
        clearing.demandDebt(address(usdc), payees[0], 0);
        assertEq(staking.bondOf(operator), bond - 3 * SLASH, "a day later, once more");
        assertEq(
            clearing.debtOf(address(usdc), payees[0], 0).slashedAt,
            block.timestamp,
            "in its first office"
        );
    }

    /// @dev Whose office lies between is another, with a day of its own.
    function test_anotherOperatorsOffice_hasASlashOfItsOwn() public {
        (address successor, uint256 key) = _succeed();
        assertEq(_demandOf(operatorKey, 0, payees[0], 600), 0, "the first's");
        assertEq(_demandOf(key, 1, payees[0], 600), 0, "the second's");
        assertEq(staking.bondOf(operator), 2 * BOND - SLASH, "each by its own bond");
        assertEq(staking.bondOf(successor), BOND - SLASH, "each by its own bond");
    }

    function test_anEarlierOperatorsKey_takesNothingOfItsSuccessors() public {
        (address successor, uint256 key) = _succeed();
        _receive(500);
        IClearing.CreditReceipt memory receipt = IClearing.CreditReceipt(
            address(usdc),
            payees[0],
            500,
            1,
            1,
            uint40(block.timestamp + 21 days)
        );
        bytes memory signature = _signReceipt(key, receipt);
        assertEq(_demandOf(operatorKey, 0, puppet, 1e9), 0, "forged, and slashed for it");
        assertEq(staking.bondOf(operator), 2 * BOND - SLASH, "by its own bond");
        vm.prank(successor);
        clearing.credit(address(usdc), 1, 0, abi.encodePacked(payees[0], uint96(500)), true);
        skip(7 days);
        vm.expectPartialRevert(IClearing.Clearing_ReceiptHonoured.selector);
        clearing.demand(receipt, signature);
        assertEq(staking.bondOf(successor), BOND, "the honest one has paid nothing");
    }

    function test_whatAnOperatorGaveAway_isNotTakenFromItsSuccessorsPayees() public {
        _receive(500);
        (IClearing.CreditReceipt memory old, bytes memory oldSignature) = _receipt(payees[0], 500, 2);
        _seal(1, abi.encodePacked(puppet, uint96(500)));
        (address successor, uint256 key) = _succeed();
        _receive(500);
        skip(4 days);
        assertEq(clearing.demand(old, oldSignature), 0, "what it left is gone");
        assertEq(staking.bondOf(operator), 2 * BOND - SLASH, "who took it pays");
        assertEq(_demandOf(key, 1, payees[1], 500), 500, "the successor's payee has its own");
        assertEq(staking.bondOf(successor), BOND - SLASH, "which was not credited in time");
    }

    /// @dev Each office's end is its own: an earlier one reaches nothing of any later one's.
    function test_twoOfficesLater_theFirstReachesWhatItLeft() public {
        _receive(100);
        (, uint256 key) = _succeed();
        _receive(200);
        clearing.appoint(operator);
        skip(3 days);
        clearing.recordHandover(address(usdc));
        _receive(400);
        assertEq(_demandOf(operatorKey, 0, puppet, 1e9), 100, "the first");
        assertEq(
            _demandOf(key, 1, puppet, 1e9),
            200,
            "what had been received by the end of the second, less that"
        );
        (uint256 settled, ) = clearing.creditedOf(address(usdc));
        assertEq(settled, 300, "the third has all of its own");
    }

    /// @dev Money of the last hours, which the one who leaves can credit no more: what its successor refuses, it pays
    ///      for, once a day for each payee. It signs nothing beyond its last epoch.
    function test_whoLeaves_paysForWhatItSignedBeyondItsLastEpoch() public {
        address successor = makeAddr("successor");
        _bond(successor, BOND);
        clearing.appoint(successor);
        skip(2 days);
        _receive(100);
        _seal(1, abi.encodePacked(payees[1], uint96(100)));
        skip(DAY - 1);
        _receive(300);
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _receipt(payees[0], 300, 2);
        skip(1);
        vm.prank(successor);
        clearing.credit(address(usdc), 2, 0, abi.encodePacked(puppet, uint96(300)), true);
        vm.warp(START + 7 days);
        assertEq(clearing.demand(receipt, signature), 0, "nothing left");
        assertEq(staking.bondOf(operator), 2 * BOND - SLASH, "one slash for one receipt");
        vm.expectPartialRevert(IClearing.Clearing_NothingToGive.selector);
        clearing.demandDebt(address(usdc), payees[0], 0);
    }

    /// @dev Nobody has recorded the handover: the first demand of the old office does, and sets its end.
    function test_anOldOfficesFirstDemand_recordsTheHandover_andReachesNothingNewer() public {
        _receive(300);
        (address successor, ) = makeAddrAndKey("successor");
        _bond(successor, BOND);
        clearing.appoint(successor);
        skip(3 days);
        vm.expectEmit(true, true, true, true);
        emit IClearing.HandedOver(address(usdc), 1, 300);
        assertEq(_demandOf(operatorKey, 0, payees[0], 200), 200, "what the office left");
        _receive(1_000);
        assertEq(
            _demandOf(operatorKey, 0, payees[1], 200),
            100,
            "the rest of it, and nothing that came later"
        );
    }

    function test_aHandover_isRecordedOnce() public {
        _receive(300);
        _succeed();
        _receive(1_000);
        vm.recordLogs();
        clearing.recordHandover(address(usdc));
        assertEq(vm.getRecordedLogs().length, 0, "nothing is said again");
        assertEq(_demandOf(operatorKey, 0, payees[0], 400), 300, "the end stays where it was");
    }
}
