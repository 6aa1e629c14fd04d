// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITreasury} from "../../../contracts/interfaces/treasury/ITreasury.sol";
import {Treasury} from "../../../contracts/treasury/Treasury.sol";
import {ContractWallet} from "../support/ContractWallet.sol";
import {TreasuryFixture} from "../support/TreasuryFixture.sol";

contract PaySignedTest is TreasuryFixture {
    function test_paySigned_relayedByAnyone_pays() public {
        ITreasury.Spend memory spend = _spend(10 * UNIT, 1);
        bytes memory signature = _signedSpend(spend);
        vm.expectEmit();
        emit ITreasury.SpendNonceUsed(agent, 1);
        vm.expectEmit();
        emit ITreasury.Paid(agent, address(token), payee, 10 * UNIT, spend.ref);
        vm.prank(stranger);
        treasury.paySigned(spend, signature);
        assertEq(token.balanceOf(payee), 10 * UNIT, "payee's balance");
        assertTrue(treasury.isSpendNonceUsed(agent, 1), "nonce is used");
        assertTrue(treasury.isReferenceUsed(agent, spend.ref), "reference is used");
    }

    function test_paySigned_withACompactSignature_pays() public {
        ITreasury.Spend memory spend = _spend(1, 1);
        treasury.paySigned(spend, _compact(agentKey, treasury.hashSpend(spend)));
        assertEq(token.balanceOf(payee), 1, "payee's balance");
    }

    function test_paySigned_aboveTheApprovalLine_opensAProposalOfTheAgent() public {
        ITreasury.Spend memory spend = _spend(60 * UNIT, 1);
        bytes32 id = treasury.paySigned(spend, _signedSpend(spend));
        assertTrue(id != bytes32(0), "a proposal");
        assertEq(token.balanceOf(payee), 0, "nothing moved");
    }

    function test_paySigned_beyondTheBudget_isDeniedAndUsesNoNonce() public {
        ITreasury.Spend memory spend = _spend(101 * UNIT, 1);
        bytes memory signature = _signedSpend(spend);
        _expectDenied(ITreasury.Reason.PerTransaction, 101 * UNIT, 100 * UNIT, 0);
        treasury.paySigned(spend, signature);
        assertFalse(treasury.isSpendNonceUsed(agent, 1), "nonce is free");
    }

    function test_paySigned_twice_paysOnce() public {
        ITreasury.Spend memory spend = _spend(1, 1);
        bytes memory signature = _signedSpend(spend);
        treasury.paySigned(spend, signature);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_SpendNonceUsed.selector, agent, 1));
        treasury.paySigned(spend, signature);
    }

    function test_paySigned_withAUsedReference_isRefused() public {
        ITreasury.Spend memory spend = _spend(1, 1);
        treasury.paySigned(spend, _signedSpend(spend));
        spend.nonce = 2;
        bytes memory signature = _signedSpend(spend);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_ReferenceUsed.selector, agent, spend.ref));
        treasury.paySigned(spend, signature);
    }

    function test_paySigned_inTheLastSecond_paysAndNotAfter() public {
        ITreasury.Spend memory spend = _spend(1, 1);
        spend.validBefore = START + 10;
        bytes memory signature = _signedSpend(spend);
        vm.warp(START + 10);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_Expired.selector, START + 10, START + 10));
        treasury.paySigned(spend, signature);
        vm.warp(START + 9);
        treasury.paySigned(spend, signature);
        assertEq(token.balanceOf(payee), 1, "payee's balance");
    }

    function test_paySigned_bySomeoneElse_isRefused() public {
        ITreasury.Spend memory spend = _spend(1, 1);
        bytes32 digest = treasury.hashSpend(spend);
        bytes memory signature = _signature(keys[0], digest);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_SignatureInvalid.selector, agent, digest));
        treasury.paySigned(spend, signature);
    }

    function test_paySigned_forTheZeroAddress_isRefused() public {
        ITreasury.Spend memory spend = _spend(1, 1);
        spend.agent = address(0);
        vm.expectPartialRevert(ITreasury.Treasury_SignatureInvalid.selector);
        treasury.paySigned(spend, new bytes(65));
    }

    function testFuzz_paySigned_changedAfterSigning_isRefused(uint256 which, uint256 salt) public {
        ITreasury.Spend memory spend = _spend(1 * UNIT, 1);
        bytes memory signature = _signedSpend(spend);
        uint256 change = bound(salt, 1, 1_000);
        which = bound(which, 0, 5);
        if (which == 0) spend.to = address(uint160(spend.to) ^ uint160(change));
        if (which == 1) spend.amount += change;
        if (which == 2) spend.ref = bytes32(uint256(spend.ref) ^ change);
        if (which == 3) spend.nonce += change;
        if (which == 4) spend.validBefore -= change;
        if (which == 5) (spend.agent, ) = makeAddrAndKey("another agent");
        if (which == 5) _setBudget(spend.agent, address(token), _terms());
        vm.expectPartialRevert(ITreasury.Treasury_SignatureInvalid.selector);
        treasury.paySigned(spend, signature);
    }

    function testFuzz_paySigned_onAnotherChainOrTreasury_isRefused(uint64 chain) public {
        ITreasury.Spend memory spend = _spend(1, 1);
        bytes memory signature = _signedSpend(spend);
        Treasury other = new Treasury(owners, 2, scopes);
        vm.expectPartialRevert(ITreasury.Treasury_SignatureInvalid.selector);
        other.paySigned(spend, signature);
        if (chain == 0 || chain == block.chainid) chain = 4_242;
        vm.chainId(chain);
        vm.expectPartialRevert(ITreasury.Treasury_SignatureInvalid.selector);
        treasury.paySigned(spend, signature);
    }

    function test_paySigned_byAContractWallet_pays_andNotOnceItSaysNo() public {
        ContractWallet wallet = new ContractWallet(agent);
        _setBudget(address(wallet), address(token), _terms());
        ITreasury.Spend memory spend = _spend(1, 1);
        spend.agent = address(wallet);
        treasury.paySigned(spend, _signedSpend(spend));
        assertEq(token.balanceOf(payee), 1, "payee's balance");
        (spend.nonce, spend.ref) = (2, bytes32(uint256(2)));
        bytes memory signature = _signedSpend(spend);
        wallet.switchOff();
        vm.expectPartialRevert(ITreasury.Treasury_SignatureInvalid.selector);
        treasury.paySigned(spend, signature);
    }

    function test_paySigned_byAnAccountWithDelegatedCode_paysByItsOwnKey() public {
        // EIP-7702: code that begins 0xef0100, here of a delegate that knows no ERC-1271.
        vm.etch(agent, abi.encodePacked(hex"ef0100", address(token)));
        ITreasury.Spend memory spend = _spend(1, 1);
        treasury.paySigned(spend, _signedSpend(spend));
        assertEq(token.balanceOf(payee), 1, "payee's balance");
    }

    function test_cancelSpend_makesASignatureWorthless() public {
        ITreasury.Spend memory spend = _spend(1, 5);
        bytes memory signature = _signedSpend(spend);
        vm.expectEmit();
        emit ITreasury.SpendNonceUsed(agent, 5);
        vm.prank(agent);
        treasury.cancelSpend(5);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_SpendNonceUsed.selector, agent, 5));
        treasury.paySigned(spend, signature);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_SpendNonceUsed.selector, agent, 5));
        vm.prank(agent);
        treasury.cancelSpend(5);
    }

    function test_cancelSpend_touchesOnlyTheCallersNonces() public {
        vm.prank(stranger);
        treasury.cancelSpend(5);
        assertFalse(treasury.isSpendNonceUsed(agent, 5), "the agent's is free");
    }

    function _spend(uint256 amount, uint256 nonce) private view returns (ITreasury.Spend memory) {
        return
            ITreasury.Spend({
                agent: agent,
                token: address(token),
                to: payee,
                amount: amount,
                ref: bytes32(uint256(1)),
                nonce: nonce,
                validBefore: START + 1 hours
            });
    }
}
