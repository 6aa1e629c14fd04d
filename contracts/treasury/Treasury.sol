// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IERC721Receiver} from "@openzeppelin/contracts/token/ERC721/IERC721Receiver.sol";
import {IERC1155Receiver} from "@openzeppelin/contracts/token/ERC1155/IERC1155Receiver.sol";
import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {EnumerableSet} from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";
import {IChannels} from "../interfaces/IChannels.sol";
import {IERC3009Domain} from "../interfaces/IERC3009Domain.sol";
import {ITreasury} from "../interfaces/ITreasury.sol";
import {Budget} from "./Budget.sol";

/// @title Treasury
/// @dev Immutable; a TreasuryFactory makes ERC-1167 clones of it. See {ITreasury}.
contract Treasury is
    ITreasury,
    IERC1271,
    IERC721Receiver,
    IERC1155Receiver,
    EIP712,
    ReentrancyGuardTransient
{
    using EnumerableSet for EnumerableSet.AddressSet;
    using SafeERC20 for IERC20;

    /// @dev A hash that {isValidSignature} accepts.
    struct Authorization {
        address spender;
        uint40 validBefore;
    }

    uint256 private constant MAX_OWNERS = 32;
    uint256 private constant MAX_TOKENS_PER_SPENDER = 32;
    /// @notice How long a proposal that {pay} opens may be executed.
    uint256 private constant PROPOSAL_LIFETIME = 7 days;
    uint256 private constant MAX_DEPOSIT_LIFETIME = 1 hours;

    bytes32 private constant CALL_TYPEHASH = keccak256("Call(address to,uint256 value,bytes data)");
    bytes32 private constant PROPOSAL_TYPEHASH = keccak256(
        "Proposal(Call[] calls,uint256 nonce,uint256 deadline)Call(address to,uint256 value,bytes data)"
    );
    bytes32 private constant SPEND_TYPEHASH = keccak256(
        "Spend(address agent,address token,address to,uint256 amount,"
        "bytes32 reference,uint256 nonce,uint256 validBefore)"
    );
    /// @dev EIP-712 types of x402's `batch-settlement` scheme, ERC-3009 and EIP-712 itself.
    bytes32 private constant CHANNEL_TYPEHASH = keccak256(
        "ChannelConfig(address payer,address payerAuthorizer,address receiver,"
        "address receiverAuthorizer,address token,uint40 withdrawDelay,bytes32 salt)"
    );
    bytes32 private constant RECEIVE_TYPEHASH = keccak256(
        "ReceiveWithAuthorization(address from,address to,uint256 value,"
        "uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );
    bytes32 private constant DOMAIN_TYPEHASH = keccak256(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    );

    bytes4 private constant INVALID_SIGNATURE = 0xffffffff;
    uint256 private constant MAX_REASON_BYTES = 256;

    uint16 private _threshold;
    bool private _paused;

    EnumerableSet.AddressSet private _owners;
    mapping(uint256 word => uint256) private _nonces;
    mapping(bytes32 id => mapping(address owner => bool)) private _approvals;

    mapping(address spender => mapping(address token => Budget.Book)) private _books;
    mapping(address spender => mapping(address recipient => bool)) private _recipients;
    mapping(address spender => mapping(uint256 word => uint256)) private _references;
    mapping(address agent => mapping(uint256 word => uint256)) private _spendNonces;
    mapping(address spender => EnumerableSet.AddressSet) private _tokens;
    mapping(address spender => bool) private _frozen;

    mapping(address collector => address settlement) private _settlements;
    mapping(bytes32 hash => Authorization) private _authorizations;

    modifier onlySelf() {
        _requireSelf();
        _;
    }

    modifier onlyOwner() {
        if (!_owners.contains(msg.sender)) revert Treasury_NotOwner(msg.sender);
        _;
    }

    /// @dev For what only tightens.
    modifier onlyOwnerOrSelf() {
        _requireOwnerOrSelf();
        _;
    }

    /// @param owners_ first owners; none makes an implementation for clones, unusable itself
    constructor(address[] memory owners_, uint256 threshold_) EIP712("Bursar Treasury", "1") {
        // Without owners nothing but an unreachable threshold is left, so no one can ever initialise it either.
        if (owners_.length == 0) _threshold = type(uint16).max;
        else _initialize(owners_, threshold_);
    }

    receive() external payable {
        emit NativeReceived(msg.sender, msg.value);
    }

    /// @inheritdoc ITreasury
    function initialize(address[] calldata owners_, uint256 threshold_) external {
        if (_threshold != 0) revert Treasury_AlreadyInitialized();
        _initialize(owners_, threshold_);
    }

    // ------------------------------------------------------------------ owners

    /// @inheritdoc ITreasury
    function addOwner(address owner) external onlySelf {
        _addOwner(owner);
    }

    /// @inheritdoc ITreasury
    function removeOwner(address owner) external onlySelf {
        if (!_owners.remove(owner)) revert Treasury_NotOwner(owner);
        if (_owners.length() < _threshold) {
            revert Treasury_ThresholdOutOfRange(_threshold, _owners.length());
        }
        emit OwnerRemoved(owner);
    }

    /// @inheritdoc ITreasury
    function replaceOwner(address owner, address successor) external onlySelf {
        if (!_owners.remove(owner)) revert Treasury_NotOwner(owner);
        emit OwnerRemoved(owner);
        _addOwner(successor);
    }

    /// @inheritdoc ITreasury
    function setThreshold(uint256 threshold_) external onlySelf {
        _setThreshold(threshold_);
    }

    // ------------------------------------------------------------------ budgets

    /// @inheritdoc ITreasury
    function setBudget(address spender, address token, BudgetTerms calldata terms) external onlySelf {
        if (spender == address(0) || spender == address(this)) revert Treasury_SpenderInvalid(spender);
        EnumerableSet.AddressSet storage tokens = _tokens[spender];
        tokens.add(token);
        if (tokens.length() > MAX_TOKENS_PER_SPENDER) {
            revert Treasury_TooManyTokens(tokens.length(), MAX_TOKENS_PER_SPENDER);
        }
        uint256 packed = Budget.pack(terms);
        if (_frozen[spender]) packed |= Budget.FROZEN;
        _setTerms(_books[spender][token], packed);
        emit BudgetSet(spender, token, terms);
    }

    /// @inheritdoc ITreasury
    function lowerBudget(
        address spender,
        address token,
        BudgetTerms calldata terms
    ) external onlyOwnerOrSelf {
        Budget.Book storage book = _activeBook(spender, token);
        uint256 old = book.terms;
        uint256 packed = Budget.pack(terms) | (old & Budget.FROZEN);
        Budget.requireLower(packed, old);
        _setTerms(book, packed);
        emit BudgetLowered(spender, token, terms, msg.sender);
    }

    /// @inheritdoc ITreasury
    function removeBudget(address spender, address token) external onlyOwnerOrSelf {
        Budget.Book storage book = _activeBook(spender, token);
        // The limits stay, because the windows are parts of them.
        book.terms &= ~Budget.ACTIVE;
        _tokens[spender].remove(token);
        emit BudgetRemoved(spender, token, msg.sender);
    }

    /// @inheritdoc ITreasury
    function allowRecipients(address spender, address[] calldata recipients) external onlySelf {
        for (uint256 i; i < recipients.length; ++i) {
            _recipients[spender][recipients[i]] = true;
            emit RecipientAllowed(spender, recipients[i]);
        }
    }

    /// @inheritdoc ITreasury
    function denyRecipients(address spender, address[] calldata recipients) external onlyOwnerOrSelf {
        for (uint256 i; i < recipients.length; ++i) {
            _recipients[spender][recipients[i]] = false;
            emit RecipientDenied(spender, recipients[i], msg.sender);
        }
    }

    /// @inheritdoc ITreasury
    function freeze(address spender) external onlyOwnerOrSelf {
        _frozen[spender] = true;
        // Each budget carries the flag too, which saves a payment one storage read.
        EnumerableSet.AddressSet storage tokens = _tokens[spender];
        for (uint256 i; i < tokens.length(); ++i) {
            _books[spender][tokens.pos(i)].terms |= Budget.FROZEN;
        }
        emit SpenderFrozen(spender, msg.sender);
    }

    /// @inheritdoc ITreasury
    function unfreeze(address spender) external onlySelf {
        _frozen[spender] = false;
        EnumerableSet.AddressSet storage tokens = _tokens[spender];
        for (uint256 i; i < tokens.length(); ++i) {
            _books[spender][tokens.pos(i)].terms &= ~Budget.FROZEN;
        }
        emit SpenderUnfrozen(spender);
    }

    /// @inheritdoc ITreasury
    function pause() external onlyOwnerOrSelf {
        _paused = true;
        emit Paused(msg.sender);
    }

    /// @inheritdoc ITreasury
    function unpause() external onlySelf {
        _paused = false;
        emit Unpaused();
    }

    // ------------------------------------------------------------------ spending

    /// @inheritdoc ITreasury
    function pay(
        address token,
        address to,
        uint256 amount,
        bytes32 ref
    ) external nonReentrant returns (bytes32 proposalId) {
        return _pay(msg.sender, token, to, amount, ref);
    }

    /// @inheritdoc ITreasury
    function payBatch(
        Payment[] calldata payments
    ) external nonReentrant returns (bytes32[] memory proposalIds) {
        proposalIds = new bytes32[](payments.length);
        for (uint256 i; i < payments.length; ++i) {
            Payment calldata payment = payments[i];
            proposalIds[i] = _pay(msg.sender, payment.token, payment.to, payment.amount, payment.ref);
        }
    }

    /// @inheritdoc ITreasury
    function paySigned(
        Spend calldata spend,
        bytes calldata signature
    ) external nonReentrant returns (bytes32 proposalId) {
        if (block.timestamp >= spend.validBefore) {
            revert Treasury_Expired(block.timestamp, spend.validBefore);
        }
        _useSpendNonce(spend.agent, spend.nonce);
        bytes32 digest = hashSpend(spend);
        if (!_isSigned(spend.agent, digest, signature)) {
            revert Treasury_SignatureInvalid(spend.agent, digest);
        }
        return _pay(spend.agent, spend.token, spend.to, spend.amount, spend.ref);
    }

    /// @inheritdoc ITreasury
    function cancelSpend(uint256 nonce) external {
        _useSpendNonce(msg.sender, nonce);
    }

    /// @inheritdoc ITreasury
    function canSpend(
        address spender,
        address token,
        address to,
        uint256 amount
    ) external view returns (Verdict verdict, Reason reason, uint256 left, uint256 resetsAt) {
        (reason, ) = _decide(spender, token, to, amount);
        if (reason == Reason.ApprovalAbove) verdict = Verdict.Propose;
        if (reason == Reason.None) {
            uint256 balance =
                token == address(0) ? address(this).balance : IERC20(token).balanceOf(address(this));
            if (balance < amount) return (Verdict.Deny, Reason.Balance, balance, 0);
            verdict = Verdict.Execute;
        }
        (left, resetsAt) = _explain(spender, token, amount, reason);
    }

    // ------------------------------------------------------------------ proposals

    /// @inheritdoc ITreasury
    function propose(
        Call[] calldata calls,
        uint256 nonce,
        uint256 deadline
    ) external onlyOwner returns (bytes32 id) {
        if (calls.length == 0) revert Treasury_NoCalls();
        if (block.timestamp > deadline) revert Treasury_Expired(block.timestamp, deadline);
        if (isNonceUsed(nonce)) revert Treasury_NonceUsed(nonce);
        id = hashProposal(calls, nonce, deadline);
        emit ProposalOpened(id, msg.sender, nonce, calls, deadline, 0);
        _approve(id);
    }

    /// @inheritdoc ITreasury
    function approve(bytes32 id) external onlyOwner {
        _approve(id);
    }

    /// @inheritdoc ITreasury
    function cancelProposal(uint256 nonce) external onlyOwnerOrSelf {
        if (!_use(_nonces, nonce)) revert Treasury_NonceUsed(nonce);
        emit ProposalCancelled(nonce, msg.sender);
    }

    /// @inheritdoc ITreasury
    function execute(
        Call[] calldata calls,
        uint256 nonce,
        uint256 deadline,
        bytes[] calldata signatures
    ) external nonReentrant returns (bytes32 id) {
        if (calls.length == 0) revert Treasury_NoCalls();
        if (block.timestamp > deadline) revert Treasury_Expired(block.timestamp, deadline);
        if (!_use(_nonces, nonce)) revert Treasury_NonceUsed(nonce);
        id = hashProposal(calls, nonce, deadline);
        _requireQuorum(id, signatures);
        emit ProposalExecuted(id, nonce);
        for (uint256 i; i < calls.length; ++i) {
            _call(i, calls[i]);
        }
    }

    /// @inheritdoc ITreasury
    function disburse(
        address spender,
        address token,
        address to,
        uint256 amount,
        bytes32 ref
    ) external onlySelf {
        emit Disbursed(spender, token, to, amount, ref);
        _send(token, to, amount);
    }

    // ------------------------------------------------------------------ ERC-1271

    /// @inheritdoc ITreasury
    function setCollector(address collector, address settlement) external onlySelf {
        _settlements[collector] = settlement;
        emit CollectorSet(collector, settlement);
    }

    /// @inheritdoc ITreasury
    function authorizeDeposit(
        ChannelConfig calldata channel,
        uint128 amount,
        address collector,
        uint256 salt,
        uint256 validBefore
    ) external nonReentrant returns (bytes32 hash) {
        bytes32 channelId = channelIdOf(_requireCollector(collector), channel);
        if (channel.payer != address(this)) {
            revert Treasury_ChannelPayerInvalid(channel.payer, address(this));
        }
        if (channel.payerAuthorizer == address(0)) revert Treasury_ChannelAuthorizerZero();
        if (validBefore <= block.timestamp) revert Treasury_Expired(block.timestamp, validBefore);
        if (validBefore - block.timestamp > MAX_DEPOSIT_LIFETIME) {
            revert Treasury_LifetimeTooLong(validBefore - block.timestamp, MAX_DEPOSIT_LIFETIME);
        }
        address token = channel.token;
        if (!_charge(msg.sender, token, channel.receiver, amount)) {
            revert Treasury_ApprovalRequired(
                amount,
                Budget.limitOf(_books[msg.sender][token].terms, Budget.APPROVAL_ABOVE)
            );
        }
        hash = _receiveDigest(
            token,
            keccak256(
                abi.encode(
                    RECEIVE_TYPEHASH,
                    address(this),
                    collector,
                    amount,
                    0,
                    validBefore,
                    keccak256(abi.encode(channelId, salt))
                )
            )
        );
        if (_authorizations[hash].validBefore != 0) revert Treasury_HashAlreadyAuthorized(hash);
        _authorizations[hash] = Authorization(msg.sender, uint40(validBefore));
        emit DepositAuthorized(msg.sender, token, channelId, amount, hash, collector, validBefore);
    }

    /// @inheritdoc ITreasury
    function authorizeHash(bytes32 hash, uint256 validBefore) external onlySelf {
        uint256 limit = type(uint40).max;
        if (validBefore > limit) revert Treasury_LifetimeTooLong(validBefore, limit);
        if (validBefore <= block.timestamp) revert Treasury_Expired(block.timestamp, validBefore);
        _authorizations[hash] = Authorization(address(0), uint40(validBefore));
        emit HashAuthorized(hash, validBefore);
    }

    /// @inheritdoc ITreasury
    function revokeHash(bytes32 hash) external {
        Authorization memory authorization = _authorizations[hash];
        if (authorization.validBefore == 0) revert Treasury_HashUnknown(hash);
        if (authorization.spender != msg.sender) _requireOwnerOrSelf();
        delete _authorizations[hash];
        emit HashRevoked(hash, msg.sender);
    }

    /// @inheritdoc ITreasury
    function recallChannel(
        address collector,
        ChannelConfig calldata channel,
        uint128 amount
    ) external onlyOwnerOrSelf {
        address settlement = _requireCollector(collector);
        emit ChannelRecalled(channelIdOf(settlement, channel), amount, msg.sender);
        IChannels(settlement).initiateWithdraw(channel, amount);
    }

    /// @inheritdoc ITreasury
    function finalizeRecall(address collector, ChannelConfig calldata channel) external {
        IChannels(_requireCollector(collector)).finalizeWithdraw(channel);
    }

    /// @notice ERC-1271. Accepts only hashes that the Treasury recorded in a transaction and that still stand;
    /// the signature's bytes do not matter.
    /// @inheritdoc IERC1271
    function isValidSignature(bytes32 hash, bytes calldata) external view returns (bytes4) {
        Authorization memory authorization = _authorizations[hash];
        if (block.timestamp >= authorization.validBefore) return INVALID_SIGNATURE;
        address spender = authorization.spender;
        if (spender != address(0) && (_paused || _frozen[spender])) return INVALID_SIGNATURE;
        return IERC1271.isValidSignature.selector;
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc ITreasury
    function owners() external view returns (address[] memory) {
        return _owners.values();
    }

    /// @inheritdoc ITreasury
    function isOwner(address account) external view returns (bool) {
        return _owners.contains(account);
    }

    /// @inheritdoc ITreasury
    function threshold() external view returns (uint256) {
        return _threshold;
    }

    /// @inheritdoc ITreasury
    function isPaused() external view returns (bool) {
        return _paused;
    }

    /// @inheritdoc ITreasury
    function isFrozen(address spender) external view returns (bool) {
        return _frozen[spender];
    }

    /// @inheritdoc ITreasury
    function budgetOf(
        address spender,
        address token
    ) external view returns (BudgetTerms memory terms, bool active) {
        uint256 packed = _books[spender][token].terms;
        return (Budget.unpack(packed), packed & Budget.ACTIVE != 0);
    }

    /// @inheritdoc ITreasury
    function usageOf(address spender, address token) external view returns (WindowUsage[4] memory usage) {
        Budget.Book storage book = _books[spender][token];
        uint256 terms = book.terms;
        uint256 windows = Budget.moveOn(terms, book.windows, block.timestamp);
        for (uint256 window; window < Budget.WINDOWS; ++window) {
            usage[window] = Budget.usage(terms, windows, window);
        }
    }

    /// @inheritdoc ITreasury
    function tokensOf(address spender) external view returns (address[] memory) {
        return _tokens[spender].values();
    }

    /// @inheritdoc ITreasury
    function isRecipientAllowed(address spender, address recipient) external view returns (bool) {
        return _recipients[spender][recipient];
    }

    /// @inheritdoc ITreasury
    function isReferenceUsed(address spender, bytes32 ref) external view returns (bool) {
        return _isUsed(_references[spender], uint256(ref));
    }

    /// @inheritdoc ITreasury
    function isSpendNonceUsed(address agent, uint256 nonce) external view returns (bool) {
        return _isUsed(_spendNonces[agent], nonce);
    }

    /// @inheritdoc ITreasury
    function isNonceUsed(uint256 nonce) public view returns (bool) {
        return _isUsed(_nonces, nonce);
    }

    /// @inheritdoc ITreasury
    function hasApproved(bytes32 id, address owner) external view returns (bool) {
        return _approvals[id][owner];
    }

    /// @inheritdoc ITreasury
    function authorizationOf(bytes32 hash) external view returns (address spender, uint256 validBefore) {
        Authorization memory authorization = _authorizations[hash];
        return (authorization.spender, authorization.validBefore);
    }

    /// @inheritdoc ITreasury
    function settlementOf(address collector) external view returns (address) {
        return _settlements[collector];
    }

    /// @inheritdoc ITreasury
    function hashProposal(
        Call[] calldata calls,
        uint256 nonce,
        uint256 deadline
    ) public view returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](calls.length);
        for (uint256 i; i < calls.length; ++i) {
            Call calldata call = calls[i];
            hashes[i] = _hashCall(call.to, call.value, keccak256(call.data));
        }
        return _hashProposal(hashes, nonce, deadline);
    }

    /// @inheritdoc ITreasury
    function hashSpend(Spend calldata spend) public view returns (bytes32) {
        // All members are single words, so the struct's ABI encoding is its EIP-712 encoding.
        return _hashTypedDataV4(keccak256(abi.encode(SPEND_TYPEHASH, spend)));
    }

    /// @inheritdoc ITreasury
    function channelIdOf(address settlement, ChannelConfig calldata channel) public view returns (bytes32) {
        return
            MessageHashUtils.toTypedDataHash(
                _domain(keccak256("x402 Batch Settlement"), keccak256("1"), settlement),
                keccak256(abi.encode(CHANNEL_TYPEHASH, channel))
            );
    }

    /// @inheritdoc ITreasury
    function proposalNonceOf(address spender, bytes32 ref) public pure returns (uint256) {
        return uint256(keccak256(abi.encode(spender, ref)));
    }

    // ------------------------------------------------------------------ receivers

    /// @inheritdoc IERC721Receiver
    function onERC721Received(address, address, uint256, bytes calldata) external pure returns (bytes4) {
        return IERC721Receiver.onERC721Received.selector;
    }

    /// @inheritdoc IERC1155Receiver
    function onERC1155Received(
        address,
        address,
        uint256,
        uint256,
        bytes calldata
    ) external pure returns (bytes4) {
        return IERC1155Receiver.onERC1155Received.selector;
    }

    /// @inheritdoc IERC1155Receiver
    function onERC1155BatchReceived(
        address,
        address,
        uint256[] calldata,
        uint256[] calldata,
        bytes calldata
    ) external pure returns (bytes4) {
        return IERC1155Receiver.onERC1155BatchReceived.selector;
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return
            interfaceId == type(IERC165).interfaceId ||
            interfaceId == type(ITreasury).interfaceId ||
            interfaceId == type(IERC1271).interfaceId ||
            interfaceId == type(IERC721Receiver).interfaceId ||
            interfaceId == type(IERC1155Receiver).interfaceId;
    }

    // ------------------------------------------------------------------ inside: owners

    function _initialize(address[] memory owners_, uint256 threshold_) private {
        for (uint256 i; i < owners_.length; ++i) {
            _addOwner(owners_[i]);
        }
        _setThreshold(threshold_);
    }

    function _addOwner(address owner) private {
        if (owner == address(0) || owner == address(this)) revert Treasury_OwnerInvalid(owner);
        if (!_owners.add(owner)) revert Treasury_OwnerExists(owner);
        if (_owners.length() > MAX_OWNERS) revert Treasury_TooManyOwners(_owners.length(), MAX_OWNERS);
        emit OwnerAdded(owner);
    }

    function _setThreshold(uint256 threshold_) private {
        if (threshold_ == 0 || threshold_ > _owners.length()) {
            revert Treasury_ThresholdOutOfRange(threshold_, _owners.length());
        }
        _threshold = uint16(threshold_);
        emit ThresholdSet(threshold_);
    }

    function _requireSelf() private view {
        if (msg.sender != address(this)) revert Treasury_NotSelf(msg.sender);
    }

    function _requireOwnerOrSelf() private view {
        if (msg.sender != address(this) && !_owners.contains(msg.sender)) {
            revert Treasury_NotOwner(msg.sender);
        }
    }

    // ------------------------------------------------------------------ inside: budgets

    function _activeBook(address spender, address token) private view returns (Budget.Book storage book) {
        book = _books[spender][token];
        if (book.terms & Budget.ACTIVE == 0) revert Treasury_BudgetMissing(spender, token);
    }

    function _setTerms(Budget.Book storage book, uint256 packed) private {
        uint256 old = book.terms;
        book.windows = Budget.convert(Budget.moveOn(old, book.windows, block.timestamp), old, packed);
        book.terms = packed;
    }

    // ------------------------------------------------------------------ inside: spending

    function _pay(
        address spender,
        address token,
        address to,
        uint256 amount,
        bytes32 ref
    ) private returns (bytes32 proposalId) {
        if (!_use(_references[spender], uint256(ref))) revert Treasury_ReferenceUsed(spender, ref);
        if (!_charge(spender, token, to, amount)) return _openPayment(spender, token, to, amount, ref);
        emit Paid(spender, token, to, amount, ref);
        _send(token, to, amount);
    }

    /// @dev Charges a spend to its budget; false, and nothing charged, if it needs the owners.
    function _charge(address spender, address token, address to, uint256 amount) private returns (bool) {
        (Reason reason, uint256 windows) = _decide(spender, token, to, amount);
        if (reason == Reason.None) {
            _books[spender][token].windows = windows;
            return true;
        }
        if (reason == Reason.ApprovalAbove) return false;
        (uint256 left, uint256 resetsAt) = _explain(spender, token, amount, reason);
        revert Treasury_SpendDenied(reason, amount, left, resetsAt);
    }

    /// @dev The one place where a spend is judged.
    /// @return reason why not to execute, or `None`
    /// @return windows after the spend; meaningful with `Reason.None` only
    function _decide(
        address spender,
        address token,
        address to,
        uint256 amount
    ) private view returns (Reason reason, uint256 windows) {
        Budget.Book storage book = _books[spender][token];
        uint256 terms = book.terms;
        reason = _judge(spender, to, amount, terms);
        if (reason != Reason.None) return (reason, 0);
        return Budget.charge(terms, Budget.moveOn(terms, book.windows, block.timestamp), amount);
    }

    /// @dev All that is judged before the windows are.
    function _judge(
        address spender,
        address to,
        uint256 amount,
        uint256 terms
    ) private view returns (Reason) {
        if (_paused) return Reason.Paused;
        if (amount == 0) return Reason.AmountZero;
        if (terms & Budget.ACTIVE == 0) return Reason.NoBudget;
        if (terms & Budget.FROZEN != 0) return Reason.Frozen;
        if (block.timestamp > Budget.validUntil(terms)) return Reason.Expired;
        if (to == address(0) || to == address(this)) return Reason.Recipient;
        if (terms & Budget.RECIPIENTS_ONLY != 0 && !_recipients[spender][to]) return Reason.Recipient;
        uint256 limit = Budget.limitOf(terms, Budget.PER_TRANSACTION);
        if (amount > limit) return Reason.PerTransaction;
        limit = Budget.limitOf(terms, Budget.APPROVAL_ABOVE);
        if (amount > limit) return Reason.ApprovalAbove;
        return Reason.None;
    }

    /// @dev The figures beside a reason, as {canSpend} documents them.
    function _explain(
        address spender,
        address token,
        uint256 amount,
        Reason reason
    ) private view returns (uint256 left, uint256 resetsAt) {
        Budget.Book storage book = _books[spender][token];
        uint256 terms = book.terms;
        if (reason == Reason.PerTransaction) return (Budget.limitOf(terms, Budget.PER_TRANSACTION), 0);
        if (reason == Reason.ApprovalAbove) return (Budget.limitOf(terms, Budget.APPROVAL_ABOVE), 0);
        if (reason != Reason.None && reason < Reason.Hourly) return (0, 0);
        uint256 windows = Budget.moveOn(terms, book.windows, block.timestamp);
        if (reason == Reason.None) return (Budget.leftAtOnce(terms, windows), 0);
        uint256 window = uint256(reason) - uint256(Reason.Hourly);
        left = Budget.leftIn(terms, windows, window);
        resetsAt = Budget.roomAt(terms, windows, window, amount);
    }

    /// @dev Opens the proposal by which the owners can make the payment; it runs the same checked transfer.
    function _openPayment(
        address spender,
        address token,
        address to,
        uint256 amount,
        bytes32 ref
    ) private returns (bytes32 id) {
        Call[] memory calls = new Call[](1);
        calls[0] = Call(address(this), 0, abi.encodeCall(this.disburse, (spender, token, to, amount, ref)));
        uint256 nonce = proposalNonceOf(spender, ref);
        uint256 deadline = block.timestamp + PROPOSAL_LIFETIME;
        bytes32[] memory hashes = new bytes32[](1);
        hashes[0] = _hashCall(address(this), 0, keccak256(calls[0].data));
        id = _hashProposal(hashes, nonce, deadline);
        emit ProposalOpened(id, spender, nonce, calls, deadline, ref);
    }

    function _send(address token, address to, uint256 amount) private {
        if (token != address(0)) {
            IERC20(token).safeTransfer(to, amount);
            return;
        }
        emit NativeSent(to, amount);
        if (!LowLevelCall.callNoReturn(to, amount, "")) revert Treasury_NativeTransferFailed(to, amount);
    }

    function _useSpendNonce(address agent, uint256 nonce) private {
        if (!_use(_spendNonces[agent], nonce)) revert Treasury_SpendNonceUsed(agent, nonce);
        emit SpendNonceUsed(agent, nonce);
    }

    // ------------------------------------------------------------------ inside: proposals

    function _approve(bytes32 id) private {
        _approvals[id][msg.sender] = true;
        emit ProposalApproved(id, msg.sender);
    }

    function _requireQuorum(bytes32 id, bytes[] calldata signatures) private view {
        if (signatures.length < _threshold) revert Treasury_QuorumNotReached(signatures.length, _threshold);
        address previous;
        for (uint256 i; i < signatures.length; ++i) {
            address owner = _requireApproval(id, signatures[i]);
            if (owner <= previous) revert Treasury_OwnersNotAscending(owner, previous);
            if (!_owners.contains(owner)) revert Treasury_NotOwner(owner);
            previous = owner;
        }
    }

    /// @dev Whose approval `signature` is, in the forms that {execute} documents.
    function _requireApproval(bytes32 id, bytes calldata signature) private view returns (address owner) {
        uint256 length = signature.length;
        if (length == 65 || length == 64) {
            owner = _recover(id, signature);
            if (owner == address(0)) revert Treasury_SignatureInvalid(owner, id);
            return owner;
        }
        if (length < 20) revert Treasury_SignatureInvalid(address(0), id);
        owner = address(bytes20(signature));
        if (length == 20) {
            if (owner != msg.sender && !_approvals[id][owner]) revert Treasury_NotApproved(id, owner);
        } else if (!SignatureChecker.isValidERC1271SignatureNowCalldata(owner, id, signature[20:])) {
            revert Treasury_SignatureInvalid(owner, id);
        }
    }

    function _call(uint256 index, Call calldata call) private {
        address to = call.to;
        uint256 value = call.value;
        if (call.data.length != 0 && to.code.length == 0) revert Treasury_NoCode(to);
        if (value != 0) emit NativeSent(to, value);
        if (!LowLevelCall.callNoReturn(to, value, call.data)) {
            revert Treasury_CallFailed(index, to, _revertReason());
        }
    }

    /// @dev At most {MAX_REASON_BYTES} of what the last call returned, so that no callee can make it costly.
    function _revertReason() private pure returns (bytes memory reason) {
        uint256 size = LowLevelCall.returnDataSize();
        if (size > MAX_REASON_BYTES) size = MAX_REASON_BYTES;
        reason = new bytes(size);
        assembly ("memory-safe") {
            returndatacopy(add(reason, 0x20), 0, size)
        }
    }

    // ------------------------------------------------------------------ inside: hashes and signatures

    function _hashCall(address to, uint256 value, bytes32 dataHash) private pure returns (bytes32) {
        return keccak256(abi.encode(CALL_TYPEHASH, to, value, dataHash));
    }

    function _hashProposal(
        bytes32[] memory hashes,
        uint256 nonce,
        uint256 deadline
    ) private view returns (bytes32) {
        bytes32 callsHash;
        // keccak256(abi.encodePacked(hashes)) without the copy.
        assembly ("memory-safe") {
            callsHash := keccak256(add(hashes, 0x20), shl(5, mload(hashes)))
        }
        return _hashTypedDataV4(keccak256(abi.encode(PROPOSAL_TYPEHASH, callsHash, nonce, deadline)));
    }

    /// @dev An account's own key counts also if the account has code (EIP-7702); otherwise its code decides.
    function _isSigned(address signer, bytes32 digest, bytes calldata signature) private view returns (bool) {
        if (signer != address(0) && _recover(digest, signature) == signer) return true;
        return
            signer.code.length != 0 &&
            SignatureChecker.isValidERC1271SignatureNowCalldata(signer, digest, signature);
    }

    /// @dev Signer of a 65-byte or 64-byte (ERC-2098) ECDSA signature; zero if it is none.
    function _recover(bytes32 digest, bytes calldata signature) private pure returns (address signer) {
        if (signature.length == 65) {
            (signer, , ) = ECDSA.tryRecoverCalldata(digest, signature);
        } else if (signature.length == 64) {
            (signer, , ) = ECDSA.tryRecover(digest, bytes32(signature[:32]), bytes32(signature[32:]));
        }
    }

    /// @dev The domain is built around the token's own address and then compared with what the token says, so
    /// that no token can pass off another token's domain as its own and have that token's funds authorised.
    function _receiveDigest(address token, bytes32 structHash) private view returns (bytes32) {
        IERC3009Domain named = IERC3009Domain(token);
        bytes32 domain = _domain(keccak256(bytes(named.name())), keccak256(bytes(named.version())), token);
        bytes32 claimed = named.DOMAIN_SEPARATOR();
        if (domain != claimed) revert Treasury_DomainMismatch(claimed, domain);
        return MessageHashUtils.toTypedDataHash(domain, structHash);
    }

    function _requireCollector(address collector) private view returns (address settlement) {
        settlement = _settlements[collector];
        if (settlement == address(0)) revert Treasury_CollectorUnknown(collector);
    }

    function _domain(bytes32 name, bytes32 version, address verifier) private view returns (bytes32) {
        return keccak256(abi.encode(DOMAIN_TYPEHASH, name, version, block.chainid, verifier));
    }

    // ------------------------------------------------------------------ inside: bitmaps

    /// @dev Sets the bit of `key`; false if it was set.
    function _use(mapping(uint256 => uint256) storage bitmap, uint256 key) private returns (bool) {
        uint256 bit = 1 << (key & 0xff);
        uint256 index = key >> 8;
        uint256 word = bitmap[index];
        if (word & bit != 0) return false;
        bitmap[index] = word | bit;
        return true;
    }

    function _isUsed(mapping(uint256 => uint256) storage bitmap, uint256 key) private view returns (bool) {
        return bitmap[key >> 8] & (1 << (key & 0xff)) != 0;
    }
}
