// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice The inner loop of `BatchSettlement.claimPacked`.
/// @dev Needs no stored config: a channel's record stands in the slot `keccak256(parties, signer, channelId)` that
///      only `deposit` of the full config can fill, and a row's signer is what ecrecover returns. A wrong signature,
///      receiver, token or channel therefore leads to an empty record, which pays nothing and fails the row. Per row
///      that leaves one ecrecover, one cold slot, 108 bytes of calldata and 16 bytes of log.
library PackedClaims {
    /// @notice receiver(20) receiverAuthorizer(20) token(20).
    uint256 internal constant HEADER_BYTES = 60;
    /// @notice channelId(32) r(32) vs(32) maxClaimableAmount(12).
    uint256 internal constant ROW_BYTES = 108;

    /// @dev `Voucher(bytes32 channelId,uint128 maxClaimableAmount)`, as a literal because assembly takes only those.
    uint256 private constant VOUCHER_TYPEHASH =
        0x1e1bd6ff84c3e0d9029a292b212e039c0ca97ec497c55191a4a5874294609a69;
    uint256 private constant UINT96_MAX = 0xffffffffffffffffffffffff;
    uint256 private constant UINT255_MAX = 0x7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff;

    /// @notice Raises `totalClaimed` of every row's channel to the row's amount.
    /// @param rows Header and whole rows; the caller has checked the length.
    /// @param parties Hash of the header.
    /// @param separator The EIP-712 domain separator.
    /// @return amount The sum of all rises.
    /// @return failed 0, or 1 + the number of the first row that asks more than its record holds.
    /// @return moved For each channel that rose, its index (4 bytes) and new total (12 bytes).
    function raise(
        bytes calldata rows,
        bytes32 parties,
        bytes32 separator
    ) internal returns (uint256 amount, uint256 failed, bytes memory moved) {
        uint256 m;
        uint256 first;
        uint256 end;
        assembly ("memory-safe") {
            // m+00 digest | m+20 v | m+40 r | m+60 s
            // m+80 0x1901 | m+82 separator | m+a2 voucher struct hash
            // m+e0 length of `moved` | m+100 its content
            m := mload(0x40)
            mstore(add(m, 0x80), shl(240, 0x1901))
            mstore(add(m, 0x82), separator)
            moved := add(m, 0xe0)
            first := add(rows.offset, HEADER_BYTES)
            end := add(rows.offset, rows.length)
        }
        uint256 reached;
        (amount, reached) = _raiseAll(m, parties, first, end);
        if (reached != end) failed = (reached - first) / ROW_BYTES + 1;
    }

    /// @param m The memory laid out above; `moved` is written behind it and allocated.
    /// @param parties Hash of the header.
    /// @param p Calldata position of the first row; moves row by row.
    /// @param end Calldata position behind the last row.
    /// @return amount The sum of all rises.
    /// @return reached `end`, or the position of the first row that asks more than its record holds.
    function _raiseAll(
        uint256 m,
        bytes32 parties,
        uint256 p,
        uint256 end
    ) private returns (uint256 amount, uint256 reached) {
        assembly ("memory-safe") {
            // The first 128 bytes of memory, restored below, because their addresses cost nothing to compute:
            //   00 parties | 20 typehash, then signer | 40 channelId | 60 amount
            // The voucher struct is 20..80. The record's slot is 00..60 once ecrecover has put the signer over the
            // typehash; on a bad signature the typehash stays, which is no address, so no record is found.
            mstore(0x00, parties)
            let out := add(m, 0x100)
            for {} lt(p, end) {
                p := add(p, ROW_BYTES)
            } {
                mstore(0x20, VOUCHER_TYPEHASH)
                mstore(0x40, calldataload(p))
                // the amount is the row's last 12 bytes: load the 32 that end with them
                mstore(0x60, and(calldataload(add(p, 76)), UINT96_MAX))
                mstore(add(m, 0xa2), keccak256(0x20, 0x60))
                mstore(m, keccak256(add(m, 0x80), 0x42))
                // ERC-2098: the top bit of vs is the parity, the rest is s
                let slot := calldataload(add(p, 0x40))
                mstore(add(m, 0x20), add(shr(255, slot), 27))
                mstore(add(m, 0x40), calldataload(add(p, 0x20)))
                mstore(add(m, 0x60), and(slot, UINT255_MAX))
                pop(staticcall(gas(), 1, m, 0x80, 0x20, 0x20))

                // record: index(32) totalClaimed(96) withdrawDelay(32) balance(96)
                slot := keccak256(0x00, 0x60)
                let record := sload(slot)
                let claimed := and(shr(128, record), UINT96_MAX)
                let rise := sub(mload(0x60), claimed)
                // one unsigned comparison asks claimed < amount <= balance
                if lt(sub(rise, 1), sub(and(record, UINT96_MAX), claimed)) {
                    record := add(record, shl(128, rise))
                    sstore(slot, record)
                    amount := add(amount, rise)
                    // index and new total are the record's upper half
                    mstore(out, record)
                    out := add(out, 16)
                    continue
                }
                if gt(mload(0x60), claimed) {
                    break
                }
            }
            reached := p
            mstore(add(m, 0xe0), sub(out, add(m, 0x100)))
            mstore(0x40, and(add(out, 0x3f), not(0x1f)))
            mstore(0x60, 0)
        }
    }
}
