// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IAttestationVerifier} from "../../../contracts/interfaces/trust/IAttestationVerifier.sol";
import {IValidationRegistry} from "../../../contracts/interfaces/trust/IValidationRegistry.sol";
import {AttestationVerifier} from "../../../contracts/trust/AttestationVerifier.sol";
import {IdentityRegistry} from "../../../contracts/trust/IdentityRegistry.sol";
import {ValidationRegistry} from "../../../contracts/trust/ValidationRegistry.sol";
import {ContractWallet} from "../support/ContractWallet.sol";
import {Test} from "../support/Test.sol";

/// @notice Answers by proof: attestations of registered issuers, each for one request, agent, policy and nonce.
contract AttestationVerifierTest is Test {
    uint256 private constant START = 1_700_000_000;
    string private constant TAG = "audited";
    bytes32 private constant POLICY = keccak256("audited");

    ValidationRegistry private validation;
    AttestationVerifier private verifier;
    address private owner;
    address private stranger;
    address private issuer;
    uint256 private issuerKey;
    uint256 private agent;

    function setUp() public {
        vm.warp(START);
        IdentityRegistry agents = new IdentityRegistry();
        validation = new ValidationRegistry(agents);
        verifier = new AttestationVerifier(address(new AccessManager(address(this))));
        owner = makeAddr("owner");
        stranger = makeAddr("stranger");
        (issuer, issuerKey) = makeAddrAndKey("issuer");
        verifier.setIssuer(POLICY, issuer, true);
        vm.startPrank(owner);
        agent = agents.register();
        validation.validationRequest(address(verifier), agent, "", "r");
        validation.validationRequest(address(verifier), agent, "", "s");
        vm.stopPrank();
    }

    function _inputs(bytes32 request, bytes32 nonce) private view returns (bytes32[] memory inputs) {
        inputs = new bytes32[](6);
        (inputs[0], inputs[1], inputs[2]) = (request, bytes32(agent), POLICY);
        (inputs[3], inputs[4]) = (nonce, bytes32(uint256(uint160(issuer))));
        inputs[5] = bytes32(START + 1 days);
    }

    /// @dev Signed by hand, as an issuer's own software would.
    function _digest(address registry, bytes32[] memory inputs) private view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256(
                    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
                ),
                keccak256("AttestationVerifier"),
                keccak256("1"),
                block.chainid,
                address(verifier)
            )
        );
        bytes32 typehash = keccak256(
            "Attestation(address registry,bytes32 requestHash,uint256 agentId,bytes32 policy,bytes32 nonce,address issuer,uint256 validUntil)" // solhint-disable-line max-line-length
        );
        bytes32 message = keccak256(
            abi.encode(typehash, registry, inputs[0], inputs[1], inputs[2], inputs[3], inputs[4], inputs[5])
        );
        return keccak256(abi.encodePacked(hex"1901", domain, message));
    }

    function _sign(uint256 key, bytes32[] memory inputs) private view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, _digest(address(validation), inputs));
        return abi.encodePacked(r, s, v);
    }

    function _verify(bytes memory proof, bytes32[] memory inputs) private returns (bool) {
        vm.prank(address(validation));
        return verifier.verify(proof, inputs);
    }

    function test_attest_byARegisteredIssuer_whoeverBringsIt() public {
        bytes32[] memory inputs = _inputs("r", "n");
        bytes memory proof = _sign(issuerKey, inputs);
        vm.expectEmit(true, true, true, true);
        emit IValidationRegistry.ValidationResponse(
            address(verifier),
            agent,
            "r",
            100,
            "",
            keccak256(proof),
            TAG
        );
        vm.prank(stranger);
        validation.attest("r", proof, inputs, TAG);
        (, , uint8 response, , string memory tag, ) = validation.getValidationStatus("r");
        assertEq(response, 100, "proved");
        assertEq(bytes(tag), bytes(TAG), "tag");
    }

    function test_attestationDigest_isTheTypedData() public view {
        bytes32[] memory inputs = _inputs("r", "n");
        assertEq(
            verifier.attestationDigest(address(validation), inputs),
            _digest(address(validation), inputs),
            "digest"
        );
    }

    function test_attest_twice_isRefused() public {
        bytes32[] memory inputs = _inputs("r", "n");
        bytes memory proof = _sign(issuerKey, inputs);
        validation.attest("r", proof, inputs, TAG);
        bytes memory used = abi.encodeWithSelector(
            IValidationRegistry.ValidationRegistry_NonceUsed.selector,
            verifier,
            bytes32("n")
        );
        vm.expectRevert(used);
        validation.attest("r", proof, inputs, TAG);
        inputs = _inputs("s", "n");
        proof = _sign(issuerKey, inputs);
        vm.expectRevert(used);
        validation.attest("s", proof, inputs, TAG);
        inputs = _inputs("r", "m");
        validation.attest("r", _sign(issuerKey, inputs), inputs, TAG);
    }

    /// @dev Whoever holds a verifier of its own would use up the nonces of all others'.
    function test_attest_aNonceIsItsVerifiers() public {
        bytes32[] memory inputs = _inputs("r", "n");
        validation.attest("r", _sign(issuerKey, inputs), inputs, TAG);
        verifier = new AttestationVerifier(address(new AccessManager(address(this))));
        verifier.setIssuer(POLICY, issuer, true);
        vm.prank(owner);
        validation.validationRequest(address(verifier), agent, "", "t");
        inputs = _inputs("t", "n");
        validation.attest("t", _sign(issuerKey, inputs), inputs, TAG);
        _assertSummary(TAG, 1);
    }

    /// @dev Nor is it used up by another agent's attestation, or by one of another policy.
    function test_attest_aNonceIsItsAgents() public {
        bytes32[] memory inputs = _inputs("r", "n");
        validation.attest("r", _sign(issuerKey, inputs), inputs, TAG);
        vm.startPrank(owner);
        agent = IdentityRegistry(validation.getIdentityRegistry()).register();
        validation.validationRequest(address(verifier), agent, "", "t");
        vm.stopPrank();
        inputs = _inputs("t", "n");
        validation.attest("t", _sign(issuerKey, inputs), inputs, TAG);
        _assertSummary(TAG, 1);
    }

    function test_attest_byAnIssuerOfAnotherPolicy_replacesNoAnswer() public {
        (address greeter, uint256 greeterKey) = makeAddrAndKey("greeter");
        verifier.setIssuer(keccak256("greeted"), greeter, true);
        bytes32[] memory inputs = _inputs("r", "n");
        bytes memory proof = _sign(issuerKey, inputs);
        validation.attest("r", proof, inputs, TAG);
        (inputs[2], inputs[4]) = (keccak256("greeted"), bytes32(uint256(uint160(greeter))));
        validation.attest("r", _sign(greeterKey, inputs), inputs, "greeted");
        (, , uint8 response, bytes32 hash, string memory tag, ) = validation.getValidationStatus("r");
        assertEq(response, 100, "response");
        assertEq(hash, keccak256(proof), "by the first");
        assertEq(bytes(tag), bytes(TAG), "of the first");
        _assertSummary(TAG, 1);
        _assertSummary("greeted", 1);
        _assertSummary("cheered", 0);
        _assertSummary("", 1);
        // What came first stands in nobody's way.
        (inputs[0], inputs[3]) = ("s", "m");
        validation.attest("s", _sign(greeterKey, inputs), inputs, "greeted");
        inputs = _inputs("s", "m");
        validation.attest("s", _sign(issuerKey, inputs), inputs, TAG);
        _assertSummary(TAG, 2);
        _assertSummary("greeted", 2);
    }

    function _assertSummary(string memory tag, uint64 wanted) private view {
        address[] memory named = new address[](1);
        named[0] = address(verifier);
        (uint64 count, uint8 average) = validation.getSummary(agent, named, tag);
        assertEq(count, wanted, tag);
        assertEq(average, wanted == 0 ? 0 : 100, tag);
    }

    function test_attest_whatIsNotBoundToTheRequest_isRefused() public {
        bytes32[] memory inputs = _inputs("r", "n");
        bytes memory proof = _sign(issuerKey, inputs);
        bytes memory unbound = abi.encodeWithSelector(
            IValidationRegistry.ValidationRegistry_ProofUnbound.selector,
            bytes32("r")
        );
        vm.expectRevert(unbound);
        validation.attest("r", proof, inputs, "another tag");
        vm.expectRevert(unbound);
        validation.attest("r", proof, new bytes32[](3), TAG);
        vm.expectRevert(
            abi.encodeWithSelector(IValidationRegistry.ValidationRegistry_ProofUnbound.selector, bytes32("s"))
        );
        validation.attest("s", proof, inputs, TAG);
        inputs[1] = bytes32(agent + 1);
        vm.expectRevert(unbound);
        validation.attest("r", proof, inputs, TAG);
        vm.expectRevert(
            abi.encodeWithSelector(
                IValidationRegistry.ValidationRegistry_UnknownRequest.selector,
                bytes32("x")
            )
        );
        validation.attest("x", proof, inputs, TAG);
    }

    function test_attest_bySomebodyElse_isRefused() public {
        bytes32[] memory inputs = _inputs("r", "n");
        bytes memory invalid = abi.encodeWithSelector(
            IValidationRegistry.ValidationRegistry_ProofInvalid.selector,
            verifier
        );
        bytes memory proof = _sign(uint256(keccak256("stranger")), inputs);
        vm.expectRevert(invalid);
        validation.attest("r", proof, inputs, TAG);
        // Signed by whom it names, who is no issuer: nobody's word counts but a registered one's.
        inputs[4] = bytes32(uint256(uint160(stranger)));
        proof = _sign(uint256(keccak256("stranger")), inputs);
        vm.expectRevert(invalid);
        validation.attest("r", proof, inputs, TAG);
        vm.prank(owner);
        validation.validationRequest(stranger, agent, "", "t");
        inputs = _inputs("t", "n");
        vm.expectRevert(
            abi.encodeWithSelector(IValidationRegistry.ValidationRegistry_ProofInvalid.selector, stranger)
        );
        validation.attest("t", proof, inputs, TAG);
    }

    function testFuzz_verify_anythingElseThanWhatWasSigned_isRefused(uint256 which, bytes32 value) public {
        bytes32[] memory inputs = _inputs("r", "n");
        bytes memory proof = _sign(issuerKey, inputs);
        assertTrue(_verify(proof, inputs), "as signed");
        which = bound(which, 0, 5);
        vm.assume(inputs[which] != value);
        inputs[which] = value;
        assertFalse(_verify(proof, inputs), "changed");
    }

    function test_verify_fitsOneRegistryVerifierAndChain() public {
        bytes32[] memory inputs = _inputs("r", "n");
        bytes memory proof = _sign(issuerKey, inputs);
        assertTrue(_verify(proof, inputs), "the registry that was meant");
        assertFalse(verifier.verify(proof, inputs), "another registry");
        AttestationVerifier other = new AttestationVerifier(address(new AccessManager(address(this))));
        other.setIssuer(POLICY, issuer, true);
        vm.prank(address(validation));
        assertFalse(other.verify(proof, inputs), "another verifier");
        vm.chainId(5);
        assertFalse(_verify(proof, inputs), "another chain");
    }

    function test_verify_refusesWhatIsNoProof() public {
        bytes32[] memory inputs = _inputs("r", "n");
        bytes memory proof = _sign(issuerKey, inputs);
        assertFalse(_verify("", inputs), "empty");
        assertFalse(_verify(abi.encodePacked(proof, uint8(0)), inputs), "too long");
        assertFalse(_verify(proof, new bytes32[](5)), "too few inputs");
        bytes32[] memory nobody = _inputs("r", "n");
        nobody[4] = 0;
        assertFalse(_verify(proof, nobody), "nobody's");
        vm.warp(START + 1 days);
        assertTrue(_verify(proof, inputs), "in its last second");
        skip(1);
        assertFalse(_verify(proof, inputs), "late");
    }

    function test_setIssuer() public {
        bytes32[] memory inputs = _inputs("r", "n");
        bytes memory proof = _sign(issuerKey, inputs);
        vm.expectEmit(true, true, true, true);
        emit IAttestationVerifier.IssuerSet(POLICY, issuer, false);
        verifier.setIssuer(POLICY, issuer, false);
        assertFalse(verifier.isIssuer(POLICY, issuer), "registered");
        assertFalse(_verify(proof, inputs), "no longer");
        vm.expectRevert(IAttestationVerifier.AttestationVerifier_ZeroIssuer.selector);
        verifier.setIssuer(POLICY, address(0), true);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
        vm.prank(stranger);
        verifier.setIssuer(POLICY, stranger, true);
    }

    function test_anIssuer_mayBeAContract_orAnAccountWithDelegatedCode() public {
        // EIP-7702: code that begins 0xef0100, here of a delegate that knows no ERC-1271.
        vm.etch(issuer, abi.encodePacked(hex"ef0100", address(validation)));
        bytes32[] memory inputs = _inputs("r", "n");
        assertTrue(_verify(_sign(issuerKey, inputs), inputs), "its own key counts");
        ContractWallet wallet = new ContractWallet(issuer);
        verifier.setIssuer(POLICY, address(wallet), true);
        inputs[4] = bytes32(uint256(uint160(address(wallet))));
        assertTrue(_verify(_sign(issuerKey, inputs), inputs), "ERC-1271");
        wallet.switchOff();
        assertFalse(_verify(_sign(issuerKey, inputs), inputs), "not any more");
    }
}
