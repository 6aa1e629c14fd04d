// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBatchSettlement} from "../../../contracts/interfaces/payments/IBatchSettlement.sol";
import {IClearing} from "../../../contracts/interfaces/payments/IClearing.sol";
import {ClearingFixture} from "../support/ClearingFixture.sol";

/// @notice Governance's terms cost no honest operator its bond; and credit that is nobody's to take out.
contract ClearingTermsTest is ClearingFixture {
    address private puppet;

    function setUp() public override {
        super.setUp();
        puppet = makeAddr("puppet");
    }

    function test_unlisting_slashesNobodyWhoCreditsUntilTheEnd() public {
        _receive(600);
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _receipt(payees[0], 600, 1);
        clearing.listToken(address(usdc), IClearing.TokenTerms(false, LEAST, EXIT_CAP));
        _seal(1, abi.encodePacked(payees[0], uint96(600)));
        skip(7 days);
        vm.expectPartialRevert(IClearing.Clearing_ReceiptHonoured.selector);
        clearing.demand(receipt, signature);
    }

    function test_unlisting_endsAllReceipts() public {
        _receive(600);
        clearing.listToken(address(usdc), IClearing.TokenTerms(false, LEAST, EXIT_CAP));
        uint256 end = START + 21 days;
        IClearing.CreditReceipt memory receipt = IClearing.CreditReceipt(
            address(usdc),
            payees[0],
            600,
            1,
            0,
            uint40(START + 3_650 days)
        );
        bytes memory signature = _signReceipt(operatorKey, receipt);
        vm.warp(end - 1);
        assertEq(clearing.demand(receipt, signature), EXIT_CAP, "in the last second, however far it reached");
        uint256 bond = staking.bondOf(operator);
        skip(1);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_NotDue.selector, end, end - 14 days, end));
        clearing.demand(receipt, signature);
        skip(DAY);
        assertEq(clearing.demandDebt(address(usdc), payees[0], 0), 100, "a debt is given still");
        assertEq(staking.bondOf(operator), bond, "but slashes nobody who can credit no more");
    }

    /// @dev Was: an epoch that was sealed as the listing ended was reached by no receipt.
    function test_unlisting_theLastEpochCanBeChallengedForItsDay() public {
        clearing.listToken(address(usdc), IClearing.TokenTerms(false, LEAST, EXIT_CAP));
        uint256 end = START + 21 days;
        vm.warp(end - DAY);
        _receive(20_000);
        IClearing.CreditReceipt memory receipt = IClearing.CreditReceipt(
            address(usdc),
            payees[0],
            20_000,
            1,
            0,
            uint40(end + 20 days)
        );
        bytes memory signature = _signReceipt(operatorKey, receipt);
        vm.warp(end - 1);
        _seal(1, abi.encodePacked(puppet, uint96(20_000)));
        uint256 sealed_ = vm.snapshotState();
        vm.warp(end + DAY - 2);
        assertEq(clearing.challenge(1, receipt, signature), SLASH, "in the last second of its day");
        assertTrue(clearing.epochOf(address(usdc), 1).isVoid, "void");
        vm.revertToState(sealed_);
        vm.warp(end + DAY);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_NotDue.selector, end + DAY, 0, end + DAY));
        clearing.challenge(1, receipt, signature);
    }

    /// @dev Was: an epoch that was open then could be filled and sealed for ever.
    function test_unlisting_anOpenEpochIsFilledNoMore() public {
        _receive(1_000);
        vm.prank(operator);
        clearing.credit(address(usdc), 1, 0, abi.encodePacked(puppet, uint96(LEAST)), false);
        clearing.listToken(address(usdc), IClearing.TokenTerms(false, LEAST, EXIT_CAP));
        vm.warp(START + 21 days);
        bytes memory row = abi.encodePacked(puppet, uint96(1_000));
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_TokenNotListed.selector, address(usdc)));
        vm.prank(operator);
        clearing.credit(address(usdc), 1, 1, row, true);
        clearing.listToken(address(usdc), IClearing.TokenTerms(true, LEAST, EXIT_CAP));
        vm.prank(operator);
        clearing.credit(address(usdc), 1, 1, row, true);
    }

    /// @dev The bound of docs/trust.md: whatever is signed in the last two weeks is due at once.
    function test_unlisting_whoSignsOnInTheLastTwoWeeks_answersAtOnce() public {
        clearing.listToken(address(usdc), IClearing.TokenTerms(false, LEAST, EXIT_CAP));
        _receive(100);
        skip(7 days - 1);
        IClearing.CreditReceipt memory receipt = IClearing.CreditReceipt(
            address(usdc),
            payees[0],
            100,
            1,
            0,
            uint40(block.timestamp + 21 days)
        );
        bytes memory signature = _signReceipt(operatorKey, receipt);
        vm.expectPartialRevert(IClearing.Clearing_NotDue.selector);
        clearing.demand(receipt, signature);
        skip(1);
        uint256 bond = staking.bondOf(operator);
        assertEq(clearing.demand(receipt, signature), 100, "due");
        assertEq(staking.bondOf(operator), bond - SLASH, "and a slash");
    }

    function test_aTokenThatNeverWasListed_hasNoReceipts() public {
        IClearing.CreditReceipt memory receipt = IClearing.CreditReceipt(
            address(avt),
            payees[0],
            600,
            0,
            0,
            uint40(START + 1)
        );
        bytes memory signature = _signReceipt(operatorKey, receipt);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_NotDue.selector, START, 0, 0));
        clearing.demand(receipt, signature);
    }

    function test_loweringTheLeastCredit_slashesNoHonestOperator() public {
        clearing.listToken(address(usdc), IClearing.TokenTerms(true, 100, EXIT_CAP));
        _receive(1_000);
        // 90 are owed to payee 1, and not due.
        _seal(1, abi.encodePacked(payees[0], uint96(600)));
        clearing.listToken(address(usdc), IClearing.TokenTerms(true, 50, EXIT_CAP));
        clearing.listToken(address(usdc), IClearing.TokenTerms(true, LEAST, EXIT_CAP));
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _receipt(payees[1], 90, 1);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_ReceiptHonoured.selector, 90, 0));
        clearing.challenge(1, receipt, signature);
        skip(DAY);
        assertEq(_demandOf(operatorKey, 0, payees[1], 100), 100, "what was due is not excused");
        _seal(2, abi.encodePacked(payees[1], 100 + LEAST));
        skip(2 days);
        assertEq(_demandOf(operatorKey, 0, payees[2], 90), 90, "after two epochs it counts for all");
    }

    function test_creditOfClearingItself_isNeverTakenOut() public {
        _receive(600);
        _seal(1, abi.encodePacked(address(clearing), uint96(600)));
        skip(DAY);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_NothingToPay.selector, address(clearing)));
        clearing.payOut(address(usdc), address(clearing));
        address[] memory itself = new address[](1);
        itself[0] = address(clearing);
        clearing.payOutAll(address(usdc), itself);
        assertEq(clearing.receivedOf(address(usdc)), 600, "received once");
    }

    /// @dev A payout in front of a signed deposit pays the payee: it has its money, and signs a deposit of that.
    function test_aPayoutInFrontOfADeposit_paysThePayee() public {
        (address payee, uint256 key) = makeAddrAndKey("payee");
        _receive(600);
        _seal(1, abi.encodePacked(payee, uint96(600)));
        skip(DAY);
        IBatchSettlement.ChannelConfig memory own = config;
        (own.payer, own.payerAuthorizer, own.receiver, own.receiverAuthorizer) = (payee, payee, bob, bob);
        bytes32 digest = clearing.depositDigest(
            address(usdc),
            settlement.getChannelId(own),
            600,
            1,
            block.timestamp
        );
        bytes memory data = abi.encodePacked(uint256(1), block.timestamp, _signed(key, digest));
        vm.prank(stranger);
        clearing.payOut(address(usdc), payee);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_CreditTooLow.selector, payee, 600, 0));
        settlement.deposit(own, 600, address(clearing), data);
        assertEq(usdc.balanceOf(payee), 600, "all of it");
    }
}
