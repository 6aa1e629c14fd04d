// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EnumerableSet} from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";
import {ITreasury} from "../interfaces/treasury/ITreasury.sol";
import {Budget} from "./Budget.sol";
import {Owners} from "./Owners.sol";

/// @title Budgets
/// @dev What each spender may spend, as owners say it: terms, recipients, groups, freeze and pause. See {ITreasury}.
abstract contract Budgets is Owners {
    using EnumerableSet for EnumerableSet.AddressSet;

    /// @dev What holds for a spender in every token.
    struct Standing {
        address group;
        bool isFrozen;
    }

    uint256 private constant MAX_TOKENS_PER_SPENDER = 32;
    /// @dev A payment that waits lapses after seven days.
    uint256 private constant MAX_DELAY = 6 days;

    bool internal _paused;
    mapping(address spender => mapping(address token => Budget.Book)) internal _books;
    mapping(address spender => mapping(address recipient => bool)) internal _recipients;
    mapping(address spender => EnumerableSet.AddressSet) private _tokens;
    mapping(address spender => Standing) internal _standings;

    /// @inheritdoc ITreasury
    function setBudget(address spender, address token, BudgetTerms calldata terms) external onlySelf {
        if (spender == address(0) || spender == address(this)) revert Treasury_SpenderInvalid(spender);
        EnumerableSet.AddressSet storage tokens = _tokens[spender];
        tokens.add(token);
        if (tokens.length() > MAX_TOKENS_PER_SPENDER) {
            revert Treasury_TooManyTokens(tokens.length(), MAX_TOKENS_PER_SPENDER);
        }
        uint256 packed = Budget.pack(terms);
        Standing storage standing = _standings[spender];
        if (standing.isFrozen) packed |= Budget.FROZEN;
        if (standing.group != address(0)) packed |= Budget.GROUPED;
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
        uint256 packed = Budget.pack(terms) | (old & (Budget.MARKS | Budget.DELAY));
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
    function setDelay(address spender, address token, uint256 delay) external onlyOwnerOrSelf {
        // Without a delay nothing is paid that owners haven't approved, so any of them may take it away.
        if (delay != 0) _requireSelf();
        if (delay > MAX_DELAY || delay % 1 hours != 0) revert Treasury_DelayInvalid(delay, MAX_DELAY);
        Budget.Book storage book = _activeBook(spender, token);
        book.terms = Budget.withDelay(book.terms, delay);
        book.delaySetAt = block.timestamp;
        emit DelaySet(spender, token, delay, msg.sender);
    }

    /// @inheritdoc ITreasury
    function setGroup(address spender, address group) external onlySelf {
        _standings[spender].group = group;
        _mark(spender, Budget.GROUPED, group != address(0));
        emit GroupSet(spender, group);
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
        _standings[spender].isFrozen = true;
        _mark(spender, Budget.FROZEN, true);
        emit SpenderFrozen(spender, msg.sender);
    }

    /// @inheritdoc ITreasury
    function unfreeze(address spender) external onlySelf {
        _standings[spender].isFrozen = false;
        _mark(spender, Budget.FROZEN, false);
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
    function isPaused() external view returns (bool) {
        return _paused;
    }

    /// @inheritdoc ITreasury
    function isFrozen(address spender) external view returns (bool) {
        return _standings[spender].isFrozen;
    }

    /// @inheritdoc ITreasury
    function groupOf(address spender) external view returns (address) {
        return _standings[spender].group;
    }

    /// @inheritdoc ITreasury
    function budgetOf(
        address spender,
        address token
    ) external view returns (BudgetTerms memory terms, bool active, uint256 delay) {
        uint256 packed = _books[spender][token].terms;
        return (Budget.unpack(packed), packed & Budget.ACTIVE != 0, Budget.delayOf(packed));
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

    /// @dev Each budget carries a spender's marks too, which saves a payment a storage read.
    function _mark(address spender, uint256 mark, bool isSet) private {
        EnumerableSet.AddressSet storage tokens = _tokens[spender];
        for (uint256 i; i < tokens.length(); ++i) {
            Budget.Book storage book = _books[spender][tokens.pos(i)];
            book.terms = isSet ? book.terms | mark : book.terms & ~mark;
        }
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
