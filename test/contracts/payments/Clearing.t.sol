// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {IParameterRegistry} from "../../../contracts/interfaces/governance/IParameterRegistry.sol";
import {Roles} from "../../../contracts/governance/Roles.sol";
import {TestUSDC} from "../../../contracts/dev/TestUSDC.sol";
import {IBatchSettlement} from "../../../contracts/interfaces/payments/IBatchSettlement.sol";
import {IClearing} from "../../../contracts/interfaces/payments/IClearing.sol";
import {BatchSettlement} from "../../../contracts/payments/BatchSettlement.sol";
import {Clearing} from "../../../contracts/payments/Clearing.sol";
import {StakingFixture} from "../support/StakingFixture.sol";

/// @notice Clearing with a bonded operator, a payer's channel into it and three payees.
abstract contract ClearingFixture is StakingFixture {
    uint256 internal constant BOND = 10_000e18;
    uint256 internal constant SLASH = 5_000e18;
    uint256 internal constant DAY = 1 days;

    Clearing internal clearing;
    BatchSettlement internal settlement;
    TestUSDC internal usdc;
    address internal operator;
    uint256 internal operatorKey;
    address internal payer;
    uint256 internal payerKey;
    /// @dev Ascending.
    address[3] internal payees = [address(0xa1), address(0xb2), address(0xc3)];
    IBatchSettlement.ChannelConfig internal config;
    uint128 internal vouched;

    function setUp() public virtual override {
        super.setUp();
        registry.declare(IParameterRegistry.Declaration("clearingMinBond", 0, 1e30, BOND));
        registry.declare(IParameterRegistry.Declaration("clearingSlash", 0, 1e30, SLASH));
        (operator, operatorKey) = makeAddrAndKey("operator");
        (payer, payerKey) = makeAddrAndKey("payer");
        settlement = new BatchSettlement();
        clearing = new Clearing(operator, staking, settlement, registry);
        manager.grantRole(Roles.SLASHER, address(clearing), 0);
        avt.mint(operator, 2 * BOND);
        vm.startPrank(operator);
        avt.approve(address(staking), type(uint256).max);
        staking.registerValidator(0);
        staking.stake(operator, 2 * BOND);
        vm.stopPrank();
        usdc = new TestUSDC(address(this));
        usdc.mint(payer, 1e12);
        config = IBatchSettlement.ChannelConfig({
            payer: payer,
            payerAuthorizer: payer,
            receiver: address(clearing),
            receiverAuthorizer: operator,
            token: address(usdc),
            withdrawDelay: 1 hours,
            salt: 0
        });
        vm.startPrank(payer);
        usdc.approve(address(settlement), type(uint256).max);
        settlement.deposit(config, 1e11, address(0), "");
        vm.stopPrank();
    }

    /// @dev The operator claims the payer's next voucher into Clearing.
    function _receive(uint128 amount) internal {
        vouched += amount;
        bytes32 digest = settlement.getVoucherDigest(settlement.getChannelId(config), vouched);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(payerKey, digest);
        IBatchSettlement.VoucherClaim[] memory claims = new IBatchSettlement.VoucherClaim[](1);
        claims[0] = IBatchSettlement.VoucherClaim({
            voucher: IBatchSettlement.Voucher(config, vouched),
            signature: abi.encodePacked(r, s, v),
            totalClaimed: vouched
        });
        vm.prank(operator);
        settlement.claim(claims);
    }

    function _rows(uint96 a, uint96 b, uint96 c) internal view returns (bytes memory) {
        return abi.encodePacked(payees[0], a, payees[1], b, payees[2], c);
    }

    function _post(uint256 epoch, bytes memory rows) internal {
        _post(epoch, rows, "");
    }

    function _post(uint256 epoch, bytes memory rows, bytes memory before) internal {
        vm.prank(operator);
        clearing.postRoot(address(usdc), epoch, rows, before);
    }

    function _leaf(address payee, uint256 cumulative) internal pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(payee, cumulative))));
    }

    /// @dev Proofs in a tree of three: the third leaf goes up alone.
    function _proof(uint256 which, uint96[3] memory amounts) internal view returns (bytes32[] memory proof) {
        bytes32[3] memory leaves;
        for (uint256 i = 0; i < 3; ++i) leaves[i] = _leaf(payees[i], amounts[i]);
        if (which == 2) {
            proof = new bytes32[](1);
            proof[0] = Hashes.commutativeKeccak256(leaves[0], leaves[1]);
        } else {
            proof = new bytes32[](2);
            (proof[0], proof[1]) = (leaves[1 - which], leaves[2]);
        }
    }

    function _receipt(
        address payee,
        uint128 cumulative,
        uint64 epoch
    ) internal view returns (IClearing.CreditReceipt memory receipt, bytes memory signature) {
        receipt = IClearing.CreditReceipt(address(usdc), payee, cumulative, epoch);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(operatorKey, clearing.receiptDigest(receipt));
        signature = abi.encodePacked(r, s, v);
    }
}

/// @notice What each function of Clearing does, refuses and says.
contract ClearingTest is ClearingFixture {
    function test_constructor() public view {
        assertEq(clearing.operator(), operator, "operator");
        assertEq(address(clearing.bonds()), address(staking), "bonds");
        assertEq(address(clearing.settlement()), address(settlement), "settlement");
        assertEq(address(clearing.parameters()), address(registry), "parameters");
        assertEq(clearing.CHALLENGE_WINDOW(), 1 days, "challenge");
        assertEq(clearing.ANSWER_WINDOW(), 1 days, "answer");
    }

    function test_postRoot_computesTheRoot() public {
        _receive(600);
        assertEq(clearing.receivedOf(address(usdc)), 600, "received, not yet settled");
        bytes memory rows = _rows(100, 200, 300);
        bytes32 pair = Hashes.commutativeKeccak256(_leaf(payees[0], 100), _leaf(payees[1], 200));
        bytes32 root = Hashes.commutativeKeccak256(pair, _leaf(payees[2], 300));
        vm.expectEmit(true, true, true, true);
        emit IClearing.RootPosted(address(usdc), 1, root, keccak256(rows), 600);
        _post(1, rows);
        IClearing.Root memory posted = clearing.rootOf(address(usdc), 1);
        assertEq(posted.root, root, "root");
        assertEq(posted.rowsHash, keccak256(rows), "rows");
        assertEq(posted.total, 600, "total");
        assertEq(posted.postedAt, START, "time");
        assertFalse(posted.isVoid, "void");
        assertEq(clearing.epochOf(address(usdc)), 1, "epochs");
        assertEq(clearing.finalEpochOf(address(usdc)), 0, "not final yet");
        skip(DAY);
        assertEq(clearing.finalEpochOf(address(usdc)), 1, "final");
    }

    function test_postRoot_refusals() public {
        _receive(600);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_NotOperator.selector, stranger, operator));
        vm.prank(stranger);
        clearing.postRoot(address(usdc), 1, _rows(1, 2, 3), "");
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_WrongEpoch.selector, 2, 1));
        _post(2, _rows(1, 2, 3));
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_TotalTooHigh.selector, 601, 600));
        _post(1, _rows(100, 200, 301));
        vm.expectRevert(IClearing.Clearing_BadRows.selector);
        _post(1, "");
        vm.expectRevert(IClearing.Clearing_BadRows.selector);
        _post(1, _rows(1, 2, 3), _rows(1, 2, 3));
        vm.expectRevert(IClearing.Clearing_BadRows.selector);
        _post(1, abi.encodePacked(_rows(1, 2, 3), uint8(1)));
        vm.expectRevert(
            abi.encodeWithSelector(IClearing.Clearing_RowsNotAscending.selector, payees[1], payees[1])
        );
        _post(1, abi.encodePacked(payees[1], uint96(1), payees[1], uint96(1)));
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_RowsNotAscending.selector, 0, 0));
        _post(1, abi.encodePacked(address(0), uint96(1)));
        _post(1, _rows(1, 2, 3));
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_RootPending.selector, 1));
        _post(2, _rows(1, 2, 3));
    }

    function test_postRoot_needsTheBond() public {
        _receive(600);
        registry.set("clearingMinBond", 2 * BOND + 1);
        vm.expectRevert(
            abi.encodeWithSelector(IClearing.Clearing_BondTooLow.selector, 2 * BOND, 2 * BOND + 1)
        );
        _post(1, _rows(1, 2, 3));
        registry.set("clearingMinBond", 2 * BOND);
        _post(1, _rows(1, 2, 3));
    }

    function test_claim_byProof_afterTheWindow() public {
        _receive(600);
        _post(1, _rows(100, 200, 300));
        bytes32[] memory proof = _proof(1, [uint96(100), 200, 300]);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_RootNotFinal.selector, address(usdc), 1));
        clearing.claim(address(usdc), 1, payees[1], 200, proof);
        skip(DAY);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_BadProof.selector, payees[1], 201));
        clearing.claim(address(usdc), 1, payees[1], 201, proof);
        vm.expectEmit(true, true, true, true);
        emit IClearing.Paid(address(usdc), payees[1], 200, 200);
        vm.prank(stranger);
        assertEq(clearing.claim(address(usdc), 1, payees[1], 200, proof), 200, "amount");
        assertEq(usdc.balanceOf(payees[1]), 200, "paid");
        assertEq(clearing.paidOf(address(usdc), payees[1]), 200, "recorded");
        assertEq(clearing.receivedOf(address(usdc)), 600, "received is what came, not what is left");
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_NothingToClaim.selector, payees[1]));
        clearing.claim(address(usdc), 1, payees[1], 200, proof);
        bytes32[] memory third = _proof(2, [uint96(100), 200, 300]);
        clearing.claim(address(usdc), 1, payees[2], 300, third);
        assertEq(usdc.balanceOf(payees[2]), 300, "the odd leaf");
    }

    function test_payOut_paysAllThatIsLeft() public {
        _receive(600);
        bytes memory rows = _rows(100, 200, 300);
        _post(1, rows);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_RootNotFinal.selector, address(usdc), 1));
        clearing.payOut(address(usdc), 1, rows);
        skip(DAY);
        clearing.claim(address(usdc), 1, payees[0], 100, _proof(0, [uint96(100), 200, 300]));
        bytes memory other = _rows(100, 200, 301);
        vm.expectRevert(IClearing.Clearing_BadRows.selector);
        clearing.payOut(address(usdc), 1, other);
        vm.expectEmit(true, true, true, true);
        emit IClearing.PaidBatch(address(usdc), 1, 500);
        clearing.payOut(address(usdc), 1, rows);
        assertEq(usdc.balanceOf(payees[0]), 100, "claimed before");
        assertEq(usdc.balanceOf(payees[1]), 200, "paid");
        assertEq(usdc.balanceOf(payees[2]), 300, "paid");
        clearing.payOut(address(usdc), 1, rows);
        assertEq(usdc.balanceOf(payees[2]), 300, "once");
        assertEq(usdc.balanceOf(address(clearing)), 0, "nothing is left");
    }

    function test_payOut_skipsWhoCannotReceive() public {
        _receive(600);
        bytes memory rows = _rows(100, 200, 300);
        _post(1, rows);
        skip(DAY);
        usdc.blocklist(payees[1]);
        vm.expectEmit(true, true, true, true);
        emit IClearing.PayoutFailed(address(usdc), payees[1], 200);
        clearing.payOut(address(usdc), 1, rows);
        assertEq(usdc.balanceOf(payees[2]), 300, "the others are paid");
        assertEq(clearing.paidOf(address(usdc), payees[1]), 0, "not paid");
        usdc.unBlocklist(payees[1]);
        clearing.claim(address(usdc), 1, payees[1], 200, _proof(1, [uint96(100), 200, 300]));
        assertEq(usdc.balanceOf(payees[1]), 200, "later, by proof");
    }

    function test_nextEpoch_paysTheDifference() public {
        _receive(600);
        bytes memory rows = _rows(100, 200, 300);
        _post(1, rows);
        skip(DAY);
        clearing.payOut(address(usdc), 1, rows);
        _receive(60);
        bytes memory lower = _rows(99, 200, 300);
        vm.expectRevert(
            abi.encodeWithSelector(IClearing.Clearing_CreditLowered.selector, payees[0], 99, 100)
        );
        _post(2, lower, rows);
        bytes memory last = abi.encodePacked(payees[0], uint96(100), payees[1], uint96(260));
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_PayeeMissing.selector, payees[2]));
        _post(2, last, rows);
        bytes memory first = abi.encodePacked(payees[1], uint96(260), payees[2], uint96(300));
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_PayeeMissing.selector, payees[0]));
        _post(2, first, rows);
        vm.expectRevert(IClearing.Clearing_BadRows.selector);
        _post(2, _rows(110, 220, 330), lower);
        vm.expectRevert(IClearing.Clearing_BadRows.selector);
        _post(2, _rows(110, 220, 330), "");
        bytes memory before = rows;
        rows = _rows(110, 220, 330);
        _post(2, rows, before);
        assertEq(clearing.finalEpochOf(address(usdc)), 1, "the old one until then");
        skip(DAY);
        clearing.payOut(address(usdc), 2, rows);
        assertEq(
            usdc.balanceOf(payees[0]) + usdc.balanceOf(payees[1]) + usdc.balanceOf(payees[2]),
            660,
            "all"
        );
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_RootNotFinal.selector, address(usdc), 1));
        clearing.payOut(address(usdc), 1, _rows(100, 200, 300));
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_UnknownEpoch.selector, address(usdc), 3));
        clearing.rootOf(address(usdc), 3);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_UnknownEpoch.selector, address(usdc), 0));
        clearing.rootOf(address(usdc), 0);
    }

    function test_aNewPayee_comesIn() public {
        _receive(600);
        bytes memory rows = abi.encodePacked(payees[0], uint96(100), payees[2], uint96(200));
        _post(1, rows);
        skip(DAY);
        _post(2, _rows(100, 300, 200), rows);
        skip(DAY);
        clearing.payOut(address(usdc), 2, _rows(100, 300, 200));
        assertEq(usdc.balanceOf(payees[1]), 300, "the new one");
    }

    function test_aRootUnderWay_doesNotStopClaims() public {
        _receive(600);
        bytes memory rows = _rows(100, 200, 300);
        _post(1, rows);
        skip(DAY);
        _post(2, rows, rows);
        clearing.claim(address(usdc), 1, payees[1], 200, _proof(1, [uint96(100), 200, 300]));
        skip(DAY);
        clearing.payOut(address(usdc), 2, rows);
        assertEq(usdc.balanceOf(payees[1]), 200, "once");
    }

    // Challenges

    function _challenge(uint128 cumulative) private returns (uint256 id) {
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _receipt(payees[1], cumulative, 1);
        vm.prank(bob);
        id = clearing.challenge(1, receipt, signature);
    }

    function test_challenge_isRecorded() public {
        _receive(600);
        _post(1, _rows(100, 200, 300));
        vm.expectEmit(true, true, true, true);
        emit IClearing.Challenged(1, address(usdc), 1, payees[1], 201, START + DAY);
        assertEq(_challenge(201), 1, "id");
        assertEq(clearing.challengeCount(), 1, "count");
        assertEq(clearing.rootOf(address(usdc), 1).openChallenges, 1, "open");
        skip(DAY);
        assertEq(clearing.finalEpochOf(address(usdc)), 0, "not final while it is open");
    }

    function test_challenge_refusals() public {
        _receive(600);
        _post(1, _rows(100, 200, 300));
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _receipt(payees[1], 201, 2);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_ReceiptTooNew.selector, 2, 1));
        clearing.challenge(1, receipt, signature);
        receipt.epoch = 1;
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_BadReceipt.selector, payees[1]));
        clearing.challenge(1, receipt, signature);
        _challenge(201);
        (receipt, signature) = _receipt(payees[1], 201, 1);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_Challenged.selector, 1));
        clearing.challenge(1, receipt, signature);
        vm.warp(START + DAY);
        (receipt, signature) = _receipt(payees[1], 202, 1);
        vm.expectRevert(
            abi.encodeWithSelector(IClearing.Clearing_ChallengeTooLate.selector, START + DAY, START + DAY)
        );
        clearing.challenge(1, receipt, signature);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_UnknownEpoch.selector, address(usdc), 2));
        clearing.challenge(2, receipt, signature);
    }

    function test_answer_showsTheLeaf() public {
        _receive(600);
        _post(1, _rows(100, 200, 300));
        uint256 id = _challenge(150);
        bytes32[] memory proof = _proof(1, [uint96(100), 200, 300]);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_BadProof.selector, payees[1], 149));
        clearing.answer(id, 149, proof);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_BadProof.selector, payees[1], 250));
        clearing.answer(id, 250, proof);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_UnknownChallenge.selector, 9));
        clearing.answer(9, 200, proof);
        vm.expectEmit(true, true, true, true);
        emit IClearing.Answered(id);
        clearing.answer(id, 200, proof);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_UnknownChallenge.selector, id));
        clearing.enforce(id);
        skip(DAY);
        assertEq(clearing.finalEpochOf(address(usdc)), 1, "final");
    }

    function test_enforce_voidsTheRootAndSlashes() public {
        _receive(600);
        _post(1, _rows(100, 200, 300));
        uint256 id = _challenge(201);
        uint256 other = _challenge(202);
        vm.warp(START + DAY - 1);
        vm.expectRevert(
            abi.encodeWithSelector(IClearing.Clearing_AnswerPending.selector, START + DAY - 1, START + DAY)
        );
        clearing.enforce(id);
        vm.warp(START + DAY);
        bytes32[] memory proof = _proof(1, [uint96(100), 200, 300]);
        vm.expectRevert(
            abi.encodeWithSelector(IClearing.Clearing_AnswerTooLate.selector, START + DAY, START + DAY)
        );
        clearing.answer(id, 201, proof);
        uint256 before = avt.balanceOf(bob);
        vm.expectEmit(true, true, true, true);
        emit IClearing.RootVoided(id, address(usdc), 1, SLASH);
        clearing.enforce(id);
        assertEq(avt.balanceOf(bob) - before, SLASH / 10, "a tenth for who challenged");
        assertEq(staking.bondOf(operator), 2 * BOND - SLASH, "bond");
        assertTrue(clearing.rootOf(address(usdc), 1).isVoid, "void");
        assertEq(clearing.finalEpochOf(address(usdc)), 0, "no root");
        clearing.enforce(other);
        assertEq(avt.balanceOf(bob) - before, SLASH / 10, "one lie, one slash");
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_RootNotFinal.selector, address(usdc), 1));
        clearing.claim(address(usdc), 1, payees[1], 200, proof);
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _receipt(payees[0], 101, 1);
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_RootNotFinal.selector, address(usdc), 1));
        clearing.challenge(1, receipt, signature);
        _post(2, _rows(100, 202, 298));
        skip(DAY);
        assertEq(clearing.finalEpochOf(address(usdc)), 2, "the next may stand");
    }

    function test_aPayeeLeftOut_isHeard() public {
        _receive(600);
        _post(1, abi.encodePacked(payees[0], uint96(600)));
        uint256 id = _challenge(200);
        skip(DAY);
        clearing.enforce(id);
        assertTrue(clearing.rootOf(address(usdc), 1).isVoid, "void");
    }

    function test_operatorGone_theLastRootStays() public {
        _receive(600);
        _post(1, _rows(100, 200, 300));
        skip(3650 days);
        clearing.claim(address(usdc), 1, payees[1], 200, _proof(1, [uint96(100), 200, 300]));
        assertEq(usdc.balanceOf(payees[1]), 200, "ten years later");
    }

    function testFuzz_everyLeafProves_andTotalsAreBounded(uint96 a, uint96 b, uint96 c) public {
        uint96[3] memory amounts = [
            uint96(bound(a, 1, 1e10)),
            uint96(bound(b, 1, 1e10)),
            uint96(bound(c, 1, 1e10))
        ];
        uint128 sum = uint128(amounts[0]) + amounts[1] + amounts[2];
        _receive(sum);
        _post(1, _rows(amounts[0], amounts[1], amounts[2]));
        skip(DAY);
        for (uint256 i = 0; i < 3; ++i)
            clearing.claim(address(usdc), 1, payees[i], amounts[i], _proof(i, amounts));
        assertEq(usdc.balanceOf(address(clearing)), 0, "exactly what was received is paid");
    }
}
