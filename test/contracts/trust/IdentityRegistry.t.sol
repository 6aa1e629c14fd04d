// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IIdentityRegistry} from "../../../contracts/interfaces/trust/IIdentityRegistry.sol";
import {IdentityRegistry} from "../../../contracts/trust/IdentityRegistry.sol";
import {ContractWallet} from "../support/ContractWallet.sol";
import {Test} from "../support/Test.sol";

/// @notice ERC-8004's identity registry, function by function.
contract IdentityRegistryTest is Test {
    uint256 private constant START = 1_700_000_000;
    IdentityRegistry private registry;
    address private owner;
    address private stranger;
    address private wallet;
    uint256 private walletKey;

    function setUp() public {
        vm.warp(START);
        registry = new IdentityRegistry();
        owner = makeAddr("owner");
        stranger = makeAddr("stranger");
        (wallet, walletKey) = makeAddrAndKey("wallet");
    }

    function _register() private returns (uint256 id) {
        vm.prank(owner);
        id = registry.register("ipfs://agent");
    }

    function test_register_withoutAnything() public {
        vm.expectEmit(true, true, true, true);
        emit IIdentityRegistry.Registered(1, "", owner);
        vm.prank(owner);
        assertEq(registry.register(), 1, "first id");
        assertEq(registry.ownerOf(1), owner, "owner");
        assertEq(registry.getAgentWallet(1), owner, "wallet");
        assertEq(registry.getMetadata(1, "agentWallet"), abi.encodePacked(owner), "as metadata too");
        assertEq(registry.agentCount(), 1, "count");
        assertEq(bytes(registry.name()), bytes("AgentIdentity"), "name");
        assertEq(bytes(registry.symbol()), bytes("AGENT"), "symbol");
    }

    function test_register_withAFile() public {
        vm.expectEmit(true, true, true, true);
        emit IIdentityRegistry.Registered(1, "ipfs://agent", owner);
        uint256 id = _register();
        assertEq(bytes(registry.tokenURI(id)), bytes("ipfs://agent"), "file");
    }

    function test_register_withMetadata() public {
        IIdentityRegistry.MetadataEntry[] memory entries = new IIdentityRegistry.MetadataEntry[](2);
        entries[0] = IIdentityRegistry.MetadataEntry("model", "small");
        entries[1] = IIdentityRegistry.MetadataEntry("watts", hex"64");
        vm.expectEmit(true, true, true, true);
        emit IIdentityRegistry.MetadataSet(1, "agentWallet", "agentWallet", abi.encodePacked(owner));
        vm.expectEmit(true, true, true, true);
        emit IIdentityRegistry.MetadataSet(1, "model", "model", "small");
        vm.prank(owner);
        uint256 id = registry.register("ipfs://agent", entries);
        assertEq(registry.getMetadata(id, "watts"), hex"64", "metadata");
        entries[1].metadataKey = "agentWallet";
        vm.expectRevert(IIdentityRegistry.IdentityRegistry_ReservedKey.selector);
        registry.register("ipfs://agent", entries);
    }

    function test_setAgentURI_byOwnerAndApproved() public {
        uint256 id = _register();
        vm.expectEmit(true, true, true, true);
        emit IIdentityRegistry.URIUpdated(id, "ipfs://2", owner);
        vm.prank(owner);
        registry.setAgentURI(id, "ipfs://2");
        vm.expectRevert(
            abi.encodeWithSelector(IIdentityRegistry.IdentityRegistry_NotAuthorized.selector, stranger, id)
        );
        vm.prank(stranger);
        registry.setAgentURI(id, "ipfs://3");
        vm.prank(owner);
        registry.approve(stranger, id);
        assertTrue(registry.isAuthorizedOrOwner(stranger, id), "approved");
        vm.prank(stranger);
        registry.setAgentURI(id, "ipfs://3");
        assertEq(bytes(registry.tokenURI(id)), bytes("ipfs://3"), "file");
    }

    function test_setMetadata() public {
        uint256 id = _register();
        vm.expectRevert(
            abi.encodeWithSelector(IIdentityRegistry.IdentityRegistry_NotAuthorized.selector, stranger, id)
        );
        vm.prank(stranger);
        registry.setMetadata(id, "k", "v");
        vm.expectRevert(IIdentityRegistry.IdentityRegistry_ReservedKey.selector);
        vm.prank(owner);
        registry.setMetadata(id, "agentWallet", "v");
        vm.expectEmit(true, true, true, true);
        emit IIdentityRegistry.MetadataSet(id, "k", "k", "v");
        vm.prank(owner);
        registry.setMetadata(id, "k", "v");
        assertEq(registry.getMetadata(id, "k"), bytes("v"), "value");
    }

    function test_isAuthorizedOrOwner() public {
        uint256 id = _register();
        assertTrue(registry.isAuthorizedOrOwner(owner, id), "owner");
        assertFalse(registry.isAuthorizedOrOwner(stranger, id), "stranger");
        assertFalse(registry.isAuthorizedOrOwner(owner, id + 1), "unknown agent");
        assertFalse(registry.isAuthorizedOrOwner(address(0), id + 1), "nobody");
        vm.prank(owner);
        registry.setApprovalForAll(stranger, true);
        assertTrue(registry.isAuthorizedOrOwner(stranger, id), "operator");
    }

    function _digest(uint256 id, address newWallet, uint256 deadline) private view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256(
                    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
                ),
                keccak256("ERC8004IdentityRegistry"),
                keccak256("1"),
                block.chainid,
                address(registry)
            )
        );
        bytes32 typehash = keccak256(
            "AgentWalletSet(uint256 agentId,address newWallet,address owner,uint256 deadline)"
        );
        bytes32 message = keccak256(abi.encode(typehash, id, newWallet, registry.ownerOf(id), deadline));
        return keccak256(abi.encodePacked(hex"1901", domain, message));
    }

    function _sign(bytes32 digest) private view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(walletKey, digest);
        return abi.encodePacked(r, s, v);
    }

    function _setWallet(uint256 id, address newWallet, uint256 deadline, bytes memory signature) private {
        vm.prank(owner);
        registry.setAgentWallet(id, newWallet, deadline, signature);
    }

    function test_setAgentWallet_whenTheWalletAgrees() public {
        uint256 id = _register();
        bytes memory signature = _sign(_digest(id, wallet, START));
        vm.expectEmit(true, true, true, true);
        emit IIdentityRegistry.MetadataSet(id, "agentWallet", "agentWallet", abi.encodePacked(wallet));
        _setWallet(id, wallet, START, signature);
        assertEq(registry.getAgentWallet(id), wallet, "wallet");
    }

    function test_setAgentWallet_refusals() public {
        uint256 id = _register();
        bytes memory signature = _sign(_digest(id, wallet, START));
        vm.expectRevert(
            abi.encodeWithSelector(IIdentityRegistry.IdentityRegistry_NotAuthorized.selector, stranger, id)
        );
        vm.prank(stranger);
        registry.setAgentWallet(id, wallet, START, signature);
        vm.expectRevert(IIdentityRegistry.IdentityRegistry_ZeroWallet.selector);
        _setWallet(id, address(0), START, signature);
        bytes4 late = IIdentityRegistry.IdentityRegistry_BadDeadline.selector;
        vm.expectRevert(abi.encodeWithSelector(late, START - 1, START, START + 300));
        _setWallet(id, wallet, START - 1, signature);
        vm.expectRevert(abi.encodeWithSelector(late, START + 301, START, START + 300));
        _setWallet(id, wallet, START + 301, signature);
        vm.expectRevert(
            abi.encodeWithSelector(IIdentityRegistry.IdentityRegistry_BadSignature.selector, stranger)
        );
        _setWallet(id, stranger, START, signature);
        vm.prank(owner);
        registry.transferFrom(owner, stranger, id);
        vm.expectRevert(
            abi.encodeWithSelector(IIdentityRegistry.IdentityRegistry_BadSignature.selector, wallet)
        );
        vm.prank(stranger);
        registry.setAgentWallet(id, wallet, START, signature);
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, id + 1));
        _setWallet(id + 1, wallet, START, signature);
    }

    function test_setAgentWallet_toAContract() public {
        uint256 id = _register();
        ContractWallet account = new ContractWallet(wallet);
        _setWallet(id, address(account), START + 300, _sign(_digest(id, address(account), START + 300)));
        assertEq(registry.getAgentWallet(id), address(account), "ERC-1271");
    }

    function test_setAgentWallet_toAnAccountWithDelegatedCode_byItsOwnKey() public {
        uint256 id = _register();
        // EIP-7702: code that begins 0xef0100, here of a delegate that knows no ERC-1271.
        vm.etch(wallet, abi.encodePacked(hex"ef0100", address(registry)));
        _setWallet(id, wallet, START, _sign(_digest(id, wallet, START)));
        assertEq(registry.getAgentWallet(id), wallet, "its key counts");
    }

    function test_unsetAgentWallet() public {
        uint256 id = _register();
        vm.expectRevert(
            abi.encodeWithSelector(IIdentityRegistry.IdentityRegistry_NotAuthorized.selector, stranger, id)
        );
        vm.prank(stranger);
        registry.unsetAgentWallet(id);
        vm.prank(owner);
        registry.unsetAgentWallet(id);
        assertEq(registry.getAgentWallet(id), address(0), "none");
        assertEq(registry.getMetadata(id, "agentWallet"), bytes(""), "nor as metadata");
    }

    /// @dev An operator moves the wallet; what the wallet signs names the owner.
    function test_setAgentWallet_byAnOperator_namesTheOwner() public {
        uint256 id = _register();
        vm.prank(owner);
        registry.approve(stranger, id);
        bytes memory signature = _sign(_digest(id, wallet, START));
        vm.prank(stranger);
        registry.setAgentWallet(id, wallet, START, signature);
        assertEq(registry.getAgentWallet(id), wallet, "wallet");
    }

    function test_hasProven_remembersEachWallet() public {
        uint256 id = _register();
        assertTrue(registry.hasProven(id, owner), "the first");
        assertFalse(registry.hasProven(id, wallet), "not yet");
        assertFalse(registry.hasProven(id, address(0)), "nobody");
        assertFalse(registry.hasProven(id + 1, address(0)), "nobody's");
        _setWallet(id, wallet, START, _sign(_digest(id, wallet, START)));
        assertTrue(registry.hasProven(id, owner) && registry.hasProven(id, wallet), "both");
        _setWallet(id, wallet, START, _sign(_digest(id, wallet, START)));
        vm.prank(owner);
        registry.unsetAgentWallet(id);
        assertFalse(registry.hasProven(id, address(0)), "nobody, while there is none");
        vm.prank(owner);
        registry.transferFrom(owner, stranger, id);
        assertTrue(registry.hasProven(id, owner) && registry.hasProven(id, wallet), "also when it is sold");
        assertFalse(registry.hasProven(id, stranger), "a new owner proves its own");
    }

    function test_transfer_clearsTheWallet() public {
        uint256 id = _register();
        vm.prank(owner);
        registry.transferFrom(owner, stranger, id);
        assertEq(registry.getAgentWallet(id), address(0), "the new owner proves its own");
        assertTrue(registry.hasProven(id, owner), "it is remembered");
        assertFalse(registry.isAuthorizedOrOwner(owner, id), "and the old one is out");
    }

    function test_transfer_toOneself_clearsTheWalletToo() public {
        uint256 id = _register();
        _setWallet(id, wallet, START, _sign(_digest(id, wallet, START)));
        vm.prank(owner);
        registry.transferFrom(owner, owner, id);
        assertEq(registry.getAgentWallet(id), address(0), "whoever receives proves its own");
        assertTrue(registry.hasProven(id, wallet), "it is remembered");
    }
}
