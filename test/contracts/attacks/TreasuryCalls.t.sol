// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IAgreements} from "../../../contracts/interfaces/payments/IAgreements.sol";
import {IScopes} from "../../../contracts/interfaces/treasury/IScopes.sol";
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

/// @notice What a scoped call takes by a standing allowance to another contract than the called one: the bounds of
///         docs/trust.md.
contract TreasuryCalls is TreasuryFixture {
    Router private router = new Router();

    function setUp() public override {
        super.setUp();
        vm.startPrank(address(treasury));
        token.approve(address(router.proxy()), type(uint256).max);
        scopes.allowCall(agent, address(router), Router.swap.selector, address(token), new IScopes.Rule[](0));
        vm.stopPrank();
    }

    function test_byAProxysAllowance_isCharged() public {
        _swap(40 * UNIT, address(0), "");
        assertEq(treasury.usageOf(agent, address(token))[0].left, 160 * UNIT, "of 200 in the hour");
    }

    function test_byAProxysAllowance_besideARefund_isNot() public {
        Escrow escrow = new Escrow(address(token), "");
        uint128 amount = uint128(100_000 * UNIT);
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
        agreement.milestones[0] = IAgreements.Milestone(amount, uint40(block.timestamp + 1 days));
        vm.startPrank(address(treasury));
        token.approve(address(escrow), amount);
        uint256 id = escrow.open(agreement);
        vm.stopPrank();
        vm.warp(block.timestamp + 1 days);
        _swap(
            amount,
            address(escrow),
            abi.encodeWithSignature("claimRefund(uint256,bytes)", id, abi.encode(agreement))
        );
        assertEq(token.balanceOf(payee), amount, "as much as came back");
        assertEq(treasury.usageOf(agent, address(token))[3].left, 1_600 * UNIT, "of 1,600 in the month");
    }

    function _swap(uint256 amount, address hook, bytes memory data) private {
        bytes memory swap = abi.encodeCall(Router.swap, (token, amount, payee, hook, data));
        vm.prank(agent);
        treasury.callWithin(_call(address(router), 0, swap)[0], 0, "a");
    }
}
