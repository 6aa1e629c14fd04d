// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

/// @title Signatures
/// @notice Who signed a digest: by ECDSA in 65 bytes or 64 (ERC-2098), or by ERC-1271.
library Signatures {
    /// @dev An account's own key counts also if the account has code (EIP-7702); otherwise its code decides.
    function isSigned(address signer, bytes32 digest, bytes calldata signature) internal view returns (bool) {
        if (signer != address(0) && recover(digest, signature) == signer) return true;
        return
            signer.code.length != 0 &&
            SignatureChecker.isValidERC1271SignatureNowCalldata(signer, digest, signature);
    }

    /// @dev Signer of a 65-byte or 64-byte (ERC-2098) ECDSA signature; zero if it is none.
    function recover(bytes32 digest, bytes calldata signature) internal pure returns (address signer) {
        bytes32 r;
        bytes32 s;
        uint8 v;
        // Words beyond the end read as zero, and are used only if the length says that they are there.
        assembly ("memory-safe") {
            r := calldataload(signature.offset)
            s := calldataload(add(signature.offset, 0x20))
            v := byte(0, calldataload(add(signature.offset, 0x40)))
        }
        if (signature.length == 65) (signer, , ) = ECDSA.tryRecover(digest, v, r, s);
        else if (signature.length == 64) (signer, , ) = ECDSA.tryRecover(digest, r, s);
    }
}
