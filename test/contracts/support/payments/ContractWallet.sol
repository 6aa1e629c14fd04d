// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @notice A contract account: its owner's key signs for it (ERC-1271) and calls through it.
contract ContractWallet is IERC1271 {
    address public immutable OWNER;

    error ContractWallet_NotOwner(address caller);

    constructor(address owner) {
        OWNER = owner;
    }

    function execute(address target, bytes calldata data) external returns (bytes memory) {
        if (msg.sender != OWNER) revert ContractWallet_NotOwner(msg.sender);
        (bool ok, bytes memory result) = target.call(data);
        if (!ok) {
            assembly ("memory-safe") {
                revert(add(result, 0x20), mload(result))
            }
        }
        return result;
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        (address signer, , ) = ECDSA.tryRecoverCalldata(hash, signature);
        return signer == OWNER ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }
}
