// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TestUSDC} from "../../../../contracts/dev/TestUSDC.sol";
import {IBatchSettlement} from "../../../../contracts/interfaces/payments/IBatchSettlement.sol";
import {BatchSettlement} from "../../../../contracts/payments/BatchSettlement.sol";
import {Test} from "../Test.sol";

/// @notice Parties, money and signatures for the tests of payment channels.
abstract contract ChannelFixture is Test {
    uint40 internal constant DELAY = 1 hours;
    /// @dev When every test begins. A constant, as via-IR may read a kept `block.timestamp` anew after a warp.
    uint256 internal constant START = 1_800_000_000;
    uint128 internal constant DEPOSIT = 1_000e6;

    BatchSettlement internal settlement;
    TestUSDC internal usdc;
    address internal payer;
    uint256 internal payerKey;
    address internal agent;
    uint256 internal agentKey;
    address internal receiver;
    uint256 internal receiverKey;
    address internal operator;
    uint256 internal operatorKey;
    address internal stranger;
    uint256 internal strangerKey;

    function setUp() public virtual {
        vm.warp(START);
        settlement = new BatchSettlement();
        usdc = new TestUSDC(address(this));
        (payer, payerKey) = makeAddrAndKey("payer");
        (agent, agentKey) = makeAddrAndKey("agent");
        (receiver, receiverKey) = makeAddrAndKey("receiver");
        (operator, operatorKey) = makeAddrAndKey("operator");
        (stranger, strangerKey) = makeAddrAndKey("stranger");
        usdc.mint(payer, 1e18);
        vm.prank(payer);
        usdc.approve(address(settlement), type(uint256).max);
    }

    function channel(uint256 salt) internal view returns (IBatchSettlement.ChannelConfig memory) {
        return
            IBatchSettlement.ChannelConfig({
                payer: payer,
                payerAuthorizer: agent,
                receiver: receiver,
                receiverAuthorizer: operator,
                token: address(usdc),
                withdrawDelay: DELAY,
                salt: bytes32(salt)
            });
    }

    function deposit(IBatchSettlement.ChannelConfig memory config, uint128 amount) internal {
        vm.prank(payer);
        settlement.deposit(config, amount, address(0), "");
    }

    function open(uint256 salt) internal returns (IBatchSettlement.ChannelConfig memory config) {
        config = channel(salt);
        deposit(config, DEPOSIT);
    }

    function idOf(IBatchSettlement.ChannelConfig memory config) internal view returns (bytes32) {
        return settlement.getChannelId(config);
    }

    function balanceOf(IBatchSettlement.ChannelConfig memory config) internal view returns (uint256 balance) {
        (balance, ) = settlement.channels(idOf(config));
    }

    function claimedOf(
        IBatchSettlement.ChannelConfig memory config
    ) internal view returns (uint256 totalClaimed) {
        (, totalClaimed) = settlement.channels(idOf(config));
    }

    function signed(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function signVoucher(
        uint256 key,
        IBatchSettlement.ChannelConfig memory config,
        uint128 limit
    ) internal view returns (bytes memory) {
        return signed(key, settlement.getVoucherDigest(idOf(config), limit));
    }

    /// @notice A claim of `total` under the agent's voucher over `limit`.
    function claimOf(
        IBatchSettlement.ChannelConfig memory config,
        uint128 limit,
        uint128 total
    ) internal view returns (IBatchSettlement.VoucherClaim memory) {
        return
            IBatchSettlement.VoucherClaim({
                voucher: IBatchSettlement.Voucher({channel: config, maxClaimableAmount: limit}),
                signature: signVoucher(agentKey, config, limit),
                totalClaimed: total
            });
    }

    function batch(
        IBatchSettlement.VoucherClaim memory row
    ) internal pure returns (IBatchSettlement.VoucherClaim[] memory rows) {
        rows = new IBatchSettlement.VoucherClaim[](1);
        rows[0] = row;
    }

    /// @notice Claims up to `total` by an ordinary claim of the operator.
    function claim(IBatchSettlement.ChannelConfig memory config, uint128 total) internal {
        IBatchSettlement.VoucherClaim[] memory rows = batch(claimOf(config, total, total));
        vm.prank(operator);
        settlement.claim(rows);
    }

    function header() internal view returns (bytes memory) {
        return abi.encodePacked(receiver, operator, address(usdc));
    }

    function packedRow(
        uint256 key,
        IBatchSettlement.ChannelConfig memory config,
        uint96 total
    ) internal view returns (bytes memory) {
        bytes32 id = idOf(config);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, settlement.getVoucherDigest(id, total));
        return abi.encodePacked(id, r, bytes32((uint256(v - 27) << 255) | uint256(s)), total);
    }

    function claimPacked(IBatchSettlement.ChannelConfig memory config, uint96 total) internal {
        bytes memory rows = bytes.concat(header(), packedRow(agentKey, config, total));
        vm.prank(operator);
        settlement.claimPacked(rows);
    }

    function expectError(bytes memory data) internal {
        vm.expectRevert(data);
    }
}
