// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBatchSettlement} from "../interfaces/payments/IBatchSettlement.sol";

/// @notice EIP-712 struct hashes of the x402 `batch-settlement` scheme.
library ChannelHash {
    bytes32 internal constant CHANNEL_CONFIG_TYPEHASH = keccak256(
        "ChannelConfig(address payer,address payerAuthorizer,address receiver,address receiverAuthorizer,address token,uint40 withdrawDelay,bytes32 salt)" // solhint-disable-line max-line-length
    );
    bytes32 internal constant VOUCHER_TYPEHASH = keccak256(
        "Voucher(bytes32 channelId,uint128 maxClaimableAmount)"
    );
    bytes32 internal constant REFUND_TYPEHASH = keccak256(
        "Refund(bytes32 channelId,uint256 nonce,uint128 amount)"
    );
    bytes32 internal constant CLAIM_ENTRY_TYPEHASH = keccak256(
        "ClaimEntry(bytes32 channelId,uint128 maxClaimableAmount,uint128 totalClaimed)"
    );
    bytes32 internal constant CLAIM_BATCH_TYPEHASH = keccak256(
        "ClaimBatch(ClaimEntry[] claims)ClaimEntry(bytes32 channelId,uint128 maxClaimableAmount,uint128 totalClaimed)" // solhint-disable-line max-line-length
    );

    /// @dev A static struct lies in calldata as EIP-712 encodes it, so it is copied whole. Were the unused bits of a
    ///      field set, the hash would be of no channel that can exist.
    function config(IBatchSettlement.ChannelConfig calldata channel) internal pure returns (bytes32 hash) {
        bytes32 typehash = CHANNEL_CONFIG_TYPEHASH;
        assembly ("memory-safe") {
            let m := mload(0x40)
            mstore(m, typehash)
            calldatacopy(add(m, 0x20), channel, 0xe0)
            hash := keccak256(m, 0x100)
        }
    }

    function voucher(bytes32 channelId, uint128 maxClaimableAmount) internal pure returns (bytes32) {
        return keccak256(abi.encode(VOUCHER_TYPEHASH, channelId, maxClaimableAmount));
    }

    function refund(bytes32 channelId, uint256 nonce, uint128 amount) internal pure returns (bytes32) {
        return keccak256(abi.encode(REFUND_TYPEHASH, channelId, nonce, amount));
    }

    function claimBatch(
        IBatchSettlement.VoucherClaim[] calldata claims,
        bytes32[] memory channelIds
    ) internal pure returns (bytes32) {
        bytes32[] memory entries = new bytes32[](claims.length);
        for (uint256 i = 0; i < claims.length; ++i) {
            entries[i] = keccak256(
                abi.encode(
                    CLAIM_ENTRY_TYPEHASH,
                    channelIds[i],
                    claims[i].voucher.maxClaimableAmount,
                    claims[i].totalClaimed
                )
            );
        }
        return keccak256(abi.encode(CLAIM_BATCH_TYPEHASH, keccak256(abi.encodePacked(entries))));
    }
}
