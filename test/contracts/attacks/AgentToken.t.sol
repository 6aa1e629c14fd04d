// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ERC20Votes} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Votes.sol";
import {ERC3009} from "@openzeppelin/contracts/token/ERC20/extensions/draft-ERC3009.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {AgentToken} from "../../../contracts/staking/AgentToken.sol";
import {StakingFixture} from "../support/StakingFixture.sol";

/// @notice What an attacker of AVT would try: minting, and the reuse of what a holder signed.
contract AgentTokenAttacks is StakingFixture {
    address private holder;
    uint256 private key;

    function setUp() public override {
        super.setUp();
        (holder, key) = makeAddrAndKey("holder");
        avt.mint(holder, 100 * AVT);
    }

    function _digest(AgentToken token, bytes memory message) private view returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), keccak256(message)));
    }

    function _transfer(AgentToken token, address to, bytes32 nonce) private view returns (bytes32) {
        bytes32 typehash = keccak256(
            "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
        );
        return _digest(token, abi.encode(typehash, holder, to, 5 * AVT, 0, START + 1, nonce));
    }

    function _send(AgentToken token, address to, bytes32 nonce, bytes32 digest) private {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        token.transferWithAuthorization(holder, to, 5 * AVT, 0, START + 1, nonce, v, r, s);
    }

    function test_mintingWithoutTheRole_isRefused() public {
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
        vm.prank(stranger);
        avt.mint(stranger, 1);
    }

    function test_mintingBeyondTheCap_isRefusedToTheMinterToo() public {
        uint256 room = avt.CAP() - avt.totalSupply();
        avt.mint(stranger, room);
        vm.expectRevert(
            abi.encodeWithSelector(ERC20Votes.ERC20ExceededSafeSupply.selector, avt.CAP() + 1, avt.CAP())
        );
        avt.mint(stranger, 1);
    }

    function test_anAuthorisation_movesOnce_toWhomItNames_onThisTokenAndChain() public {
        AgentToken other = new AgentToken(address(manager));
        bytes32 digest = _transfer(avt, bob, "n");
        vm.expectRevert(ERC3009.ERC3009InvalidSignature.selector);
        _send(avt, stranger, "n", digest);
        vm.expectRevert(ERC3009.ERC3009InvalidSignature.selector);
        _send(avt, bob, "m", digest);
        vm.expectRevert(ERC3009.ERC3009InvalidSignature.selector);
        _send(other, bob, "n", digest);
        vm.chainId(5);
        vm.expectRevert(ERC3009.ERC3009InvalidSignature.selector);
        _send(avt, bob, "n", digest);
        vm.chainId(31_337);
        uint256 before = avt.balanceOf(bob);
        _send(avt, bob, "n", digest);
        assertEq(avt.balanceOf(bob) - before, 5 * AVT, "moved");
        vm.expectPartialRevert(ERC3009.ERC3009UsedAuthorization.selector);
        _send(avt, bob, "n", digest);
    }

    function test_anAuthorisationToReceive_cannotBeRunAheadByAnother() public {
        bytes32 typehash = keccak256(
            "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
        );
        bytes32 digest = _digest(avt, abi.encode(typehash, holder, bob, 5 * AVT, 0, START + 1, bytes32("n")));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InvalidReceiver.selector, bob));
        vm.prank(stranger);
        avt.receiveWithAuthorization(holder, bob, 5 * AVT, 0, START + 1, "n", v, r, s);
        vm.prank(bob);
        avt.receiveWithAuthorization(holder, bob, 5 * AVT, 0, START + 1, "n", v, r, s);
    }

    function test_aPermit_isUsedOnce_andItsTwinNever() public {
        bytes32 typehash = keccak256(
            "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
        );
        bytes32 digest = _digest(avt, abi.encode(typehash, holder, bob, 7, 0, START));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        uint256 order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        bytes32 twin = bytes32(order - uint256(s));
        vm.expectRevert(abi.encodeWithSelector(ECDSA.ECDSAInvalidSignatureS.selector, twin));
        avt.permit(holder, bob, 7, START, v == 27 ? 28 : 27, r, twin);
        avt.permit(holder, bob, 7, START, v, r, s);
        vm.expectPartialRevert(ERC20Permit.ERC2612InvalidSigner.selector);
        avt.permit(holder, bob, 7, START, v, r, s);
        vm.warp(START + 1);
        vm.expectRevert(abi.encodeWithSelector(ERC20Permit.ERC2612ExpiredSignature.selector, START));
        avt.permit(holder, bob, 7, START, v, r, s);
    }

    function test_votingWithBorrowedTokens_countsAtTheSnapshotOnly() public {
        vm.prank(holder);
        avt.delegate(holder);
        vm.warp(START + 10);
        vm.prank(holder);
        avt.transfer(bob, 100 * AVT);
        vm.prank(bob);
        avt.delegate(bob);
        vm.warp(START + 20);
        assertEq(avt.getPastVotes(holder, START + 9), 100 * AVT, "who had them then");
        assertEq(avt.getPastVotes(bob, START + 9), 0, "not who has them now");
    }
}
