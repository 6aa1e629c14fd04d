// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IParameterRegistry} from "../../../contracts/interfaces/governance/IParameterRegistry.sol";
import {IParameters} from "../../../contracts/interfaces/governance/IParameters.sol";
import {ParameterRegistry} from "../../../contracts/governance/ParameterRegistry.sol";
import {StakingFixture} from "../support/StakingFixture.sol";

/// @notice Numbers within bounds that no vote can move, and documents by their hash.
contract ParameterRegistryTest is StakingFixture {
    bytes32 private constant NAME = "transferFeeBps";

    function _declaration(
        bytes32 name,
        uint256 floor,
        uint256 ceiling,
        uint256 value
    ) private pure returns (IParameterRegistry.Declaration memory) {
        return IParameterRegistry.Declaration(name, floor, ceiling, value);
    }

    function test_constructor_declaresWhatItIsGiven() public {
        vm.expectEmit(true, true, true, true);
        emit IParameterRegistry.ParameterDeclared("rewardRateBps", 0, 2_000, RATE_BPS);
        new ParameterRegistry(address(manager), _declarations());
        assertEq(registry.parameterCount(), 6, "count");
        assertEq(registry.nameAt(0), "rewardRateBps", "first");
        assertEq(registry.nameAt(5), "slashRewardBps", "last");
        assertEq(registry.valueOf("rewardRateBps"), RATE_BPS, "value");
    }

    function test_declare_addsForGood() public {
        vm.expectEmit(true, true, true, true);
        emit IParameterRegistry.ParameterDeclared(NAME, 1, 100, 10);
        registry.declare(_declaration(NAME, 1, 100, 10));
        IParameterRegistry.Declaration memory declared = registry.parameter(NAME);
        assertEq(declared.name, NAME, "name");
        assertEq(declared.floor, 1, "floor");
        assertEq(declared.ceiling, 100, "ceiling");
        assertEq(declared.value, 10, "value");
        assertEq(registry.nameAt(6), NAME, "listed");
        vm.expectRevert(abi.encodeWithSelector(IParameterRegistry.ParameterRegistry_Declared.selector, NAME));
        registry.declare(_declaration(NAME, 0, 1_000, 10));
    }

    function test_declare_refusesNonsense() public {
        vm.expectRevert(
            abi.encodeWithSelector(IParameterRegistry.ParameterRegistry_BadDeclaration.selector, NAME, 2, 1)
        );
        registry.declare(_declaration(NAME, 2, 1, 1));
        vm.expectRevert(
            abi.encodeWithSelector(
                IParameterRegistry.ParameterRegistry_BadDeclaration.selector,
                bytes32(0),
                1,
                2
            )
        );
        registry.declare(_declaration(0, 1, 2, 1));
        vm.expectRevert(
            abi.encodeWithSelector(IParameterRegistry.ParameterRegistry_OutOfBounds.selector, NAME, 3, 1, 2)
        );
        registry.declare(_declaration(NAME, 1, 2, 3));
    }

    function test_declare_oneValueOnly_isAllowed() public {
        registry.declare(_declaration(NAME, 7, 7, 7));
        assertEq(registry.valueOf(NAME), 7, "fixed");
    }

    function test_set_withinTheBounds() public {
        vm.expectEmit(true, true, true, true);
        emit IParameterRegistry.ParameterSet("maxSlashBps", MAX_SLASH_BPS, 9_000);
        registry.set("maxSlashBps", 9_000);
        assertEq(registry.valueOf("maxSlashBps"), 9_000, "ceiling");
        registry.set("maxSlashBps", 0);
        assertEq(registry.valueOf("maxSlashBps"), 0, "floor");
        vm.expectRevert(
            abi.encodeWithSelector(
                IParameterRegistry.ParameterRegistry_OutOfBounds.selector,
                bytes32("maxSlashBps"),
                9_001,
                0,
                9_000
            )
        );
        registry.set("maxSlashBps", 9_001);
        vm.expectRevert(
            abi.encodeWithSelector(
                IParameterRegistry.ParameterRegistry_OutOfBounds.selector,
                bytes32("unbondingSeconds"),
                1 days - 1,
                1 days,
                60 days
            )
        );
        registry.set("unbondingSeconds", 1 days - 1);
    }

    function test_unknownNames_areRefused() public {
        bytes memory unknown = abi.encodeWithSelector(IParameters.Parameters_Unknown.selector, NAME);
        vm.expectRevert(unknown);
        registry.valueOf(NAME);
        vm.expectRevert(unknown);
        registry.parameter(NAME);
        vm.expectRevert(unknown);
        registry.set(NAME, 1);
    }

    function test_setPolicy_setsReplacesAndWithdraws() public {
        vm.expectEmit(true, true, true, true);
        emit IParameterRegistry.PolicySet("attestation.code", "hash", "ipfs://policy");
        registry.setPolicy("attestation.code", "hash", "ipfs://policy");
        IParameterRegistry.Policy memory document = registry.policy("attestation.code");
        assertEq(document.contentHash, "hash", "hash");
        assertEq(bytes(document.uri), bytes("ipfs://policy"), "uri");
        assertEq(document.setAt, START, "time");
        registry.setPolicy("attestation.code", 0, "");
        assertEq(registry.policy("attestation.code").contentHash, 0, "withdrawn");
        vm.expectRevert(IParameterRegistry.ParameterRegistry_PolicyIdEmpty.selector);
        registry.setPolicy(0, "hash", "");
    }

    function test_onlyTheAdmin() public {
        bytes memory denied = abi.encodeWithSelector(
            IAccessManaged.AccessManagedUnauthorized.selector,
            alice
        );
        vm.expectRevert(denied);
        vm.prank(alice);
        registry.set("maxSlashBps", 1);
        vm.expectRevert(denied);
        vm.prank(alice);
        registry.declare(_declaration(NAME, 0, 1, 1));
        vm.expectRevert(denied);
        vm.prank(alice);
        registry.setPolicy("p", "h", "");
    }

    function testFuzz_set_neverLeavesTheBounds(uint256 floor, uint256 ceiling, uint256 value) public {
        ceiling = bound(ceiling, floor, type(uint256).max);
        registry.declare(_declaration(NAME, floor, ceiling, floor));
        try registry.set(NAME, value) {
            assertTrue(value >= floor && value <= ceiling, "within");
        } catch {
            assertTrue(value < floor || value > ceiling, "refused what is within");
        }
    }
}
