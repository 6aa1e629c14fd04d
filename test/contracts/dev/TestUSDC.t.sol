// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {ERC3009} from "@openzeppelin/contracts/token/ERC20/extensions/draft-ERC3009.sol";
import {TestUSDC} from "../../../contracts/dev/TestUSDC.sol";
import {Test} from "../support/Test.sol";
import {ContractWallet} from "../support/payments/ContractWallet.sol";

contract TestUSDCTest is Test {
    /// @dev A constant, as via-IR may read a kept `block.timestamp` anew after a warp.
    uint256 internal constant START = 1_800_000_000;
    bytes32 internal constant NONCE = keccak256("random");

    TestUSDC internal usdc;
    address internal alice;
    uint256 internal aliceKey;
    address internal bob;

    function setUp() public {
        vm.warp(START);
        usdc = new TestUSDC(address(this));
        (alice, aliceKey) = makeAddrAndKey("alice");
        bob = makeAddr("bob");
        usdc.mint(alice, 100);
    }

    function digest(bytes memory message) internal view returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", usdc.DOMAIN_SEPARATOR(), keccak256(message)));
    }

    function authorisation(string memory kind, address from, bytes32 nonce) internal view returns (bytes32) {
        bytes32 typehash = keccak256(
            abi.encodePacked(
                kind,
                "(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
            )
        );
        return digest(abi.encode(typehash, from, bob, 40, 0, block.timestamp + 1, nonce));
    }

    function cancellation(bytes32 nonce) internal view returns (bytes32) {
        return
            digest(
                abi.encode(keccak256("CancelAuthorization(address authorizer,bytes32 nonce)"), alice, nonce)
            );
    }

    function signed(bytes32 hash) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(aliceKey, hash);
        return abi.encodePacked(r, s, v);
    }

    function test_LooksLikeUsdc() public view {
        assertEq(bytes(usdc.name()), bytes("USD Coin"), "name");
        assertEq(bytes(usdc.symbol()), bytes("USDC"), "symbol");
        assertEq(bytes(usdc.version()), bytes("2"), "version");
        assertEq(usdc.decimals(), 6, "decimals");
        assertEq(
            usdc.DOMAIN_SEPARATOR(),
            keccak256(
                abi.encode(
                    keccak256(
                        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
                    ),
                    keccak256("USD Coin"),
                    keccak256("2"),
                    block.chainid,
                    address(usdc)
                )
            ),
            "domain"
        );
    }

    function test_RevertIf_NonAdminMintsOrBlocklists() public {
        bytes memory err = abi.encodeWithSelector(TestUSDC.TestUSDC_NotAdmin.selector, alice, address(this));
        vm.expectRevert(abi.encodeWithSelector(TestUSDC.TestUSDC_MintTooLarge.selector, 1, 0));
        vm.prank(alice);
        usdc.mint(alice, 1);
        vm.expectRevert(err);
        vm.prank(alice);
        usdc.configureMinter(alice, 1);
        vm.expectRevert(err);
        vm.prank(alice);
        usdc.blocklist(bob);
        vm.expectRevert(err);
        vm.prank(alice);
        usdc.unBlocklist(bob);
    }

    function test_MinterMintsWhatItIsAllowed() public {
        vm.expectEmit();
        emit TestUSDC.MinterConfigured(alice, 5);
        usdc.configureMinter(alice, 5);
        vm.startPrank(alice);
        usdc.mint(bob, 3);
        vm.expectRevert(abi.encodeWithSelector(TestUSDC.TestUSDC_MintTooLarge.selector, 3, 2));
        usdc.mint(bob, 3);
        usdc.burn(100);
        vm.stopPrank();
        assertEq(usdc.totalSupply(), 3, "minted and burnt");
        assertEq(usdc.minterAllowance(alice), 2, "left");
    }

    function test_BlocklistedAccountNeitherSendsNorReceives() public {
        vm.expectEmit();
        emit TestUSDC.Blocklisted(bob);
        usdc.blocklist(bob);
        vm.expectRevert(abi.encodeWithSelector(TestUSDC.TestUSDC_Blocklisted.selector, bob));
        vm.prank(alice);
        usdc.transfer(bob, 1);
        vm.expectRevert(abi.encodeWithSelector(TestUSDC.TestUSDC_Blocklisted.selector, bob));
        vm.prank(bob);
        usdc.transfer(alice, 0);
        vm.expectEmit();
        emit TestUSDC.UnBlocklisted(bob);
        usdc.unBlocklist(bob);
        vm.prank(alice);
        usdc.transfer(bob, 1);
        assertEq(usdc.balanceOf(bob), 1, "moved");
    }

    function test_TransferWithAuthorizationTakesEitherSignatureForm() public {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(
            aliceKey,
            authorisation("TransferWithAuthorization", alice, NONCE)
        );
        usdc.transferWithAuthorization(alice, bob, 40, 0, block.timestamp + 1, NONCE, v, r, s);
        assertTrue(usdc.authorizationState(alice, NONCE), "used");
        bytes32 other = keccak256("another");
        bytes memory signature = signed(authorisation("TransferWithAuthorization", alice, other));
        usdc.transferWithAuthorization(alice, bob, 40, 0, block.timestamp + 1, other, signature);
        assertEq(usdc.balanceOf(bob), 80, "paid twice, by two nonces");
        vm.expectRevert(abi.encodeWithSelector(ERC3009.ERC3009UsedAuthorization.selector, alice, other));
        usdc.transferWithAuthorization(alice, bob, 40, 0, block.timestamp + 1, other, signature);
    }

    function test_ReceiveWithAuthorizationIsForTheRecipientAlone() public {
        bytes memory signature = signed(authorisation("ReceiveWithAuthorization", alice, NONCE));
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InvalidReceiver.selector, bob));
        usdc.receiveWithAuthorization(alice, bob, 40, 0, block.timestamp + 1, NONCE, signature);
        vm.prank(bob);
        usdc.receiveWithAuthorization(alice, bob, 40, 0, block.timestamp + 1, NONCE, signature);
        bytes32 other = keccak256("another");
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(
            aliceKey,
            authorisation("ReceiveWithAuthorization", alice, other)
        );
        vm.prank(bob);
        usdc.receiveWithAuthorization(alice, bob, 40, 0, block.timestamp + 1, other, v, r, s);
        assertEq(usdc.balanceOf(bob), 80, "paid");
    }

    function test_ContractPayerAuthorisesByErc1271() public {
        address wallet = address(new ContractWallet(alice));
        usdc.mint(wallet, 40);
        bytes memory signature = signed(authorisation("TransferWithAuthorization", wallet, NONCE));
        usdc.transferWithAuthorization(wallet, bob, 40, 0, block.timestamp + 1, NONCE, signature);
        assertEq(usdc.balanceOf(bob), 40, "paid");
    }

    function test_RevertIf_SignatureOrTimeIsWrong() public {
        bytes memory signature = signed(authorisation("TransferWithAuthorization", alice, NONCE));
        uint256 validBefore = START + 1;
        vm.expectRevert(abi.encodeWithSelector(ERC3009.ERC3009InvalidSignature.selector));
        usdc.transferWithAuthorization(alice, bob, 41, 0, validBefore, NONCE, signature);
        skip(1);
        vm.expectRevert(
            abi.encodeWithSelector(ERC3009.ERC3009InvalidAuthorizationTime.selector, 0, validBefore)
        );
        usdc.transferWithAuthorization(alice, bob, 40, 0, validBefore, NONCE, signature);
    }

    function test_CancelledAuthorizationCannotBeUsed() public {
        usdc.cancelAuthorization(alice, NONCE, signed(cancellation(NONCE)));
        bytes32 other = keccak256("another");
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(aliceKey, cancellation(other));
        usdc.cancelAuthorization(alice, other, v, r, s);
        bytes memory signature = signed(authorisation("TransferWithAuthorization", alice, NONCE));
        vm.expectRevert(abi.encodeWithSelector(ERC3009.ERC3009UsedAuthorization.selector, alice, NONCE));
        usdc.transferWithAuthorization(alice, bob, 40, 0, block.timestamp + 1, NONCE, signature);
        assertTrue(usdc.authorizationState(alice, other), "the (v, r, s) form cancels as well");
    }

    function test_PermitApprovesOnce() public {
        bytes32 typehash = keccak256(
            "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
        );
        uint256 deadline = START;
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(
            aliceKey,
            digest(abi.encode(typehash, alice, bob, 40, 0, deadline))
        );
        usdc.permit(alice, bob, 40, deadline, v, r, s);
        assertEq(usdc.allowance(alice, bob), 40, "approved");
        assertEq(usdc.nonces(alice), 1, "nonce");
        vm.expectRevert(abi.encodeWithSelector(TestUSDC.TestUSDC_PermitSignatureInvalid.selector, alice));
        usdc.permit(alice, bob, 40, deadline, v, r, s);
        skip(1);
        vm.expectRevert(
            abi.encodeWithSelector(TestUSDC.TestUSDC_PermitExpired.selector, deadline + 1, deadline)
        );
        usdc.permit(alice, bob, 40, deadline, v, r, s);
    }
}
