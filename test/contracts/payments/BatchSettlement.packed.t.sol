// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBatchSettlement} from "../../../contracts/interfaces/payments/IBatchSettlement.sol";
import {ChannelFixture} from "../support/payments/ChannelFixture.sol";

contract BatchSettlementPackedTest is ChannelFixture {
    function unsettled() internal view returns (uint256) {
        (uint256 claimed, uint256 settled) = settlement.receivers(receiver, address(usdc));
        return claimed - settled;
    }

    function test_PackedClaimRaisesEveryChannelAndLogsOnce() public {
        IBatchSettlement.ChannelConfig memory a = open(1);
        IBatchSettlement.ChannelConfig memory b = open(2);
        bytes memory rows = bytes.concat(header(), packedRow(agentKey, a, 70), packedRow(agentKey, b, 7));
        vm.expectEmit();
        emit IBatchSettlement.PackedClaimed(
            receiver,
            address(usdc),
            operator,
            77,
            abi.encodePacked(uint32(1), uint96(70), uint32(2), uint96(7))
        );
        vm.prank(operator);
        settlement.claimPacked(rows);
        assertEq(claimedOf(a), 70, "a");
        assertEq(claimedOf(b), 7, "b");
        assertEq(balanceOf(a), DEPOSIT, "balance stands");
        assertEq(unsettled(), 77, "unsettled");
    }

    function test_ReceiverItselfMayClaim() public {
        bytes memory rows = bytes.concat(header(), packedRow(agentKey, open(1), 3));
        vm.prank(receiver);
        settlement.claimPacked(rows);
        assertEq(unsettled(), 3, "unsettled");
    }

    function test_SettlesInTheSameCall() public {
        bytes memory rows = bytes.concat(header(), packedRow(agentKey, open(1), 3));
        vm.prank(operator);
        settlement.claimPackedAndSettle(rows);
        assertEq(usdc.balanceOf(receiver), 3, "paid");
        assertEq(unsettled(), 0, "unsettled");
    }

    function test_RowsAlreadyClaimedAreSkippedAndNotLogged() public {
        IBatchSettlement.ChannelConfig memory a = open(1);
        IBatchSettlement.ChannelConfig memory b = open(2);
        claimPacked(a, 70);
        bytes memory rows = bytes.concat(
            header(),
            packedRow(agentKey, a, 70),
            packedRow(agentKey, a, 69),
            packedRow(agentKey, b, 1)
        );
        vm.expectEmit();
        emit IBatchSettlement.PackedClaimed(
            receiver,
            address(usdc),
            operator,
            1,
            abi.encodePacked(uint32(2), uint96(1))
        );
        vm.prank(operator);
        settlement.claimPacked(rows);
        assertEq(claimedOf(a), 70, "a");
        assertEq(unsettled(), 71, "unsettled");
    }

    function test_TwoVouchersOfOneChannelInOneBatchPayTheHigher() public {
        IBatchSettlement.ChannelConfig memory a = open(1);
        bytes memory rows = bytes.concat(header(), packedRow(agentKey, a, 5), packedRow(agentKey, a, 9));
        vm.prank(operator);
        settlement.claimPacked(rows);
        assertEq(claimedOf(a), 9, "claimed");
        assertEq(unsettled(), 9, "unsettled");
    }

    function test_WholeBalanceIsClaimable() public {
        IBatchSettlement.ChannelConfig memory a = open(1);
        claimPacked(a, uint96(DEPOSIT));
        assertEq(claimedOf(a), DEPOSIT, "claimed");
    }

    function test_RevertIf_AmountExceedsBalance() public {
        IBatchSettlement.ChannelConfig memory a = open(1);
        bytes memory rows = bytes.concat(header(), packedRow(agentKey, a, uint96(DEPOSIT) + 1));
        expectError(
            abi.encodeWithSelector(
                IBatchSettlement.BatchSettlement_ClaimExceedsBalance.selector,
                idOf(a),
                DEPOSIT + 1,
                DEPOSIT
            )
        );
        vm.prank(operator);
        settlement.claimPacked(rows);
    }

    function testFuzz_RevertIf_AmountExceedsBalanceAfterAnEarlierClaim(uint96 first, uint96 total) public {
        IBatchSettlement.ChannelConfig memory a = open(1);
        claimPacked(a, uint96(bound(first, 1, DEPOSIT)));
        total = uint96(bound(total, DEPOSIT + 1, type(uint96).max));
        bytes memory rows = bytes.concat(header(), packedRow(agentKey, a, total));
        expectError(
            abi.encodeWithSelector(
                IBatchSettlement.BatchSettlement_ClaimExceedsBalance.selector,
                idOf(a),
                total,
                DEPOSIT
            )
        );
        vm.prank(operator);
        settlement.claimPacked(rows);
    }

    function test_RevertIf_ChannelIsUnknown() public {
        bytes memory rows = bytes.concat(header(), packedRow(agentKey, channel(1), 1));
        expectError(
            abi.encodeWithSelector(IBatchSettlement.BatchSettlement_UnknownChannel.selector, idOf(channel(1)))
        );
        vm.prank(operator);
        settlement.claimPacked(rows);
    }

    function test_RevertIf_SignedByAnotherKeyNamingTheRow() public {
        IBatchSettlement.ChannelConfig memory a = open(1);
        IBatchSettlement.ChannelConfig memory b = open(2);
        bytes memory rows = bytes.concat(header(), packedRow(agentKey, a, 1), packedRow(payerKey, b, 1));
        expectError(
            abi.encodeWithSelector(IBatchSettlement.BatchSettlement_RowNotAuthorized.selector, 1, idOf(b))
        );
        vm.prank(operator);
        settlement.claimPacked(rows);
    }

    function test_RevertIf_ChannelHasNoAuthorizerKey() public {
        IBatchSettlement.ChannelConfig memory config = channel(1);
        config.payerAuthorizer = address(0);
        deposit(config, DEPOSIT);
        bytes memory rows = bytes.concat(header(), packedRow(payerKey, config, 1));
        expectError(
            abi.encodeWithSelector(
                IBatchSettlement.BatchSettlement_RowNotAuthorized.selector,
                0,
                idOf(config)
            )
        );
        vm.prank(operator);
        settlement.claimPacked(rows);
    }

    /// @dev ecrecover finds nobody, and nobody must not be the signer of a channel without an authorizer.
    function test_RevertIf_ChannelHasNoAuthorizerKeyAndTheSignatureIsZero() public {
        IBatchSettlement.ChannelConfig memory config = channel(1);
        config.payerAuthorizer = address(0);
        deposit(config, DEPOSIT);
        bytes memory row = abi.encodePacked(idOf(config), bytes32(0), bytes32(0), uint96(1));
        bytes memory rows = bytes.concat(header(), row);
        expectError(
            abi.encodeWithSelector(
                IBatchSettlement.BatchSettlement_RowNotAuthorized.selector,
                0,
                idOf(config)
            )
        );
        vm.prank(operator);
        settlement.claimPacked(rows);
    }

    function test_RevertIf_CallerIsNotReceiverSide() public {
        bytes memory rows = bytes.concat(header(), packedRow(agentKey, open(1), 1));
        expectError(
            abi.encodeWithSelector(
                IBatchSettlement.BatchSettlement_NotReceiverSide.selector,
                stranger,
                receiver,
                operator
            )
        );
        vm.prank(stranger);
        settlement.claimPacked(rows);
    }

    function test_RevertIf_LengthIsNotWholeRows() public {
        bytes memory row = packedRow(agentKey, open(1), 1);
        bytes[4] memory all = [bytes(""), header(), bytes.concat(header(), row, hex"00"), row];
        for (uint256 i = 0; i < all.length; ++i) {
            expectError(
                abi.encodeWithSelector(IBatchSettlement.BatchSettlement_RowsMalformed.selector, all[i].length)
            );
            vm.prank(operator);
            settlement.claimPacked(all[i]);
        }
    }
}
