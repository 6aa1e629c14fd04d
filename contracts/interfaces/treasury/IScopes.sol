// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Scopes
/// @notice Which calls a Treasury's owners let its spenders make: to which contract, which function, with which
/// arguments.
/// @dev Answers yes or no and holds nothing: the Treasury makes the call, measures what leaves by it, and charges that
/// to the spender's budgets ({ITreasury.callWithin}). Deny by default. Everything is kept for each Treasury by itself.
interface IScopes {
    /// @notice What an argument is compared with.
    enum Test {
        OneOf,
        AtMost,
        Own
    }

    /// @notice One argument, and what it must be.
    /// @dev An argument is found as Solidity finds it, so that no encoding of the call shows the rule another word
    /// than the called contract: each byte of `path` but the last names a word that holds an offset, which is
    /// followed; the last byte names the argument's word. `0x01` is the second argument of a function; `0x0002` the
    /// third member of its first argument, if that is a struct with a dynamic member; `0x02` the same member of a
    /// struct without one.
    /// @param path words counted from the first argument, or from where the offset before leads
    /// @param test `OneOf`: equal to one of `values`. `AtMost`: at most the first of `values`, as a number. `Own`: the
    /// Treasury's own address
    /// @param values words as the call has them; none for `Own`
    struct Rule {
        bytes path;
        Test test;
        bytes32[] values;
    }

    /// @notice A spender may make these calls.
    /// @param token what the Treasury measures beside the coin; zero: no token may be taken
    /// @param puller who may take it
    event CallAllowed(
        address indexed treasury,
        address indexed spender,
        address indexed target,
        bytes4 selector,
        address token,
        address puller,
        Rule[] rules
    );
    /// @notice A spender may make these calls no more.
    event CallForbidden(
        address indexed treasury,
        address indexed spender,
        address indexed target,
        bytes4 selector,
        address by
    );

    /// @notice No spender may call this: a Treasury itself, these scopes, or the token that is measured.
    error Scopes_TargetInvalid(address target);
    /// @notice A rule has a path, one value at least unless it is `Own`, and a single one if it is `AtMost`.
    error Scopes_RuleInvalid(uint256 rule);
    /// @notice Only an owner of the Treasury, or the Treasury itself, may forbid.
    error Scopes_NotOwner(address caller);
    /// @notice The owners haven't allowed this call.
    error Scopes_CallDenied(address spender, address target, bytes4 selector);
    /// @notice An argument is not what the owners allow.
    /// @param rule which of the rules, counted from 0
    /// @param got the argument's word
    error Scopes_ArgumentDenied(uint256 rule, bytes32 got);
    /// @notice The call's data ends before an argument that a rule is about.
    error Scopes_ArgumentMissing(uint256 rule);

    /// @notice Lets `spender` make these calls in the name of the Treasury that sends this, by a quorum of its owners.
    /// Replaces what was said of them before. The recipient lists of budgets don't bind these calls: who may receive is
    /// for the rules to say.
    /// @param token whose outflow the Treasury measures and charges; the call may take no other, unless owners have
    /// given somebody whom it reaches an allowance in it
    /// @param puller by whose allowance the token leaves, which the Treasury gives for the time of the call and counts;
    /// zero: the target's. Of a router that pulls through a contract of its own, that one. What leaves by an allowance
    /// of anybody else is measured by the balance alone, so that money that comes in meanwhile hides it
    /// @param rules what arguments must be, all of them; none: anything
    function allowCall(
        address spender,
        address target,
        bytes4 selector,
        address token,
        address puller,
        Rule[] calldata rules
    ) external;

    /// @notice Lets `spender` make these calls no more, at once. The Treasury itself or any of its owners alone.
    function forbidCall(address treasury, address spender, address target, bytes4 selector) external;

    /// @notice Reverts unless the owners of the Treasury that asks let `spender` make this call.
    /// @return token what the Treasury has to measure; zero: no token
    /// @return puller who may take it
    function requireAllowed(
        address spender,
        address target,
        bytes calldata data
    ) external view returns (address token, address puller);

    /// @notice What the owners of a Treasury said of a spender's calls; without a puller they are not allowed.
    function scopeOf(
        address treasury,
        address spender,
        address target,
        bytes4 selector
    ) external view returns (address token, address puller, Rule[] memory rules);
}
