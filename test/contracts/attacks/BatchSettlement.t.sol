// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBatchSettlement} from "../../../contracts/interfaces/payments/IBatchSettlement.sol";
import {BatchSettlement} from "../../../contracts/payments/BatchSettlement.sol";
import {ChannelFixture} from "../support/payments/ChannelFixture.sol";

/// @notice Every way known to get more out of a channel than is due; each fails, by name where it reverts.
contract BatchSettlementAttackTest is ChannelFixture {
    uint256 internal constant CURVE_ORDER =
        0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    IBatchSettlement.ChannelConfig internal config;
    bytes32 internal id;

    function setUp() public override {
        super.setUp();
        config = open(1);
        id = idOf(config);
    }

    function expectBadVoucher() internal {
        expectError(
            abi.encodeWithSelector(IBatchSettlement.BatchSettlement_VoucherSignatureInvalid.selector, id)
        );
    }

    function test_VoucherOfAnotherChannelIsRefused() public {
        IBatchSettlement.VoucherClaim[] memory rows = batch(claimOf(config, 9, 9));
        rows[0].signature = signVoucher(agentKey, open(2), 9);
        expectBadVoucher();
        vm.prank(operator);
        settlement.claim(rows);
    }

    function test_VoucherOfAnotherContractIsRefused() public {
        BatchSettlement other = new BatchSettlement();
        IBatchSettlement.VoucherClaim[] memory rows = batch(claimOf(config, 9, 9));
        rows[0].signature = signed(agentKey, other.getVoucherDigest(id, 9));
        expectBadVoucher();
        vm.prank(operator);
        settlement.claim(rows);
    }

    /// @dev The chain is part of the channel's id as well, so on a fork the channel itself is unknown.
    function test_VoucherOfAnotherChainIsRefused() public {
        IBatchSettlement.VoucherClaim[] memory rows = batch(claimOf(config, 9, 9));
        bytes memory packed = bytes.concat(header(), packedRow(agentKey, config, 9));
        vm.chainId(4242);
        expectError(
            abi.encodeWithSelector(IBatchSettlement.BatchSettlement_UnknownChannel.selector, idOf(config))
        );
        vm.prank(operator);
        settlement.claim(rows);
        expectError(
            abi.encodeWithSelector(IBatchSettlement.BatchSettlement_RowNotAuthorized.selector, 0, id)
        );
        vm.prank(operator);
        settlement.claimPacked(packed);
    }

    function test_HighSTwinOfASignatureIsRefused() public {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(agentKey, settlement.getVoucherDigest(id, 9));
        bytes32 twin = bytes32(CURVE_ORDER - uint256(s));
        IBatchSettlement.VoucherClaim[] memory rows = batch(claimOf(config, 9, 9));
        rows[0].signature = abi.encodePacked(r, twin, v == 27 ? uint8(28) : uint8(27));
        expectBadVoucher();
        vm.prank(operator);
        settlement.claim(rows);
    }

    function test_CompactSignatureInAnOrdinaryClaimIsRefused() public {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(agentKey, settlement.getVoucherDigest(id, 9));
        IBatchSettlement.VoucherClaim[] memory rows = batch(claimOf(config, 9, 9));
        rows[0].signature = abi.encodePacked(r, bytes32((uint256(v - 27) << 255) | uint256(s)));
        expectBadVoucher();
        vm.prank(operator);
        settlement.claim(rows);
    }

    function test_EmptySignatureIsRefused() public {
        IBatchSettlement.VoucherClaim[] memory rows = batch(claimOf(config, 9, 9));
        rows[0].signature = "";
        expectBadVoucher();
        vm.prank(operator);
        settlement.claim(rows);
    }

    /// @dev ecrecover answers nothing to r = s = 0; the memory it leaves behind must not look like a signer.
    function test_PackedRowOfZeroSignatureIsRefused() public {
        bytes memory rows = bytes.concat(header(), abi.encodePacked(id, bytes32(0), bytes32(0), uint96(9)));
        expectError(
            abi.encodeWithSelector(IBatchSettlement.BatchSettlement_RowNotAuthorized.selector, 0, id)
        );
        vm.prank(operator);
        settlement.claimPacked(rows);
    }

    /// @dev The signer found for a good row must not serve the bad row behind it.
    function test_PackedBadRowDoesNotInheritTheSignerBefore() public {
        bytes memory rows = bytes.concat(
            header(),
            packedRow(agentKey, config, 5),
            abi.encodePacked(id, bytes32(0), bytes32(0), uint96(9))
        );
        expectError(
            abi.encodeWithSelector(IBatchSettlement.BatchSettlement_RowNotAuthorized.selector, 1, id)
        );
        vm.prank(operator);
        settlement.claimPacked(rows);
    }

    function test_PackedRowUnderAnotherReceiverIsRefused() public {
        bytes memory rows = bytes.concat(
            abi.encodePacked(stranger, operator, address(usdc)),
            packedRow(agentKey, config, 9)
        );
        expectError(
            abi.encodeWithSelector(IBatchSettlement.BatchSettlement_RowNotAuthorized.selector, 0, id)
        );
        vm.prank(stranger);
        settlement.claimPacked(rows);
    }

    function test_PackedRowUnderAnotherAuthorizerIsRefused() public {
        bytes memory rows = bytes.concat(
            abi.encodePacked(receiver, stranger, address(usdc)),
            packedRow(agentKey, config, 9)
        );
        expectError(
            abi.encodeWithSelector(IBatchSettlement.BatchSettlement_RowNotAuthorized.selector, 0, id)
        );
        vm.prank(stranger);
        settlement.claimPacked(rows);
    }

    function test_VoucherAboveTheDepositWaitsForATopUp() public {
        IBatchSettlement.VoucherClaim[] memory rows = batch(claimOf(config, DEPOSIT * 2, DEPOSIT * 2));
        expectError(
            abi.encodeWithSelector(
                IBatchSettlement.BatchSettlement_ClaimExceedsBalance.selector,
                id,
                DEPOSIT * 2,
                DEPOSIT
            )
        );
        vm.prank(operator);
        settlement.claim(rows);
        deposit(config, DEPOSIT);
        vm.prank(operator);
        settlement.claim(rows);
        assertEq(claimedOf(config), DEPOSIT * 2, "claimed");
    }

    /// @dev The payer sees the claim coming and starts a withdrawal first: the notice still lets the claim in.
    function test_WithdrawalStartedInFrontOfAClaimTakesNothing() public {
        vm.prank(payer);
        settlement.initiateWithdraw(config, DEPOSIT);
        claimPacked(config, uint96(DEPOSIT));
        skip(DELAY);
        uint256 had = usdc.balanceOf(payer);
        vm.prank(payer);
        settlement.finalizeWithdraw(config);
        assertEq(usdc.balanceOf(payer), had, "nothing left");
    }

    function test_ClaimInTheLastSecondBeatsTheWithdrawal() public {
        vm.prank(payer);
        settlement.initiateWithdraw(config, DEPOSIT);
        (, uint256 claimBy) = settlement.acceptUntil(id);
        vm.warp(claimBy - 1);
        expectError(
            abi.encodeWithSelector(
                IBatchSettlement.BatchSettlement_WithdrawTooEarly.selector,
                id,
                claimBy - 1,
                claimBy
            )
        );
        vm.prank(payer);
        settlement.finalizeWithdraw(config);
        claimPacked(config, uint96(DEPOSIT));
        assertEq(claimedOf(config), DEPOSIT, "claimed");
    }

    /// @dev Else money could enter a channel whose notice has nearly run out and leave before it is claimed.
    function test_DepositIntoARunningWithdrawalIsRefused() public {
        vm.prank(payer);
        settlement.initiateWithdraw(config, DEPOSIT);
        skip(DELAY - 1);
        expectError(
            abi.encodeWithSelector(IBatchSettlement.BatchSettlement_WithdrawalPending.selector, id, START)
        );
        deposit(config, DEPOSIT);
    }

    function test_ForgedShorterDelayNamesAnotherChannel() public {
        vm.prank(payer);
        settlement.initiateWithdraw(config, DEPOSIT);
        IBatchSettlement.ChannelConfig memory forged = config;
        forged.withdrawDelay = 15 minutes;
        skip(15 minutes);
        expectError(
            abi.encodeWithSelector(IBatchSettlement.BatchSettlement_UnknownChannel.selector, idOf(forged))
        );
        vm.prank(payer);
        settlement.finalizeWithdraw(forged);
    }

    function test_RefundSignatureOfAnotherChannelIsRefused() public {
        bytes memory signature = signed(operatorKey, settlement.getRefundDigest(idOf(open(2)), 0, 9));
        expectError(
            abi.encodeWithSelector(
                IBatchSettlement.BatchSettlement_AuthorizerSignatureInvalid.selector,
                operator
            )
        );
        settlement.refundWithSignature(config, 9, 0, signature);
    }

    /// @dev A channel in another's name is a gift: its refunds go to that other, its vouchers bind only its deposit.
    function test_ChannelOpenedInAnothersNameGivesNoPowerOverItsMoney() public {
        IBatchSettlement.ChannelConfig memory forged = channel(1);
        forged.payerAuthorizer = stranger;
        forged.receiver = stranger;
        forged.receiverAuthorizer = stranger;
        usdc.mint(stranger, 1);
        vm.prank(stranger);
        usdc.approve(address(settlement), 1);
        vm.prank(stranger);
        settlement.deposit(forged, 1, address(0), "");
        IBatchSettlement.VoucherClaim[] memory rows = batch(claimOf(forged, 2, 2));
        rows[0].signature = signVoucher(strangerKey, forged, 2);
        expectError(
            abi.encodeWithSelector(
                IBatchSettlement.BatchSettlement_ClaimExceedsBalance.selector,
                idOf(forged),
                2,
                1
            )
        );
        vm.prank(stranger);
        settlement.claim(rows);
    }
}
