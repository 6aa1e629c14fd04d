// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

/// @notice An ERC-1271 account of one key that can be switched off.
contract ContractWallet is IERC1271 {
    address private immutable _key;
    bool public isOff;

    constructor(address key) {
        _key = key;
    }

    function switchOff() external {
        isOff = true;
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        (address signer, , ) = ECDSA.tryRecoverCalldata(hash, signature);
        return signer == _key && !isOff ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }
}
