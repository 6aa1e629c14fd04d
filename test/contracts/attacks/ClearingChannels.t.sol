// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC3009} from "@openzeppelin/contracts/token/ERC20/extensions/draft-ERC3009.sol";
import {IBatchSettlement} from "../../../contracts/interfaces/payments/IBatchSettlement.sol";
import {IClearing} from "../../../contracts/interfaces/payments/IClearing.sol";
import {ClearingFixture} from "../support/ClearingFixture.sol";

/// @notice Whose channels the hub's are: no operator's, and the payer is a player too.
contract ClearingChannelsAttacks is ClearingFixture {
    bytes32 private constant TRANSFER_TYPEHASH = keccak256(
        "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)" // solhint-disable-line max-line-length
    );

    function _claimOf(
        IBatchSettlement.ChannelConfig memory channel,
        uint128 amount
    ) private view returns (IBatchSettlement.VoucherClaim[] memory claims) {
        claims = new IBatchSettlement.VoucherClaim[](1);
        bytes32 digest = settlement.getVoucherDigest(settlement.getChannelId(channel), amount);
        claims[0] = IBatchSettlement.VoucherClaim(
            IBatchSettlement.Voucher(channel, amount),
            _signed(payerKey, digest),
            amount
        );
    }

    function test_noOperator_refundsWhatWasPromised() public {
        bytes32 id = settlement.getChannelId(config);
        bytes memory signature = _signed(operatorKey, settlement.getRefundDigest(id, 0, 1e11));
        bytes memory notSigned = abi.encodeWithSelector(
            IBatchSettlement.BatchSettlement_AuthorizerSignatureInvalid.selector,
            address(clearing)
        );
        _succeed();
        for (uint256 i = 0; i < 2; ++i) {
            (address inOffice, ) = clearing.operator();
            address caller = i == 0 ? operator : inOffice;
            vm.expectPartialRevert(IBatchSettlement.BatchSettlement_NotReceiverSide.selector);
            vm.prank(caller);
            settlement.refund(config, 1e11);
            vm.expectRevert(notSigned);
            vm.prank(caller);
            settlement.refundWithSignature(config, 1e11, 0, signature);
        }
    }

    /// @dev A hub that answered for its operator's key (ERC-1271) would have signed its whole money away by this.
    function test_theOperatorsKey_signsNoTransferOfClearings() public {
        _receive(600);
        _seal(1, _rows(100, 200, 300));
        settlement.settle(address(clearing), address(usdc));
        bytes32 message = keccak256(
            abi.encode(TRANSFER_TYPEHASH, address(clearing), operator, 600, 0, START + 1, bytes32(0))
        );
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", usdc.DOMAIN_SEPARATOR(), message));
        bytes memory signature = _signed(operatorKey, digest);
        vm.expectRevert(ERC3009.ERC3009InvalidSignature.selector);
        usdc.transferWithAuthorization(address(clearing), operator, 600, 0, START + 1, 0, signature);
    }

    function test_channelsOfContractPayers_areClaimedByAnybody_whoeverOperates() public {
        IBatchSettlement.ChannelConfig memory own = config;
        own.payerAuthorizer = address(0);
        vm.prank(payer);
        settlement.deposit(own, 600, address(0), "");
        _succeed();
        IBatchSettlement.VoucherClaim[] memory claims = _claimOf(own, 600);
        vm.prank(stranger);
        clearing.claim(claims);
        assertEq(clearing.receivedOf(address(usdc)), 600, "claimed");
    }

    function test_aStaleVoucherInFront_undoesNoBatch() public {
        IBatchSettlement.ChannelConfig memory second = config;
        second.salt = bytes32(uint256(1));
        vm.prank(payer);
        settlement.deposit(second, 600, address(0), "");
        bytes memory older = _packedVoucher(100);
        bytes memory newer = _packedVoucher(200);
        IBatchSettlement.VoucherClaim[] memory claims = new IBatchSettlement.VoucherClaim[](2);
        (claims[0], claims[1]) = (_claimOf(config, 300)[0], _claimOf(second, 600)[0]);
        vm.startPrank(stranger);
        clearing.claimPacked(newer);
        clearing.claimPacked(older);
        vm.stopPrank();
        clearing.claim(claims);
        assertEq(clearing.receivedOf(address(usdc)), 900, "the batch came through, and nothing twice");
    }

    function test_claimsOfOthersChannels_areRefused() public {
        IBatchSettlement.ChannelConfig memory others = config;
        (others.receiver, others.receiverAuthorizer) = (bob, bob);
        vm.prank(payer);
        settlement.deposit(others, 600, address(0), "");
        IBatchSettlement.VoucherClaim[] memory claims = _claimOf(others, 600);
        vm.expectRevert(
            abi.encodeWithSelector(
                IBatchSettlement.BatchSettlement_NotReceiverSide.selector,
                address(clearing),
                bob,
                bob
            )
        );
        clearing.claim(claims);
    }

    /// @dev Operator and payer: what was promised and not claimed the payer can take back after its delay, and not
    ///      before; meanwhile everybody who has the voucher claims it.
    function test_operatorAndPayer_takeBackWhatNobodyClaims_afterTheDelay() public {
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _receipt(payees[0], 400, 1);
        bytes memory voucher = _packedVoucher(400);
        vm.prank(payer);
        settlement.initiateWithdraw(config, 1e11);
        uint256 snapshot = vm.snapshotState();
        skip(1 hours - 1);
        vm.prank(payees[0]);
        clearing.claimPacked(voucher);
        vm.warp(START + 7 days);
        assertEq(clearing.demand(receipt, signature), 400, "who claims in time has it");
        vm.revertToState(snapshot);
        skip(1 hours);
        vm.prank(payer);
        settlement.finalizeWithdraw(config);
        vm.expectPartialRevert(IBatchSettlement.BatchSettlement_ClaimExceedsBalance.selector);
        clearing.claimPacked(voucher);
        vm.warp(START + 7 days);
        assertEq(clearing.demand(receipt, signature), 0, "else nothing is there");
        assertEq(staking.bondOf(operator), 2 * BOND - SLASH, "for a slash a day");
    }
}
