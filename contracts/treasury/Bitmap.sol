// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Bitmap
/// @notice Numbers that can be used once, 256 to a storage slot, in any order.
library Bitmap {
    /// @dev Sets the bit of `key`; false if it was set.
    function use(mapping(uint256 => uint256) storage bitmap, uint256 key) internal returns (bool) {
        uint256 bit = 1 << (key & 0xff);
        uint256 index = key >> 8;
        uint256 word = bitmap[index];
        if (word & bit != 0) return false;
        bitmap[index] = word | bit;
        return true;
    }

    function isUsed(mapping(uint256 => uint256) storage bitmap, uint256 key) internal view returns (bool) {
        return bitmap[key >> 8] & (1 << (key & 0xff)) != 0;
    }
}
