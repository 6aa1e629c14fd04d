// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ITreasury} from "../../../contracts/interfaces/treasury/ITreasury.sol";
import {Treasury} from "../../../contracts/treasury/Treasury.sol";
import {ContractWallet} from "../support/ContractWallet.sol";
import {TreasuryFixture} from "../support/TreasuryFixture.sol";

/// @dev Takes any signature.
contract EasyWallet is IERC1271 {
    function isValidSignature(bytes32, bytes calldata) external pure returns (bytes4) {
        return IERC1271.isValidSignature.selector;
    }
}

contract ProposalsTest is TreasuryFixture {
    function test_execute_withTwoSignatures_runsTheCallsAndSaysSo() public {
        ITreasury.Call[] memory calls = _transfer(payee, 5);
        bytes32 id = treasury.hashProposal(calls, 9, FOREVER);
        vm.expectEmit();
        emit ITreasury.ProposalExecuted(id, 9);
        vm.prank(stranger);
        assertEq(treasury.execute(calls, 9, FOREVER, _signed(id, 2)), id, "id");
        assertEq(token.balanceOf(payee), 5, "payee's balance");
        assertTrue(treasury.isNonceUsed(9), "nonce is used");
    }

    function test_execute_withCompactSignatures_runs() public {
        ITreasury.Call[] memory calls = _transfer(payee, 5);
        bytes32 id = treasury.hashProposal(calls, 9, FOREVER);
        bytes[] memory signatures = new bytes[](2);
        signatures[0] = _compact(keys[0], id);
        signatures[1] = _compact(keys[2], id);
        treasury.execute(calls, 9, FOREVER, signatures);
        assertEq(token.balanceOf(payee), 5, "payee's balance");
    }

    function test_execute_bySendingOwner_countsItWithoutASignature() public {
        ITreasury.Call[] memory calls = _transfer(payee, 5);
        bytes[] memory signatures = _signed(treasury.hashProposal(calls, 9, FOREVER), 2);
        signatures[0] = abi.encodePacked(owners[0]);
        vm.prank(owners[0]);
        treasury.execute(calls, 9, FOREVER, signatures);
        assertEq(token.balanceOf(payee), 5, "payee's balance");
    }

    function test_execute_withOnChainApprovals_runsForAnyone() public {
        ITreasury.Call[] memory calls = _transfer(payee, 5);
        bytes32 id = treasury.hashProposal(calls, 9, FOREVER);
        vm.prank(owners[0]);
        treasury.propose(calls, 9, FOREVER);
        vm.expectEmit();
        emit ITreasury.ProposalApproved(id, owners[2]);
        vm.prank(owners[2]);
        treasury.approve(id);
        assertTrue(treasury.hasApproved(id, owners[0]) && treasury.hasApproved(id, owners[2]), "approved");
        bytes[] memory signatures = new bytes[](2);
        signatures[0] = abi.encodePacked(owners[0]);
        signatures[1] = abi.encodePacked(owners[2]);
        vm.prank(stranger);
        treasury.execute(calls, 9, FOREVER, signatures);
        assertEq(token.balanceOf(payee), 5, "payee's balance");
    }

    function test_execute_namingAnOwnerThatDidNotApprove_reverts() public {
        ITreasury.Call[] memory calls = _transfer(payee, 5);
        bytes32 id = treasury.hashProposal(calls, 9, FOREVER);
        bytes[] memory signatures = _signed(id, 2);
        signatures[1] = abi.encodePacked(owners[1]);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_NotApproved.selector, id, owners[1]));
        treasury.execute(calls, 9, FOREVER, signatures);
    }

    function test_execute_withAContractOwner_asksIt() public {
        ContractWallet wallet = new ContractWallet(agent);
        vm.startPrank(address(treasury));
        treasury.addOwner(address(wallet));
        treasury.setThreshold(1);
        vm.stopPrank();
        ITreasury.Call[] memory calls = _transfer(payee, 5);
        bytes32 id = treasury.hashProposal(calls, 9, FOREVER);
        bytes[] memory signatures = new bytes[](1);
        signatures[0] = abi.encodePacked(address(wallet), _signature(keys[0], id));
        vm.expectRevert(
            abi.encodeWithSelector(ITreasury.Treasury_SignatureInvalid.selector, address(wallet), id)
        );
        treasury.execute(calls, 9, FOREVER, signatures);
        signatures[0] = abi.encodePacked(address(wallet), _signature(agentKey, id));
        treasury.execute(calls, 9, FOREVER, signatures);
        assertEq(token.balanceOf(payee), 5, "payee's balance");
    }

    /// @dev With the address before it, it is as long as a key's, and is read as one: it must be padded.
    function test_execute_withAContractsSignatureOf44Or45Bytes_needsPadding() public {
        EasyWallet wallet = new EasyWallet();
        vm.startPrank(address(treasury));
        treasury.addOwner(address(wallet));
        treasury.setThreshold(1);
        vm.stopPrank();
        ITreasury.Call[] memory calls = _transfer(payee, 5);
        bytes[] memory signatures = new bytes[](1);
        for (uint256 length = 43; length <= 46; ++length) {
            signatures[0] = abi.encodePacked(address(wallet), new bytes(length));
            if (length == 44 || length == 45) vm.expectRevert();
            treasury.execute(calls, length, FOREVER, signatures);
        }
        assertEq(token.balanceOf(payee), 10, "by 43 bytes and by 46");
    }

    function test_execute_withAnOwnerWhoseCodeDenies_takesItsKeyInEitherForm() public {
        address code = address(new ContractWallet(stranger));
        vm.etch(owners[0], abi.encodePacked(hex"ef0100", code));
        vm.etch(owners[1], abi.encodePacked(hex"ef0100", code));
        ITreasury.Call[] memory calls = _transfer(payee, 5);
        bytes32 id = treasury.hashProposal(calls, 9, FOREVER);
        bytes[] memory signatures = new bytes[](2);
        signatures[0] = _signature(keys[0], id);
        signatures[1] = abi.encodePacked(owners[1], _signature(keys[1], id));
        treasury.execute(calls, 9, FOREVER, signatures);
        assertEq(token.balanceOf(payee), 5, "payee's balance");
    }

    function test_execute_withADelegatedOwner_takesItsKey() public {
        vm.etch(owners[0], abi.encodePacked(hex"ef0100", address(token)));
        _execute(_transfer(payee, 5));
        assertEq(token.balanceOf(payee), 5, "payee's balance");
    }

    function test_execute_withTooFewSignatures_reverts() public {
        ITreasury.Call[] memory calls = _transfer(payee, 5);
        bytes[] memory signatures = _signed(treasury.hashProposal(calls, 9, FOREVER), 1);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_QuorumNotReached.selector, 1, 2));
        treasury.execute(calls, 9, FOREVER, signatures);
    }

    function test_execute_withMoreThanEnough_checksThemAll() public {
        ITreasury.Call[] memory calls = _transfer(payee, 5);
        bytes32 id = treasury.hashProposal(calls, 9, FOREVER);
        bytes[] memory signatures = _signed(id, 3);
        signatures[2] = new bytes(65);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_SignatureInvalid.selector, address(0), id));
        treasury.execute(calls, 9, FOREVER, signatures);
        treasury.execute(calls, 9, FOREVER, _signed(id, 3));
    }

    function test_execute_withSignaturesOutOfOrder_reverts() public {
        ITreasury.Call[] memory calls = _transfer(payee, 5);
        bytes[] memory signatures = _signed(treasury.hashProposal(calls, 9, FOREVER), 2);
        (signatures[0], signatures[1]) = (signatures[1], signatures[0]);
        vm.expectRevert(
            abi.encodeWithSelector(ITreasury.Treasury_OwnersNotAscending.selector, owners[0], owners[1])
        );
        treasury.execute(calls, 9, FOREVER, signatures);
    }

    function test_execute_withAStrangersSignature_reverts() public {
        (address outsider, uint256 key) = makeAddrAndKey("outsider");
        ITreasury.Call[] memory calls = _transfer(payee, 5);
        bytes32 id = treasury.hashProposal(calls, 9, FOREVER);
        bytes[] memory signatures = new bytes[](2);
        signatures[0] = _signature(key, id);
        signatures[1] = _signature(key, id);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_NotOwner.selector, outsider));
        treasury.execute(calls, 9, FOREVER, signatures);
    }

    function testFuzz_execute_withAShortSignature_reverts(uint256 length) public {
        ITreasury.Call[] memory calls = _transfer(payee, 5);
        bytes32 id = treasury.hashProposal(calls, 9, FOREVER);
        bytes[] memory signatures = _signed(id, 2);
        signatures[0] = new bytes(bound(length, 0, 19));
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_SignatureInvalid.selector, address(0), id));
        treasury.execute(calls, 9, FOREVER, signatures);
    }

    function test_execute_inTheLastSecond_runsAndNotAfter() public {
        ITreasury.Call[] memory calls = _transfer(payee, 5);
        bytes[] memory signatures = _signed(treasury.hashProposal(calls, 9, START + 10), 2);
        vm.warp(START + 11);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_Expired.selector, START + 11, START + 10));
        treasury.execute(calls, 9, START + 10, signatures);
        vm.warp(START + 10);
        treasury.execute(calls, 9, START + 10, signatures);
    }

    function test_execute_ofNothing_reverts() public {
        ITreasury.Call[] memory calls = new ITreasury.Call[](0);
        vm.expectRevert(ITreasury.Treasury_NoCalls.selector);
        treasury.execute(calls, 9, FOREVER, new bytes[](0));
    }

    function testFuzz_execute_nonces_workOnceAndInAnyOrder(uint256 first, uint256 second) public {
        // The last 2^64 are for changes of owners.
        first = bound(first, 0, type(uint256).max - 2 ** 64);
        second = bound(second, 0, type(uint256).max - 2 ** 64);
        vm.assume(first != second);
        ITreasury.Call[] memory calls = _transfer(payee, 5);
        bytes32 id = treasury.hashProposal(calls, first, FOREVER);
        treasury.execute(calls, first, FOREVER, _signed(id, 2));
        assertFalse(treasury.isNonceUsed(second), "second is free");
        bytes[] memory signatures = _signed(id, 2);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_NonceUsed.selector, first));
        treasury.execute(calls, first, FOREVER, signatures);
        id = treasury.hashProposal(calls, second, FOREVER);
        treasury.execute(calls, second, FOREVER, _signed(id, 2));
        assertEq(token.balanceOf(payee), 10, "both ran");
    }

    function testFuzz_execute_signatures_fitNothingElse(uint256 which, uint32 salt) public {
        ITreasury.Call[] memory calls = _transfer(payee, 5);
        uint256 nonce = 9;
        uint256 deadline = START + 1 days;
        bytes[] memory signatures = _signed(treasury.hashProposal(calls, nonce, deadline), 2);
        Treasury target = treasury;
        uint256 change = uint256(salt) + 1;
        which = bound(which, 0, 7);
        if (which == 0) nonce += change;
        if (which == 1) deadline += change;
        if (which == 2) calls[0].value = change;
        if (which == 3) calls[0].data = abi.encodeCall(token.transfer, (payee, 5 + change));
        if (which == 4) calls[0].to = address(treasury);
        if (which == 5) target = new Treasury(owners, 2, scopes);
        if (which == 6) vm.chainId(block.chainid == change ? change + 1 : change);
        if (which == 7) (calls, signatures) = (_twice(calls), signatures);
        vm.expectRevert();
        target.execute(calls, nonce, deadline, signatures);
        assertEq(token.balanceOf(payee), 0, "nothing moved");
    }

    function test_execute_withAFailingCall_revertsAllWithItsReason() public {
        ITreasury.Call[] memory calls = new ITreasury.Call[](2);
        calls[0] = _transfer(payee, 5)[0];
        calls[1] = _self(abi.encodeCall(treasury.setThreshold, (0)))[0];
        bytes[] memory signatures = _signed(treasury.hashProposal(calls, 9, FOREVER), 2);
        vm.expectRevert(
            abi.encodeWithSelector(
                ITreasury.Treasury_CallFailed.selector,
                1,
                address(treasury),
                abi.encodeWithSelector(ITreasury.Treasury_ThresholdOutOfRange.selector, 0, 3)
            )
        );
        treasury.execute(calls, 9, FOREVER, signatures);
        assertEq(token.balanceOf(payee), 0, "nothing moved");
        assertFalse(treasury.isNonceUsed(9), "nonce is free");
    }

    function test_execute_withALongReason_keepsItsBeginning() public {
        // Reverts with 8,192 zeros: PUSH2 0x2000, PUSH0, REVERT.
        vm.etch(payee, hex"6120005ffd");
        ITreasury.Call[] memory calls = _call(payee, 0, hex"12345678");
        bytes[] memory signatures = _signed(treasury.hashProposal(calls, 9, FOREVER), 2);
        vm.expectRevert(
            abi.encodeWithSelector(ITreasury.Treasury_CallFailed.selector, 0, payee, new bytes(256))
        );
        treasury.execute(calls, 9, FOREVER, signatures);
    }

    function test_execute_callingAnAddressWithoutCode_reverts() public {
        ITreasury.Call[] memory calls = _call(payee, 0, hex"12345678");
        bytes[] memory signatures = _signed(treasury.hashProposal(calls, 9, FOREVER), 2);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_NoCode.selector, payee));
        treasury.execute(calls, 9, FOREVER, signatures);
    }

    function test_execute_sendingNativeCoin_saysSo() public {
        vm.expectEmit();
        emit ITreasury.NativeSent(payee, 3 ether);
        _execute(_call(payee, 3 ether, ""));
        assertEq(payee.balance, 3 ether, "payee's balance");
    }

    function test_disburse_withoutSpender_paysForTheOwners() public {
        vm.expectEmit();
        emit ITreasury.Disbursed(address(0), address(0), payee, 2 ether, "rent");
        _execute(_self(abi.encodeCall(treasury.disburse, (address(0), address(0), payee, 2 ether, "rent"))));
        assertEq(payee.balance, 2 ether, "payee's balance");
    }

    function test_propose_byAnOwner_showsAndApproves() public {
        ITreasury.Call[] memory calls = _transfer(payee, 5);
        bytes32 id = treasury.hashProposal(calls, 9, FOREVER);
        vm.expectEmit();
        emit ITreasury.ProposalOpened(id, owners[1], 9, calls, FOREVER, 2, 0);
        vm.expectEmit();
        emit ITreasury.ProposalApproved(id, owners[1]);
        vm.prank(owners[1]);
        assertEq(treasury.propose(calls, 9, FOREVER), id, "id");
    }

    function test_propose_thatCannotRun_reverts() public {
        ITreasury.Call[] memory calls = _transfer(payee, 5);
        vm.startPrank(owners[1]);
        vm.expectRevert(ITreasury.Treasury_NoCalls.selector);
        treasury.propose(new ITreasury.Call[](0), 9, FOREVER);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_Expired.selector, START, START - 1));
        treasury.propose(calls, 9, START - 1);
        treasury.cancelProposal(9);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_NonceUsed.selector, 9));
        treasury.propose(calls, 9, FOREVER);
        vm.stopPrank();
    }

    function test_propose_byAnyoneElse_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_NotOwner.selector, agent));
        vm.prank(agent);
        treasury.propose(_transfer(payee, 5), 9, FOREVER);
    }

    function test_cancelProposal_byOneOwner_stopsIt() public {
        ITreasury.Call[] memory calls = _transfer(payee, 5);
        bytes[] memory signatures = _signed(treasury.hashProposal(calls, 9, FOREVER), 2);
        vm.expectEmit();
        emit ITreasury.ProposalCancelled(9, owners[2]);
        vm.prank(owners[2]);
        treasury.cancelProposal(9);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_NonceUsed.selector, 9));
        treasury.execute(calls, 9, FOREVER, signatures);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_NonceUsed.selector, 9));
        vm.prank(owners[2]);
        treasury.cancelProposal(9);
    }

    function test_cancelProposal_ofAReservedNonce_isTheTreasurysAlone() public {
        uint256 reserved = type(uint256).max - type(uint64).max;
        uint256[2] memory nonces = [reserved, type(uint256).max];
        for (uint256 i; i < 2; ++i) {
            vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_NotSelf.selector, owners[0]));
            vm.prank(owners[0]);
            treasury.cancelProposal(nonces[i]);
            assertFalse(treasury.isNonceUsed(nonces[i]), "free");
            vm.prank(address(treasury));
            treasury.cancelProposal(nonces[i]);
        }
        vm.prank(owners[0]);
        treasury.cancelProposal(reserved - 1);
        assertTrue(treasury.isNonceUsed(reserved - 1), "the last that is not reserved");
    }

    function test_openedPayment_afterSevenDays_lapses() public {
        vm.prank(agent);
        bytes32 id = treasury.pay(address(token), payee, 60 * UNIT, "r");
        ITreasury.Call[] memory calls = _self(
            abi.encodeCall(treasury.disburse, (agent, address(token), payee, 60 * UNIT, "r"))
        );
        vm.warp(START + 7 days + 1);
        uint256 nonce = treasury.proposalNonceOf(agent, "r");
        bytes[] memory signatures = _signed(id, 2);
        vm.expectPartialRevert(ITreasury.Treasury_Expired.selector);
        treasury.execute(calls, nonce, START + 7 days, signatures);
    }

    function _twice(ITreasury.Call[] memory calls) private pure returns (ITreasury.Call[] memory twice) {
        twice = new ITreasury.Call[](2);
        (twice[0], twice[1]) = (calls[0], calls[0]);
    }
}
