// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {PlainToken} from "./PlainToken.sol";

/// @notice An ERC-20 with ERC-3009's `receiveWithAuthorization`, whose claimed domain separator can be forged.
contract AuthorizedToken is PlainToken, EIP712("Plain", "2") {
    bytes32 private constant RECEIVE_TYPEHASH = keccak256(
        "ReceiveWithAuthorization(address from,address to,uint256 value,"
        "uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );

    bytes32 public forgedDomain;
    mapping(address authorizer => mapping(bytes32 nonce => bool)) public authorizationState;

    error AuthorizedToken_Refused();

    function forgeDomain(bytes32 domain) external {
        forgedDomain = domain;
    }

    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external {
        bytes32 digest = _hashTypedDataV4(
            keccak256(abi.encode(RECEIVE_TYPEHASH, from, to, value, validAfter, validBefore, nonce))
        );
        bool inTime = block.timestamp > validAfter && block.timestamp < validBefore;
        bool fresh = to == msg.sender && !authorizationState[from][nonce];
        if (!inTime || !fresh || !SignatureChecker.isValidSignatureNow(from, digest, signature)) {
            revert AuthorizedToken_Refused();
        }
        authorizationState[from][nonce] = true;
        _transfer(from, to, value);
    }

    function version() external view returns (string memory) {
        return _EIP712Version();
    }

    // solhint-disable-next-line func-name-mixedcase
    function DOMAIN_SEPARATOR() external view returns (bytes32) {
        return forgedDomain == 0 ? _domainSeparatorV4() : forgedDomain;
    }
}
