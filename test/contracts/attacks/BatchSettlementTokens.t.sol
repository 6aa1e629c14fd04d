// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {TestUSDC} from "../../../contracts/dev/TestUSDC.sol";
import {IBatchSettlement} from "../../../contracts/interfaces/payments/IBatchSettlement.sol";
import {IDepositCollector} from "../../../contracts/interfaces/payments/IDepositCollector.sol";
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

/// @notice Tokens that lie, fail, reenter or block, and collectors that bring less than they say: each harms only itself.
contract BatchSettlementTokensTest is ChannelFixture {
    IBatchSettlement.ChannelConfig internal config;

    function setUp() public override {
        super.setUp();
        config = open(1);
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
}
