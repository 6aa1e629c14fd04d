// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IScopes} from "../../../contracts/interfaces/treasury/IScopes.sol";
import {ITreasury} from "../../../contracts/interfaces/treasury/ITreasury.sol";
import {Scopes} from "../../../contracts/treasury/Scopes.sol";
import {Treasury} from "../../../contracts/treasury/Treasury.sol";
import {Liar, Money, Proxy} from "../support/Liar.sol";
import {Print} from "../support/Print.sol";
import {Walk} from "../support/Walk.sol";

/// @notice Two stolen keys, a contract that owners let them call and a token that lies, all of one group and one thief;
/// owners who give delays and take them away, cancel, lower and restore. What the thief has, in money and in coin, is
/// looked at after each act, and must have been left by the windows of the group and of who spent.
contract ThievesHandler is Walk {
    struct Gain {
        uint256 time;
        uint256 amount;
    }

    struct Waiting {
        address spender;
        uint256 amount;
        bytes32 ref;
        uint256 askedAt;
        bool isOver;
    }

    uint256 private constant UNIT = 1e6;

    Treasury public treasury;
    Money public money = new Money();
    address public group = address(0x6709);
    Liar public shop = new Liar();
    Liar public junk = new Liar();
    Proxy public proxy = new Proxy();
    string public broken;
    mapping(uint256 path => uint256) public reached;

    Scopes private _scopes = new Scopes();
    address private _owner = address(0x0421);
    address[4] private _thieves;
    uint256 private _now;
    uint256 private _next;
    mapping(address asset => uint256) private _wealth;
    mapping(address who => mapping(address asset => Gain[])) private _gains;
    mapping(address who => uint256) private _delay;
    mapping(address who => uint256) private _delaySetAt;
    Waiting[] private _waiting;

    constructor(uint256 start) {
        _now = start;
        address[] memory owners = new address[](1);
        owners[0] = _owner;
        treasury = new Treasury(owners, 1, _scopes);
        money.mint(address(treasury), 1_000_000 * UNIT);
        vm.deal(address(treasury), 1_000_000 * UNIT);
        _thieves = [address(0x7401), address(0x7402), address(shop), address(junk)];
        vm.startPrank(address(treasury));
        _setBudgets(group, terms(3, 70));
        for (uint256 i; i < 4; ++i) {
            address thief = _thieves[i];
            _setBudgets(thief, terms(2, 50));
            treasury.setGroup(thief, group);
            treasury.setDelay(thief, address(money), 1 hours);
            (_delay[thief], _delaySetAt[thief]) = (1 hours, _now);
            _scopes.allowCall(
                thief,
                address(shop),
                Liar.order.selector,
                address(money),
                address(0),
                new IScopes.Rule[](0)
            );
            _scopes.allowCall(
                thief,
                address(shop),
                Liar.orderThrough.selector,
                address(money),
                address(proxy),
                new IScopes.Rule[](0)
            );
            // Another function, of which the token that lies is measured.
            _scopes.allowCall(
                thief,
                address(shop),
                Liar.approve.selector,
                address(junk),
                address(0),
                new IScopes.Rule[](0)
            );
        }
        vm.stopPrank();
    }

    // ------------------------------------------------------------------ what the thief does

    function pay(uint256 who, uint256 amount, uint256 to) external {
        vm.warp(_now);
        address thief = _thieves[who % 4];
        amount = bound(amount, 1, 50 * UNIT);
        address token =
            to & 8 == 0
                ? address(money)
                : to & 16 == 0
                    ? address(0)
                    : address(junk);
        vm.prank(thief);
        try treasury.pay(token, _thieves[to % 4], amount, bytes32(++_next)) {
            ++reached[0];
        } catch {}
        _look(thief);
    }

    /// @dev Takes any part of what it says that it may, with whatever comes between.
    function call(uint256 who, uint256 amount, uint256 seed) external {
        vm.warp(_now);
        address thief = _thieves[who % 4];
        amount = bound(amount, 0, 60 * UNIT);
        uint128 allowed = seed & 3 == 0 ? type(uint96).max : uint128(amount);
        uint256 coin = seed & 4 == 0 ? 0 : amount / 2;
        _prepare(shop, seed, amount);
        bytes memory data = abi.encodeCall(Liar.order, (money, amount));
        vm.prank(thief);
        try treasury.callWithin(ITreasury.Call(address(shop), coin, data), allowed, bytes32(++_next)) {
            if (amount != 0) ++reached[1];
            if (seed & 3 == 0 && amount != 0) ++reached[2];
        } catch {}
        _look(thief);
        if (money.allowance(address(treasury), address(shop)) != 0) broken = "more may be taken later";
    }

    /// @dev Takes by the allowance of another contract, which the scope names.
    function callThroughAProxy(uint256 who, uint256 amount, uint256 seed) external {
        vm.warp(_now);
        address thief = _thieves[who % 4];
        amount = bound(amount, 1, 60 * UNIT);
        _prepare(shop, seed, amount);
        bytes memory data = abi.encodeCall(Liar.orderThrough, (proxy, money, amount));
        vm.prank(thief);
        try treasury.callWithin(ITreasury.Call(address(shop), 0, data), uint128(amount), bytes32(++_next)) {
            ++reached[8];
        } catch {}
        _look(thief);
        if (money.allowance(address(treasury), address(proxy)) != 0) broken = "more may be taken later";
    }

    function callWithTheTokenThatLies(uint256 who, uint256 allowed, uint256 seed) external {
        vm.warp(_now);
        address thief = _thieves[who % 4];
        _prepare(junk, seed, bound(allowed, 0, 60 * UNIT));
        _prepare(shop, seed >> 8, bound(allowed, 0, 60 * UNIT));
        bytes memory data = abi.encodeCall(Liar.approve, (address(0), 0));
        vm.prank(thief);
        try treasury.callWithin(ITreasury.Call(address(shop), 0, data), uint128(allowed), bytes32(++_next)) {
            ++reached[3];
        } catch {}
        _look(thief);
    }

    /// @dev Above its own line, or the group's, or both.
    function ask(uint256 who, uint256 amount) external {
        vm.warp(_now);
        address thief = _thieves[who % 4];
        Waiting memory asked = Waiting(
            thief,
            bound(amount, 50 * UNIT + 1, 100 * UNIT),
            bytes32(++_next),
            _now,
            false
        );
        vm.prank(thief);
        try treasury.pay(address(money), thief, asked.amount, asked.ref) returns (bytes32 id) {
            if (id != 0) _waiting.push(asked);
        } catch {}
        _look(thief);
    }

    function payQueued(uint256 which) external {
        vm.warp(_now);
        if (_waiting.length == 0) return;
        // The latest ones often: the others have lapsed.
        uint256 from = _waiting.length > 4 ? _waiting.length - 4 : 0;
        Waiting storage asked = _waiting[from + (which % (_waiting.length - from))];
        address spender = asked.spender;
        try treasury.payQueued(spender, address(money), spender, asked.amount, asked.ref) {
            ++reached[4];
            if (asked.isOver) broken = "a payment that is over was made";
            asked.isOver = true;
            _requireWaited(asked, spender);
            _requireWaited(asked, group);
        } catch {}
        _look(spender);
    }

    function pass(uint256 time) external {
        uint256[4] memory scales = [uint256(20 minutes), 2 hours, 1 days, 8 days];
        _now += bound(time >> 2, 0, scales[time % 4]);
        vm.warp(_now);
    }

    // ------------------------------------------------------------------ what the owners do

    function quorumSetsDelay(uint256 who, uint256 hours_) external {
        vm.warp(_now);
        address of_ = who % 5 == 4 ? group : _thieves[who % 5];
        uint256 delay = bound(hours_, 1, 4) * 1 hours;
        vm.prank(address(treasury));
        treasury.setDelay(of_, address(money), delay);
        (_delay[of_], _delaySetAt[of_]) = (delay, _now);
    }

    function ownerEndsDelay(uint256 who) external {
        vm.warp(_now);
        // Seldom, or hardly anything that waits is ever paid.
        if (who % 8 != 0) return;
        address of_ = (who / 8) % 5 == 4 ? group : _thieves[(who / 8) % 5];
        vm.prank(_owner);
        treasury.setDelay(of_, address(money), 0);
        _delay[of_] = 0;
        ++reached[5];
    }

    function ownerCancels(uint256 which) external {
        vm.warp(_now);
        if (_waiting.length == 0 || which % 3 != 0) return;
        Waiting storage asked = _waiting[_waiting.length - 1];
        uint256 nonce = treasury.proposalNonceOf(asked.spender, asked.ref);
        vm.prank(_owner);
        try treasury.cancelProposal(nonce) {
            asked.isOver = true;
            ++reached[6];
        } catch {}
    }

    function ownersLowerAndRestore(uint256 seed) external {
        vm.warp(_now);
        vm.startPrank(address(treasury));
        if (seed % 2 == 0) {
            try treasury.lowerBudget(group, address(money), terms(1, 50)) {
                ++reached[7];
            } catch {}
        } else {
            // Ends its delay, too.
            treasury.setBudget(group, address(money), terms(3, 70));
            _delay[group] = 0;
        }
        vm.stopPrank();
    }

    // ------------------------------------------------------------------ inside

    /// @dev As many times 50 for one payment, and 100, 200, 400 and 800 in the windows.
    function terms(uint256 times, uint256 line) public pure returns (ITreasury.BudgetTerms memory) {
        return
            ITreasury.BudgetTerms({
                perTransaction: uint128(50 * UNIT * times),
                approvalAbove: uint128(line * UNIT),
                hourly: uint128(100 * UNIT * times),
                daily: uint128(200 * UNIT * times),
                weekly: uint128(400 * UNIT * times),
                monthly: uint128(800 * UNIT * times),
                validUntil: type(uint40).max,
                recipientsOnly: false
            });
    }

    function _setBudgets(address spender, ITreasury.BudgetTerms memory terms_) private {
        treasury.setBudget(spender, address(money), terms_);
        treasury.setBudget(spender, address(0), terms_);
        treasury.setBudget(spender, address(junk), terms_);
    }

    /// @dev A refund comes home, or the Treasury is entered again: by a payment, by a call, by what waits.
    function _prepare(Liar liar, uint256 seed, uint256 amount) private {
        bytes32 ref = bytes32(++_next);
        bytes memory order = abi.encodeCall(Liar.order, (money, amount));
        ITreasury.Call memory again = ITreasury.Call(address(shop), 0, order);
        uint256 choice = (seed >> 16) % 3;
        if (choice == 0) {
            liar.prepare(address(money), abi.encodeCall(money.refund, (address(treasury), amount)), seed);
        } else if (choice == 1) {
            bytes memory data = abi.encodeCall(treasury.pay, (address(money), address(liar), amount, ref));
            liar.prepare(address(treasury), data, seed);
        } else {
            bytes memory data = abi.encodeCall(treasury.callWithin, (again, uint128(amount), ref));
            liar.prepare(address(treasury), data, seed);
        }
    }

    function _requireWaited(Waiting storage asked, address who) private {
        (ITreasury.BudgetTerms memory now_, , ) = treasury.budgetOf(who, address(money));
        if (asked.amount <= now_.approvalAbove) return;
        if (_delay[who] == 0) broken = "paid without a delay";
        if (_delaySetAt[who] > asked.askedAt) broken = "paid under a delay that was set later";
        if (_now < asked.askedAt + _delay[who]) broken = "paid before its time";
    }

    function _look(address spender) private {
        for (uint256 i; i < 2; ++i) {
            address asset = i == 0 ? address(money) : address(0);
            uint256 wealth = wealthIn(asset);
            uint256 gain = wealth > _wealth[asset] ? wealth - _wealth[asset] : 0;
            _wealth[asset] = wealth;
            if (gain == 0) continue;
            _requireLeft(spender, asset, gain);
            _requireLeft(group, asset, gain);
        }
    }

    /// @notice What the thief has of it.
    function wealthIn(address asset) public view returns (uint256 wealth) {
        for (uint256 i; i < 4; ++i) {
            wealth += asset == address(0) ? _thieves[i].balance : money.balanceOf(_thieves[i]);
        }
    }

    function _requireLeft(address who, address asset, uint256 gain) private {
        _gains[who][asset].push(Gain(_now, gain));
        (ITreasury.BudgetTerms memory now_, , ) = treasury.budgetOf(who, asset);
        if (gain > now_.perTransaction) broken = "beyond the limit per transaction";
        if (_sumSince(who, asset, 1 hours) > now_.hourly) broken = "beyond the hour";
        if (_sumSince(who, asset, 1 days) > now_.daily) broken = "beyond the day";
        if (_sumSince(who, asset, 7 days) > now_.weekly) broken = "beyond the week";
        if (_sumSince(who, asset, 30 days) > now_.monthly) broken = "beyond the month";
    }

    function _sumSince(address who, address asset, uint256 length) private view returns (uint256 sum) {
        Gain[] storage gains = _gains[who][asset];
        for (uint256 i = gains.length; i > 0 && gains[i - 1].time + length >= _now; --i) {
            sum += gains[i - 1].amount;
        }
    }
}

/// @notice Invariants 1, 2 and 10 to 12 of test/INVARIANTS.md against a thief who has every role but the owners'.
contract ThievesTest is Walk {
    ThievesHandler private _handler;

    function setUp() public {
        vm.warp(2_100 * 10 days);
        _handler = new ThievesHandler(block.timestamp);
        targetContract(address(_handler));
    }

    function invariant_allHold() public view {
        if (bytes(_handler.broken()).length != 0) revert AssertionFailed(_handler.broken());
        check_theThiefHasWhatTheTreasuryLost();
    }

    /// @notice What came in as refunds is the Treasury's, and nothing else left it.
    function check_theThiefHasWhatTheTreasuryLost() public view {
        Money money = _handler.money();
        uint256 held = money.balanceOf(address(_handler.treasury()));
        assertEq(held + _handler.wealthIn(address(money)), money.totalSupply(), "the money");
    }

    function test_aWalk_reachesEveryPath() public {
        bytes4[] memory selectors = new bytes4[](11);
        selectors[0] = _handler.pay.selector;
        selectors[1] = _handler.call.selector;
        selectors[2] = _handler.callWithTheTokenThatLies.selector;
        selectors[3] = _handler.ask.selector;
        selectors[4] = _handler.payQueued.selector;
        selectors[5] = _handler.pass.selector;
        selectors[6] = _handler.quorumSetsDelay.selector;
        selectors[7] = _handler.ownerEndsDelay.selector;
        selectors[8] = _handler.ownerCancels.selector;
        selectors[9] = _handler.ownersLowerAndRestore.selector;
        selectors[10] = _handler.callThroughAProxy.selector;
        _walk(address(_handler), selectors, 1, 1_500);
        invariant_allHold();
        string[9] memory paths = [
            "pay",
            "call",
            "call with the greatest allowance",
            "call with the token that lies",
            "payQueued",
            "ownerEndsDelay",
            "ownerCancels",
            "ownersLower",
            "call through a proxy"
        ];
        for (uint256 i; i < 9; ++i) {
            Print.count(paths[i], _handler.reached(i));
            assertLe(1, _handler.reached(i), paths[i]);
        }
    }
}
