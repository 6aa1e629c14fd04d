// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IScopes} from "../../../contracts/interfaces/treasury/IScopes.sol";
import {ITreasury} from "../../../contracts/interfaces/treasury/ITreasury.sol";
import {Scopes} from "../../../contracts/treasury/Scopes.sol";
import {Treasury} from "../../../contracts/treasury/Treasury.sol";
import {PlainToken} from "./tokens/PlainToken.sol";
import {Test} from "./Test.sol";

/// @notice A 2-of-3 Treasury with money, and an agent with a budget in a token.
abstract contract TreasuryFixture is Test {
    uint256 internal constant UNIT = 1e6;
    uint128 internal constant NO_LIMIT = type(uint128).max;
    uint40 internal constant FOREVER = type(uint40).max;
    /// @dev The start of a 10-day bucket, so of every window's bucket.
    uint256 internal constant START = 2_100 * 10 days;

    Scopes internal scopes = new Scopes();
    Treasury internal treasury;
    PlainToken internal token;

    /// @dev Ascending by address; `keys` in the same order.
    address[] internal owners;
    uint256[] internal keys;
    address internal agent;
    uint256 internal agentKey;
    address internal payee;
    address internal stranger;
    uint256 internal nextNonce;
    uint256 internal nextRef;

    function setUp() public virtual {
        vm.warp(START);
        _makeOwners(3);
        (agent, agentKey) = makeAddrAndKey("agent");
        payee = makeAddr("payee");
        stranger = makeAddr("stranger");
        treasury = new Treasury(owners, 2, scopes);
        token = new PlainToken();
        token.mint(address(treasury), 1_000_000_000 * UNIT);
        vm.deal(address(treasury), 1_000_000 ether);
        _setBudget(agent, address(token), _terms());
    }

    /// @dev 100 per payment, 50 without approval; 200, 400, 800, 1,600 per hour, day, week, month.
    function _terms() internal pure returns (ITreasury.BudgetTerms memory) {
        return
            ITreasury.BudgetTerms({
                perTransaction: uint128(100 * UNIT),
                approvalAbove: uint128(50 * UNIT),
                hourly: uint128(200 * UNIT),
                daily: uint128(400 * UNIT),
                weekly: uint128(800 * UNIT),
                monthly: uint128(1_600 * UNIT),
                validUntil: FOREVER,
                recipientsOnly: false
            });
    }

    function _unlimited() internal pure returns (ITreasury.BudgetTerms memory) {
        return
            ITreasury.BudgetTerms(NO_LIMIT, NO_LIMIT, NO_LIMIT, NO_LIMIT, NO_LIMIT, NO_LIMIT, FOREVER, false);
    }

    /// @dev As the Treasury's own call after a quorum.
    function _setBudget(address spender, address token_, ITreasury.BudgetTerms memory terms) internal {
        vm.prank(address(treasury));
        treasury.setBudget(spender, token_, terms);
    }

    function _pay(uint256 amount) internal returns (bytes32) {
        bytes32 ref = _ref();
        vm.prank(agent);
        return treasury.pay(address(token), payee, amount, ref);
    }

    function _ref() internal returns (bytes32) {
        return bytes32(++nextRef);
    }

    function _expectDenied(ITreasury.Reason reason, uint256 amount, uint256 left, uint256 resetsAt) internal {
        vm.expectRevert(
            abi.encodeWithSelector(ITreasury.Treasury_SpendDenied.selector, reason, amount, left, resetsAt)
        );
    }

    // ------------------------------------------------------------------ scopes

    function _word(address account) internal pure returns (bytes32) {
        return bytes32(uint256(uint160(account)));
    }

    function _rule(bytes memory path, IScopes.Test test) internal pure returns (IScopes.Rule memory) {
        return IScopes.Rule(path, test, new bytes32[](0));
    }

    function _rule(
        bytes memory path,
        IScopes.Test test,
        bytes32 value
    ) internal pure returns (IScopes.Rule memory rule) {
        rule = IScopes.Rule(path, test, new bytes32[](1));
        rule.values[0] = value;
    }

    function _rule(
        bytes memory path,
        IScopes.Test test,
        bytes32 first,
        bytes32 second
    ) internal pure returns (IScopes.Rule memory rule) {
        rule = IScopes.Rule(path, test, new bytes32[](2));
        (rule.values[0], rule.values[1]) = (first, second);
    }

    // ------------------------------------------------------------------ proposals

    function _call(
        address to,
        uint256 value,
        bytes memory data
    ) internal pure returns (ITreasury.Call[] memory) {
        ITreasury.Call[] memory calls = new ITreasury.Call[](1);
        calls[0] = ITreasury.Call(to, value, data);
        return calls;
    }

    function _transfer(address to, uint256 amount) internal view returns (ITreasury.Call[] memory) {
        return _call(address(token), 0, abi.encodeCall(token.transfer, (to, amount)));
    }

    function _self(bytes memory data) internal view returns (ITreasury.Call[] memory) {
        return _call(address(treasury), 0, data);
    }

    /// @dev ECDSA signatures of the first `count` owners.
    function _signed(bytes32 id, uint256 count) internal view returns (bytes[] memory signatures) {
        signatures = new bytes[](count);
        for (uint256 i; i < count; ++i) {
            signatures[i] = _signature(keys[i], id);
        }
    }

    function _signature(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function _compact(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, bytes32(uint256(s) | (uint256(v - 27) << 255)));
    }

    /// @dev Executes by two signatures, under a fresh nonce.
    function _execute(ITreasury.Call[] memory calls) internal returns (bytes32) {
        uint256 nonce = nextNonce++;
        bytes32 id = treasury.hashProposal(calls, nonce, FOREVER);
        return treasury.execute(calls, nonce, FOREVER, _signed(id, 2));
    }

    function _signedSpend(ITreasury.Spend memory spend) internal view returns (bytes memory) {
        return _signature(agentKey, treasury.hashSpend(spend));
    }

    function _makeOwners(uint256 count) private {
        string[3] memory names = ["alice", "bob", "carol"];
        for (uint256 i; i < count; ++i) {
            (address owner, uint256 key) = makeAddrAndKey(names[i]);
            owners.push(owner);
            keys.push(key);
            for (uint256 j = i; j > 0 && owners[j] < owners[j - 1]; --j) {
                (owners[j], owners[j - 1]) = (owners[j - 1], owners[j]);
                (keys[j], keys[j - 1]) = (keys[j - 1], keys[j]);
            }
        }
    }
}
