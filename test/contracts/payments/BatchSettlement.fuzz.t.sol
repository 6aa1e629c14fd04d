// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBatchSettlement} from "../../../contracts/interfaces/payments/IBatchSettlement.sol";
import {BatchSettlement} from "../../../contracts/payments/BatchSettlement.sol";
import {ChannelFixture} from "../support/payments/ChannelFixture.sol";

contract BatchSettlementFuzzTest is ChannelFixture {
    uint256 internal constant CHANNELS = 4;

    IBatchSettlement.ChannelConfig[] internal configs;

    function setUp() public override {
        super.setUp();
        for (uint256 i = 0; i < CHANNELS; ++i) configs.push(open(i));
    }

    function unsettled() internal view returns (uint256) {
        (uint256 claimed, uint256 settled) = settlement.receivers(receiver, address(usdc));
        return claimed - settled;
    }

    /// @notice Whatever the order, the splitting and the form of the claims, each channel ends at its highest total.
    function testFuzz_OrderSplitAndFormOfClaimsDoNotMatter(
        uint256[12] calldata seeds,
        uint256 settleSeed
    ) public {
        uint256[CHANNELS] memory highest;
        for (uint256 i = 0; i < seeds.length; ++i) {
            uint256 which = seeds[i] % CHANNELS;
            uint128 total = uint128(bound(seeds[i] >> 8, 0, DEPOSIT));
            if (total > highest[which]) highest[which] = total;
            if ((seeds[i] >> 4) & 1 == 0) claim(configs[which], total);
            else claimPacked(configs[which], uint96(total));
            if (settleSeed & (1 << i) != 0) settlement.settle(receiver, address(usdc));
        }
        uint256 sum;
        for (uint256 i = 0; i < CHANNELS; ++i) {
            assertEq(claimedOf(configs[i]), highest[i], "highest total");
            sum += highest[i];
        }
        assertEq(unsettled() + usdc.balanceOf(receiver), sum, "the receiver's");
        settlement.settle(receiver, address(usdc));
        assertEq(usdc.balanceOf(receiver), sum, "paid once");
    }

    /// @notice One packed batch leaves the same state as the same rows claimed one by one, unpacked.
    function testFuzz_PackedEqualsUnpacked(uint96[6] calldata totals, uint8[6] calldata which) public {
        uint256 before = vm.snapshotState();
        for (uint256 i = 0; i < totals.length; ++i) {
            claim(configs[which[i] % CHANNELS], uint128(bound(totals[i], 0, DEPOSIT)));
        }
        uint256[CHANNELS] memory wanted;
        for (uint256 i = 0; i < CHANNELS; ++i) wanted[i] = claimedOf(configs[i]);
        uint256 wantedUnsettled = unsettled();
        vm.revertToState(before);

        bytes memory rows = header();
        for (uint256 i = 0; i < totals.length; ++i) {
            uint96 total = uint96(bound(totals[i], 0, DEPOSIT));
            rows = bytes.concat(rows, packedRow(agentKey, configs[which[i] % CHANNELS], total));
        }
        vm.prank(operator);
        settlement.claimPacked(rows);
        for (uint256 i = 0; i < CHANNELS; ++i) assertEq(claimedOf(configs[i]), wanted[i], "total");
        assertEq(unsettled(), wantedUnsettled, "unsettled");

        vm.prank(operator);
        settlement.claimPacked(rows);
        assertEq(unsettled(), wantedUnsettled, "replay is a no-op");
    }

    /// @notice The log of a packed batch alone rebuilds every total.
    function testFuzz_PackedLogRebuildsState(uint96[5] calldata totals) public {
        bytes memory rows = header();
        for (uint256 i = 0; i < totals.length; ++i) {
            uint96 total = uint96(bound(totals[i], 0, DEPOSIT));
            rows = bytes.concat(rows, packedRow(agentKey, configs[i % CHANNELS], total));
        }
        vm.recordLogs();
        vm.prank(operator);
        settlement.claimPacked(rows);
        (uint128 amount, bytes memory moved) = abi.decode(vm.getRecordedLogs()[0].data, (uint128, bytes));

        uint256[CHANNELS] memory rebuilt;
        for (uint256 i = 0; i < moved.length; i += 16) {
            uint256 word;
            assembly ("memory-safe") {
                word := mload(add(add(moved, 0x20), i))
            }
            rebuilt[(word >> 224) - 1] = uint96(word >> 128);
        }
        uint256 sum;
        for (uint256 i = 0; i < CHANNELS; ++i) {
            assertEq(rebuilt[i], claimedOf(configs[i]), "rebuilt total");
            sum += rebuilt[i];
        }
        assertEq(amount, sum, "amount");
    }

    /// @notice Any tampering with one row of a valid batch claims nothing for that row's channel beyond its voucher.
    function testFuzz_TamperedRowNeverPays(uint16 position, uint8 flip, uint96 total) public {
        total = uint96(bound(total, 1, DEPOSIT));
        bytes memory rows = bytes.concat(header(), packedRow(agentKey, configs[0], total));
        uint256 where = bound(position, 60, rows.length - 1);
        vm.assume(flip != 0);
        rows[where] = bytes1(uint8(rows[where]) ^ flip);
        vm.prank(operator);
        (bool ok, ) = address(settlement).call(abi.encodeCall(settlement.claimPacked, (rows)));
        if (ok) assertEq(unsettled(), 0, "only a row of amount 0 passes");
    }

    /// @notice Garbage of any length reverts by a name, and never pays.
    function testFuzz_GarbageIsRefusedByName(bytes calldata garbage, bool isHeaderValid) public {
        bytes memory rows = isHeaderValid ? bytes.concat(header(), garbage) : garbage;
        vm.prank(operator);
        (bool ok, bytes memory result) = address(settlement).call(
            abi.encodeCall(settlement.claimPacked, (rows))
        );
        if (!ok) assertTrue(result.length >= 4, "named error");
        assertEq(unsettled(), 0, "nothing");
    }

    function testFuzz_TruncatedRowsAreRefused(uint16 cut) public {
        bytes memory rows = bytes.concat(
            header(),
            packedRow(agentKey, configs[0], 5),
            packedRow(agentKey, configs[1], 5)
        );
        uint256 length = bound(cut, 0, rows.length - 1);
        assembly ("memory-safe") {
            mstore(rows, length)
        }
        vm.prank(operator);
        (bool ok, bytes memory result) = address(settlement).call(
            abi.encodeCall(settlement.claimPacked, (rows))
        );
        bool isWhole = length == 60 + 108;
        assertEq(ok, isWhole, "only whole rows");
        if (!ok)
            assertEq(
                bytes32(bytes4(result)),
                bytes32(IBatchSettlement.BatchSettlement_RowsMalformed.selector),
                "named"
            );
    }

    /// @notice Deposits, a partial withdrawal, a refund and claims in between: the payer ends with all but the
    ///         claims.
    function testFuzz_PayerGetsTheUnclaimedRest(
        uint96 first,
        uint96 asked,
        uint96 given,
        uint96 second
    ) public {
        IBatchSettlement.ChannelConfig memory config = configs[0];
        uint256 had = usdc.balanceOf(payer) + DEPOSIT;
        first = uint96(bound(first, 0, DEPOSIT - 1));
        claim(config, first);
        vm.prank(payer);
        settlement.initiateWithdraw(config, uint128(bound(asked, 1, DEPOSIT - first)));
        vm.prank(operator);
        settlement.refund(config, uint128(bound(given, 1, DEPOSIT)));
        uint256 balance = balanceOf(config);
        second = uint96(bound(second, 0, balance));
        claimPacked(config, second);
        skip(DELAY);
        (, uint256 initiatedAt) = settlement.pendingWithdrawals(idOf(config));
        if (initiatedAt != 0) {
            vm.prank(payer);
            settlement.finalizeWithdraw(config);
        }
        uint256 rest = balanceOf(config) - claimedOf(config);
        if (rest != 0) {
            vm.prank(payer);
            settlement.initiateWithdraw(config, uint128(rest));
            skip(DELAY);
            vm.prank(payer);
            settlement.finalizeWithdraw(config);
        }
        assertEq(usdc.balanceOf(payer), had - claimedOf(config), "all but what was claimed");
        assertEq(claimedOf(config), first > second ? first : second, "claims stand");
    }

    /// @notice Digests are what EIP-712 prescribes, wherever the code stands and on whatever chain.
    function testFuzz_DomainFollowsAddressAndChain(
        address where,
        uint64 chain,
        bytes32 id,
        uint128 limit
    ) public {
        // Forge answers for this address by itself.
        vm.assume(where != 0x000000000000000000636F6e736F6c652e6c6f67);
        vm.assume(uint160(where) > 0xffff && where.code.length == 0 && chain != 0);
        vm.etch(where, address(settlement).code);
        vm.chainId(chain);
        bytes32 separator = keccak256(
            abi.encode(
                keccak256(
                    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
                ),
                keccak256("x402 Batch Settlement"),
                keccak256("1"),
                uint256(chain),
                where
            )
        );
        bytes32 hash = keccak256(
            abi.encode(keccak256("Voucher(bytes32 channelId,uint128 maxClaimableAmount)"), id, limit)
        );
        assertEq(
            BatchSettlement(where).getVoucherDigest(id, limit),
            keccak256(abi.encodePacked(hex"1901", separator, hash)),
            "digest"
        );
    }
}
