// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {KeyOwner} from "./KeyOwner.sol";

/// @title KeyOwnerFactory
/// @notice Makes the accounts of keys that have no address of their own, each at the address that follows from its key.
/// @dev So a key can be made an owner before its account stands; until then it can neither sign nor act.
contract KeyOwnerFactory {
    uint256 private constant ADDRESS_BYTES = 20;

    /// @notice What all accounts of this factory are clones of.
    address public immutable implementation = address(new KeyOwner());

    /// @notice An account was made.
    event KeyOwnerCreated(address indexed owner, bytes signer);

    /// @notice An ERC-7913 signer is a verifier's address and a key.
    error KeyOwner_SignerInvalid(bytes signer);

    /// @notice Makes the account of this key, or gives the one that stands there already. Anyone may call.
    /// @param signer Its verifier's address and the key's bytes (ERC-7913).
    /// @return owner Where it stands.
    function createOwner(bytes calldata signer) external returns (address owner) {
        owner = ownerOf(signer);
        if (owner.code.length != 0) return owner;
        if (signer.length <= ADDRESS_BYTES || address(bytes20(signer)).code.length == 0) {
            revert KeyOwner_SignerInvalid(signer);
        }
        Clones.cloneDeterministicWithImmutableArgs(implementation, signer, 0);
        emit KeyOwnerCreated(owner, signer);
    }

    /// @notice Where the account of this key stands, or would.
    /// @return owner Its address.
    function ownerOf(bytes calldata signer) public view returns (address owner) {
        return Clones.predictDeterministicAddressWithImmutableArgs(implementation, signer, 0);
    }
}
