// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TestUSDC} from "../../../contracts/dev/TestUSDC.sol";
import {IBatchSettlement} from "../../../contracts/interfaces/payments/IBatchSettlement.sol";
import {ITreasury} from "../../../contracts/interfaces/treasury/ITreasury.sol";
import {BatchSettlement} from "../../../contracts/payments/BatchSettlement.sol";
import {Erc3009DepositCollector} from "../../../contracts/payments/Erc3009DepositCollector.sol";
import {TreasuryFixture} from "../support/TreasuryFixture.sol";

/// @notice What owners get back of a deposit whose key was stolen, and when: the channels of the real settlement.
contract RecallTest is TreasuryFixture {
    uint256 private constant END = START + 20 minutes;
    uint128 private constant DEPOSIT = uint128(50 * UNIT);

    BatchSettlement private settlement;
    address private collector;
    TestUSDC private usdc;
    uint256 private funds;

    function setUp() public override {
        super.setUp();
        settlement = new BatchSettlement();
        collector = address(new Erc3009DepositCollector(address(settlement)));
        usdc = new TestUSDC(address(this));
        funds = 1_000 * UNIT;
        usdc.mint(address(treasury), funds);
        _setBudget(agent, address(usdc), _terms());
        vm.prank(address(treasury));
        treasury.setCollector(collector, address(settlement));
    }

    function test_authorizeDeposit_ofALongerWithdrawDelayThanADay_reverts() public {
        uint40[3] memory delays = [uint40(1 days + 1), 30 days, type(uint40).max];
        for (uint256 i; i < 3; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    ITreasury.Treasury_WithdrawDelayTooLong.selector,
                    uint256(delays[i]),
                    1 days
                )
            );
            vm.prank(agent);
            treasury.authorizeDeposit(_channel(delays[i]), DEPOSIT, collector, 1, END);
        }
    }

    function test_recallChannel_bringsTheRestHomeAfterTheDelay() public {
        ITreasury.ChannelConfig memory channel = _open(1 days);
        vm.prank(owners[0]);
        treasury.recallChannel(collector, channel, DEPOSIT);
        skip(1 days - 1);
        vm.expectPartialRevert(IBatchSettlement.BatchSettlement_WithdrawTooEarly.selector);
        treasury.finalizeRecall(collector, channel);
        skip(1);
        treasury.finalizeRecall(collector, channel);
        assertEq(usdc.balanceOf(address(treasury)), funds, "home again");
    }

    /// @dev No amount stands for all of it: the rest is named, and a claim in front of a recall costs another try. Who
    ///      could claim in front again and again could claim all of it at once.
    function test_recallChannel_ofNothingOrMoreThanTheRest_beginsNothing() public {
        ITreasury.ChannelConfig memory channel = _open(1 days);
        uint128[3] memory amounts = [0, DEPOSIT + 1, type(uint128).max];
        for (uint256 i; i < 3; ++i) {
            vm.expectPartialRevert(
                i == 0
                    ? IBatchSettlement.BatchSettlement_ZeroAmount.selector
                    : IBatchSettlement.BatchSettlement_WithdrawExceedsAvailable.selector
            );
            vm.prank(owners[0]);
            treasury.recallChannel(collector, channel, amounts[i]);
        }
        vm.prank(owners[0]);
        treasury.recallChannel(collector, channel, DEPOSIT);
    }

    /// @dev The key keeps a withdrawal of one unit pending. Nobody else's can start until that is due, a day later; then
    ///      whoever comes first decides. An owner needs one transaction, as the thief does.
    function test_aStolenKey_holdsARecallUpForADay_andNotOnceAnOwnerIsFirst() public {
        ITreasury.ChannelConfig memory channel = _open(1 days);
        IBatchSettlement.ChannelConfig memory config = _config(channel);
        vm.prank(agent);
        settlement.initiateWithdraw(config, 1);
        vm.prank(owners[0]);
        treasury.freeze(agent);
        vm.expectPartialRevert(IBatchSettlement.BatchSettlement_WithdrawalPending.selector);
        vm.prank(owners[0]);
        treasury.recallChannel(collector, channel, DEPOSIT - 1);
        skip(1 days);
        vm.prank(owners[0]);
        treasury.recallChannel(collector, channel, DEPOSIT - 1);
        vm.expectPartialRevert(IBatchSettlement.BatchSettlement_WithdrawalPending.selector);
        vm.prank(agent);
        settlement.initiateWithdraw(config, 1);
        // Ended as soon as it is due, by whomever, and all of it comes home.
        skip(1 days);
        vm.prank(agent);
        settlement.finalizeWithdraw(config);
        assertEq(usdc.balanceOf(address(treasury)), funds, "two days after the theft");
    }

    function _open(uint40 delay) private returns (ITreasury.ChannelConfig memory channel) {
        channel = _channel(delay);
        vm.prank(agent);
        treasury.authorizeDeposit(channel, DEPOSIT, collector, 1, END);
        settlement.deposit(_config(channel), DEPOSIT, collector, abi.encode(uint256(0), END, uint256(1), ""));
    }

    function _config(
        ITreasury.ChannelConfig memory channel
    ) private pure returns (IBatchSettlement.ChannelConfig memory) {
        return abi.decode(abi.encode(channel), (IBatchSettlement.ChannelConfig));
    }

    function _channel(uint40 delay) private view returns (ITreasury.ChannelConfig memory) {
        return
            ITreasury.ChannelConfig({
                payer: address(treasury),
                payerAuthorizer: agent,
                receiver: payee,
                receiverAuthorizer: payee,
                token: address(usdc),
                withdrawDelay: delay,
                salt: bytes32(uint256(1))
            });
    }
}
