// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITreasury} from "../../../contracts/interfaces/treasury/ITreasury.sol";
import {Scopes} from "../../../contracts/treasury/Scopes.sol";
import {Treasury} from "../../../contracts/treasury/Treasury.sol";
import {PlainToken} from "../support/tokens/PlainToken.sol";
import {Test} from "../support/Test.sol";

/// @notice Acts on a Treasury at random: three agents, six keys that come and go as owners, a clock.
/// @dev Keeps its own books, and notes each thing that must never happen in `broken`.
abstract contract TreasuryHandler is Test {
    struct Entry {
        uint256 time;
        uint256 amount;
    }

    struct Waiting {
        address agent;
        uint256 amount;
        bytes32 ref;
        bool isOver;
    }

    uint256 private constant UNIT = 1e6;
    uint256 private constant AGENTS = 3;
    uint256 private constant KEYS = 6;

    Treasury public treasury;
    PlainToken public token;

    uint256 public paidByBudget;
    uint256 public paidByQuorum;
    uint256 public executions;
    uint256 public payments;
    uint256 public queuedPayments;
    string public broken;

    uint256 private _now;
    uint256 private _next;
    uint256[] private _agentKeys;
    uint256[] private _ownerKeys;
    mapping(address agent => Entry[]) private _spent;
    mapping(address agent => bool) private _isFrozen;
    bool private _isPaused;
    Waiting[] private _waiting;

    ITreasury.Call[] private _lastCalls;
    uint256 private _lastNonce;
    bytes[] private _lastSignatures;
    ITreasury.Spend private _lastSpend;
    bytes private _lastSpendSignature;

    constructor(uint256 start) {
        _now = start;
        address[] memory first = new address[](3);
        for (uint256 i; i < KEYS; ++i) {
            uint256 key = uint256(keccak256(abi.encode("owner", i)));
            _ownerKeys.push(key);
            // Ascending, because signatures must be.
            for (uint256 j = i; j > 0 && vm.addr(_ownerKeys[j]) < vm.addr(_ownerKeys[j - 1]); --j) {
                (_ownerKeys[j], _ownerKeys[j - 1]) = (_ownerKeys[j - 1], _ownerKeys[j]);
            }
        }
        for (uint256 i; i < 3; ++i) first[i] = vm.addr(_ownerKeys[i]);
        treasury = new Treasury(first, 2, new Scopes());
        token = new PlainToken();
        token.mint(address(treasury), 1_000_000 * UNIT);
        for (uint256 i; i < AGENTS; ++i) {
            _agentKeys.push(uint256(keccak256(abi.encode("agent", i))));
            vm.prank(address(treasury));
            treasury.setBudget(agentAt(i), address(token), terms(1));
        }
    }

    function agentAt(uint256 index) public view returns (address) {
        return vm.addr(_agentKeys[index % AGENTS]);
    }

    /// @dev 100 per payment, half of it without approval; 200 to 1,600 in the windows; divided by `divisor`.
    function terms(uint256 divisor) public pure returns (ITreasury.BudgetTerms memory) {
        return
            ITreasury.BudgetTerms({
                perTransaction: uint128((100 * UNIT) / divisor),
                approvalAbove: uint128((50 * UNIT) / divisor),
                hourly: uint128((200 * UNIT) / divisor),
                daily: uint128((400 * UNIT) / divisor),
                weekly: uint128((800 * UNIT) / divisor),
                monthly: uint128((1_600 * UNIT) / divisor),
                validUntil: type(uint40).max,
                recipientsOnly: false
            });
    }

    // ------------------------------------------------------------------ what agents do

    function pay(uint256 who, uint256 amount) external {
        vm.warp(_now);
        amount = bound(amount, 0, 110 * UNIT);
        address agent = agentAt(who);
        (ITreasury.Verdict verdict, , , ) = treasury.canSpend(agent, address(token), address(1), amount);
        bytes32 ref = bytes32(++_next);
        vm.prank(agent);
        try treasury.pay(address(token), address(1), amount, ref) returns (bytes32 id) {
            if (verdict == ITreasury.Verdict.Deny) broken = "paid what canSpend denies";
            _note(agent, amount, id);
        } catch {
            if (verdict != ITreasury.Verdict.Deny) broken = "denied what canSpend allows";
        }
    }

    function payTheRest(uint256 who) external {
        vm.warp(_now);
        address agent = agentAt(who);
        (, , uint256 left, ) = treasury.canSpend(agent, address(token), address(1), 1);
        bytes32 ref = bytes32(++_next);
        vm.prank(agent);
        try treasury.pay(address(token), address(1), left, ref) returns (bytes32 id) {
            _note(agent, left, id);
        } catch {}
    }

    function paySigned(uint256 who, uint256 amount) external {
        vm.warp(_now);
        address agent = agentAt(who);
        amount = bound(amount, 1, 60 * UNIT);
        _lastSpend = ITreasury.Spend(
            agent,
            address(token),
            address(1),
            amount,
            bytes32(++_next),
            _next,
            _now + 1
        );
        _lastSpendSignature = _sign(_agentKeys[who % AGENTS], treasury.hashSpend(_lastSpend));
        try treasury.paySigned(_lastSpend, _lastSpendSignature) returns (bytes32 id) {
            _note(agent, amount, id);
        } catch {}
    }

    /// @dev The last signed spend again, as it is or with a fresh reference.
    function replaySpend(bool sameReference) external {
        vm.warp(_now);
        if (!treasury.isSpendNonceUsed(_lastSpend.agent, _lastSpend.nonce)) return;
        ITreasury.Spend memory spend = _lastSpend;
        if (!sameReference) spend.ref = bytes32(++_next);
        try treasury.paySigned(spend, _lastSpendSignature) {
            broken = "a signed spend worked twice";
        } catch {}
    }

    /// @dev Above the line, so that it waits: for the owners, or under a delay if they gave one.
    function ask(uint256 who, uint256 amount) external {
        vm.warp(_now);
        amount = bound(amount, 50 * UNIT + 1, 100 * UNIT);
        Waiting memory asked = Waiting(agentAt(who), amount, bytes32(++_next), false);
        vm.prank(asked.agent);
        try treasury.pay(address(token), address(1), amount, asked.ref) returns (bytes32 id) {
            if (id == 0) _note(asked.agent, amount, 0);
            else _waiting.push(asked);
        } catch {}
    }

    function payQueued(uint256 which) external {
        vm.warp(_now);
        if (_waiting.length == 0) return;
        Waiting storage asked = _waiting[which % _waiting.length];
        try treasury.payQueued(asked.agent, address(token), address(1), asked.amount, asked.ref) {
            if (asked.isOver) broken = "a payment that is over was made";
            asked.isOver = true;
            ++queuedPayments;
            _note(asked.agent, asked.amount, 0);
        } catch {}
    }

    // ------------------------------------------------------------------ what owners do together

    function quorumDelays(uint256 who, uint256 hours_) external {
        bytes memory data = abi.encodeCall(
            treasury.setDelay,
            (agentAt(who), address(token), bound(hours_, 0, 3) * 1 hours)
        );
        _execute(address(treasury), data, 0);
    }

    function quorumPays(uint256 amount, uint256 more) external {
        amount = bound(amount, 1, 500 * UNIT);
        if (_execute(address(token), abi.encodeCall(token.transfer, (address(2), amount)), more)) {
            paidByQuorum += amount;
        }
    }

    function quorumChangesOwners(uint256 which, bool adding, uint256 more) external {
        address owner = vm.addr(_ownerKeys[which % KEYS]);
        bytes memory data =
            adding
                ? abi.encodeCall(treasury.addOwner, (owner))
                : abi.encodeCall(treasury.removeOwner, (owner));
        _execute(address(treasury), data, more);
    }

    function quorumSetsThreshold(uint256 threshold, uint256 more) external {
        _execute(
            address(treasury),
            abi.encodeCall(treasury.setThreshold, (bound(threshold, 0, KEYS + 1))),
            more
        );
    }

    function quorumRestores(uint256 who) external {
        address agent = agentAt(who);
        bytes memory data = abi.encodeCall(treasury.setBudget, (agent, address(token), terms(1)));
        _execute(address(treasury), data, 0);
        if (_execute(address(treasury), abi.encodeCall(treasury.unfreeze, (agent)), 0))
            _isFrozen[agent] = false;
        if (_execute(address(treasury), abi.encodeCall(treasury.unpause, ()), 0)) _isPaused = false;
    }

    function replayProposal() external {
        vm.warp(_now);
        if (_lastSignatures.length == 0) return;
        try treasury.execute(_lastCalls, _lastNonce, type(uint40).max, _lastSignatures) {
            broken = "a nonce executed twice";
        } catch {}
    }

    /// @dev Too few owners, or enough keys of which some are no owners (any more).
    function tooFewExecute(uint256 seed) external {
        vm.warp(_now);
        ITreasury.Call[] memory calls = _calls(
            address(token),
            abi.encodeCall(token.transfer, (address(3), 1))
        );
        uint256 nonce = ++_next;
        bytes32 id = treasury.hashProposal(calls, nonce, type(uint40).max);
        uint256 owners;
        uint256 chosen = seed & ((1 << KEYS) - 1);
        bytes[] memory signatures = new bytes[](_count(chosen));
        uint256 filled;
        for (uint256 i; i < KEYS; ++i) {
            if (chosen & (1 << i) == 0) continue;
            if (treasury.isOwner(vm.addr(_ownerKeys[i]))) ++owners;
            signatures[filled++] = _sign(_ownerKeys[i], id);
        }
        bool enough = owners == filled && owners >= treasury.threshold();
        try treasury.execute(calls, nonce, type(uint40).max, signatures) {
            if (!enough) broken = "executed without a quorum";
            paidByQuorum += 1;
        } catch {
            if (enough) broken = "refused a quorum";
        }
    }

    // ------------------------------------------------------------------ what one owner does

    function ownerCancels(uint256 which, uint256 item) external {
        vm.warp(_now);
        address owner = vm.addr(_ownerKeys[which % KEYS]);
        if (_waiting.length == 0 || !treasury.isOwner(owner)) return;
        Waiting storage asked = _waiting[item % _waiting.length];
        uint256 nonce = treasury.proposalNonceOf(asked.agent, asked.ref);
        vm.prank(owner);
        try treasury.cancelProposal(nonce) {
            asked.isOver = true;
        } catch {}
    }

    function ownerTightens(uint256 which, uint256 who) external {
        vm.warp(_now);
        address owner = vm.addr(_ownerKeys[which % KEYS]);
        if (!treasury.isOwner(owner)) return;
        address agent = agentAt(who);
        vm.startPrank(owner);
        if (which % 7 == 0) {
            treasury.freeze(agent);
            _isFrozen[agent] = true;
        } else if (which % 7 == 1) {
            treasury.pause();
            _isPaused = true;
        } else {
            try treasury.lowerBudget(agent, address(token), terms(which % 2 == 0 ? 2 : 4)) {} catch {}
        }
        vm.stopPrank();
    }

    function ownerLoosens(uint256 which, uint256 who) external {
        vm.warp(_now);
        address agent = agentAt(who);
        bytes[10] memory calls = [
            abi.encodeCall(treasury.setDelay, (agent, address(token), 1 hours)),
            abi.encodeCall(treasury.setGroup, (agent, address(0))),
            abi.encodeCall(treasury.setBudget, (agent, address(token), terms(1))),
            abi.encodeCall(treasury.unfreeze, (agent)),
            abi.encodeCall(treasury.unpause, ()),
            abi.encodeCall(treasury.setThreshold, (1)),
            abi.encodeCall(treasury.addOwner, (agent)),
            abi.encodeCall(treasury.disburse, (agent, address(token), agent, 1, bytes32(0))),
            abi.encodeCall(treasury.authorizeHash, (bytes32(uint256(1)), type(uint40).max)),
            abi.encodeCall(treasury.setCollector, (agent, agent))
        ];
        vm.prank(vm.addr(_ownerKeys[which % KEYS]));
        (bool ok, ) = address(treasury).call(calls[(which >> 8) % 10]);
        if (ok) broken = "one owner loosened something";
    }

    function wait_(uint256 timeSeconds) external {
        uint256[6] memory scales = [uint256(1), 20 minutes, 1 hours, 1 days, 7 days, 40 days];
        _now += bound(timeSeconds, 0, scales[timeSeconds % 6]);
        vm.warp(_now);
    }

    // ------------------------------------------------------------------ inside

    function _note(address agent, uint256 amount, bytes32 proposalId) private {
        if (_isFrozen[agent]) broken = "a frozen spender acted";
        if (_isPaused) broken = "a spender acted while paused";
        if (proposalId != 0) return;
        ++payments;
        paidByBudget += amount;
        _spent[agent].push(Entry(_now, amount));
        (ITreasury.BudgetTerms memory now_, , ) = treasury.budgetOf(agent, address(token));
        if (amount > now_.perTransaction) broken = "beyond the limit per transaction";
        if (_sumSince(agent, 1 hours) > now_.hourly) broken = "beyond the hour";
        if (_sumSince(agent, 1 days) > now_.daily) broken = "beyond the day";
        if (_sumSince(agent, 7 days) > now_.weekly) broken = "beyond the week";
        if (_sumSince(agent, 30 days) > now_.monthly) broken = "beyond the month";
    }

    function _sumSince(address agent, uint256 length) private view returns (uint256 sum) {
        Entry[] storage spent = _spent[agent];
        for (uint256 i = spent.length; i > 0 && spent[i - 1].time + length >= _now; --i) {
            sum += spent[i - 1].amount;
        }
    }

    /// @dev By exactly the threshold of current owners, or up to `more` above it.
    function _execute(address to, bytes memory data, uint256 more) private returns (bool) {
        vm.warp(_now);
        _lastNonce = ++_next;
        ITreasury.Call[] memory calls = _calls(to, data);
        bytes32 id = treasury.hashProposal(calls, _lastNonce, type(uint40).max);
        address[] memory owners = treasury.owners();
        uint256 size = treasury.threshold() + (more % 3);
        if (size > owners.length) size = owners.length;
        bytes[] memory signatures = new bytes[](size);
        uint256 filled;
        for (uint256 i; i < KEYS && filled < size; ++i) {
            if (treasury.isOwner(vm.addr(_ownerKeys[i]))) signatures[filled++] = _sign(_ownerKeys[i], id);
        }
        try treasury.execute(calls, _lastNonce, type(uint40).max, signatures) {
            ++executions;
            if (treasury.threshold() == 0 || treasury.threshold() > treasury.owners().length) {
                broken = "fewer owners than the threshold";
            }
            delete _lastCalls;
            _lastCalls.push(calls[0]);
            _lastSignatures = signatures;
            return true;
        } catch {
            delete _lastSignatures;
            return false;
        }
    }

    function _calls(address to, bytes memory data) private pure returns (ITreasury.Call[] memory calls) {
        calls = new ITreasury.Call[](1);
        calls[0] = ITreasury.Call(to, 0, data);
    }

    function _sign(uint256 key, bytes32 digest) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function _count(uint256 bits) private pure returns (uint256 count) {
        for (; bits != 0; bits &= bits - 1) ++count;
    }
}
