// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITreasury} from "../../../contracts/interfaces/treasury/ITreasury.sol";
import {ChannelStand} from "../support/ChannelStand.sol";
import {AuthorizedToken} from "../support/tokens/AuthorizedToken.sol";
import {TreasuryFixture} from "../support/TreasuryFixture.sol";

/// @notice ERC-1271: the Treasury as the payer of x402 channels.
contract DepositsTest is TreasuryFixture {
    /// @dev Where the bucket that {START} begins ends.
    uint256 private constant END = START + 20 minutes;
    bytes4 private constant VALID = 0x1626ba7e;
    bytes4 private constant INVALID = 0xffffffff;

    ChannelStand private stand;
    AuthorizedToken private usd;
    uint256[24] private _left;
    uint256[24] private _leftAt;

    function setUp() public override {
        super.setUp();
        stand = new ChannelStand();
        usd = new AuthorizedToken();
        usd.mint(address(treasury), 1_000 * UNIT);
        _setBudget(agent, address(usd), _terms());
        vm.prank(address(treasury));
        treasury.setCollector(address(stand), address(stand));
    }

    function test_authorizeDeposit_chargesTheBudgetAndFundsTheChannel() public {
        ITreasury.ChannelConfig memory channel = _channel();
        bytes32 channelId = stand.getChannelId(channel);
        assertEq(treasury.channelIdOf(address(stand), channel), channelId, "channel id");
        bytes32 hash = _authorize(channel, uint128(40 * UNIT));
        assertEq(treasury.usageOf(agent, address(usd))[0].left, 160 * UNIT, "charged");
        assertTrue(treasury.isValidSignature(hash, "") == VALID, "valid");
        (address spender, uint256 validBefore) = treasury.authorizationOf(hash);
        assertEq(spender, agent, "spender");
        assertEq(validBefore, END, "validBefore");
        vm.prank(stranger);
        stand.deposit(channel, uint128(40 * UNIT), 1, END);
        assertEq(stand.balanceOf(channelId), 40 * UNIT, "channel's balance");
    }

    function test_authorizeDeposit_saysWhatItAuthorises() public {
        ITreasury.ChannelConfig memory channel = _channel();
        bytes32 channelId = stand.getChannelId(channel);
        vm.expectEmit(true, true, true, false);
        emit ITreasury.DepositAuthorized(agent, address(usd), channelId, 5, 0, address(stand), END);
        _authorize(channel, 5);
    }

    function test_deposit_ofAnotherAmountSaltOrTime_isRefused() public {
        ITreasury.ChannelConfig memory channel = _channel();
        _authorize(channel, 5);
        vm.expectRevert(AuthorizedToken.AuthorizedToken_Refused.selector);
        stand.deposit(channel, 6, 1, END);
        vm.expectRevert(AuthorizedToken.AuthorizedToken_Refused.selector);
        stand.deposit(channel, 5, 2, END);
        vm.expectRevert(AuthorizedToken.AuthorizedToken_Refused.selector);
        stand.deposit(channel, 5, 1, START + 2 hours);
        channel.receiver = stranger;
        vm.expectRevert(AuthorizedToken.AuthorizedToken_Refused.selector);
        stand.deposit(channel, 5, 1, END);
    }

    function test_deposit_isCollectedOnce() public {
        _authorize(_channel(), 5);
        stand.deposit(_channel(), 5, 1, END);
        vm.expectRevert(AuthorizedToken.AuthorizedToken_Refused.selector);
        stand.deposit(_channel(), 5, 1, END);
    }

    function test_isValidSignature_ofWhatWasNeverRecorded_isInvalid() public view {
        assertTrue(treasury.isValidSignature(keccak256("anything"), "") == INVALID, "invalid");
    }

    function test_isValidSignature_afterItsTime_isInvalid() public {
        bytes32 hash = _authorize(_channel(), 5);
        vm.warp(END - 1);
        assertTrue(treasury.isValidSignature(hash, "") == VALID, "last second");
        vm.warp(END);
        assertTrue(treasury.isValidSignature(hash, "") == INVALID, "too late");
    }

    function test_isValidSignature_ofAFrozenSpender_isInvalid() public {
        bytes32 hash = _authorize(_channel(), 5);
        vm.prank(owners[0]);
        treasury.freeze(agent);
        assertTrue(treasury.isValidSignature(hash, "") == INVALID, "invalid");
        vm.expectRevert(AuthorizedToken.AuthorizedToken_Refused.selector);
        stand.deposit(_channel(), 5, 1, END);
    }

    function test_isValidSignature_whilePaused_isInvalidForSpendersOnly() public {
        bytes32 hash = _authorize(_channel(), 5);
        bytes32 owned = keccak256("by quorum");
        _execute(_self(abi.encodeCall(treasury.authorizeHash, (owned, START + 5 days))));
        vm.prank(owners[0]);
        treasury.pause();
        assertTrue(treasury.isValidSignature(hash, "") == INVALID, "the spender's");
        assertTrue(treasury.isValidSignature(owned, "") == VALID, "the owners'");
    }

    function test_authorizeHash_bySelf_isValidUntilItsTime() public {
        bytes32 hash = keccak256("by quorum");
        vm.expectEmit();
        emit ITreasury.HashAuthorized(hash, START + 5 days);
        _execute(_self(abi.encodeCall(treasury.authorizeHash, (hash, START + 5 days))));
        assertTrue(treasury.isValidSignature(hash, "whatever") == VALID, "valid");
        vm.warp(START + 5 days);
        assertTrue(treasury.isValidSignature(hash, "whatever") == INVALID, "over");
    }

    function test_authorizeHash_forNoTime_reverts() public {
        vm.startPrank(address(treasury));
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_Expired.selector, START, START));
        treasury.authorizeHash("h", START);
        vm.expectRevert(
            abi.encodeWithSelector(
                ITreasury.Treasury_LifetimeTooLong.selector,
                uint256(type(uint40).max) + 1,
                type(uint40).max
            )
        );
        treasury.authorizeHash("h", uint256(type(uint40).max) + 1);
        vm.stopPrank();
    }

    function test_revokeHash_byItsSpenderAnOwnerOrTheTreasury_worksAtOnce() public {
        address[3] memory revokers = [agent, owners[2], address(treasury)];
        for (uint256 i; i < 3; ++i) {
            bytes32 hash = _authorize(_channel(), uint128(5 + i));
            vm.expectEmit();
            emit ITreasury.HashRevoked(hash, revokers[i]);
            vm.prank(revokers[i]);
            treasury.revokeHash(hash);
            assertTrue(treasury.isValidSignature(hash, "") == INVALID, "invalid");
        }
    }

    function test_revokeHash_byAnyoneElse_reverts() public {
        bytes32 hash = _authorize(_channel(), 5);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_NotOwner.selector, stranger));
        vm.prank(stranger);
        treasury.revokeHash(hash);
    }

    function test_revokeHash_ofNone_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_HashUnknown.selector, bytes32("h")));
        vm.prank(owners[0]);
        treasury.revokeHash("h");
    }

    function test_authorizeDeposit_beyondTheBudget_isDenied() public {
        _expectDenied(ITreasury.Reason.PerTransaction, 101 * UNIT, 100 * UNIT, 0);
        _authorize(_channel(), uint128(101 * UNIT));
    }

    function test_authorizeDeposit_aboveTheApprovalLine_reverts() public {
        _expectDenied(ITreasury.Reason.ApprovalAbove, 51 * UNIT, 50 * UNIT, 0);
        _authorize(_channel(), uint128(51 * UNIT));
    }

    function test_authorizeDeposit_withoutABudget_isDenied() public {
        ITreasury.ChannelConfig memory channel = _channel();
        _expectDenied(ITreasury.Reason.NoBudget, 5, 0, 0);
        vm.prank(stranger);
        treasury.authorizeDeposit(channel, 5, address(stand), 1, END);
    }

    function test_authorizeDeposit_toAReceiverOffTheList_isDenied() public {
        ITreasury.BudgetTerms memory terms = _terms();
        terms.recipientsOnly = true;
        _setBudget(agent, address(usd), terms);
        _expectDenied(ITreasury.Reason.Recipient, 5, 0, 0);
        _authorize(_channel(), 5);
    }

    function test_authorizeDeposit_throughAnUntrustedCollector_reverts() public {
        ITreasury.ChannelConfig memory channel = _channel();
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_CollectorUnknown.selector, agent));
        vm.prank(agent);
        treasury.authorizeDeposit(channel, 5, agent, 1, END);
    }

    function test_setCollector_toNothing_trustsItNoMore() public {
        vm.expectEmit();
        emit ITreasury.CollectorSet(address(stand), address(0));
        vm.prank(address(treasury));
        treasury.setCollector(address(stand), address(0));
        assertEq(treasury.settlementOf(address(stand)), address(0), "settlement");
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_CollectorUnknown.selector, address(stand)));
        _authorize(_channel(), 5);
    }

    function test_authorizeDeposit_forAnotherPayer_reverts() public {
        ITreasury.ChannelConfig memory channel = _channel();
        channel.payer = agent;
        vm.expectRevert(
            abi.encodeWithSelector(ITreasury.Treasury_ChannelPayerInvalid.selector, agent, address(treasury))
        );
        _authorize(channel, 5);
    }

    function test_authorizeDeposit_withoutAVoucherKey_reverts() public {
        ITreasury.ChannelConfig memory channel = _channel();
        channel.payerAuthorizer = address(0);
        vm.expectRevert(ITreasury.Treasury_ChannelAuthorizerZero.selector);
        _authorize(channel, 5);
    }

    function test_authorizeDeposit_forNoTimeOrTooLong_reverts() public {
        ITreasury.ChannelConfig memory channel = _channel();
        vm.startPrank(agent);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_Expired.selector, START, START));
        treasury.authorizeDeposit(channel, 5, address(stand), 1, START);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_LifetimeTooLong.selector, END + 1, END));
        treasury.authorizeDeposit(channel, 5, address(stand), 1, END + 1);
        vm.stopPrank();
    }

    /// @dev An authorisation that outlived its bucket left twice the limit within two minutes: the hour's at the end of
    ///      its validity, and the next hour's, released by then.
    function testFuzz_deposits_leaveWithinTheLimitInAnyHour(uint256 seed) public {
        ITreasury.BudgetTerms memory terms = _unlimited();
        terms.hourly = uint128(200 * UNIT);
        _setBudget(agent, address(usd), terms);
        usd.mint(address(treasury), 24 * 200 * UNIT);
        ITreasury.ChannelConfig memory channel = _channel();
        for (uint256 i; i < 24; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            skip(seed % 40 minutes);
            uint256 amount = treasury.usageOf(agent, address(usd))[0].left;
            if (amount == 0) continue;
            uint256 end = _authorizeForLong(channel, uint128(amount), i);
            // At any second at which it is valid, the last one often.
            vm.warp(seed & 1 == 0 ? end - 1 : bound(seed >> 8, block.timestamp, end - 1));
            stand.deposit(channel, uint128(amount), i, end);
            (_leftAt[i], _left[i]) = (block.timestamp, amount);
            uint256 sum;
            for (uint256 j; j <= i; ++j) {
                if (block.timestamp - _leftAt[j] < 1 hours) sum += _left[j];
            }
            assertLe(sum, 200 * UNIT, "within an hour");
        }
    }

    function test_authorizeDeposit_twice_reverts() public {
        bytes32 hash = _authorize(_channel(), 5);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_HashAlreadyAuthorized.selector, hash));
        _authorize(_channel(), 5);
    }

    function test_authorizeDeposit_inATokenThatClaimsAnothersDomain_reverts() public {
        AuthorizedToken evil = new AuthorizedToken();
        evil.forgeDomain(usd.DOMAIN_SEPARATOR());
        _setBudget(agent, address(evil), _terms());
        ITreasury.ChannelConfig memory channel = _channel();
        channel.token = address(evil);
        vm.expectPartialRevert(ITreasury.Treasury_DomainMismatch.selector);
        _authorize(channel, 5);
    }

    function test_recallChannel_byOneOwner_bringsTheRestHome() public {
        ITreasury.ChannelConfig memory channel = _channel();
        _authorize(channel, 5);
        stand.deposit(channel, 5, 1, END);
        uint256 before = usd.balanceOf(address(treasury));
        vm.expectEmit();
        emit ITreasury.ChannelRecalled(stand.getChannelId(channel), 5, owners[0]);
        vm.prank(owners[0]);
        treasury.recallChannel(address(stand), channel, 5);
        vm.prank(stranger);
        treasury.finalizeRecall(address(stand), channel);
        assertEq(usd.balanceOf(address(treasury)), before + 5, "home again");
    }

    function test_recallChannel_byAStrangerOrElsewhere_reverts() public {
        ITreasury.ChannelConfig memory channel = _channel();
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_NotOwner.selector, agent));
        vm.prank(agent);
        treasury.recallChannel(address(stand), channel, 5);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_CollectorUnknown.selector, stranger));
        treasury.finalizeRecall(stranger, channel);
    }

    function _authorize(ITreasury.ChannelConfig memory channel, uint128 amount) private returns (bytes32) {
        vm.prank(agent);
        return treasury.authorizeDeposit(channel, amount, address(stand), 1, END);
    }

    /// @dev Valid for as long as the Treasury lets it be: an hour, or less.
    function _authorizeForLong(
        ITreasury.ChannelConfig memory channel,
        uint128 amount,
        uint256 salt
    ) private returns (uint256 end) {
        end = block.timestamp + 1 hours;
        vm.prank(agent);
        try treasury.authorizeDeposit(channel, amount, address(stand), salt, end) {} catch {
            end = (block.timestamp / 20 minutes + 1) * 20 minutes;
            vm.prank(agent);
            treasury.authorizeDeposit(channel, amount, address(stand), salt, end);
        }
    }

    function _channel() private view returns (ITreasury.ChannelConfig memory) {
        return
            ITreasury.ChannelConfig({
                payer: address(treasury),
                payerAuthorizer: agent,
                receiver: payee,
                receiverAuthorizer: payee,
                token: address(usd),
                withdrawDelay: 1 days,
                salt: bytes32(uint256(1))
            });
    }
}
