// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBatchSettlement} from "../../../contracts/interfaces/payments/IBatchSettlement.sol";
import {ChannelFixture} from "../support/payments/ChannelFixture.sol";
import {FeeOnTransfer} from "../support/tokens/FeeOnTransfer.sol";

contract BatchSettlementDepositTest is ChannelFixture {
    function test_FirstDepositOpensTheChannel() public {
        IBatchSettlement.ChannelConfig memory config = channel(1);
        bytes32 id = idOf(config);
        vm.expectEmit();
        emit IBatchSettlement.ChannelCreated(id, config);
        vm.expectEmit();
        emit IBatchSettlement.ChannelIndexed(id, 1);
        vm.expectEmit();
        emit IBatchSettlement.Deposited(id, payer, DEPOSIT, DEPOSIT);
        deposit(config, DEPOSIT);

        assertEq(balanceOf(config), DEPOSIT, "balance");
        assertEq(claimedOf(config), 0, "claimed");
        assertEq(settlement.channelIndex(id), 1, "index");
        assertEq(settlement.channelCount(), 1, "count");
        assertEq(usdc.balanceOf(address(settlement)), DEPOSIT, "held");
    }

    function test_TopUpAddsAndKeepsTheIndex() public {
        IBatchSettlement.ChannelConfig memory config = open(1);
        open(2);
        vm.expectEmit();
        emit IBatchSettlement.Deposited(idOf(config), payer, 5, DEPOSIT + 5);
        deposit(config, 5);
        assertEq(balanceOf(config), DEPOSIT + 5, "balance");
        assertEq(settlement.channelIndex(idOf(config)), 1, "index");
        assertEq(settlement.channelCount(), 2, "count");
    }

    function test_AnyoneMayFundFromItsOwnAllowance() public {
        usdc.mint(stranger, 7);
        vm.prank(stranger);
        usdc.approve(address(settlement), 7);
        vm.prank(stranger);
        settlement.deposit(channel(1), 7, address(0), "");
        assertEq(balanceOf(channel(1)), 7, "balance");
    }

    function test_RevertIf_TheTokenDeliversLess() public {
        FeeOnTransfer token = new FeeOnTransfer();
        IBatchSettlement.ChannelConfig memory config = channel(1);
        config.token = address(token);
        token.mint(payer, 1_000);
        vm.prank(payer);
        token.approve(address(settlement), 1_000);
        vm.prank(payer);
        expectError(
            abi.encodeWithSelector(
                IBatchSettlement.BatchSettlement_DepositNotExact.selector,
                address(token),
                990,
                1_000
            )
        );
        settlement.deposit(config, 1_000, address(0), "");
    }

    function test_RevertIf_AmountIsZero() public {
        expectError(abi.encodeWithSelector(IBatchSettlement.BatchSettlement_ZeroAmount.selector));
        deposit(channel(1), 0);
    }

    function test_RevertIf_AnyPartyIsZero() public {
        for (uint256 i = 0; i < 3; ++i) {
            IBatchSettlement.ChannelConfig memory config = channel(1);
            if (i == 0) config.payer = address(0);
            if (i == 1) config.receiver = address(0);
            if (i == 2) config.receiverAuthorizer = address(0);
            expectError(abi.encodeWithSelector(IBatchSettlement.BatchSettlement_ZeroParty.selector));
            deposit(config, 1);
        }
        IBatchSettlement.ChannelConfig memory tokenless = channel(1);
        tokenless.token = address(0);
        expectError(abi.encodeWithSelector(IBatchSettlement.BatchSettlement_ZeroParty.selector));
        deposit(tokenless, 1);
    }

    function test_WithdrawDelayBoundsAreInclusive() public {
        IBatchSettlement.ChannelConfig memory config = channel(1);
        config.withdrawDelay = 15 minutes;
        deposit(config, 1);
        config.withdrawDelay = 30 days;
        deposit(config, 1);
    }

    function test_RevertIf_WithdrawDelayIsOutOfRange() public {
        uint40[3] memory delays = [uint40(15 minutes - 1), 30 days + 1, type(uint40).max];
        for (uint256 i = 0; i < delays.length; ++i) {
            IBatchSettlement.ChannelConfig memory config = channel(1);
            config.withdrawDelay = delays[i];
            expectError(
                abi.encodeWithSelector(
                    IBatchSettlement.BatchSettlement_WithdrawDelayOutOfRange.selector,
                    delays[i],
                    15 minutes,
                    30 days
                )
            );
            deposit(config, 1);
        }
    }

    function test_RevertIf_BalanceWouldExceedUint96() public {
        IBatchSettlement.ChannelConfig memory config = open(1);
        uint128 room = uint128(type(uint96).max) - DEPOSIT;
        expectError(
            abi.encodeWithSelector(
                IBatchSettlement.BatchSettlement_DepositTooLarge.selector,
                idOf(config),
                room + 1,
                room
            )
        );
        deposit(config, room + 1);
        usdc.mint(payer, room);
        deposit(config, room);
        assertEq(balanceOf(config), type(uint96).max, "full");
    }

    function test_RevertIf_WithdrawalIsPending() public {
        IBatchSettlement.ChannelConfig memory config = open(1);
        vm.prank(payer);
        settlement.initiateWithdraw(config, 1);
        expectError(
            abi.encodeWithSelector(
                IBatchSettlement.BatchSettlement_WithdrawalPending.selector,
                idOf(config),
                block.timestamp
            )
        );
        deposit(config, 1);
        skip(DELAY);
        vm.prank(payer);
        settlement.finalizeWithdraw(config);
        deposit(config, 1);
        assertEq(balanceOf(config), DEPOSIT, "thawed");
    }

    function test_UnknownChannelReadsAsEmpty() public view {
        bytes32 id = idOf(channel(9));
        assertEq(balanceOf(channel(9)), 0, "balance");
        assertEq(settlement.channelIndex(id), 0, "index");
        (uint256 until, uint256 claimBy) = settlement.acceptUntil(id);
        assertEq(until + claimBy, 0, "accepts nothing");
    }

    function test_ChannelIdDependsOnEveryField() public view {
        bytes32[8] memory ids;
        for (uint256 i = 0; i < 8; ++i) {
            IBatchSettlement.ChannelConfig memory config = channel(1);
            if (i == 1) config.payer = stranger;
            if (i == 2) config.payerAuthorizer = stranger;
            if (i == 3) config.receiver = stranger;
            if (i == 4) config.receiverAuthorizer = stranger;
            if (i == 5) config.token = stranger;
            if (i == 6) config.withdrawDelay = DELAY + 1;
            if (i == 7) config.salt = bytes32(uint256(2));
            ids[i] = idOf(config);
            for (uint256 j = 0; j < i; ++j) assertTrue(ids[i] != ids[j], "distinct");
        }
    }
}
