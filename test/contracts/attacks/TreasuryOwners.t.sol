// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITreasury} from "../../../contracts/interfaces/treasury/ITreasury.sol";
import {TreasuryFixture} from "../support/TreasuryFixture.sol";

/// @notice What an owner, a minority of owners or a spender that one of them has stopped can still do, or undo.
contract TreasuryOwnersAttacks is TreasuryFixture {
    uint256 private constant FIRST_RESERVED = type(uint256).max - type(uint64).max;

    // ------------------------------------------------------------------ a stopped spender

    function test_aFrozenSpendersApprovedPayment_paysNothing_untilItIsUnfrozen() public {
        vm.prank(agent);
        bytes32 id = treasury.pay(address(token), payee, 60 * UNIT, "r");
        bytes[] memory signatures = _signed(id, 2);
        vm.prank(owners[2]);
        treasury.freeze(agent);
        _expectStopped(ITreasury.Reason.Frozen);
        vm.prank(agent);
        _executePayment(signatures);
        _expectStopped(ITreasury.Reason.Frozen);
        vm.prank(stranger);
        _executePayment(signatures);
        assertEq(token.balanceOf(payee), 0, "nothing is paid");
        _execute(_self(abi.encodeCall(treasury.unfreeze, (agent))));
        _executePayment(signatures);
        assertEq(token.balanceOf(payee), 60 * UNIT, "paid once the owners say so again");
    }

    function test_aPausedSpendersApprovedPayment_paysNothing_untilThePauseIsLifted() public {
        vm.prank(agent);
        bytes[] memory signatures = _signed(treasury.pay(address(token), payee, 60 * UNIT, "r"), 2);
        vm.prank(owners[2]);
        treasury.pause();
        _expectStopped(ITreasury.Reason.Paused);
        _executePayment(signatures);
        _execute(_self(abi.encodeCall(treasury.unpause, ())));
        _executePayment(signatures);
        assertEq(token.balanceOf(payee), 60 * UNIT, "paid");
    }

    /// @notice One owner's freeze and pause hold up no payment of the owners' own.
    function test_freezingNobodyAndPausing_stopNoPaymentOfTheOwners() public {
        vm.startPrank(owners[2]);
        treasury.freeze(address(0));
        treasury.pause();
        vm.stopPrank();
        _execute(
            _self(abi.encodeCall(treasury.disburse, (address(0), address(token), payee, 60 * UNIT, "r")))
        );
        assertEq(token.balanceOf(payee), 60 * UNIT, "paid");
    }

    // ------------------------------------------------------------------ an owner that holds the Treasury up

    function test_rogueOwner_cancellingEveryNonceInFront_cannotStopItsRemoval() public {
        ITreasury.Call[] memory calls = _self(abi.encodeCall(treasury.removeOwner, (owners[0])));
        bytes[] memory signatures = _signedByTheOthers(calls, FIRST_RESERVED);
        vm.startPrank(owners[0]);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_NotSelf.selector, owners[0]));
        treasury.cancelProposal(FIRST_RESERVED);
        // What it can do in front of the removal keeps nobody from it.
        treasury.cancelProposal(FIRST_RESERVED - 1);
        treasury.pause();
        vm.stopPrank();
        treasury.execute(calls, FIRST_RESERVED, FOREVER, signatures);
        assertFalse(treasury.isOwner(owners[0]), "out");
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_NotOwner.selector, owners[0]));
        vm.prank(owners[0]);
        treasury.pause();
    }

    function test_everyChangeOfOwners_runsUnderAReservedNonce() public {
        ITreasury.Call[] memory calls = new ITreasury.Call[](4);
        bytes[4] memory data = [
            abi.encodeCall(treasury.addOwner, (payee)),
            abi.encodeCall(treasury.replaceOwner, (owners[0], stranger)),
            abi.encodeCall(treasury.removeOwner, (stranger)),
            abi.encodeCall(treasury.setThreshold, (3))
        ];
        for (uint256 i; i < 4; ++i) calls[i] = ITreasury.Call(address(treasury), 0, data[i]);
        bytes[] memory signatures = _signedByTheOthers(calls, type(uint256).max);
        treasury.execute(calls, type(uint256).max, FOREVER, signatures);
        assertTrue(treasury.isOwner(payee), "added");
        assertEq(treasury.threshold(), 3, "threshold");
    }

    /// @notice What no single owner can cancel moves no money and loosens no budget.
    function test_aReservedNonce_doesNothingButChangeOwners() public {
        ITreasury.Call[] memory calls = new ITreasury.Call[](2);
        calls[0] = ITreasury.Call(address(treasury), 0, abi.encodeCall(treasury.setThreshold, (2)));
        bytes[4] memory data = [
            abi.encodeCall(treasury.unfreeze, (agent)),
            abi.encodeCall(treasury.disburse, (address(0), address(token), payee, 1, "r")),
            abi.encodePacked(bytes3(treasury.addOwner.selector)),
            bytes("")
        ];
        for (uint256 i; i < 4; ++i) {
            calls[1] = ITreasury.Call(address(treasury), 0, data[i]);
            _expectReserved(calls);
        }
        calls[1] = ITreasury.Call(address(token), 0, abi.encodeCall(treasury.addOwner, (payee)));
        _expectReserved(calls);
    }

    function test_aReservedNonce_isUsedOnce_andCancelledByTheTreasury() public {
        vm.prank(address(treasury));
        treasury.cancelProposal(FIRST_RESERVED);
        ITreasury.Call[] memory calls = _self(abi.encodeCall(treasury.addOwner, (payee)));
        bytes[] memory signatures = _signedByTheOthers(calls, FIRST_RESERVED);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_NonceUsed.selector, FIRST_RESERVED));
        treasury.execute(calls, FIRST_RESERVED, FOREVER, signatures);
    }

    function test_rogueOwner_cancellingInTime_cannotStopAnUnknownNonce() public {
        vm.startPrank(owners[0]);
        for (uint256 i; i < 10; ++i) treasury.cancelProposal(i);
        vm.stopPrank();
        ITreasury.Call[] memory calls = _self(abi.encodeCall(treasury.removeOwner, (owners[0])));
        uint256 nonce = uint256(keccak256("not to be guessed"));
        treasury.execute(calls, nonce, FOREVER, _signedByTheOthers(calls, nonce));
        assertFalse(treasury.isOwner(owners[0]), "out");
    }

    // ------------------------------------------------------------------ another threshold

    function test_aLoweredThreshold_revivesNoMinoritysSignatures() public {
        vm.prank(address(treasury));
        treasury.setThreshold(3);
        ITreasury.Call[] memory calls = _transfer(payee, 5);
        bytes[] memory signatures = _signed(treasury.hashProposal(calls, 5, FOREVER), 2);
        vm.prank(address(treasury));
        treasury.setThreshold(2);
        // Of another hash they are signatures of somebody else.
        vm.expectPartialRevert(ITreasury.Treasury_NotOwner.selector);
        treasury.execute(calls, 5, FOREVER, signatures);
        assertEq(token.balanceOf(payee), 0, "nothing is paid");
    }

    function test_aLoweredThreshold_revivesNoMinoritysApprovals() public {
        vm.prank(address(treasury));
        treasury.setThreshold(3);
        ITreasury.Call[] memory calls = _transfer(payee, 5);
        vm.prank(owners[0]);
        bytes32 id = treasury.propose(calls, 5, FOREVER);
        vm.prank(owners[1]);
        treasury.approve(id);
        vm.prank(address(treasury));
        treasury.setThreshold(2);
        bytes[] memory approvals = new bytes[](2);
        (approvals[0], approvals[1]) = (abi.encodePacked(owners[0]), abi.encodePacked(owners[1]));
        vm.expectPartialRevert(ITreasury.Treasury_NotApproved.selector);
        treasury.execute(calls, 5, FOREVER, approvals);
        // Approved anew, under the threshold that counts, it runs.
        id = treasury.hashProposal(calls, 5, FOREVER);
        treasury.execute(calls, 5, FOREVER, _signed(id, 2));
        assertEq(token.balanceOf(payee), 5, "paid");
    }

    function test_aRaisedThreshold_isSignedAnew() public {
        ITreasury.Call[] memory calls = _transfer(payee, 5);
        bytes[] memory signatures = _signed(treasury.hashProposal(calls, 5, FOREVER), 2);
        vm.prank(address(treasury));
        treasury.setThreshold(3);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_QuorumNotReached.selector, 2, 3));
        treasury.execute(calls, 5, FOREVER, signatures);
        treasury.execute(calls, 5, FOREVER, _signed(treasury.hashProposal(calls, 5, FOREVER), 3));
        assertEq(token.balanceOf(payee), 5, "paid");
    }

    // ------------------------------------------------------------------ inside

    function _expectStopped(ITreasury.Reason reason) private {
        bytes memory denied = abi.encodeWithSelector(
            ITreasury.Treasury_SpendDenied.selector,
            reason,
            60 * UNIT,
            0,
            0
        );
        vm.expectRevert(
            abi.encodeWithSelector(ITreasury.Treasury_CallFailed.selector, 0, address(treasury), denied)
        );
    }

    /// @dev The proposal that the agent's payment of 60 under "r" opened.
    function _executePayment(bytes[] memory signatures) private {
        treasury.execute(
            _self(abi.encodeCall(treasury.disburse, (agent, address(token), payee, 60 * UNIT, "r"))),
            uint256(keccak256(abi.encode(agent, bytes32("r")))),
            START + 7 days,
            signatures
        );
    }

    function _expectReserved(ITreasury.Call[] memory calls) private {
        bytes memory reserved = abi.encodeWithSelector(
            ITreasury.Treasury_NonceReserved.selector,
            FIRST_RESERVED
        );
        bytes[] memory signatures = _signedByTheOthers(calls, FIRST_RESERVED);
        vm.expectRevert(reserved);
        treasury.execute(calls, FIRST_RESERVED, FOREVER, signatures);
        vm.expectRevert(reserved);
        vm.prank(owners[0]);
        treasury.propose(calls, FIRST_RESERVED, FOREVER);
    }

    function _signedByTheOthers(
        ITreasury.Call[] memory calls,
        uint256 nonce
    ) private view returns (bytes[] memory signatures) {
        bytes32 id = treasury.hashProposal(calls, nonce, FOREVER);
        signatures = new bytes[](2);
        (signatures[0], signatures[1]) = (_signature(keys[1], id), _signature(keys[2], id));
    }
}
