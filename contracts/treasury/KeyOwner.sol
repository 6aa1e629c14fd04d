// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {Bitmap} from "./Bitmap.sol";

/// @title KeyOwner
/// @notice The account of a key that has no address of its own, such as a passkey, so that it can own a Treasury: it
///         signs by ERC-1271 what the key signs, and sends what the key tells it to, such as a freeze.
/// @dev The key is an ERC-7913 signer: the verifier's address and the key's bytes. Whoever adds such an owner trusts
///      the verifier, which is part of the account's address. A {KeyOwnerFactory} makes these accounts as clones.
contract KeyOwner is IERC1271, EIP712("Bursar Key Owner", "1") {
    using Bitmap for mapping(uint256 word => uint256);

    bytes4 private constant INVALID_SIGNATURE = 0xffffffff;
    bytes32 private constant ACT_TYPEHASH = keccak256(
        "Act(address to,bytes data,uint256 nonce,uint256 deadline)"
    );

    mapping(uint256 word => uint256) private _nonces;

    /// @notice The key had this call sent.
    event Acted(address indexed to, uint256 indexed nonce);

    /// @notice It is too late for this.
    error KeyOwner_Expired(uint256 got, uint256 limit);
    /// @notice The act was sent already.
    error KeyOwner_NonceUsed(uint256 nonce);
    /// @notice The signature is not by this account's key.
    error KeyOwner_SignatureInvalid(bytes32 digest);

    /// @notice Sends a call that the key signed. Anyone may relay, once.
    /// @param deadline Last second in which it may be sent.
    /// @param signature Of {hashAct}, as the key's verifier takes it.
    /// @return What the call returned.
    function act(
        address to,
        bytes calldata data,
        uint256 nonce,
        uint256 deadline,
        bytes calldata signature
    ) external returns (bytes memory) {
        if (block.timestamp > deadline) revert KeyOwner_Expired(block.timestamp, deadline);
        bytes32 digest = hashAct(to, data, nonce, deadline);
        if (!_isSigned(digest, signature)) revert KeyOwner_SignatureInvalid(digest);
        if (!_nonces.use(nonce)) revert KeyOwner_NonceUsed(nonce);
        emit Acted(to, nonce);
        return Address.functionCall(to, data);
    }

    /// @notice ERC-1271: whether the key signed `hash`.
    /// @inheritdoc IERC1271
    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        return _isSigned(hash, signature) ? IERC1271.isValidSignature.selector : INVALID_SIGNATURE;
    }

    /// @notice Whether an act with this nonce was sent.
    function isNonceUsed(uint256 nonce) external view returns (bool) {
        return _nonces.isUsed(nonce);
    }

    /// @notice What the key signs to have a call sent: the EIP-712 digest of `Act(address to,bytes data,uint256
    ///         nonce,uint256 deadline)` in the domain "Bursar Key Owner", "1" of this account.
    function hashAct(
        address to,
        bytes calldata data,
        uint256 nonce,
        uint256 deadline
    ) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(ACT_TYPEHASH, to, keccak256(data), nonce, deadline)));
    }

    /// @notice The ERC-7913 signer whose account this is.
    function signer() public view returns (bytes memory) {
        return Clones.fetchCloneArgs(address(this));
    }

    function _isSigned(bytes32 hash, bytes calldata signature) private view returns (bool) {
        return SignatureChecker.isValidSignatureNow(signer(), hash, signature);
    }
}
