// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IScopes} from "../interfaces/treasury/IScopes.sol";
import {ITreasury} from "../interfaces/treasury/ITreasury.sol";

/// @title Scopes
/// @dev One for all Treasuries; see {IScopes}.
contract Scopes is IScopes {
    /// @dev Without a `puller` nothing is allowed.
    struct Scope {
        address puller;
        address token;
        Rule[] rules;
    }

    uint256 private constant SELECTOR_BYTES = 4;
    uint256 private constant WORD_BYTES = 32;

    mapping(address treasury => mapping(bytes32 call => Scope)) private _scopes;

    /// @inheritdoc IScopes
    function allowCall(
        address spender,
        address target,
        bytes4 selector,
        address token,
        address puller,
        Rule[] calldata rules
    ) external {
        // By a call to itself a Treasury changes its owners, and by one to these scopes it allows anything; what a
        // call to the measured token allows others to take outlives the measuring.
        if (target == msg.sender || target == address(this) || target == token) {
            revert Scopes_TargetInvalid(target);
        }
        if (puller == address(0)) puller = target;
        Scope storage scope = _scopes[msg.sender][_key(spender, target, selector)];
        (scope.puller, scope.token) = (puller, token);
        delete scope.rules;
        for (uint256 i; i < rules.length; ++i) {
            if (!_isSound(rules[i])) revert Scopes_RuleInvalid(i);
            Rule storage rule = scope.rules.push();
            (rule.path, rule.test, rule.values) = (rules[i].path, rules[i].test, rules[i].values);
        }
        emit CallAllowed(msg.sender, spender, target, selector, token, puller, rules);
    }

    /// @inheritdoc IScopes
    function forbidCall(address treasury, address spender, address target, bytes4 selector) external {
        if (msg.sender != treasury && !ITreasury(treasury).isOwner(msg.sender)) {
            revert Scopes_NotOwner(msg.sender);
        }
        delete _scopes[treasury][_key(spender, target, selector)];
        emit CallForbidden(treasury, spender, target, selector, msg.sender);
    }

    /// @inheritdoc IScopes
    function requireAllowed(
        address spender,
        address target,
        bytes calldata data
    ) external view returns (address token, address puller) {
        bytes4 selector = bytes4(data);
        Scope storage scope = _scopes[msg.sender][_key(spender, target, selector)];
        puller = scope.puller;
        if (puller == address(0) || data.length < SELECTOR_BYTES) {
            revert Scopes_CallDenied(spender, target, selector);
        }
        bytes calldata arguments = data[SELECTOR_BYTES:];
        uint256 count = scope.rules.length;
        for (uint256 i; i < count; ++i) {
            Rule storage rule = scope.rules[i];
            bytes32 got = _argument(i, rule.path, arguments);
            if (!_isAllowed(rule, got)) revert Scopes_ArgumentDenied(i, got);
        }
        token = scope.token;
    }

    /// @inheritdoc IScopes
    function scopeOf(
        address treasury,
        address spender,
        address target,
        bytes4 selector
    ) external view returns (address token, address puller, Rule[] memory rules) {
        Scope storage scope = _scopes[treasury][_key(spender, target, selector)];
        return (scope.token, scope.puller, scope.rules);
    }

    function _isSound(Rule calldata rule) private pure returns (bool) {
        uint256 count = rule.values.length;
        if (rule.path.length == 0) return false;
        if (rule.test == Test.Own) return count == 0;
        return rule.test == Test.AtMost ? count == 1 : count != 0;
    }

    function _isAllowed(Rule storage rule, bytes32 got) private view returns (bool) {
        if (rule.test == Test.Own) return uint256(got) == uint160(msg.sender);
        if (rule.test == Test.AtMost) return got <= rule.values[0];
        uint256 count = rule.values.length;
        for (uint256 i; i < count; ++i) {
            if (got == rule.values[i]) return true;
        }
        return false;
    }

    /// @dev The word that `path` leads to, offset by offset, each counted from where the one before led.
    function _argument(
        uint256 rule,
        bytes memory path,
        bytes calldata arguments
    ) private pure returns (bytes32 word) {
        uint256 base;
        for (uint256 step; step < path.length; ++step) {
            uint256 at = base + uint8(path[step]) * WORD_BYTES;
            if (at + WORD_BYTES > arguments.length) revert Scopes_ArgumentMissing(rule);
            word = bytes32(arguments[at:at + WORD_BYTES]);
            if (step + 1 == path.length) return word;
            // An offset beyond the data leads nowhere, and is not added, where the sum could overflow.
            if (uint256(word) > arguments.length) revert Scopes_ArgumentMissing(rule);
            base += uint256(word);
        }
    }

    function _key(address spender, address target, bytes4 selector) private pure returns (bytes32) {
        return keccak256(abi.encode(spender, target, selector));
    }
}
