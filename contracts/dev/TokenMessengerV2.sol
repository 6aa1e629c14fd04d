// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IMessageHandlerV2, MessageTransmitterV2} from "./MessageTransmitterV2.sol";
import {TestUSDC} from "./TestUSDC.sol";

/// @title TokenMessengerV2
/// @notice CCTP v2's token layer for local chains: burns TestUSDC here so that it is minted on another domain, with the
///         functions, events and burn message of Circle's. Not for any chain with value.
/// @dev A burn message is packed: version 4 bytes, then burn token, mint recipient, amount, message sender, maximum
///      fee, fee executed and expiration block of 32 each, then the hook's data. Fee and expiration are the attester's
///      to fill in; only a message that was attested before finality has them. (Circle, CCTP v2, 2025.)
contract TokenMessengerV2 is IMessageHandlerV2 {
    /// @notice Format of burn messages.
    // solhint-disable-next-line const-name-snakecase
    uint32 public constant messageBodyVersion = 1;
    /// @notice Least finality that is taken.
    uint32 public constant MIN_FINALITY = 500;
    uint256 private constant BODY_LENGTH = 228;

    /// @notice What carries the messages.
    MessageTransmitterV2 public immutable localMessageTransmitter;
    /// @notice What is burnt and minted; this contract must be one of its minters.
    TestUSDC public immutable token;
    /// @notice Says which messengers on other domains are its own kind.
    address public immutable owner;
    /// @notice Who gets the fees of messages that did not wait for finality.
    address public immutable feeRecipient;
    /// @notice The messenger of each other domain.
    mapping(uint32 domain => bytes32) public remoteTokenMessengers;
    /// @notice The token that is burnt there.
    mapping(uint32 domain => bytes32) public remoteTokens;

    event DepositForBurn(
        address indexed burnToken,
        uint256 amount,
        address indexed depositor,
        bytes32 mintRecipient,
        uint32 destinationDomain,
        bytes32 destinationTokenMessenger,
        bytes32 destinationCaller,
        uint256 maxFee,
        uint32 indexed minFinalityThreshold,
        bytes hookData
    );
    event MintAndWithdraw(
        address indexed mintRecipient,
        uint256 amount,
        address indexed mintToken,
        uint256 feeCollected
    );
    event RemoteTokenMessengerAdded(uint32 domain, bytes32 tokenMessenger);

    error TokenMessengerV2_NotOwner(address caller, address owner);
    error TokenMessengerV2_ZeroAmount();
    error TokenMessengerV2_NoRecipient();
    error TokenMessengerV2_NoHook();
    error TokenMessengerV2_FeeTooHigh(uint256 got, uint256 limit);
    error TokenMessengerV2_UnknownToken(bytes32 got);
    error TokenMessengerV2_UnknownDomain(uint32 domain);
    error TokenMessengerV2_NotTransmitter(address caller);
    error TokenMessengerV2_WrongSender(uint32 domain, bytes32 got);
    error TokenMessengerV2_TooShort(uint256 got, uint256 wanted);
    error TokenMessengerV2_WrongVersion(uint32 got, uint32 wanted);
    error TokenMessengerV2_FinalityTooLow(uint32 got, uint32 wanted);
    error TokenMessengerV2_Expired(uint256 blockNumber, uint256 expirationBlock);

    constructor(MessageTransmitterV2 transmitter, TestUSDC token_, address owner_, address feeRecipient_) {
        (localMessageTransmitter, token) = (transmitter, token_);
        (owner, feeRecipient) = (owner_, feeRecipient_);
    }

    modifier onlyFrom(uint32 domain, bytes32 sender) {
        if (msg.sender != address(localMessageTransmitter))
            revert TokenMessengerV2_NotTransmitter(msg.sender);
        if (sender == 0 || sender != remoteTokenMessengers[domain])
            revert TokenMessengerV2_WrongSender(domain, sender);
        _;
    }

    /// @notice Knows another domain's messenger and token. For the owner.
    function addRemoteTokenMessenger(uint32 domain, bytes32 tokenMessenger, bytes32 remoteToken) external {
        if (msg.sender != owner) revert TokenMessengerV2_NotOwner(msg.sender, owner);
        (remoteTokenMessengers[domain], remoteTokens[domain]) = (tokenMessenger, remoteToken);
        emit RemoteTokenMessengerAdded(domain, tokenMessenger);
    }

    /// @notice Burns the caller's tokens, which it has approved, to be minted for `mintRecipient` on another domain.
    function depositForBurn(
        uint256 amount,
        uint32 destinationDomain,
        bytes32 mintRecipient,
        address burnToken,
        bytes32 destinationCaller,
        uint256 maxFee,
        uint32 minFinalityThreshold
    ) external {
        _burn(
            Burn(amount, mintRecipient, burnToken, maxFee, msg.data[:0]),
            destinationDomain,
            destinationCaller,
            minFinalityThreshold
        );
    }

    /// @notice The same, with data for whoever acts on it there.
    function depositForBurnWithHook(
        uint256 amount,
        uint32 destinationDomain,
        bytes32 mintRecipient,
        address burnToken,
        bytes32 destinationCaller,
        uint256 maxFee,
        uint32 minFinalityThreshold,
        bytes calldata hookData
    ) external {
        if (hookData.length == 0) revert TokenMessengerV2_NoHook();
        _burn(
            Burn(amount, mintRecipient, burnToken, maxFee, hookData),
            destinationDomain,
            destinationCaller,
            minFinalityThreshold
        );
    }

    /// @inheritdoc IMessageHandlerV2
    function handleReceiveFinalizedMessage(
        uint32 sourceDomain,
        bytes32 sender,
        uint32,
        bytes calldata messageBody
    ) external onlyFrom(sourceDomain, sender) returns (bool) {
        _requireBody(sourceDomain, messageBody);
        _mint(messageBody, 0);
        return true;
    }

    /// @inheritdoc IMessageHandlerV2
    function handleReceiveUnfinalizedMessage(
        uint32 sourceDomain,
        bytes32 sender,
        uint32 finalityThresholdExecuted,
        bytes calldata messageBody
    ) external onlyFrom(sourceDomain, sender) returns (bool) {
        if (finalityThresholdExecuted < MIN_FINALITY)
            revert TokenMessengerV2_FinalityTooLow(finalityThresholdExecuted, MIN_FINALITY);
        _requireBody(sourceDomain, messageBody);
        uint256 expirationBlock = _word(messageBody, 196);
        if (expirationBlock != 0 && expirationBlock <= block.number)
            revert TokenMessengerV2_Expired(block.number, expirationBlock);
        (uint256 fee, uint256 maxFee) = (_word(messageBody, 164), _word(messageBody, 132));
        if (fee > maxFee) revert TokenMessengerV2_FeeTooHigh(fee, maxFee);
        _mint(messageBody, fee);
        return true;
    }

    /// @dev In memory: the two calls have more arguments than the stack holds.
    struct Burn {
        uint256 amount;
        bytes32 mintRecipient;
        address token;
        uint256 maxFee;
        bytes hookData;
    }

    function _burn(Burn memory burn, uint32 domain, bytes32 destinationCaller, uint32 minFinality) private {
        if (burn.amount == 0) revert TokenMessengerV2_ZeroAmount();
        if (burn.mintRecipient == 0) revert TokenMessengerV2_NoRecipient();
        if (burn.maxFee >= burn.amount) revert TokenMessengerV2_FeeTooHigh(burn.maxFee, burn.amount - 1);
        if (burn.token != address(token)) revert TokenMessengerV2_UnknownToken(_bytes32(burn.token));
        bytes32 messenger = remoteTokenMessengers[domain];
        if (messenger == 0) revert TokenMessengerV2_UnknownDomain(domain);
        token.transferFrom(msg.sender, address(this), burn.amount);
        token.burn(burn.amount);
        localMessageTransmitter.sendMessage(domain, messenger, destinationCaller, minFinality, _pack(burn));
        emit DepositForBurn(
            burn.token,
            burn.amount,
            msg.sender,
            burn.mintRecipient,
            domain,
            messenger,
            destinationCaller,
            burn.maxFee,
            minFinality,
            burn.hookData
        );
    }

    function _mint(bytes calldata body, uint256 fee) private {
        address recipient = address(uint160(_word(body, 36)));
        uint256 amount = _word(body, 68) - fee;
        token.mint(recipient, amount);
        if (fee != 0) token.mint(feeRecipient, fee);
        emit MintAndWithdraw(recipient, amount, address(token), fee);
    }

    function _requireBody(uint32 sourceDomain, bytes calldata body) private view {
        if (body.length < BODY_LENGTH) revert TokenMessengerV2_TooShort(body.length, BODY_LENGTH);
        uint32 got = uint32(bytes4(body[:4]));
        if (got != messageBodyVersion) revert TokenMessengerV2_WrongVersion(got, messageBodyVersion);
        bytes32 burnt = bytes32(_word(body, 4));
        if (burnt != remoteTokens[sourceDomain]) revert TokenMessengerV2_UnknownToken(burnt);
    }

    function _pack(Burn memory burn) private view returns (bytes memory) {
        bytes memory head = abi.encodePacked(messageBodyVersion, _bytes32(burn.token), burn.mintRecipient);
        bytes memory rest = abi.encodePacked(burn.amount, _bytes32(msg.sender), burn.maxFee);
        return abi.encodePacked(head, rest, uint256(0), uint256(0), burn.hookData);
    }

    function _word(bytes calldata body, uint256 at) private pure returns (uint256) {
        return uint256(bytes32(body[at:at + 32]));
    }

    function _bytes32(address account) private pure returns (bytes32) {
        return bytes32(uint256(uint160(account)));
    }
}
