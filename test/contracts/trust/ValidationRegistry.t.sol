// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IValidationRegistry} from "../../../contracts/interfaces/trust/IValidationRegistry.sol";
import {IdentityRegistry} from "../../../contracts/trust/IdentityRegistry.sol";
import {ValidationRegistry} from "../../../contracts/trust/ValidationRegistry.sol";
import {Test} from "../support/Test.sol";

/// @notice ERC-8004's validation registry; its answers by proof are AttestationVerifier's tests'.
contract ValidationRegistryTest is Test {
    uint256 private constant START = 1_700_000_000;

    IdentityRegistry private agents;
    ValidationRegistry private validation;
    address private owner;
    address private validator;
    address private stranger;
    uint256 private agent;

    function setUp() public {
        vm.warp(START);
        agents = new IdentityRegistry();
        validation = new ValidationRegistry(agents);
        owner = makeAddr("owner");
        validator = makeAddr("validator");
        stranger = makeAddr("stranger");
        vm.prank(owner);
        agent = agents.register();
    }

    function _request(address to, bytes32 hash) private {
        vm.prank(owner);
        validation.validationRequest(to, agent, "ipfs://work", hash);
    }

    function _respond(bytes32 hash, uint8 response, string memory tag) private {
        vm.prank(validator);
        validation.validationResponse(hash, response, "ipfs://e", "e", tag);
    }

    function test_rule_validationRequest_isStoredAndEmitted() public {
        vm.expectEmit(true, true, true, true);
        emit IValidationRegistry.ValidationRequest(validator, agent, "ipfs://work", "r");
        _request(validator, "r");
        (address to, uint256 id, uint8 response, , , uint256 lastUpdate) = validation.getValidationStatus(
            "r"
        );
        assertEq(to, validator, "validator");
        assertEq(id, agent, "agent");
        assertEq(response, 0, "response");
        assertEq(lastUpdate, 0, "no answer yet");
        assertEq(validation.getAgentValidations(agent)[0], "r", "by agent");
        assertEq(validation.getValidatorRequests(validator)[0], "r", "by validator");
        assertEq(validation.getIdentityRegistry(), address(agents), "registry");
    }

    function test_rule_validationRequest_byOwnerOrOperator_oncePerHash() public {
        vm.expectRevert(IValidationRegistry.ValidationRegistry_NoValidator.selector);
        _request(address(0), "r");
        vm.expectRevert(
            abi.encodeWithSelector(
                IValidationRegistry.ValidationRegistry_NotAuthorized.selector,
                stranger,
                agent
            )
        );
        vm.prank(stranger);
        validation.validationRequest(validator, agent, "", "r");
        _request(validator, "r");
        vm.expectRevert(
            abi.encodeWithSelector(IValidationRegistry.ValidationRegistry_Requested.selector, bytes32("r"))
        );
        _request(stranger, "r");
    }

    function test_rule_validationResponse_mayComeAgain() public {
        _request(validator, "r");
        vm.expectEmit(true, true, true, true);
        emit IValidationRegistry.ValidationResponse(validator, agent, "r", 80, "ipfs://e", "e", "soft");
        _respond("r", 80, "soft");
        (, , uint8 response, bytes32 hash, string memory tag, uint256 lastUpdate) = validation
            .getValidationStatus("r");
        assertEq(response, 80, "response");
        assertEq(hash, "e", "hash");
        assertEq(bytes(tag), bytes("soft"), "tag");
        assertEq(lastUpdate, START, "time");
        _respond("r", 100, "hard");
        (, , response, , , ) = validation.getValidationStatus("r");
        assertEq(response, 100, "answered again");
    }

    function test_rule_validationResponse_byTheValidator_upToAHundred() public {
        _request(validator, "r");
        vm.expectRevert(
            abi.encodeWithSelector(IValidationRegistry.ValidationRegistry_ResponseTooHigh.selector, 101, 100)
        );
        _respond("r", 101, "");
        vm.expectRevert(
            abi.encodeWithSelector(
                IValidationRegistry.ValidationRegistry_NotValidator.selector,
                stranger,
                validator
            )
        );
        vm.prank(stranger);
        validation.validationResponse("r", 1, "", 0, "");
        bytes memory unknown = abi.encodeWithSelector(
            IValidationRegistry.ValidationRegistry_UnknownRequest.selector,
            bytes32("x")
        );
        vm.expectRevert(unknown);
        _respond("x", 1, "");
        vm.expectRevert(unknown);
        validation.getValidationStatus("x");
    }

    function test_rule_getSummary_filtersByValidatorsAndTag() public {
        _request(validator, "a");
        _request(validator, "b");
        _request(stranger, "c");
        _request(validator, "unanswered");
        _respond("a", 60, "x");
        _respond("b", 81, "y");
        vm.prank(stranger);
        validation.validationResponse("c", 0, "", 0, "x");
        (uint64 count, uint8 average) = validation.getSummary(agent, new address[](0), "");
        assertEq(count, 3, "all answers");
        assertEq(average, 47, "of 60, 81 and 0");
        address[] memory named = new address[](1);
        named[0] = validator;
        (count, average) = validation.getSummary(agent, named, "");
        assertEq(count, 2, "the validator's");
        assertEq(average, 70, "of 60 and 81");
        (count, average) = validation.getSummary(agent, named, "x");
        assertEq(average, 60, "with the tag");
        (count, average) = validation.getSummary(agent + 1, named, "");
        assertEq(count + average, 0, "nothing about nobody");
    }

    function test_getSummaryPage() public {
        _request(validator, "a");
        _request(validator, "b");
        _request(validator, "unanswered");
        _request(validator, "c");
        _respond("a", 60, "x");
        _respond("b", 81, "y");
        _respond("c", 10, "x");
        address[] memory any = new address[](0);
        (uint64 count, uint256 sum, uint256 total) = validation.getSummaryPage(agent, any, "", 1, 2);
        assertEq(count, 1, "two places, one answer");
        assertEq(sum, 81, "sum");
        assertEq(total, 4, "requests");
        (count, sum, ) = validation.getSummaryPage(agent, any, "x", 1, type(uint256).max);
        assertEq(count, 1, "of the tag");
        assertEq(sum, 10, "sum");
        (count, , total) = validation.getSummaryPage(agent, any, "", 4, 1);
        assertEq(count, 0, "nothing beyond");
        assertEq(total, 4, "requests");
    }

    // Names that are bound to their agent

    function test_aBoundName_isNobodyElses() public {
        bytes32 name = validation.requestHashOf(validator, agent, "ipfs://work");
        vm.startPrank(stranger);
        uint256 other = agents.register();
        bytes32 own = validation.requestHashOf(validator, other, "ipfs://work");
        vm.expectRevert(
            abi.encodeWithSelector(IValidationRegistry.ValidationRegistry_ForeignName.selector, name, own)
        );
        validation.validationRequest(validator, other, "ipfs://work", name);
        vm.stopPrank();
        vm.expectPartialRevert(IValidationRegistry.ValidationRegistry_ForeignName.selector);
        _request(stranger, name);
        _request(validator, name);
        _respond(name, 90, "");
        (uint64 count, uint8 average) = validation.getSummary(agent, new address[](0), "");
        assertEq(count, 1, "answered");
        assertEq(average, 90, "average");
        vm.expectRevert(
            abi.encodeWithSelector(IValidationRegistry.ValidationRegistry_Requested.selector, name)
        );
        _request(validator, name);
    }

    function testFuzz_aNameThatBeginsAsBoundOnesDo_isTheRequestsOwnOrRefused(bytes32 name) public {
        name = (name >> 32) | bytes32(bytes4(0x80048004));
        bytes32 own = validation.requestHashOf(validator, agent, "ipfs://work");
        vm.assume(name != own);
        assertEq(bytes32(bytes4(own)), bytes32(bytes4(name)), "as its own begins");
        vm.expectRevert(
            abi.encodeWithSelector(IValidationRegistry.ValidationRegistry_ForeignName.selector, name, own)
        );
        _request(validator, name);
    }

    function test_pagesOfRequests() public {
        for (uint256 i = 1; i <= 5; ++i) _request(i % 2 == 0 ? stranger : validator, bytes32(i));
        (bytes32[] memory hashes, uint256 total) = validation.getAgentValidationsPage(agent, 1, 2);
        assertEq(total, 5, "about the agent");
        assertEq(hashes.length, 2, "as many as asked for");
        assertEq(hashes[1], bytes32(uint256(3)), "the third");
        (hashes, total) = validation.getValidatorRequestsPage(validator, 1, type(uint256).max);
        assertEq(total, 3, "to the validator");
        assertEq(hashes.length, 2, "as many as there are");
        assertEq(hashes[1], bytes32(uint256(5)), "the last");
        (hashes, ) = validation.getValidatorRequestsPage(validator, 3, 1);
        assertEq(hashes.length, 0, "none beyond");
    }

    function test_requestHashOf_fitsOneAgentValidatorContentRegistryAndChain() public {
        bytes32 name = validation.requestHashOf(validator, agent, "u");
        assertTrue(name != validation.requestHashOf(stranger, agent, "u"), "validator");
        assertTrue(name != validation.requestHashOf(validator, agent + 1, "u"), "agent");
        assertTrue(name != validation.requestHashOf(validator, agent, "v"), "content");
        assertTrue(name != new ValidationRegistry(agents).requestHashOf(validator, agent, "u"), "registry");
        vm.chainId(5);
        assertTrue(name != validation.requestHashOf(validator, agent, "u"), "chain");
    }
}
