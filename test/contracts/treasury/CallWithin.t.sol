// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IScopes} from "../../../contracts/interfaces/treasury/IScopes.sol";
import {ITreasury} from "../../../contracts/interfaces/treasury/ITreasury.sol";
import {TreasuryFixture} from "../support/TreasuryFixture.sol";

/// @notice A contract that owners let an agent call: it takes what it is told to, and lets the caller act meanwhile.
contract Shop {
    error Shop_Closed();

    address private _meanwhile;
    bytes private _data;

    /// @dev Called while an order runs, as a token's hook or a seller's wallet would be.
    function meanwhile(address to, bytes calldata data) external {
        (_meanwhile, _data) = (to, data);
    }

    function order(IERC20 token, uint256 amount) external payable {
        if (amount != 0) token.transferFrom(msg.sender, address(this), amount);
        if (_meanwhile == address(0)) return;
        (bool ok, bytes memory reason) = _meanwhile.call(_data);
        if (!ok) {
            assembly ("memory-safe") {
                revert(add(reason, 0x20), mload(reason))
            }
        }
    }

    function refund(IERC20 token, uint256 amount) external {
        token.transfer(msg.sender, amount);
    }

    function close() external pure {
        revert Shop_Closed();
    }

    receive() external payable {}
}

/// @notice A token that counts no allowance down.
contract Uncounted is ERC20("Uncounted", "UNC") {
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function _spendAllowance(address, address, uint256) internal override {}
}

/// @notice A token like COMP and UNI, which don't count an allowance of 2^96 - 1 down.
contract Uncounted96 is ERC20("Uncounted", "UNC") {
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function _spendAllowance(address owner, address spender, uint256 value) internal override {
        if (allowance(owner, spender) != type(uint96).max) super._spendAllowance(owner, spender, value);
    }
}

/// @notice Calls that owners allow, with what leaves by them measured and charged.
contract CallWithinTest is TreasuryFixture {
    Shop private shop;

    function setUp() public override {
        super.setUp();
        shop = new Shop();
        _allow(Shop.order.selector);
    }

    function test_callWithin_chargesWhatTheCallTook_notWhatItMight() public {
        vm.expectEmit();
        emit ITreasury.CalledWithin(
            agent,
            address(shop),
            address(token),
            Shop.order.selector,
            30 * UNIT,
            0,
            bytes32(uint256(1))
        );
        _order(30 * UNIT, 40 * UNIT);
        assertEq(token.balanceOf(address(shop)), 30 * UNIT, "taken");
        assertEq(treasury.usageOf(agent, address(token))[0].left, 170 * UNIT, "charged");
        assertEq(token.allowance(address(treasury), address(shop)), 0, "nothing may be taken later");
    }

    function test_callWithin_whereNoAllowanceIsCountedDown_chargesWhatTheBalanceLost() public {
        Uncounted free = new Uncounted();
        free.mint(address(treasury), 200 * UNIT);
        _setBudget(agent, address(free), _terms());
        vm.prank(address(treasury));
        scopes.allowCall(
            agent,
            address(shop),
            Shop.order.selector,
            address(free),
            address(0),
            new IScopes.Rule[](0)
        );
        bytes memory data = abi.encodeCall(Shop.order, (IERC20(address(free)), 30 * UNIT));
        vm.prank(agent);
        treasury.callWithin(ITreasury.Call(address(shop), 0, data), uint128(30 * UNIT), "uncounted");
        assertEq(treasury.usageOf(agent, address(free))[0].left, 170 * UNIT, "charged");
    }

    function test_callWithin_ofWhatNobodyAllowed_reverts() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                IScopes.Scopes_CallDenied.selector,
                agent,
                address(shop),
                Shop.close.selector
            )
        );
        _within(abi.encodeCall(Shop.close, ()), 0, 0);
        vm.expectRevert(
            abi.encodeWithSelector(
                IScopes.Scopes_CallDenied.selector,
                stranger,
                address(shop),
                Shop.order.selector
            )
        );
        vm.prank(stranger);
        treasury.callWithin(ITreasury.Call(address(shop), 0, abi.encodeCall(Shop.order, (token, 1))), 1, "r");
    }

    function test_callWithin_beyondTheBudget_revertsWithAllItDid() public {
        _expectDenied(ITreasury.Reason.PerTransaction, 101 * UNIT, 100 * UNIT, 0);
        _order(101 * UNIT, 101 * UNIT);
        _expectDenied(ITreasury.Reason.ApprovalAbove, 51 * UNIT, 50 * UNIT, 0);
        _order(51 * UNIT, 51 * UNIT);
        for (uint256 i; i < 4; ++i) _order(50 * UNIT, 50 * UNIT);
        vm.expectPartialRevert(ITreasury.Treasury_SpendDenied.selector);
        _order(1, 1);
        assertEq(token.balanceOf(address(shop)), 200 * UNIT, "the hour's limit");
    }

    function test_callWithin_takesNoMoreThanItMay() public {
        vm.expectPartialRevert(ITreasury.Treasury_CallFailed.selector);
        _order(30 * UNIT, 29 * UNIT);
    }

    /// @dev What owners let the contract take for another reason is neither used nor lost.
    function test_callWithin_leavesAStandingAllowanceAsItWas() public {
        vm.prank(address(treasury));
        token.approve(address(shop), 7 * UNIT);
        vm.expectPartialRevert(ITreasury.Treasury_CallFailed.selector);
        _order(5 * UNIT, 4 * UNIT);
        _order(5 * UNIT, 5 * UNIT);
        assertEq(token.allowance(address(treasury), address(shop)), 7 * UNIT, "as it was");
    }

    /// @dev Money of the Treasury's own that comes home meanwhile pays for nothing.
    function test_callWithin_whatComesInMeanwhile_netsNothing() public {
        token.mint(address(this), 50 * UNIT);
        token.approve(address(shop), 50 * UNIT);
        shop.meanwhile(address(this), abi.encodeCall(this.bringHome, ()));
        _order(50 * UNIT, type(uint128).max);
        assertEq(treasury.usageOf(agent, address(token))[0].left, 150 * UNIT, "charged in full");
    }

    function bringHome() external {
        token.transfer(address(treasury), 50 * UNIT);
    }

    /// @dev Nor where the token doesn't count the greatest allowance down: none is given beyond what is there.
    function test_callWithin_withAnAllowanceThatIsNotCountedDown_netsNothing() public {
        Uncounted96 comp = new Uncounted96();
        comp.mint(address(treasury), 1_000 * UNIT);
        comp.mint(address(this), 50 * UNIT);
        _setBudget(agent, address(comp), _terms());
        vm.prank(address(treasury));
        scopes.allowCall(
            agent,
            address(shop),
            Shop.order.selector,
            address(comp),
            address(0),
            new IScopes.Rule[](0)
        );
        shop.meanwhile(address(comp), abi.encodeCall(comp.transfer, (address(treasury), 50 * UNIT)));
        comp.mint(address(shop), 50 * UNIT);
        _within(abi.encodeCall(Shop.order, (comp, 50 * UNIT)), type(uint96).max, 0);
        assertEq(treasury.usageOf(agent, address(comp))[0].left, 150 * UNIT, "charged in full");
        assertEq(comp.allowance(address(treasury), address(shop)), 0, "nothing may be taken later");
    }

    function test_callWithin_enteringAgain_isRefused() public {
        _setBudget(address(shop), address(token), _terms());
        shop.meanwhile(
            address(treasury),
            abi.encodeCall(treasury.pay, (address(token), payee, 1, bytes32("again")))
        );
        vm.expectPartialRevert(ITreasury.Treasury_CallFailed.selector);
        _order(1, 1);
    }

    function test_callWithin_withCoin_chargesItsBudget() public {
        vm.expectPartialRevert(ITreasury.Treasury_SpendDenied.selector);
        _within(abi.encodeCall(Shop.order, (token, 0)), 0, 1);
        _setBudget(agent, address(0), _terms());
        _within(abi.encodeCall(Shop.order, (token, 0)), 0, 30 * UNIT);
        assertEq(address(shop).balance, 30 * UNIT, "sent");
        assertEq(treasury.usageOf(agent, address(0))[0].left, 170 * UNIT, "charged");
        assertEq(treasury.usageOf(agent, address(token))[0].left, 200 * UNIT, "no token");
    }

    function test_callWithin_thatTakesNothing_needsNoRoom() public {
        _allow(Shop.refund.selector);
        token.mint(address(shop), 9);
        for (uint256 i; i < 4; ++i) _order(50 * UNIT, 50 * UNIT);
        _within(abi.encodeCall(Shop.refund, (token, 9)), 0, 0);
        assertEq(treasury.usageOf(agent, address(token))[0].left, 0, "and gives none back");
    }

    /// @dev A scope without a token lets none be taken, whatever the caller says that it may.
    function test_callWithin_ofAScopeWithoutAToken_takesNone() public {
        vm.prank(address(treasury));
        scopes.allowCall(
            agent,
            address(shop),
            Shop.order.selector,
            address(0),
            address(0),
            new IScopes.Rule[](0)
        );
        vm.expectPartialRevert(ITreasury.Treasury_CallFailed.selector);
        _order(1, 1);
        _order(0, 1);
    }

    function test_callWithin_ofAStoppedSpender_isDenied() public {
        vm.prank(owners[0]);
        treasury.freeze(agent);
        _expectDenied(ITreasury.Reason.Frozen, 1, 0, 0);
        _order(0, 1);
        vm.prank(owners[0]);
        treasury.pause();
        _expectDenied(ITreasury.Reason.Paused, 1, 0, 0);
        _order(0, 1);
    }

    /// @dev Was: only who could also be paid plainly could be called, so that an agent that owners let buy from a contract
    ///      could pay it past every rule, for nothing or for whoever gets that out again.
    function test_callWithin_asksNoRecipientList_andPaymentsDo() public {
        address group = makeAddr("group");
        ITreasury.BudgetTerms memory terms = _terms();
        terms.recipientsOnly = true;
        for (uint256 i; i < 2; ++i) {
            _setBudget(agent, i == 0 ? address(token) : address(0), terms);
            _setBudget(group, i == 0 ? address(token) : address(0), terms);
        }
        vm.prank(address(treasury));
        treasury.setGroup(agent, group);
        _within(abi.encodeCall(Shop.order, (token, 30 * UNIT)), 30 * UNIT, 7);
        assertEq(token.balanceOf(address(shop)), 30 * UNIT, "taken");
        assertEq(treasury.usageOf(agent, address(token))[0].left, 170 * UNIT, "charged");
        assertEq(treasury.usageOf(group, address(0))[0].left, 200 * UNIT - 7, "the coin, too");
        _expectDenied(ITreasury.Reason.Recipient, 1, 0, 0);
        vm.prank(agent);
        treasury.pay(address(token), address(shop), 1, "plain");
    }

    /// @dev A call waits for nobody: a delay lets nothing above the line through.
    function test_callWithin_aboveTheApprovalLine_isDenied_alsoUnderADelay() public {
        vm.prank(address(treasury));
        treasury.setDelay(agent, address(token), 1 hours);
        skip(2 hours);
        _expectDenied(ITreasury.Reason.ApprovalAbove, 51 * UNIT, 50 * UNIT, 0);
        _order(51 * UNIT, 51 * UNIT);
    }

    function test_callWithin_twiceWithOneReference_callsOnce() public {
        _order(1, 1);
        --nextRef;
        vm.expectRevert(
            abi.encodeWithSelector(ITreasury.Treasury_ReferenceUsed.selector, agent, bytes32(uint256(1)))
        );
        _order(1, 1);
    }

    function test_callWithin_thatFails_saysWhy() public {
        _allow(Shop.close.selector);
        vm.expectRevert(
            abi.encodeWithSelector(
                ITreasury.Treasury_CallFailed.selector,
                0,
                address(shop),
                abi.encodeWithSelector(Shop.Shop_Closed.selector)
            )
        );
        _within(abi.encodeCall(Shop.close, ()), 0, 0);
    }

    /// @dev Any mixture of payments and calls of one agent stays in its hour.
    function testFuzz_callsAndPayments_shareTheWindows(uint256 seed) public {
        uint256[20] memory leftAt;
        uint256[20] memory left;
        for (uint256 i; i < 20; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            skip(seed % 40 minutes);
            uint256 amount = bound(seed >> 64, 1, 50 * UNIT);
            uint256 before = token.balanceOf(address(treasury));
            if (seed & 1 == 0) {
                try this.payAs(amount) {} catch {}
            } else {
                try this.orderAs(amount, bound(seed >> 32, 0, 2 * amount)) {} catch {}
            }
            (leftAt[i], left[i]) = (block.timestamp, before - token.balanceOf(address(treasury)));
            uint256 sum;
            for (uint256 j; j <= i; ++j) if (block.timestamp - leftAt[j] < 1 hours) sum += left[j];
            assertLe(sum, 200 * UNIT, "an hour");
        }
    }

    function payAs(uint256 amount) external {
        _pay(amount);
    }

    function orderAs(uint256 amount, uint256 allowed) external {
        _order(amount, allowed);
    }

    function _allow(bytes4 selector) private {
        vm.prank(address(treasury));
        scopes.allowCall(agent, address(shop), selector, address(token), address(0), new IScopes.Rule[](0));
    }

    function _order(uint256 amount, uint256 allowed) private {
        _within(abi.encodeCall(Shop.order, (token, amount)), allowed, 0);
    }

    function _within(bytes memory data, uint256 allowed, uint256 value) private {
        bytes32 ref = _ref();
        vm.prank(agent);
        treasury.callWithin(ITreasury.Call(address(shop), value, data), uint128(allowed), ref);
    }
}
