// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {ERC20Votes} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Votes.sol";
import {StakingFixture} from "../support/StakingFixture.sol";

/// @notice What AVT adds to OpenZeppelin's token: who mints and how much, and which standards live together in it.
contract AgentTokenTest is StakingFixture {
    function test_metadata() public view {
        assertEq(bytes(avt.name()), bytes("AgentVault Token"), "name");
        assertEq(bytes(avt.symbol()), bytes("AVT"), "symbol");
        assertEq(avt.decimals(), 18, "decimals");
        assertEq(avt.CAP(), 1_000_000_000e18, "cap");
    }

    function test_mint_byTheRoleOnly() public {
        avt.mint(stranger, 5);
        assertEq(avt.balanceOf(stranger), 5, "minted");
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, alice));
        vm.prank(alice);
        avt.mint(alice, 1);
    }

    function test_mint_upToTheCap() public {
        uint256 cap = avt.CAP();
        uint256 room = cap - avt.totalSupply();
        avt.mint(stranger, room);
        assertEq(avt.totalSupply(), cap, "all");
        vm.expectRevert(abi.encodeWithSelector(ERC20Votes.ERC20ExceededSafeSupply.selector, cap + 1, cap));
        avt.mint(stranger, 1);
    }

    function test_burn_destroysTheCallersOwn_andItsVotes() public {
        vm.prank(alice);
        avt.delegate(alice);
        uint256 supply = avt.totalSupply();
        vm.prank(alice);
        avt.burn(400_000 * AVT);
        assertEq(avt.balanceOf(alice), 600_000 * AVT, "left");
        assertEq(avt.getVotes(alice), 600_000 * AVT, "votes");
        assertEq(supply - avt.totalSupply(), 400_000 * AVT, "supply");
        skip(1);
        assertEq(avt.getPastTotalSupply(START), supply - 400_000 * AVT, "of which a quorum is counted");
    }

    function test_burn_beyondTheBalance_isRefused() public {
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, stranger, 0, 1)
        );
        vm.prank(stranger);
        avt.burn(1);
    }

    function test_votes_followTransfers() public {
        vm.prank(alice);
        avt.delegate(alice);
        assertEq(avt.getVotes(alice), 1_000_000 * AVT, "before");
        vm.prank(alice);
        avt.transfer(bob, 1 * AVT);
        assertEq(avt.getVotes(alice), 999_999 * AVT, "after");
    }

    function test_permit_usesUpItsNonce() public {
        (address owner, uint256 key) = makeAddrAndKey("owner");
        bytes32 typehash = keccak256(
            "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
        );
        bytes32 message = keccak256(abi.encode(typehash, owner, bob, 9, 0, START));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(
            key,
            keccak256(abi.encodePacked(hex"1901", avt.DOMAIN_SEPARATOR(), message))
        );
        avt.permit(owner, bob, 9, START, v, r, s);
        assertEq(avt.allowance(owner, bob), 9, "allowance");
        assertEq(avt.nonces(owner), 1, "nonce");
        vm.expectRevert();
        avt.permit(owner, bob, 9, START, v, r, s);
    }

    function test_transferWithAuthorization_takesRandomNonces() public {
        (address owner, uint256 key) = makeAddrAndKey("owner");
        avt.mint(owner, 10);
        for (uint256 i = 0; i < 2; ++i) {
            bytes32 nonce = keccak256(abi.encode("random", i));
            (uint8 v, bytes32 r, bytes32 s) = _authorize(owner, key, nonce);
            avt.transferWithAuthorization(owner, bob, 4, 0, START + 1, nonce, v, r, s);
            assertTrue(avt.authorizationState(owner, nonce), "used");
            vm.expectRevert();
            avt.transferWithAuthorization(owner, bob, 4, 0, START + 1, nonce, v, r, s);
        }
        assertEq(avt.balanceOf(owner), 2, "left");
    }

    function _authorize(
        address owner,
        uint256 key,
        bytes32 nonce
    ) private view returns (uint8 v, bytes32 r, bytes32 s) {
        bytes32 typehash = keccak256(
            "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
        );
        bytes32 message = keccak256(abi.encode(typehash, owner, bob, 4, 0, START + 1, nonce));
        return vm.sign(key, keccak256(abi.encodePacked(hex"1901", avt.DOMAIN_SEPARATOR(), message)));
    }
}
