// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IAgreements} from "../../../contracts/interfaces/payments/IAgreements.sol";
import {IScopes} from "../../../contracts/interfaces/treasury/IScopes.sol";
import {ITreasury} from "../../../contracts/interfaces/treasury/ITreasury.sol";
import {Escrow} from "../../../contracts/payments/Escrow.sol";
import {TreasuryFixture} from "../support/TreasuryFixture.sol";

/// @dev Has the allowance that its router uses, as Permit2 has.
contract TransferProxy {
    function pull(IERC20 token, address from, address to, uint256 amount) external {
        token.transferFrom(from, to, amount);
    }
}

/// @dev Takes from whoever calls, and calls somebody else meanwhile, as a swap with hooks does.
contract Router {
    TransferProxy public immutable proxy = new TransferProxy();

    function swap(IERC20 token, uint256 amount, address to, address hook, bytes calldata data) external {
        proxy.pull(token, msg.sender, to, amount);
        if (hook == address(0)) return;
        (bool ok, ) = hook.call(data);
        require(ok);
    }
}

/// @dev Tries to take by an allowance of its own.
contract Thief {
    function take(IERC20 token, uint256 amount) external {
        token.transferFrom(msg.sender, address(this), amount);
    }
}

/// @notice What a scoped call takes through another contract than the called one.
contract TreasuryCalls is TreasuryFixture {
    Router private router = new Router();
    address private proxy = address(router.proxy());

    function test_byAProxy_whichTheScopeNames_isCharged_andNeedsNoStandingAllowance() public {
        _allow(proxy);
        _swap(40 * UNIT, address(0), "");
        assertEq(treasury.usageOf(agent, address(token))[0].left, 160 * UNIT, "of 200 in the hour");
        assertEq(token.allowance(address(treasury), proxy), 0, "nothing may be taken later");
        vm.expectPartialRevert(IERC20Errors.ERC20InsufficientAllowance.selector);
        TransferProxy(proxy).pull(token, address(treasury), payee, 1);
    }

    /// @dev Was: a refund of the Treasury's own in the same call paid for what left past every window.
    function test_byAProxy_whichTheScopeNames_aRefundMeanwhileNetsNothing() public {
        _allow(proxy);
        vm.prank(address(treasury));
        token.approve(proxy, type(uint256).max);
        (address escrow, bytes memory claim) = _refundOf(50 * UNIT);
        _swap(50 * UNIT, escrow, claim);
        assertEq(token.balanceOf(payee), 50 * UNIT, "taken");
        assertEq(treasury.usageOf(agent, address(token))[3].left, 1_550 * UNIT, "and charged in full");
        assertEq(token.allowance(address(treasury), proxy), type(uint256).max, "as it stood");
        (escrow, claim) = _refundOf(100_000 * UNIT);
        vm.expectPartialRevert(ITreasury.Treasury_SpendDenied.selector);
        _swap(100_000 * UNIT, escrow, claim);
    }

    function test_byAProxy_whichTheScopeNames_theCalledOneTakesNothing() public {
        Thief thief = new Thief();
        vm.prank(address(treasury));
        scopes.allowCall(agent, address(thief), Thief.take.selector, address(token), proxy, _anything());
        bytes memory take = abi.encodeCall(Thief.take, (token, 1));
        vm.expectPartialRevert(ITreasury.Treasury_CallFailed.selector);
        vm.prank(agent);
        treasury.callWithin(_call(address(thief), 0, take)[0], 1, "a");
    }

    /// @dev The bound of docs/trust.md: owners who leave a standing allowance to one whom no scope names.
    function test_byAnAllowanceOfWhomTheScopeDoesNotName_besideARefund_isNotCharged() public {
        _allow(address(0));
        vm.prank(address(treasury));
        token.approve(proxy, type(uint256).max);
        _swap(40 * UNIT, address(0), "");
        assertEq(treasury.usageOf(agent, address(token))[3].left, 1_560 * UNIT, "alone, it is");
        (address escrow, bytes memory claim) = _refundOf(100_000 * UNIT);
        _swap(100_000 * UNIT, escrow, claim);
        assertEq(token.balanceOf(payee), 100_040 * UNIT, "as much as came back");
        assertEq(treasury.usageOf(agent, address(token))[3].left, 1_560 * UNIT, "of 1,600 in the month");
    }

    function _allow(address puller) private {
        vm.prank(address(treasury));
        scopes.allowCall(agent, address(router), Router.swap.selector, address(token), puller, _anything());
    }

    function _anything() private pure returns (IScopes.Rule[] memory) {
        return new IScopes.Rule[](0);
    }

    /// @dev An undelivered agreement of the Treasury's, and the call by which anybody has it refunded.
    function _refundOf(uint256 amount) private returns (address, bytes memory) {
        Escrow escrow = new Escrow(address(token), "");
        IAgreements.Agreement memory agreement = IAgreements.Agreement({
            buyer: address(treasury),
            seller: makeAddr("seller"),
            token: address(token),
            milestones: new IAgreements.Milestone[](1),
            acceptBy: 0,
            reviewWindow: 2 days,
            arbiter: address(0),
            termsHash: "terms"
        });
        agreement.milestones[0] = IAgreements.Milestone(uint128(amount), uint40(block.timestamp + 1 days));
        vm.startPrank(address(treasury));
        token.approve(address(escrow), amount);
        uint256 id = escrow.open(agreement);
        vm.stopPrank();
        skip(1 days);
        bytes memory claim = abi.encodeWithSignature("claimRefund(uint256,bytes)", id, abi.encode(agreement));
        return (address(escrow), claim);
    }

    function _swap(uint256 amount, address hook, bytes memory data) private {
        bytes memory swap = abi.encodeCall(Router.swap, (token, amount, payee, hook, data));
        bytes32 ref = _ref();
        vm.prank(agent);
        treasury.callWithin(_call(address(router), 0, swap)[0], uint128(amount), ref);
    }
}
