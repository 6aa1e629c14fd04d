// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IValidationRegistry} from "../../../contracts/interfaces/trust/IValidationRegistry.sol";
import {IdentityRegistry} from "../../../contracts/trust/IdentityRegistry.sol";
import {SchnorrVerifier} from "../../../contracts/trust/SchnorrVerifier.sol";
import {ValidationRegistry} from "../../../contracts/trust/ValidationRegistry.sol";
import {Test} from "../support/Test.sol";

/// @notice ERC-8004's validation registry, and answers by zero-knowledge proof.
contract ValidationRegistryTest is Test {
    uint256 private constant START = 1_700_000_000;
    uint256 private constant SECRET = 0xc0ffee;

    IdentityRegistry private agents;
    ValidationRegistry private validation;
    SchnorrVerifier private schnorr;
    address private owner;
    address private validator;
    address private stranger;
    uint256 private agent;

    function setUp() public {
        vm.warp(START);
        agents = new IdentityRegistry();
        validation = new ValidationRegistry(agents);
        schnorr = new SchnorrVerifier();
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

    function test_validationRequest() public {
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

    function test_validationRequest_refusals() public {
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

    function test_validationResponse() public {
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

    function test_validationResponse_refusals() public {
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

    function test_getSummary() public {
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

    // Proofs

    function _mul(uint256 x, uint256 y, uint256 scalar) private view returns (uint256, uint256) {
        (, bytes memory output) = address(7).staticcall(abi.encode(x, y, scalar));
        return abi.decode(output, (uint256, uint256));
    }

    function _inputs(bytes32 hash) private view returns (bytes32[] memory inputs) {
        inputs = new bytes32[](3);
        (uint256 x, uint256 y) = _mul(1, 2, SECRET);
        (inputs[0], inputs[1], inputs[2]) = (hash, bytes32(x), bytes32(y));
    }

    /// @dev What whoever knows the secret can make.
    function _prove(
        bytes32[] memory inputs,
        uint256 secret,
        uint256 nonce
    ) private view returns (bytes memory) {
        (uint256 rx, uint256 ry) = _mul(1, 2, nonce);
        uint256 order = schnorr.N();
        uint256 c = schnorr.challenge(inputs, rx, ry);
        return abi.encode(rx, ry, addmod(nonce, mulmod(c, secret, order), order));
    }

    function test_attest_byAProof() public {
        _request(address(schnorr), "r");
        bytes32[] memory inputs = _inputs("r");
        bytes memory proof = _prove(inputs, SECRET, 77);
        vm.expectEmit(true, true, true, true);
        emit IValidationRegistry.ValidationResponse(
            address(schnorr),
            agent,
            "r",
            100,
            "",
            keccak256(proof),
            "zk"
        );
        vm.prank(stranger);
        validation.attest("r", proof, inputs, "zk");
        (, , uint8 response, , , ) = validation.getValidationStatus("r");
        assertEq(response, 100, "proved");
    }

    function test_attest_refusals() public {
        _request(address(schnorr), "r");
        bytes32[] memory inputs = _inputs("r");
        bytes memory invalid = abi.encodeWithSelector(
            IValidationRegistry.ValidationRegistry_ProofInvalid.selector,
            schnorr
        );
        bytes memory wrong = _prove(inputs, SECRET + 1, 77);
        vm.expectRevert(invalid);
        validation.attest("r", wrong, inputs, "");
        bytes memory good = _prove(inputs, SECRET, 77);
        bytes32[] memory other = _inputs("other");
        bytes memory unbound = abi.encodeWithSelector(
            IValidationRegistry.ValidationRegistry_ProofUnbound.selector,
            bytes32("r")
        );
        vm.expectRevert(unbound);
        validation.attest("r", good, other, "");
        vm.expectRevert(unbound);
        validation.attest("r", good, new bytes32[](0), "");
        _request(address(schnorr), "other");
        vm.expectRevert(invalid);
        validation.attest("other", good, other, "");
        vm.expectRevert(
            abi.encodeWithSelector(
                IValidationRegistry.ValidationRegistry_UnknownRequest.selector,
                bytes32("x")
            )
        );
        validation.attest("x", good, inputs, "");
    }

    function test_verify_refusesWhatIsNoProof() public {
        bytes32[] memory inputs = _inputs("r");
        bytes memory good = _prove(inputs, SECRET, 77);
        assertTrue(schnorr.verify(good, inputs), "the good one");
        (uint256 rx, uint256 ry, uint256 s) = abi.decode(good, (uint256, uint256, uint256));
        assertFalse(schnorr.verify(abi.encode(rx, ry, s + schnorr.N()), inputs), "a second form of s");
        assertFalse(schnorr.verify(abi.encode(rx, ry + 1, s), inputs), "R off the curve");
        assertFalse(schnorr.verify(abi.encodePacked(good, uint8(0)), inputs), "too long");
        assertFalse(schnorr.verify("", inputs), "empty");
        assertFalse(schnorr.verify(good, new bytes32[](2)), "too few inputs");
        bytes32[] memory off = _inputs("r");
        off[2] = bytes32(uint256(off[2]) + 1);
        assertFalse(schnorr.verify(good, off), "Y off the curve");
        bytes32[] memory zero = _inputs("r");
        (zero[1], zero[2]) = (0, 0);
        assertFalse(schnorr.verify(_prove(zero, 0, 5), zero), "the secret that everybody knows");
        vm.chainId(5);
        assertFalse(schnorr.verify(good, inputs), "another chain");
    }

    function testFuzz_verify_forEverySecret(uint256 secret, uint256 nonce, bytes32 hash) public view {
        secret = bound(secret, 1, schnorr.N() - 1);
        nonce = bound(nonce, 1, schnorr.N() - 1);
        bytes32[] memory inputs = new bytes32[](3);
        (uint256 x, uint256 y) = _mul(1, 2, secret);
        (inputs[0], inputs[1], inputs[2]) = (hash, bytes32(x), bytes32(y));
        assertTrue(schnorr.verify(_prove(inputs, secret, nonce), inputs), "whoever knows can prove");
        assertFalse(schnorr.verify(_prove(inputs, secret + 1, nonce), inputs), "who does not cannot");
    }
}
