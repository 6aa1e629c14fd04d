import { getAddress, hexToBytes, serializeSignature, toHex } from "viem";
import { sign } from "viem/accounts";
import { keccak256 } from "#offchain/core/keccak.ts";
import { curve, isNative, recoverPublicKeys, signatureBytes } from "./curve.ts";

/** Half of the group order: a signature with s above it is the malleated twin of a valid one (EIP-2). */
const halfOrder = hexToBytes("0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0");

/**
 * A signature as r, s and recovery id; null when it can't be one. Takes 65 bytes (r, s, v with v 0, 1, 27 or 28) or
 * 64 bytes (ERC-2098); refuses s above half of the order.
 */
export function parseSignature(signature: `0x${string}`): Uint8Array | null {
  const length = (signature.length - 2) / 2;
  if (length !== 64 && length !== signatureBytes) return null;
  const parsed = Buffer.from(signature.slice(2).padEnd(2 * signatureBytes, "0"), "hex");
  if (parsed.length !== signatureBytes) return null;
  let recoveryId = parsed[64] ?? 0;
  if (length === 64) {
    const top = parsed[32] ?? 0;
    recoveryId = top >> 7;
    parsed[32] = top & 0x7f;
  } else if (recoveryId >= 27) recoveryId -= 27;
  if (recoveryId !== 0 && recoveryId !== 1) return null;
  parsed[64] = recoveryId;
  return Buffer.compare(parsed.subarray(32, 64), halfOrder) > 0 ? null : parsed;
}

/** A parsed signature in the form that every contract takes: 65 bytes with v 27 or 28. */
export function contractForm(parsed: Uint8Array): Uint8Array {
  const written = Uint8Array.from(parsed);
  written[64] = 27 + (parsed[64] ?? 0);
  return written;
}

/** The signature as contracts take it if the key of `signer` made it over `digest`; else null. */
export function signatureOfKey(
  digest: `0x${string}`,
  signature: `0x${string}`,
  signer: `0x${string}`,
): `0x${string}` | null {
  const parsed = parseSignature(signature);
  const isSigners = parsed && addressOfKey(recoverPublicKeys(hexToBytes(digest), parsed)) === signer;
  return isSigners ? toHex(contractForm(parsed)) : null;
}

/** The address of a public key (x, y); null for the row of zeros that stands for none. */
export function addressOfKey(publicKey: Uint8Array): `0x${string}` | null {
  if (publicKey.every((byte) => byte === 0)) return null;
  return getAddress(toHex(keccak256(publicKey).subarray(12)));
}

/** The address whose key signed `digest`; null when nothing can be recovered from the signature. */
export function recoverAddress(digest: `0x${string}`, signature: `0x${string}`): `0x${string}` | null {
  const parsed = parseSignature(signature);
  return parsed && addressOfKey(recoverPublicKeys(hexToBytes(digest), parsed));
}

/** Signs a digest: r, s, v (27 or 28) as 65 bytes, with low s and the nonce of RFC 6979. */
export async function signDigest(digest: `0x${string}`, privateKey: `0x${string}`): Promise<`0x${string}`> {
  if (!isNative) return serializeSignature(await sign({ hash: digest, privateKey }));
  const { signature, recid } = curve.ecdsaSign(hexToBytes(digest), hexToBytes(privateKey));
  return `${toHex(signature)}${recid === 0 ? "1b" : "1c"}`;
}
