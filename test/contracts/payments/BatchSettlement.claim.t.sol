// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TestUSDC} from "../../../contracts/dev/TestUSDC.sol";
import {IBatchSettlement} from "../../../contracts/interfaces/payments/IBatchSettlement.sol";
import {ChannelFixture} from "../support/payments/ChannelFixture.sol";
import {ContractWallet} from "../support/payments/ContractWallet.sol";

contract BatchSettlementClaimTest is ChannelFixture {
    function unsettled(address who) internal view returns (uint256) {
        (uint256 claimed, uint256 settled) = settlement.receivers(who, address(usdc));
        return claimed - settled;
    }

    function test_ClaimRaisesTheTotalAndWhatTheReceiverMaySettle() public {
        IBatchSettlement.ChannelConfig memory config = open(1);
        IBatchSettlement.VoucherClaim[] memory rows = batch(claimOf(config, 100, 60));
        vm.expectEmit();
        emit IBatchSettlement.Claimed(idOf(config), operator, 60, 60);
        vm.prank(operator);
        settlement.claim(rows);
        assertEq(claimedOf(config), 60, "claimed");
        assertEq(balanceOf(config), DEPOSIT, "claims do not lower the balance");
        assertEq(unsettled(receiver), 60, "unsettled");
    }

    function test_ReceiverItselfMayClaim() public {
        IBatchSettlement.VoucherClaim[] memory rows = batch(claimOf(open(1), 9, 9));
        vm.prank(receiver);
        settlement.claim(rows);
        assertEq(unsettled(receiver), 9, "unsettled");
    }

    function test_RowNotAboveWhatIsClaimedChangesNothing() public {
        IBatchSettlement.ChannelConfig memory config = open(1);
        claim(config, 100);
        claim(config, 100);
        claim(config, 40);
        assertEq(claimedOf(config), 100, "claimed");
        assertEq(unsettled(receiver), 100, "unsettled");
    }

    function test_BatchOfSeveralReceiversCreditsEach() public {
        IBatchSettlement.ChannelConfig memory other = channel(2);
        other.receiver = stranger;
        deposit(other, DEPOSIT);
        IBatchSettlement.VoucherClaim[] memory rows = new IBatchSettlement.VoucherClaim[](4);
        rows[0] = claimOf(open(1), 1, 1);
        rows[1] = claimOf(open(3), 10, 10);
        rows[2] = claimOf(other, 100, 100);
        rows[3] = claimOf(open(4), 1000, 1000);
        vm.prank(operator);
        settlement.claim(rows);
        assertEq(unsettled(receiver), 1011, "receiver");
        assertEq(unsettled(stranger), 100, "other receiver");
    }

    function test_NeighbouringRowsInTwoTokensAreClaimedEachInItsOwn() public {
        TestUSDC junk = new TestUSDC(address(this));
        junk.mint(payer, DEPOSIT);
        vm.prank(payer);
        junk.approve(address(settlement), DEPOSIT);
        IBatchSettlement.ChannelConfig memory other = channel(2);
        other.token = address(junk);
        deposit(other, DEPOSIT);
        IBatchSettlement.VoucherClaim[] memory rows = new IBatchSettlement.VoucherClaim[](2);
        (rows[0], rows[1]) = (claimOf(open(1), 1, 1), claimOf(other, DEPOSIT, DEPOSIT));
        vm.prank(operator);
        settlement.claim(rows);
        assertEq(unsettled(receiver), 1, "USDC");
        (uint128 claimed, ) = settlement.receivers(receiver, address(junk));
        assertEq(claimed, DEPOSIT, "the worthless token");
    }

    function test_VoucherOfTheWholeDepositIsClaimable() public {
        IBatchSettlement.ChannelConfig memory config = open(1);
        claim(config, DEPOSIT);
        assertEq(claimedOf(config), DEPOSIT, "claimed");
    }

    function test_RevertIf_CallerIsNotReceiverSide() public {
        IBatchSettlement.VoucherClaim[] memory rows = batch(claimOf(open(1), 9, 9));
        expectError(
            abi.encodeWithSelector(
                IBatchSettlement.BatchSettlement_NotReceiverSide.selector,
                payer,
                receiver,
                operator
            )
        );
        vm.prank(payer);
        settlement.claim(rows);
    }

    function test_RevertIf_TotalExceedsVoucher() public {
        IBatchSettlement.ChannelConfig memory config = open(1);
        IBatchSettlement.VoucherClaim[] memory rows = batch(claimOf(config, 100, 101));
        expectError(
            abi.encodeWithSelector(
                IBatchSettlement.BatchSettlement_ClaimExceedsVoucher.selector,
                idOf(config),
                101,
                100
            )
        );
        vm.prank(operator);
        settlement.claim(rows);
    }

    function test_RevertIf_TotalExceedsBalance() public {
        IBatchSettlement.ChannelConfig memory config = open(1);
        IBatchSettlement.VoucherClaim[] memory rows = batch(claimOf(config, DEPOSIT + 1, DEPOSIT + 1));
        expectError(
            abi.encodeWithSelector(
                IBatchSettlement.BatchSettlement_ClaimExceedsBalance.selector,
                idOf(config),
                DEPOSIT + 1,
                DEPOSIT
            )
        );
        vm.prank(operator);
        settlement.claim(rows);
    }

    function test_RevertIf_ChannelIsUnknown() public {
        IBatchSettlement.VoucherClaim[] memory rows = batch(claimOf(channel(1), 9, 9));
        expectError(
            abi.encodeWithSelector(IBatchSettlement.BatchSettlement_UnknownChannel.selector, idOf(channel(1)))
        );
        vm.prank(operator);
        settlement.claim(rows);
    }

    function test_RevertIf_VoucherIsSignedByAnotherKey() public {
        IBatchSettlement.ChannelConfig memory config = open(1);
        IBatchSettlement.VoucherClaim[] memory rows = batch(claimOf(config, 9, 9));
        rows[0].signature = signVoucher(payerKey, config, 9);
        expectError(
            abi.encodeWithSelector(
                IBatchSettlement.BatchSettlement_VoucherSignatureInvalid.selector,
                idOf(config)
            )
        );
        vm.prank(operator);
        settlement.claim(rows);
    }

    function test_PayerItselfSignsIfThereIsNoAuthorizer() public {
        IBatchSettlement.ChannelConfig memory config = channel(1);
        config.payerAuthorizer = address(0);
        deposit(config, DEPOSIT);
        IBatchSettlement.VoucherClaim[] memory rows = batch(claimOf(config, 9, 9));
        rows[0].signature = signVoucher(payerKey, config, 9);
        vm.prank(operator);
        settlement.claim(rows);
        assertEq(claimedOf(config), 9, "claimed");
    }

    function test_ContractPayerSignsByErc1271() public {
        ContractWallet wallet = new ContractWallet(payer);
        IBatchSettlement.ChannelConfig memory config = channel(1);
        config.payer = address(wallet);
        config.payerAuthorizer = address(0);
        deposit(config, DEPOSIT);
        IBatchSettlement.VoucherClaim[] memory rows = batch(claimOf(config, 9, 9));
        expectError(
            abi.encodeWithSelector(
                IBatchSettlement.BatchSettlement_VoucherSignatureInvalid.selector,
                idOf(config)
            )
        );
        vm.prank(operator);
        settlement.claim(rows);

        rows[0].signature = signVoucher(payerKey, config, 9);
        vm.prank(operator);
        settlement.claim(rows);
        assertEq(claimedOf(config), 9, "claimed");
    }

    /// @dev EIP-7702: whatever code the payer lets run for it, also one that denies everybody's word but a stranger's.
    function test_PayerWithCodeCannotDenyItsOwnKeysVoucher() public {
        IBatchSettlement.ChannelConfig memory config = channel(1);
        config.payerAuthorizer = address(0);
        deposit(config, DEPOSIT);
        IBatchSettlement.VoucherClaim[] memory rows = batch(claimOf(config, 9, 9));
        rows[0].signature = signVoucher(payerKey, config, 9);
        vm.etch(payer, abi.encodePacked(hex"ef0100", address(new ContractWallet(stranger))));
        vm.prank(operator);
        settlement.claim(rows);
        assertEq(claimedOf(config), 9, "claimed");
    }

    function test_CodeOfAPayerWithAKeyMaySignToo() public {
        IBatchSettlement.ChannelConfig memory config = channel(1);
        config.payerAuthorizer = address(0);
        deposit(config, DEPOSIT);
        IBatchSettlement.VoucherClaim[] memory rows = batch(claimOf(config, 9, 9));
        vm.etch(payer, abi.encodePacked(hex"ef0100", address(new ContractWallet(operator))));
        rows[0].signature = signVoucher(operatorKey, config, 9);
        vm.prank(operator);
        settlement.claim(rows);
        assertEq(claimedOf(config), 9, "claimed");
    }

    function test_AnyoneRelaysASignedBatch() public {
        IBatchSettlement.VoucherClaim[] memory rows = new IBatchSettlement.VoucherClaim[](2);
        rows[0] = claimOf(open(1), 50, 40);
        rows[1] = claimOf(open(2), 7, 7);
        bytes memory signature = signed(operatorKey, settlement.getClaimBatchDigest(rows));
        vm.prank(stranger);
        settlement.claimWithSignature(rows, signature);
        assertEq(unsettled(receiver), 47, "unsettled");
    }

    function test_ContractAuthorizerSignsTheBatchByErc1271() public {
        ContractWallet wallet = new ContractWallet(operator);
        IBatchSettlement.ChannelConfig memory config = channel(1);
        config.receiverAuthorizer = address(wallet);
        deposit(config, DEPOSIT);
        IBatchSettlement.VoucherClaim[] memory rows = batch(claimOf(config, 50, 40));
        bytes memory signature = signed(operatorKey, settlement.getClaimBatchDigest(rows));
        settlement.claimWithSignature(rows, signature);
        assertEq(unsettled(receiver), 40, "unsettled");
    }

    function test_AuthorizerWithCodeCannotDenyItsOwnKeysBatch() public {
        IBatchSettlement.VoucherClaim[] memory rows = batch(claimOf(open(1), 50, 40));
        bytes memory signature = signed(operatorKey, settlement.getClaimBatchDigest(rows));
        vm.etch(operator, abi.encodePacked(hex"ef0100", address(new ContractWallet(stranger))));
        settlement.claimWithSignature(rows, signature);
        assertEq(unsettled(receiver), 40, "unsettled");
    }

    function test_RevertIf_BatchSignatureIsOfOtherRows() public {
        IBatchSettlement.VoucherClaim[] memory rows = batch(claimOf(open(1), 50, 40));
        bytes memory signature = signed(operatorKey, settlement.getClaimBatchDigest(rows));
        rows[0].totalClaimed = 41;
        expectError(
            abi.encodeWithSelector(
                IBatchSettlement.BatchSettlement_AuthorizerSignatureInvalid.selector,
                operator
            )
        );
        settlement.claimWithSignature(rows, signature);
    }

    function test_RevertIf_SignedBatchIsEmpty() public {
        expectError(abi.encodeWithSelector(IBatchSettlement.BatchSettlement_EmptyBatch.selector));
        settlement.claimWithSignature(new IBatchSettlement.VoucherClaim[](0), "");
    }

    function test_RevertIf_SignedBatchMixesAuthorizers() public {
        IBatchSettlement.ChannelConfig memory other = channel(2);
        other.receiverAuthorizer = stranger;
        deposit(other, DEPOSIT);
        IBatchSettlement.VoucherClaim[] memory rows = new IBatchSettlement.VoucherClaim[](2);
        rows[0] = claimOf(open(1), 50, 40);
        rows[1] = claimOf(other, 50, 40);
        bytes memory signature = signed(operatorKey, settlement.getClaimBatchDigest(rows));
        expectError(
            abi.encodeWithSelector(
                IBatchSettlement.BatchSettlement_MixedAuthorizers.selector,
                1,
                stranger,
                operator
            )
        );
        settlement.claimWithSignature(rows, signature);
    }

    function test_SettlePaysAllThatIsClaimedOnce() public {
        claim(open(1), 40);
        claim(open(2), 2);
        vm.expectEmit();
        emit IBatchSettlement.Settled(receiver, address(usdc), stranger, 42);
        vm.prank(stranger);
        settlement.settle(receiver, address(usdc));
        assertEq(usdc.balanceOf(receiver), 42, "paid");
        settlement.settle(receiver, address(usdc));
        assertEq(usdc.balanceOf(receiver), 42, "paid once");
        (uint256 claimed, uint256 settled) = settlement.receivers(receiver, address(usdc));
        assertEq(claimed, 42, "claimed");
        assertEq(settled, 42, "settled");
    }

    function test_MulticallClaimsAndSettles() public {
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(settlement.claim, (batch(claimOf(open(1), 5, 5))));
        calls[1] = abi.encodeCall(settlement.settle, (receiver, address(usdc)));
        vm.prank(operator);
        settlement.multicall(calls);
        assertEq(usdc.balanceOf(receiver), 5, "paid");
    }

    function test_TypehashIsTheSchemes() public view {
        assertEq(
            settlement.CHANNEL_CONFIG_TYPEHASH(),
            keccak256(
                "ChannelConfig(address payer,address payerAuthorizer,address receiver,address receiverAuthorizer,address token,uint40 withdrawDelay,bytes32 salt)" // solhint-disable-line max-line-length
            ),
            "typehash"
        );
    }
}
