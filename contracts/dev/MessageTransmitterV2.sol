// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @notice Who a message is for: as in Circle's CCTP v2.
interface IMessageHandlerV2 {
    /// @notice Takes a message whose source block is final.
    function handleReceiveFinalizedMessage(
        uint32 sourceDomain,
        bytes32 sender,
        uint32 finalityThresholdExecuted,
        bytes calldata messageBody
    ) external returns (bool);

    /// @notice Takes a message that was attested before its source block was final.
    function handleReceiveUnfinalizedMessage(
        uint32 sourceDomain,
        bytes32 sender,
        uint32 finalityThresholdExecuted,
        bytes calldata messageBody
    ) external returns (bool);
}

/// @title MessageTransmitterV2
/// @notice CCTP v2's message layer for local chains: functions, events and message format as Circle's, with
///         attesters of one's own. Not for any chain with value.
/// @dev A message is packed: version 4, source domain 4, destination domain 4, nonce 32, sender 32, recipient 32,
///      destination caller 32, minimum finality 4, finality executed 4 bytes, then the body. Nonce and finality
///      executed are zero when it is sent; the attester fills them in and signs keccak256 of the whole. An attestation
///      is exactly `signatureThreshold` signatures of 65 bytes in increasing order of their signers. (Circle, CCTP v2,
///      2025.)
contract MessageTransmitterV2 is ReentrancyGuardTransient {
    /// @notice Format of messages.
    // solhint-disable-next-line const-name-snakecase
    uint32 public constant version = 1;
    /// @notice From this finality on a message counts as final.
    uint32 public constant FINALIZED = 2_000;
    uint256 private constant HEADER_LENGTH = 148;
    uint256 private constant SIGNATURE_LENGTH = 65;

    /// @notice This chain's number in CCTP.
    uint32 public immutable localDomain;
    /// @notice How many attesters must sign.
    uint256 public immutable signatureThreshold;
    /// @notice Who may attest.
    mapping(address attester => bool) public isEnabledAttester;
    /// @notice 1 for a nonce whose message was received.
    mapping(bytes32 nonce => uint256) public usedNonces;

    event MessageSent(bytes message);
    event MessageReceived(
        address indexed caller,
        uint32 sourceDomain,
        bytes32 indexed nonce,
        bytes32 sender,
        uint32 indexed finalityThresholdExecuted,
        bytes messageBody
    );

    error MessageTransmitterV2_BadThreshold(uint256 got, uint256 attesters);
    error MessageTransmitterV2_LocalDestination(uint32 domain);
    error MessageTransmitterV2_NoRecipient();
    error MessageTransmitterV2_TooShort(uint256 got, uint256 wanted);
    error MessageTransmitterV2_WrongDomain(uint32 got, uint32 wanted);
    error MessageTransmitterV2_WrongVersion(uint32 got, uint32 wanted);
    error MessageTransmitterV2_WrongCaller(address got, bytes32 wanted);
    error MessageTransmitterV2_NonceUsed(bytes32 nonce);
    error MessageTransmitterV2_AttestationLength(uint256 got, uint256 wanted);
    /// @notice Not an attester, or not above the one before.
    error MessageTransmitterV2_BadAttester(address got);
    error MessageTransmitterV2_Refused(address recipient);

    constructor(uint32 localDomain_, address[] memory attesters, uint256 signatureThreshold_) {
        if (signatureThreshold_ == 0 || signatureThreshold_ > attesters.length)
            revert MessageTransmitterV2_BadThreshold(signatureThreshold_, attesters.length);
        (localDomain, signatureThreshold) = (localDomain_, signatureThreshold_);
        for (uint256 i = 0; i < attesters.length; ++i) isEnabledAttester[attesters[i]] = true;
    }

    /// @notice Sends a message to another domain: an attester sees the event.
    function sendMessage(
        uint32 destinationDomain,
        bytes32 recipient,
        bytes32 destinationCaller,
        uint32 minFinalityThreshold,
        bytes calldata messageBody
    ) external {
        if (destinationDomain == localDomain) revert MessageTransmitterV2_LocalDestination(destinationDomain);
        if (recipient == 0) revert MessageTransmitterV2_NoRecipient();
        bytes32 sender = bytes32(uint256(uint160(msg.sender)));
        emit MessageSent(
            abi.encodePacked(
                abi.encodePacked(version, localDomain, destinationDomain, bytes32(0), sender, recipient),
                abi.encodePacked(destinationCaller, minFinalityThreshold, uint32(0), messageBody)
            )
        );
    }

    /// @notice Takes an attested message and hands it to its recipient, once.
    function receiveMessage(
        bytes calldata message,
        bytes calldata attestation
    ) external nonReentrant returns (bool) {
        _requireAttested(message, attestation);
        if (message.length < HEADER_LENGTH)
            revert MessageTransmitterV2_TooShort(message.length, HEADER_LENGTH);
        uint32 got = uint32(bytes4(message[8:12]));
        if (got != localDomain) revert MessageTransmitterV2_WrongDomain(got, localDomain);
        got = uint32(bytes4(message[:4]));
        if (got != version) revert MessageTransmitterV2_WrongVersion(got, version);
        bytes32 caller = bytes32(message[108:140]);
        if (caller != 0 && caller != bytes32(uint256(uint160(msg.sender))))
            revert MessageTransmitterV2_WrongCaller(msg.sender, caller);
        bytes32 nonce = bytes32(message[12:44]);
        if (usedNonces[nonce] != 0) revert MessageTransmitterV2_NonceUsed(nonce);
        usedNonces[nonce] = 1;
        _deliver(message, nonce);
        return true;
    }

    function _deliver(bytes calldata message, bytes32 nonce) private {
        uint32 sourceDomain = uint32(bytes4(message[4:8]));
        bytes32 sender = bytes32(message[44:76]);
        address recipient = address(uint160(uint256(bytes32(message[76:108]))));
        uint32 finality = uint32(bytes4(message[144:148]));
        bytes calldata body = message[HEADER_LENGTH:];
        IMessageHandlerV2 handler = IMessageHandlerV2(recipient);
        bool isDone =
            finality < FINALIZED
                ? handler.handleReceiveUnfinalizedMessage(sourceDomain, sender, finality, body)
                : handler.handleReceiveFinalizedMessage(sourceDomain, sender, finality, body);
        if (!isDone) revert MessageTransmitterV2_Refused(recipient);
        emit MessageReceived(msg.sender, sourceDomain, nonce, sender, finality, body);
    }

    function _requireAttested(bytes calldata message, bytes calldata attestation) private view {
        uint256 wanted = SIGNATURE_LENGTH * signatureThreshold;
        if (attestation.length != wanted)
            revert MessageTransmitterV2_AttestationLength(attestation.length, wanted);
        bytes32 digest = keccak256(message);
        address last = address(0);
        for (uint256 at = 0; at < wanted; at += SIGNATURE_LENGTH) {
            address attester = ECDSA.recover(digest, attestation[at:at + SIGNATURE_LENGTH]);
            if (attester <= last || !isEnabledAttester[attester])
                revert MessageTransmitterV2_BadAttester(attester);
            last = attester;
        }
    }
}
