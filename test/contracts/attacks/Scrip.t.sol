// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {Roles} from "../../../contracts/governance/Roles.sol";
import {Scrip} from "../../../contracts/market/Scrip.sol";
import {AgentToken} from "../../../contracts/staking/AgentToken.sol";
import {Test} from "../support/Test.sol";

/// @notice What an attacker of scrip would try: making it, burning another's, and the reuse of a permit.
contract ScripAttacks is Test {
    uint256 private constant START = 1_700_000_000;
    uint256 private constant ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    AccessManager private manager;
    Scrip private scrip;
    address private holder;
    uint256 private key;
    address private stranger;
    address private house;

    function setUp() public {
        vm.warp(START);
        (holder, key) = makeAddrAndKey("holder");
        stranger = makeAddr("stranger");
        house = makeAddr("house");
        manager = new AccessManager(address(this));
        scrip = _scrip();
        manager.grantRole(Roles.SCRIP_MINTER, address(this), 0);
        scrip.mint(holder, 100);
    }

    function _scrip() private returns (Scrip made) {
        made = new Scrip(address(manager));
        bytes4[] memory selectors = new bytes4[](1);
        selectors[0] = Scrip.mint.selector;
        manager.setTargetFunctionRole(address(made), selectors, Roles.SCRIP_MINTER);
    }

    function _permit(
        bytes32 domain,
        uint256 value,
        uint256 nonce
    ) private view returns (uint8 v, bytes32 r, bytes32 s) {
        bytes32 typehash = keccak256(
            "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
        );
        bytes32 message = keccak256(abi.encode(typehash, holder, house, value, nonce, START));
        return vm.sign(key, keccak256(abi.encodePacked(hex"1901", domain, message)));
    }

    function _invalidSigner() private {
        vm.expectPartialRevert(ERC20Permit.ERC2612InvalidSigner.selector);
    }

    function test_mintingWithoutTheRole_orWithAnother_orAfterLosingIt_isRefused() public {
        manager.grantRole(Roles.MINTER, stranger, 0);
        manager.grantRole(Roles.SCRIP_MINTER, house, 0);
        manager.revokeRole(Roles.SCRIP_MINTER, house);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
        vm.prank(stranger);
        scrip.mint(stranger, 1);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, house));
        vm.prank(house);
        scrip.mint(house, 1);
        assertEq(scrip.totalSupply(), 100, "supply");
    }

    function test_burningAnothersScrip_isRefused_theMinterToo() public {
        bytes memory refusal = abi.encodeWithSelector(
            IERC20Errors.ERC20InsufficientAllowance.selector,
            stranger,
            0,
            1
        );
        vm.expectRevert(refusal);
        vm.prank(stranger);
        scrip.burnFrom(holder, 1);
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(this), 0, 1)
        );
        scrip.burnFrom(holder, 1);
        assertEq(scrip.balanceOf(holder), 100, "as it was");
    }

    function test_burningMoreThanOneHas_isRefused() public {
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, holder, 100, 101)
        );
        vm.prank(holder);
        scrip.burn(101);
    }

    function test_aPermit_isUsedOnce_andItsTwinNever() public {
        (uint8 v, bytes32 r, bytes32 s) = _permit(scrip.DOMAIN_SEPARATOR(), 10, 0);
        bytes32 twin = bytes32(ORDER - uint256(s));
        vm.expectRevert(abi.encodeWithSelector(ECDSA.ECDSAInvalidSignatureS.selector, twin));
        scrip.permit(holder, house, 10, START, v == 27 ? 28 : 27, r, twin);
        scrip.permit(holder, house, 10, START, v, r, s);
        _invalidSigner();
        scrip.permit(holder, house, 10, START, v, r, s);
        vm.warp(START + 1);
        vm.expectRevert(abi.encodeWithSelector(ERC20Permit.ERC2612ExpiredSignature.selector, START));
        scrip.permit(holder, house, 10, START, v, r, s);
    }

    function test_aPermit_fitsNoOtherAmountSpenderTokenOrChain() public {
        (uint8 v, bytes32 r, bytes32 s) = _permit(scrip.DOMAIN_SEPARATOR(), 10, 0);
        _invalidSigner();
        scrip.permit(holder, house, 11, START, v, r, s);
        _invalidSigner();
        scrip.permit(holder, stranger, 10, START, v, r, s);
        Scrip other = _scrip();
        _invalidSigner();
        other.permit(holder, house, 10, START, v, r, s);
        // Signed for AVT, whose domain has another name.
        AgentToken avt = new AgentToken(address(manager));
        _invalidSigner();
        avt.permit(holder, house, 10, START, v, r, s);
        vm.chainId(5);
        _invalidSigner();
        scrip.permit(holder, house, 10, START, v, r, s);
        assertEq(scrip.allowance(holder, house), 0, "nothing is allowed");
    }

    /// @notice Who sends a permit first only does the owner's work.
    function test_runningAheadOfAPermit_takesNothing() public {
        (uint8 v, bytes32 r, bytes32 s) = _permit(scrip.DOMAIN_SEPARATOR(), 10, 0);
        vm.startPrank(stranger);
        scrip.permit(holder, house, 10, START, v, r, s);
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, stranger, 0, 10)
        );
        scrip.transferFrom(holder, stranger, 10);
        vm.stopPrank();
        vm.prank(house);
        scrip.transferFrom(holder, house, 10);
        assertEq(scrip.balanceOf(house), 10, "whom the owner named");
    }

    /// @notice A signature that recovers to nobody must not be the zero address's consent.
    function test_aPermitOfNobody_isRefused() public {
        vm.expectRevert(ECDSA.ECDSAInvalidSignature.selector);
        scrip.permit(address(0), stranger, 10, START, 29, bytes32(uint256(1)), bytes32(uint256(1)));
    }
}
