// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

/// @title Domain
/// @dev The Treasury's EIP-712 domain, and how others' are built. OpenZeppelin's EIP712 keeps a domain separator in the
/// code, which is the implementation's and so never a clone's: this one keeps none.
abstract contract Domain is IERC5267 {
    bytes32 private constant DOMAIN_TYPEHASH = keccak256(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    );
    string private constant NAME = "Bursar Treasury";
    string private constant VERSION = "1";

    /// @notice The domain in which owners and agents sign (ERC-5267).
    /// @inheritdoc IERC5267
    function eip712Domain()
        external
        view
        returns (
            bytes1 fields,
            string memory name,
            string memory version,
            uint256 chainId,
            address verifyingContract,
            bytes32 salt,
            uint256[] memory extensions
        )
    {
        // The first four members: no salt, no extensions.
        return (hex"0f", NAME, VERSION, block.chainid, address(this), 0, new uint256[](0));
    }

    function _hashTypedData(bytes32 structHash) internal view returns (bytes32) {
        return
            MessageHashUtils.toTypedDataHash(
                _separator(keccak256(bytes(NAME)), keccak256(bytes(VERSION)), address(this)),
                structHash
            );
    }

    /// @param name hash of it, as that of `version`
    function _separator(bytes32 name, bytes32 version, address verifier) internal view returns (bytes32) {
        return keccak256(abi.encode(DOMAIN_TYPEHASH, name, version, block.chainid, verifier));
    }
}
