// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVerifier} from "../interfaces/trust/IVerifier.sol";

/// @title SchnorrVerifier
/// @notice Zero-knowledge proofs of knowledge of a secret x behind a public point Y = x * G of the curve BN254, made
///         non-interactive by Fiat and Shamir; verified with the precompiles of EIP-196.
/// @dev Public inputs: what the proof is used for, then Y's coordinates. Proof: abi.encode(Rx, Ry, s), where R
///         = k * G for
///      a random k, c = keccak256(chainid, this, inputs, R) mod N and s = k + c * x mod N; it holds if s * G =
///      R + c * Y.
///      Sources: C. P. Schnorr, "Efficient signature generation by smart cards" (1991); EIP-196 (2017).
contract SchnorrVerifier is IVerifier {
    /// @notice Order of the group.
    uint256 public constant N = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001;
    uint256 private constant GX = 1;
    uint256 private constant GY = 2;
    address private constant EC_ADD = address(6);
    address private constant EC_MUL = address(7);

    /// @inheritdoc IVerifier
    function verify(bytes calldata proof, bytes32[] calldata publicInputs) external view returns (bool) {
        if (publicInputs.length != 3 || proof.length != 96) return false;
        (uint256 rx, uint256 ry, uint256 s) = abi.decode(proof, (uint256, uint256, uint256));
        (uint256 yx, uint256 yy) = (uint256(publicInputs[1]), uint256(publicInputs[2]));
        // The point at infinity has the secret 0, which all know; s beyond the order would be a second form of it.
        if (s >= N || (yx == 0 && yy == 0)) return false;
        (bool isOn, uint256 cx, uint256 cy) = _mul(yx, yy, challenge(publicInputs, rx, ry));
        if (!isOn) return false;
        (bool isSum, uint256 wantedX, uint256 wantedY) = _add(rx, ry, cx, cy);
        (, uint256 gotX, uint256 gotY) = _mul(GX, GY, s);
        return isSum && gotX == wantedX && gotY == wantedY;
    }

    /// @notice What the prover's secret is multiplied with.
    function challenge(
        bytes32[] calldata publicInputs,
        uint256 rx,
        uint256 ry
    ) public view returns (uint256) {
        return uint256(keccak256(abi.encode(block.chainid, address(this), publicInputs, rx, ry))) % N;
    }

    function _mul(uint256 x, uint256 y, uint256 scalar) private view returns (bool, uint256, uint256) {
        return _answer(EC_MUL, abi.encode(x, y, scalar));
    }

    function _add(
        uint256 ax,
        uint256 ay,
        uint256 bx,
        uint256 by
    ) private view returns (bool, uint256, uint256) {
        return _answer(EC_ADD, abi.encode(ax, ay, bx, by));
    }

    /// @dev The precompiles fail for what is no point of the curve.
    function _answer(address precompile, bytes memory input) private view returns (bool, uint256, uint256) {
        (bool ok, bytes memory output) = precompile.staticcall(input);
        if (!ok || output.length != 64) return (false, 0, 0);
        (uint256 x, uint256 y) = abi.decode(output, (uint256, uint256));
        return (true, x, y);
    }
}
