// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {ITreasury} from "../interfaces/treasury/ITreasury.sol";
import {IScopes} from "../interfaces/treasury/IScopes.sol";
import {Bitmap} from "./Bitmap.sol";
import {Budget} from "./Budget.sol";
import {Budgets} from "./Budgets.sol";
import {Proposals} from "./Proposals.sol";
import {Signatures} from "../libraries/Signatures.sol";

/// @title Spending
/// @dev The way of money, whole: what is judged, what is charged, and every way out but the owners' own calls
/// ({Proposals.execute}) and deposits into channels, which are charged here too. See {ITreasury}.
abstract contract Spending is Budgets, Proposals {
    using Bitmap for mapping(uint256 word => uint256);
    using SafeERC20 for IERC20;

    /// @dev How long a proposal that {pay} opens may be executed.
    uint256 private constant PROPOSAL_LIFETIME = 7 days;
    /// @dev In place of the time when a payment was queued: a call that the owners' scopes allow.
    uint256 private constant SCOPED = type(uint256).max;
    /// @dev In place of a delay: the payment waits until the owners decide.
    uint256 private constant FOR_OWNERS = type(uint256).max;
    bytes32 private constant SPEND_TYPEHASH = keccak256(
        "Spend(address agent,address token,address to,uint256 amount,"
        "bytes32 reference,uint256 nonce,uint256 validBefore)"
    );

    /// @inheritdoc ITreasury
    IScopes public immutable scopes;

    mapping(address spender => mapping(uint256 word => uint256)) private _references;
    mapping(address agent => mapping(uint256 word => uint256)) private _spendNonces;
    /// @dev When a payment that waits was asked for; by the hash of its {disburse} call.
    mapping(bytes32 payment => uint256) private _queuedAt;

    constructor(IScopes scopes_) {
        scopes = scopes_;
    }

    // ------------------------------------------------------------------ ways out

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
        if (!Signatures.isSigned(spend.agent, digest, signature)) {
            revert Treasury_SignatureInvalid(spend.agent, digest);
        }
        return _pay(spend.agent, spend.token, spend.to, spend.amount, spend.ref);
    }

    /// @inheritdoc ITreasury
    function payQueued(
        address spender,
        address token,
        address to,
        uint256 amount,
        bytes32 ref
    ) external nonReentrant {
        bytes32 dataHash = keccak256(_disbursal(spender, token, to, amount, ref));
        uint256 queuedAt = _queuedAt[dataHash];
        if (queuedAt == 0) revert Treasury_PaymentNotQueued(spender, ref);
        uint256 deadline = queuedAt + PROPOSAL_LIFETIME;
        _requireInTime(deadline);
        uint256 nonce = proposalNonceOf(spender, ref);
        _useNonce(nonce);
        _charge(spender, token, to, amount, queuedAt, false);
        emit ProposalExecuted(_hashPayment(dataHash, nonce, deadline), nonce);
        _payOut(spender, token, to, amount, ref);
    }

    /// @inheritdoc ITreasury
    function callWithin(Call calldata call, uint128 amount, bytes32 ref) external nonReentrant {
        _useReference(msg.sender, ref);
        _requireNotStopped(msg.sender, amount);
        (address token, address puller) = scopes.requireAllowed(msg.sender, call.to, call.data);
        uint256 taken = _callMeasured(call, token, puller, amount);
        if (call.value != 0) _charge(msg.sender, address(0), call.to, call.value, SCOPED, false);
        if (taken != 0) _charge(msg.sender, token, call.to, taken, SCOPED, false);
        emit CalledWithin(msg.sender, call.to, token, bytes4(call.data), taken, call.value, ref);
    }

    /// @inheritdoc ITreasury
    function disburse(
        address spender,
        address token,
        address to,
        uint256 amount,
        bytes32 ref
    ) external onlySelf {
        // What owners approved before one of them stopped the spender waits until all of them say so again.
        if (spender != address(0)) _requireNotStopped(spender, amount);
        emit Disbursed(spender, token, to, amount, ref);
        _send(token, to, amount);
    }

    /// @inheritdoc ITreasury
    function migrate(address successor, address[] calldata tokens) external onlySelf {
        uint256 needed = _ask(successor, this.threshold.selector, 0);
        // The second word of an array is its length.
        if (needed == 0 || needed > _ask(successor, this.owners.selector, 1)) {
            revert Treasury_SuccessorInvalid(successor);
        }
        _paused = true;
        emit Paused(address(this));
        emit Migrated(successor);
        for (uint256 i; i < tokens.length; ++i) {
            uint256 amount = _balanceOf(tokens[i]);
            if (amount != 0) _send(tokens[i], successor, amount);
        }
    }

    /// @inheritdoc ITreasury
    function cancelSpend(uint256 nonce) external {
        _useSpendNonce(msg.sender, nonce);
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc ITreasury
    function canSpend(
        address spender,
        address token,
        address to,
        uint256 amount
    ) external view returns (Verdict verdict, Reason reason, uint256 left, uint256 resetsAt) {
        Decision memory decision = _decide(spender, token, to, amount, 0);
        reason = decision.reason;
        if (reason == Reason.ApprovalAbove) verdict = Verdict.Propose;
        if (reason == Reason.None) {
            uint256 balance = _balanceOf(token);
            if (balance < amount) return (Verdict.Deny, Reason.Balance, balance, 0);
            verdict = Verdict.Execute;
        }
        (left, resetsAt) = _explain(decision.judged, token, amount, reason);
        if (reason == Reason.None && decision.group != address(0)) {
            (uint256 leftToGroup, ) = _explain(decision.group, token, amount, reason);
            if (leftToGroup < left) left = leftToGroup;
        }
    }

    /// @inheritdoc ITreasury
    function isReferenceUsed(address spender, bytes32 ref) external view returns (bool) {
        return _references[spender].isUsed(uint256(ref));
    }

    /// @inheritdoc ITreasury
    function isSpendNonceUsed(address agent, uint256 nonce) external view returns (bool) {
        return _spendNonces[agent].isUsed(nonce);
    }

    /// @inheritdoc ITreasury
    function hashSpend(Spend calldata spend) public view returns (bytes32) {
        // All members are single words, so the struct's ABI encoding is its EIP-712 encoding.
        return _hashTypedData(keccak256(abi.encode(SPEND_TYPEHASH, spend)));
    }

    /// @inheritdoc ITreasury
    function proposalNonceOf(address spender, bytes32 ref) public pure returns (uint256) {
        return uint256(keccak256(abi.encode(spender, ref)));
    }

    // ------------------------------------------------------------------ judgement

    /// @dev What is to become of a spend.
    struct Decision {
        /// why not to execute, or `None`
        Reason reason;
        /// whose budget gave the reason: the spender's, or its group's
        address judged;
        /// zero if the spender has none
        address group;
        /// the spender's and the group's after the spend; meaningful with `Reason.None` only
        uint256 windows;
        uint256 groupWindows;
    }

    /// @dev Charges a spend to its budget; false, and nothing charged, if it needs the owners and they may be asked.
    /// @param queuedAt when it was queued, if it waits under a delay; 0: it does not; {SCOPED}
    function _charge(
        address spender,
        address token,
        address to,
        uint256 amount,
        uint256 queuedAt,
        bool mayPropose
    ) internal returns (bool) {
        Decision memory decision = _decide(spender, token, to, amount, queuedAt);
        if (decision.reason == Reason.None) {
            _books[spender][token].windows = decision.windows;
            if (decision.group != address(0)) _books[decision.group][token].windows = decision.groupWindows;
            return true;
        }
        if (decision.reason == Reason.ApprovalAbove && mayPropose) return false;
        (uint256 left, uint256 resetsAt) = _explain(decision.judged, token, amount, decision.reason);
        revert Treasury_SpendDenied(decision.reason, amount, left, resetsAt);
    }

    /// @dev Whether one owner, by {freeze} or {pause}, has stopped `spender` or its group.
    function _isStopped(address spender) internal view returns (bool) {
        if (_paused) return true;
        Standing memory standing = _standings[spender];
        return standing.isFrozen || (standing.group != address(0) && _standings[standing.group].isFrozen);
    }

    /// @dev The one place where a spend is judged: by the spender's budget, and by its group's if it has one.
    function _decide(
        address spender,
        address token,
        address to,
        uint256 amount,
        uint256 queuedAt
    ) private view returns (Decision memory decision) {
        bool isGrouped;
        (decision.reason, decision.windows, isGrouped) = _judge(spender, token, to, amount, queuedAt);
        decision.judged = spender;
        if (!isGrouped) return decision;
        Reason own = decision.reason;
        if (own != Reason.None && own != Reason.ApprovalAbove) return decision;
        address group = _standings[spender].group;
        (Reason reason, uint256 windows, ) = _judge(group, token, to, amount, queuedAt);
        decision.group = group;
        decision.groupWindows = windows;
        // What opens a proposal charges no window, so only what the group's owners' approval doesn't help counts then.
        if (own == Reason.None || (reason != Reason.None && reason < Reason.ApprovalAbove)) {
            decision.reason = reason;
            if (reason != Reason.None) decision.judged = group;
        }
    }

    function _judge(
        address spender,
        address token,
        address to,
        uint256 amount,
        uint256 queuedAt
    ) private view returns (Reason reason, uint256 windows, bool isGrouped) {
        Budget.Book storage book = _books[spender][token];
        uint256 terms = book.terms;
        isGrouped = terms & Budget.GROUPED != 0;
        reason = _judgeTerms(spender, to, amount, terms, queuedAt);
        if (reason != Reason.None) return (reason, 0, isGrouped);
        if (amount > Budget.limitOf(terms, Budget.APPROVAL_ABOVE)) {
            // What was queued before the delay was set has not waited under it.
            uint256 delay = Budget.delayOf(terms);
            if (delay == 0 || queuedAt < book.delaySetAt || queuedAt > block.timestamp - delay) {
                return (Reason.ApprovalAbove, 0, isGrouped);
            }
        }
        windows = Budget.moveOn(terms, book.windows, block.timestamp);
        (reason, windows) = Budget.charge(terms, windows, amount);
    }

    /// @dev All that is judged before the approval line and the windows are.
    function _judgeTerms(
        address spender,
        address to,
        uint256 amount,
        uint256 terms,
        uint256 queuedAt
    ) private view returns (Reason) {
        if (_paused) return Reason.Paused;
        if (amount == 0) return Reason.AmountZero;
        if (terms & Budget.ACTIVE == 0) return Reason.NoBudget;
        if (terms & Budget.FROZEN != 0) return Reason.Frozen;
        if (block.timestamp > Budget.validUntil(terms)) return Reason.Expired;
        if (to == address(0) || to == address(this)) return Reason.Recipient;
        if (terms & Budget.RECIPIENTS_ONLY != 0) {
            // Where a call may go its scope says.
            if (queuedAt != SCOPED && !_recipients[spender][to]) return Reason.Recipient;
        }
        if (amount > Budget.limitOf(terms, Budget.PER_TRANSACTION)) return Reason.PerTransaction;
        return Reason.None;
    }

    /// @dev Seconds that a budget lets `amount` wait; 0: it need not, or there is no budget; {FOR_OWNERS}: no delay.
    function _waitOf(address spender, address token, uint256 amount) private view returns (uint256) {
        uint256 terms = _books[spender][token].terms;
        if (terms & Budget.ACTIVE == 0 || amount <= Budget.limitOf(terms, Budget.APPROVAL_ABOVE)) return 0;
        uint256 delay = Budget.delayOf(terms);
        return delay == 0 ? FOR_OWNERS : delay;
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

    /// @dev Reverts if `spender` is stopped, as a payment of it would.
    function _requireNotStopped(address spender, uint256 amount) private view {
        if (!_isStopped(spender)) return;
        revert Treasury_SpendDenied(_paused ? Reason.Paused : Reason.Frozen, amount, 0, 0);
    }

    // ------------------------------------------------------------------ inside

    function _pay(
        address spender,
        address token,
        address to,
        uint256 amount,
        bytes32 ref
    ) private returns (bytes32 proposalId) {
        _useReference(spender, ref);
        if (!_charge(spender, token, to, amount, 0, true))
            return _openPayment(spender, token, to, amount, ref);
        _payOut(spender, token, to, amount, ref);
    }

    function _payOut(address spender, address token, address to, uint256 amount, bytes32 ref) private {
        emit Paid(spender, token, to, amount, ref);
        _send(token, to, amount);
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
        calls[0] = Call(address(this), 0, _disbursal(spender, token, to, amount, ref));
        uint256 nonce = proposalNonceOf(spender, ref);
        uint256 deadline = block.timestamp + PROPOSAL_LIFETIME;
        bytes32 dataHash = keccak256(calls[0].data);
        id = _hashPayment(dataHash, nonce, deadline);
        emit ProposalOpened(id, spender, nonce, calls, deadline, threshold(), ref);
        uint256 wait = Math.max(
            _waitOf(spender, token, amount),
            _waitOf(_standings[spender].group, token, amount)
        );
        if (wait == FOR_OWNERS) return id;
        _queuedAt[dataHash] = block.timestamp;
        emit PaymentQueued(id, spender, block.timestamp + wait);
    }

    function _disbursal(
        address spender,
        address token,
        address to,
        uint256 amount,
        bytes32 ref
    ) private pure returns (bytes memory) {
        return abi.encodeCall(ITreasury.disburse, (spender, token, to, amount, ref));
    }

    /// @dev The id of the proposal of one {disburse} call.
    function _hashPayment(bytes32 dataHash, uint256 nonce, uint256 deadline) private view returns (bytes32) {
        return _hashProposal(keccak256(abi.encode(_hashCall(address(this), 0, dataHash))), nonce, deadline);
    }

    /// @dev One word of what `account` answers to a question without arguments; 0 if it answers less, or has no code.
    function _ask(address account, bytes4 question, uint256 word) private view returns (uint256 answer) {
        assembly ("memory-safe") {
            mstore(0, question)
            let end := shl(5, add(word, 1))
            if staticcall(gas(), account, 0, 4, 0, end) {
                if iszero(lt(returndatasize(), end)) {
                    answer := mload(sub(end, 0x20))
                }
            }
        }
    }

    /// @dev Makes the call, for which `puller` may take up to `amount` of `token`, and of what is there.
    /// @return taken what left: by that allowance, or by what the balance lost. What comes in meanwhile nets nothing
    /// that was taken by the allowance.
    function _callMeasured(
        Call calldata call,
        address token,
        address puller,
        uint256 amount
    ) private returns (uint256 taken) {
        if (token == address(0)) {
            _call(0, call);
            return 0;
        }
        uint256 balance = _balanceOf(token);
        // Tokens that don't count an unlimited allowance down hold less than what they take for one.
        amount = Math.min(amount, balance);
        uint256 standing = IERC20(token).allowance(address(this), puller);
        IERC20(token).forceApprove(puller, amount);
        _call(0, call);
        uint256 left = IERC20(token).allowance(address(this), puller);
        if (left < amount) taken = amount - left;
        IERC20(token).forceApprove(puller, standing);
        uint256 remaining = _balanceOf(token);
        if (remaining < balance && balance - remaining > taken) taken = balance - remaining;
    }

    function _send(address token, address to, uint256 amount) private {
        if (token != address(0)) {
            IERC20(token).safeTransfer(to, amount);
            return;
        }
        emit NativeSent(to, amount);
        if (!LowLevelCall.callNoReturn(to, amount, "")) revert Treasury_NativeTransferFailed(to, amount);
    }

    function _balanceOf(address token) private view returns (uint256) {
        return token == address(0) ? address(this).balance : IERC20(token).balanceOf(address(this));
    }

    function _useReference(address spender, bytes32 ref) private {
        if (!_references[spender].use(uint256(ref))) revert Treasury_ReferenceUsed(spender, ref);
    }

    function _useSpendNonce(address agent, uint256 nonce) private {
        if (!_spendNonces[agent].use(nonce)) revert Treasury_SpendNonceUsed(agent, nonce);
        emit SpendNonceUsed(agent, nonce);
    }
}
