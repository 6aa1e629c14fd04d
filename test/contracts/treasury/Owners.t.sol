// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {ITreasury} from "../../../contracts/interfaces/treasury/ITreasury.sol";
import {Treasury} from "../../../contracts/treasury/Treasury.sol";
import {TreasuryFixture} from "../support/TreasuryFixture.sol";

contract OwnersTest is TreasuryFixture {
    function test_constructor_setsOwnersAndThreshold() public view {
        assertEq(treasury.threshold(), 2, "threshold");
        assertEq(treasury.owners().length, 3, "owners");
        for (uint256 i; i < 3; ++i) assertTrue(treasury.isOwner(owners[i]), "is owner");
        assertFalse(treasury.isOwner(stranger), "is no owner");
    }

    function test_initialize_ofADeployedTreasury_reverts() public {
        vm.expectRevert(ITreasury.Treasury_AlreadyInitialized.selector);
        treasury.initialize(owners, 1);
    }

    function test_initialize_ofTheImplementation_reverts() public {
        Treasury implementation = new Treasury(new address[](0), 0, scopes);
        vm.expectRevert(ITreasury.Treasury_AlreadyInitialized.selector);
        implementation.initialize(owners, 1);
    }

    function test_implementation_executesNothing() public {
        Treasury implementation = new Treasury(new address[](0), 0, scopes);
        vm.expectRevert(
            abi.encodeWithSelector(ITreasury.Treasury_QuorumNotReached.selector, 0, type(uint16).max)
        );
        implementation.execute(_call(payee, 0, ""), 0, FOREVER, new bytes[](0));
    }

    function test_initialize_ofAClone_worksOnce() public {
        Treasury clone = _clone();
        vm.expectEmit();
        emit ITreasury.OwnerAdded(owners[0]);
        vm.expectEmit();
        emit ITreasury.OwnerAdded(owners[1]);
        vm.expectEmit();
        emit ITreasury.OwnerAdded(owners[2]);
        vm.expectEmit();
        emit ITreasury.ThresholdSet(2);
        clone.initialize(owners, 2);
        assertEq(clone.threshold(), 2, "threshold");
        vm.expectRevert(ITreasury.Treasury_AlreadyInitialized.selector);
        clone.initialize(owners, 1);
    }

    function test_clone_hasADomainOfItsOwn() public {
        Treasury clone = _clone();
        clone.initialize(owners, 2);
        (, string memory name, string memory version, uint256 chainId, address verifier, , ) = clone
            .eip712Domain();
        assertEq(bytes(name), bytes("Bursar Treasury"), "name");
        assertEq(bytes(version), bytes("1"), "version");
        assertEq(chainId, block.chainid, "chain");
        assertEq(verifier, address(clone), "verifier");
        ITreasury.Call[] memory calls = _call(payee, 1, "");
        assertTrue(
            clone.hashProposal(calls, 0, FOREVER) != treasury.hashProposal(calls, 0, FOREVER),
            "hashes differ"
        );
    }

    function test_clone_executesWithItsOwnSignatures() public {
        Treasury clone = _clone();
        clone.initialize(owners, 2);
        vm.deal(address(clone), 1 ether);
        ITreasury.Call[] memory calls = _call(payee, 1 ether, "");
        clone.execute(calls, 0, FOREVER, _signed(clone.hashProposal(calls, 0, FOREVER), 2));
        assertEq(payee.balance, 1 ether, "payee's balance");
    }

    function test_initialize_withoutOwners_reverts() public {
        Treasury clone = _clone();
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_ThresholdOutOfRange.selector, 1, 0));
        clone.initialize(new address[](0), 1);
    }

    function test_constructor_withABadThreshold_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_ThresholdOutOfRange.selector, 0, 3));
        new Treasury(owners, 0, scopes);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_ThresholdOutOfRange.selector, 4, 3));
        new Treasury(owners, 4, scopes);
    }

    function test_constructor_withTheZeroAddress_reverts() public {
        owners[0] = address(0);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_OwnerInvalid.selector, address(0)));
        new Treasury(owners, 2, scopes);
    }

    function test_constructor_withAnOwnerTwice_reverts() public {
        owners[1] = owners[0];
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_OwnerExists.selector, owners[0]));
        new Treasury(owners, 2, scopes);
    }

    function test_addOwner_bySelf_countsFromThenOn() public {
        vm.expectEmit();
        emit ITreasury.OwnerAdded(stranger);
        _execute(_self(abi.encodeCall(treasury.addOwner, (stranger))));
        assertTrue(treasury.isOwner(stranger), "is owner");
    }

    function test_addOwner_ofTheTreasuryItself_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_OwnerInvalid.selector, address(treasury)));
        vm.prank(address(treasury));
        treasury.addOwner(address(treasury));
    }

    function test_addOwner_beyondThirtyTwo_reverts() public {
        vm.startPrank(address(treasury));
        for (uint256 i = 3; i < 32; ++i) treasury.addOwner(address(uint160(0x1000 + i)));
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_TooManyOwners.selector, 33, 32));
        treasury.addOwner(stranger);
        vm.stopPrank();
    }

    function test_removeOwner_bySelf_isNoOwnerAnyMore() public {
        vm.expectEmit();
        emit ITreasury.OwnerRemoved(owners[2]);
        _execute(_self(abi.encodeCall(treasury.removeOwner, (owners[2]))));
        assertFalse(treasury.isOwner(owners[2]), "is no owner");
        assertEq(treasury.owners().length, 2, "owners");
    }

    function test_removeOwner_belowTheThreshold_reverts() public {
        vm.startPrank(address(treasury));
        treasury.removeOwner(owners[2]);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_ThresholdOutOfRange.selector, 2, 1));
        treasury.removeOwner(owners[1]);
        treasury.setThreshold(1);
        treasury.removeOwner(owners[1]);
        vm.stopPrank();
        assertEq(treasury.owners().length, 1, "one is left");
    }

    function test_removeOwner_ofAStranger_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_NotOwner.selector, stranger));
        vm.prank(address(treasury));
        treasury.removeOwner(stranger);
    }

    function test_replaceOwner_bySelf_swapsThem() public {
        vm.expectEmit();
        emit ITreasury.OwnerRemoved(owners[0]);
        vm.expectEmit();
        emit ITreasury.OwnerAdded(stranger);
        _execute(_self(abi.encodeCall(treasury.replaceOwner, (owners[0], stranger))));
        assertFalse(treasury.isOwner(owners[0]), "old one is out");
        assertTrue(treasury.isOwner(stranger), "new one is in");
        assertEq(treasury.owners().length, 3, "as many as before");
    }

    function test_replaceOwner_ofOrByTheWrongOne_reverts() public {
        vm.startPrank(address(treasury));
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_NotOwner.selector, stranger));
        treasury.replaceOwner(stranger, payee);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_OwnerExists.selector, owners[1]));
        treasury.replaceOwner(owners[0], owners[1]);
        vm.stopPrank();
    }

    function test_setThreshold_bySelf_counts() public {
        vm.expectEmit();
        emit ITreasury.ThresholdSet(3);
        _execute(_self(abi.encodeCall(treasury.setThreshold, (3))));
        assertEq(treasury.threshold(), 3, "threshold");
    }

    function test_setThreshold_outOfRange_reverts() public {
        vm.startPrank(address(treasury));
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_ThresholdOutOfRange.selector, 0, 3));
        treasury.setThreshold(0);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_ThresholdOutOfRange.selector, 4, 3));
        treasury.setThreshold(4);
        vm.stopPrank();
    }

    function test_everyLoosening_bySingleOwner_reverts() public {
        address[] memory list = new address[](1);
        bytes[12] memory loosenings = [
            abi.encodeCall(treasury.addOwner, (stranger)),
            abi.encodeCall(treasury.removeOwner, (owners[1])),
            abi.encodeCall(treasury.replaceOwner, (owners[1], stranger)),
            abi.encodeCall(treasury.setThreshold, (1)),
            abi.encodeCall(treasury.setBudget, (owners[0], address(token), _unlimited())),
            abi.encodeCall(treasury.allowRecipients, (agent, list)),
            abi.encodeCall(treasury.unfreeze, (agent)),
            abi.encodeCall(treasury.unpause, ()),
            abi.encodeCall(treasury.disburse, (agent, address(token), owners[0], 1, bytes32(0))),
            abi.encodeCall(treasury.setCollector, (owners[0], owners[0])),
            abi.encodeCall(treasury.authorizeHash, (bytes32(uint256(1)), FOREVER)),
            abi.encodeCall(treasury.setThreshold, (2))
        ];
        for (uint256 i; i < loosenings.length; ++i) {
            vm.prank(owners[0]);
            (bool ok, bytes memory answer) = address(treasury).call(loosenings[i]);
            assertFalse(ok, "refused");
            assertEq(
                answer,
                abi.encodeWithSelector(ITreasury.Treasury_NotSelf.selector, owners[0]),
                "by name"
            );
        }
    }

    function _clone() private returns (Treasury) {
        return Treasury(payable(Clones.clone(address(new Treasury(new address[](0), 0, scopes)))));
    }
}
