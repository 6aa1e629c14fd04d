// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EnumerableSet} from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ITreasury} from "../interfaces/treasury/ITreasury.sol";
import {Budget} from "./Budget.sol";
import {Owners} from "./Owners.sol";

/// @title Budgets
/// @dev What each spender may spend: terms, recipients, freeze and pause, and the judgement. See {ITreasury}.
abstract contract Budgets is Owners {
    using EnumerableSet for EnumerableSet.AddressSet;

    uint256 private constant MAX_TOKENS_PER_SPENDER = 32;

    bool private _paused;
    mapping(address spender => mapping(address token => Budget.Book)) private _books;
    mapping(address spender => mapping(address recipient => bool)) private _recipients;
    mapping(address spender => EnumerableSet.AddressSet) private _tokens;
    mapping(address spender => bool) private _frozen;

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
        packed = _setTerms(_books[spender][token], packed);
        emit BudgetSet(spender, token, Budget.unpack(packed));
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
        packed = _setTerms(book, packed);
        emit BudgetLowered(spender, token, Budget.unpack(packed), msg.sender);
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

    /// @dev Charges a spend to its budget; false, and nothing charged, if it needs the owners.
    function _charge(address spender, address token, address to, uint256 amount) internal returns (bool) {
        (Reason reason, uint256 windows) = _decide(spender, token, to, amount);
        if (reason == Reason.None) {
            _books[spender][token].windows = windows;
            return true;
        }
        if (reason == Reason.ApprovalAbove) return false;
        (uint256 left, uint256 resetsAt) = _explain(spender, token, amount, reason);
        revert Treasury_SpendDenied(reason, amount, left, resetsAt);
    }

    /// @dev Whether one owner, by {freeze} or {pause}, has stopped `spender`.
    function _isStopped(address spender) internal view returns (bool) {
        return _paused || _frozen[spender];
    }

    /// @dev Reverts if `spender` is stopped, as a payment of it would.
    function _requireNotStopped(address spender, uint256 amount) internal view {
        if (!_isStopped(spender)) return;
        revert Treasury_SpendDenied(_paused ? Reason.Paused : Reason.Frozen, amount, 0, 0);
    }

    function _approvalAbove(address spender, address token) internal view returns (uint256) {
        return Budget.limitOf(_books[spender][token].terms, Budget.APPROVAL_ABOVE);
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

    function _activeBook(address spender, address token) private view returns (Budget.Book storage book) {
        book = _books[spender][token];
        if (book.terms & Budget.ACTIVE == 0) revert Treasury_BudgetMissing(spender, token);
    }

    function _setTerms(Budget.Book storage book, uint256 packed) private returns (uint256 stored) {
        uint256 old = book.terms;
        uint256 windows = Budget.moveOn(old, book.windows, block.timestamp);
        (stored, windows) = Budget.convert(windows, old, packed);
        (book.terms, book.windows) = (stored, windows);
    }
}
