// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBatchSettlement} from "../../../contracts/interfaces/payments/IBatchSettlement.sol";
import {Vm} from "../support/Test.sol";
import {ChannelFixture} from "../support/payments/ChannelFixture.sol";
import {ContractWallet} from "../support/payments/ContractWallet.sol";

/// @notice How unclaimed money returns: withdrawal with notice, cooperative refund; and what `acceptUntil` promises.
contract BatchSettlementExitTest is ChannelFixture {
    IBatchSettlement.ChannelConfig internal config;
    bytes32 internal id;
    uint256 internal start;

    function setUp() public override {
        super.setUp();
        config = open(1);
        id = idOf(config);
        start = usdc.balanceOf(payer);
    }

    function pending() internal view returns (uint256 amount, uint256 initiatedAt) {
        return settlement.pendingWithdrawals(id);
    }

    function initiate(uint128 amount) internal {
        vm.prank(payer);
        settlement.initiateWithdraw(config, amount);
    }

    function finalize() internal {
        vm.prank(payer);
        settlement.finalizeWithdraw(config);
    }

    function refund(uint128 amount) internal {
        vm.prank(operator);
        settlement.refund(config, amount);
    }

    function test_WithdrawalWaitsOutTheDelayThenPays() public {
        vm.expectEmit();
        emit IBatchSettlement.WithdrawInitiated(id, 300, uint40(block.timestamp) + DELAY);
        initiate(300);
        (uint256 amount, uint256 initiatedAt) = pending();
        assertEq(amount, 300, "amount");
        assertEq(initiatedAt, block.timestamp, "initiatedAt");

        skip(DELAY);
        vm.expectEmit();
        emit IBatchSettlement.WithdrawFinalized(id, payer, 300);
        finalize();
        assertEq(usdc.balanceOf(payer), start + 300, "paid");
        assertEq(balanceOf(config), DEPOSIT - 300, "balance");
        (amount, initiatedAt) = pending();
        assertEq(amount + initiatedAt, 0, "nothing pending");
    }

    function test_RevertIf_FinalizedOneSecondEarly() public {
        initiate(300);
        uint256 finalizeAfter = START + DELAY;
        vm.warp(finalizeAfter - 1);
        expectError(
            abi.encodeWithSelector(
                IBatchSettlement.BatchSettlement_WithdrawTooEarly.selector,
                id,
                finalizeAfter - 1,
                finalizeAfter
            )
        );
        finalize();
    }

    function test_PayerAuthorizerMayWithdrawToThePayer() public {
        vm.prank(agent);
        settlement.initiateWithdraw(config, 300);
        skip(DELAY);
        vm.prank(agent);
        settlement.finalizeWithdraw(config);
        assertEq(usdc.balanceOf(payer), start + 300, "paid to the payer");
    }

    function test_ClaimBeforeTheEndGoesFirst() public {
        initiate(DEPOSIT);
        skip(DELAY - 1);
        claim(config, 900e6);
        skip(1);
        finalize();
        assertEq(usdc.balanceOf(payer), start + 100e6, "the unclaimed rest");
        assertEq(balanceOf(config), 900e6, "balance is what was claimed");
        settlement.settle(receiver, address(usdc));
        assertEq(usdc.balanceOf(receiver), 900e6, "paid");
    }

    function test_FinalizeEndsAWithdrawalThatClaimsLeftNothingOf() public {
        initiate(DEPOSIT);
        claim(config, DEPOSIT);
        skip(DELAY);
        vm.expectEmit();
        emit IBatchSettlement.WithdrawFinalized(id, payer, 0);
        finalize();
        assertEq(usdc.balanceOf(payer), start, "nothing");
        deposit(config, 1);
    }

    function test_RevertIf_NotPayerSide() public {
        bytes memory err = abi.encodeWithSelector(
            IBatchSettlement.BatchSettlement_NotPayerSide.selector,
            receiver
        );
        expectError(err);
        vm.prank(receiver);
        settlement.initiateWithdraw(config, 1);
        initiate(1);
        skip(DELAY);
        expectError(err);
        vm.prank(receiver);
        settlement.finalizeWithdraw(config);
    }

    function test_RevertIf_WithdrawalIsZeroOrBeyondWhatIsUnclaimed() public {
        expectError(abi.encodeWithSelector(IBatchSettlement.BatchSettlement_ZeroAmount.selector));
        initiate(0);
        claim(config, 1);
        expectError(
            abi.encodeWithSelector(
                IBatchSettlement.BatchSettlement_WithdrawExceedsAvailable.selector,
                id,
                DEPOSIT,
                DEPOSIT - 1
            )
        );
        initiate(DEPOSIT);
    }

    function test_RevertIf_OneIsPendingAlready() public {
        initiate(1);
        expectError(
            abi.encodeWithSelector(
                IBatchSettlement.BatchSettlement_WithdrawalPending.selector,
                id,
                block.timestamp
            )
        );
        initiate(2);
    }

    function test_RevertIf_NothingIsPending() public {
        expectError(
            abi.encodeWithSelector(IBatchSettlement.BatchSettlement_WithdrawalNotPending.selector, id)
        );
        finalize();
    }

    function test_RevertIf_ChannelIsUnknown() public {
        IBatchSettlement.ChannelConfig memory other = channel(9);
        bytes memory err = abi.encodeWithSelector(
            IBatchSettlement.BatchSettlement_UnknownChannel.selector,
            idOf(other)
        );
        expectError(err);
        vm.prank(payer);
        settlement.initiateWithdraw(other, 1);
        expectError(err);
        vm.prank(payer);
        settlement.finalizeWithdraw(other);
        expectError(err);
        vm.prank(operator);
        settlement.refund(other, 1);
        expectError(err);
        settlement.refundWithSignature(other, 1, 0, "");
    }

    function test_RefundReturnsUnclaimedMoneyAtOnce() public {
        vm.expectEmit();
        emit IBatchSettlement.Refunded(id, operator, 300);
        refund(300);
        assertEq(usdc.balanceOf(payer), start + 300, "paid");
        assertEq(balanceOf(config), DEPOSIT - 300, "balance");
        assertEq(settlement.refundNonce(id), 1, "nonce");
    }

    function test_RefundIsCappedAtWhatIsUnclaimed() public {
        claim(config, 900e6);
        refund(type(uint128).max);
        assertEq(usdc.balanceOf(payer), start + 100e6, "the rest");
        vm.recordLogs();
        refund(1);
        assertEq(vm.getRecordedLogs().length, 0, "an empty refund is none");
        assertEq(usdc.balanceOf(payer), start + 100e6, "no more");
        assertEq(settlement.refundNonce(id), 2, "an empty refund uses its nonce too");
    }

    function test_RefundShrinksAPendingWithdrawalAndEndsItAtZero() public {
        initiate(500);
        refund(200);
        (uint256 amount, ) = pending();
        assertEq(amount, 300, "shrunk");
        refund(300);
        uint256 initiatedAt;
        (amount, initiatedAt) = pending();
        assertEq(amount + initiatedAt, 0, "ended");
    }

    function test_RevertIf_RefundIsZeroOrNotByTheReceiverSide() public {
        expectError(abi.encodeWithSelector(IBatchSettlement.BatchSettlement_ZeroAmount.selector));
        refund(0);
        expectError(
            abi.encodeWithSelector(
                IBatchSettlement.BatchSettlement_NotReceiverSide.selector,
                payer,
                receiver,
                operator
            )
        );
        vm.prank(payer);
        settlement.refund(config, 1);
    }

    function test_AnyoneRelaysASignedRefundOnce() public {
        bytes memory signature = signed(operatorKey, settlement.getRefundDigest(id, 0, 300));
        vm.prank(stranger);
        settlement.refundWithSignature(config, 300, 0, signature);
        assertEq(usdc.balanceOf(payer), start + 300, "paid");
        expectError(
            abi.encodeWithSelector(IBatchSettlement.BatchSettlement_RefundNonceMismatch.selector, id, 0, 1)
        );
        settlement.refundWithSignature(config, 300, 0, signature);
    }

    function test_RevertIf_RefundSignatureIsNotTheAuthorizers() public {
        bytes memory signature = signed(receiverKey, settlement.getRefundDigest(id, 0, 300));
        expectError(
            abi.encodeWithSelector(
                IBatchSettlement.BatchSettlement_AuthorizerSignatureInvalid.selector,
                operator
            )
        );
        settlement.refundWithSignature(config, 300, 0, signature);
    }

    function test_ContractAuthorizerSignsRefundsByErc1271() public {
        config.receiverAuthorizer = address(new ContractWallet(operator));
        deposit(config, 10);
        bytes memory signature = signed(operatorKey, settlement.getRefundDigest(idOf(config), 0, 4));
        settlement.refundWithSignature(config, 4, 0, signature);
        assertEq(balanceOf(config), 6, "balance");
    }

    function test_AuthorizerWithCodeCannotDenyItsOwnKeysRefund() public {
        bytes memory signature = signed(operatorKey, settlement.getRefundDigest(id, 0, 4));
        vm.etch(operator, abi.encodePacked(hex"ef0100", address(new ContractWallet(stranger))));
        settlement.refundWithSignature(config, 4, 0, signature);
        assertEq(balanceOf(config), DEPOSIT - 4, "balance");
    }

    function test_AcceptUntilRollsAheadByTheDelay() public {
        for (uint256 i = 0; i < 3; ++i) {
            (uint256 until, uint256 claimBy) = settlement.acceptUntil(id);
            assertEq(until, block.timestamp + DELAY, "until");
            assertEq(claimBy, until, "claimBy");
            skip(1 days);
        }
    }

    function test_AcceptUntilFreezesWhenAWithdrawalStarts() public {
        (, uint256 promised) = settlement.acceptUntil(id);
        initiate(1);
        uint256 initiatedAt = START;
        skip(DELAY / 2);
        (uint256 until, uint256 claimBy) = settlement.acceptUntil(id);
        assertEq(until, initiatedAt, "nothing newer is safe");
        assertEq(claimBy, initiatedAt + DELAY, "claim before the end");
        assertTrue(claimBy >= promised, "an earlier answer still holds");
        skip(DELAY);
        finalize();
        (until, ) = settlement.acceptUntil(id);
        assertEq(until, block.timestamp + DELAY, "thawed");
    }

    function test_AcceptUntilIsZeroOnAnEmptyChannel() public {
        claim(config, DEPOSIT);
        (uint256 until, uint256 claimBy) = settlement.acceptUntil(id);
        assertEq(until + claimBy, 0, "nothing left to promise");
    }

    // Empty channels

    function test_ChannelThatWasNeverClaimedFromClosesWhenItIsEmpty() public {
        vm.expectEmit();
        emit IBatchSettlement.ChannelClosed(id, config);
        refund(type(uint128).max);
        uint32 index = settlement.channelIndex(id);
        vm.expectEmit();
        emit IBatchSettlement.ChannelCreated(id, config);
        deposit(config, 5);
        assertEq(settlement.channelIndex(id), index, "its number stays");
        vm.prank(payer);
        settlement.initiateWithdraw(config, 5);
        skip(DELAY);
        vm.expectEmit();
        emit IBatchSettlement.ChannelClosed(id, config);
        vm.prank(payer);
        settlement.finalizeWithdraw(config);
    }

    function test_ChannelThatIsNotEmptyOrWasClaimedFromStaysOpen() public {
        claim(config, 300);
        vm.recordLogs();
        refund(type(uint128).max);
        deposit(config, 5);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            assertTrue(logs[i].topics[0] != IBatchSettlement.ChannelClosed.selector, "closed");
            assertTrue(logs[i].topics[0] != IBatchSettlement.ChannelCreated.selector, "created");
        }
    }

    /// @dev What `acceptUntil` cannot know, as the interface says: a refund that was signed counts as spent.
    function test_RefundThatWasSignedIsGoodWheneverThePayerSpendsIt() public {
        bytes memory signature = signed(operatorKey, settlement.getRefundDigest(id, 0, type(uint128).max));
        skip(90 days);
        (uint256 until, ) = settlement.acceptUntil(id);
        assertEq(until, block.timestamp + DELAY, "safe, as far as the chain knows");
        vm.prank(payer);
        settlement.refundWithSignature(config, type(uint128).max, 0, signature);
        assertEq(balanceOf(config), 0, "taken by the receiver's own word");
    }
}
