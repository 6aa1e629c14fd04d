// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {TestUSDC} from "../../../contracts/dev/TestUSDC.sol";
import {IBatchSettlement} from "../../../contracts/interfaces/payments/IBatchSettlement.sol";
import {IDepositCollector} from "../../../contracts/interfaces/payments/IDepositCollector.sol";
import {BatchSettlement} from "../../../contracts/payments/BatchSettlement.sol";
import {ChannelFixture} from "../support/payments/ChannelFixture.sol";
import {HostileToken} from "../support/payments/HostileToken.sol";

/// @notice Claims to bring tokens and brings none.
contract EmptyHandedCollector is IDepositCollector {
    function collect(address, address, uint256, bytes32, bytes calldata) external {}
}

/// @notice While one deposit is being collected, makes another whose tokens would be counted for both.
contract DoubleCountingCollector is IDepositCollector {
    function collect(address, address, uint256, bytes32, bytes calldata data) external {
        (bool ok, bytes memory result) = msg.sender.call(data);
        if (!ok) {
            assembly ("memory-safe") {
                revert(add(result, 0x20), mload(result))
            }
        }
    }
}

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

    function hostileChannel(
        HostileToken token
    ) internal returns (IBatchSettlement.ChannelConfig memory other) {
        other = channel(7);
        other.token = address(token);
        token.mint(payer, 1_000);
        vm.prank(payer);
        token.approve(address(settlement), type(uint256).max);
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

    /// @dev Else a channel of a worthless token would be claimed as one of money.
    function test_PackedRowUnderAnotherTokenIsRefused() public {
        HostileToken worthless = new HostileToken();
        IBatchSettlement.ChannelConfig memory other = hostileChannel(worthless);
        deposit(other, 1_000);
        bytes memory rows = bytes.concat(header(), packedRow(agentKey, other, 1_000));
        expectError(
            abi.encodeWithSelector(IBatchSettlement.BatchSettlement_RowNotAuthorized.selector, 0, idOf(other))
        );
        vm.prank(operator);
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

    function test_FeeOnTransferTokenIsRefused() public {
        HostileToken token = new HostileToken();
        token.setFee(100);
        IBatchSettlement.ChannelConfig memory other = hostileChannel(token);
        expectError(
            abi.encodeWithSelector(
                IBatchSettlement.BatchSettlement_DepositNotExact.selector,
                address(token),
                990,
                1_000
            )
        );
        deposit(other, 1_000);
    }

    function test_TokenThatReturnsFalseIsRefused() public {
        HostileToken token = new HostileToken();
        token.setAnswer(HostileToken.Answer.False);
        IBatchSettlement.ChannelConfig memory other = hostileChannel(token);
        expectError(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(token)));
        deposit(other, 1_000);
    }

    function test_TokenThatReturnsNothingWorks() public {
        HostileToken token = new HostileToken();
        token.setAnswer(HostileToken.Answer.Nothing);
        IBatchSettlement.ChannelConfig memory other = hostileChannel(token);
        deposit(other, 1_000);
        claim(other, 400);
        settlement.settle(receiver, address(token));
        assertEq(token.balanceOf(receiver), 400, "paid");
    }

    function test_EveryReentryIsRefusedByTheGuard() public {
        HostileToken token = new HostileToken();
        IBatchSettlement.ChannelConfig memory other = hostileChannel(token);
        deposit(other, 500);
        claim(other, 100);
        bytes[10] memory calls = [
            abi.encodeCall(settlement.deposit, (other, 1, address(0), "")),
            abi.encodeCall(settlement.claim, (new IBatchSettlement.VoucherClaim[](0))),
            abi.encodeCall(settlement.claimWithSignature, (new IBatchSettlement.VoucherClaim[](0), "")),
            abi.encodeCall(settlement.claimPacked, ("")),
            abi.encodeCall(settlement.claimPackedAndSettle, ("")),
            abi.encodeCall(settlement.settle, (receiver, address(token))),
            abi.encodeCall(settlement.initiateWithdraw, (other, 1)),
            abi.encodeCall(settlement.finalizeWithdraw, (other)),
            abi.encodeCall(settlement.refund, (other, 1)),
            abi.encodeCall(settlement.refundWithSignature, (other, 1, 0, ""))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            token.setHook(address(settlement), calls[i]);
            vm.prank(operator);
            settlement.refund(other, 1);
            assertFalse(token.hookSucceeded(), "refused");
            assertEq(
                token.hookResult(),
                abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector),
                "by the guard"
            );
        }
        settlement.settle(receiver, address(token));
        assertEq(token.balanceOf(receiver), 100, "settled once");
    }

    /// @dev A rebase that shrinks what is held harms only channels of that token.
    function test_RebasingTokenHarmsOnlyItself() public {
        HostileToken token = new HostileToken();
        IBatchSettlement.ChannelConfig memory other = hostileChannel(token);
        deposit(other, 1_000);
        claim(other, 1_000);
        token.rebase(address(settlement), 1);
        vm.expectRevert();
        settlement.settle(receiver, address(token));
        claim(config, 10);
        settlement.settle(receiver, address(usdc));
        assertEq(usdc.balanceOf(receiver), 10, "others are paid");
    }

    function test_CollectorThatBringsNothingIsRefused() public {
        EmptyHandedCollector collector = new EmptyHandedCollector();
        expectError(
            abi.encodeWithSelector(
                IBatchSettlement.BatchSettlement_DepositNotExact.selector,
                address(usdc),
                0,
                5
            )
        );
        settlement.deposit(channel(2), 5, address(collector), "");
    }

    function test_CollectorCannotCountOneTransferForTwoDeposits() public {
        DoubleCountingCollector collector = new DoubleCountingCollector();
        bytes memory inner = abi.encodeCall(settlement.deposit, (channel(3), 5, address(0), ""));
        expectError(abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector));
        settlement.deposit(channel(2), 5, address(collector), inner);
    }

    function test_BlocklistedReceiverWaitsAndHoldsNobodyUp() public {
        IBatchSettlement.ChannelConfig memory other = channel(2);
        other.receiver = stranger;
        deposit(other, DEPOSIT);
        claim(config, 10);
        claim(other, 20);
        usdc.blocklist(receiver);
        expectError(abi.encodeWithSelector(TestUSDC.TestUSDC_Blocklisted.selector, receiver));
        settlement.settle(receiver, address(usdc));
        settlement.settle(stranger, address(usdc));
        assertEq(usdc.balanceOf(stranger), 20, "others are paid");
        claim(config, 11);
        usdc.unBlocklist(receiver);
        settlement.settle(receiver, address(usdc));
        assertEq(usdc.balanceOf(receiver), 11, "paid later, in full");
    }

    function test_BlocklistedPayerDoesNotStopClaims() public {
        usdc.blocklist(payer);
        expectError(abi.encodeWithSelector(TestUSDC.TestUSDC_Blocklisted.selector, payer));
        vm.prank(operator);
        settlement.refund(config, 1);
        claim(config, 10);
        settlement.settle(receiver, address(usdc));
        assertEq(usdc.balanceOf(receiver), 10, "paid");
    }

    function test_TokensSentByMistakeAreNobodysBalance() public {
        usdc.mint(address(settlement), 1_000);
        vm.prank(operator);
        settlement.refund(config, type(uint128).max);
        assertEq(usdc.balanceOf(address(settlement)), 1_000, "untouched");
        settlement.settle(receiver, address(usdc));
        assertEq(usdc.balanceOf(receiver), 0, "nothing claimed, nothing paid");
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
