import { createRequire } from "node:module";
import { getAddress, hexToBytes, keccak256, serializeSignature, toHex } from "viem";
import { sign } from "viem/accounts";

type Secp256k1 = typeof import("secp256k1");

const load = createRequire(import.meta.url);
const { curve, isNative } = open();

/** Whether libsecp256k1 itself runs (about 40 µs a recovery) or its JavaScript stand-in (about 1 ms). */
export const isNativeSecp256k1 = isNative;

/** Half of the group order: a signature with s above it is the malleated twin of a valid one (EIP-2). */
const halfOrder = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;

/**
 * The address whose key signed `digest`; null when nothing can be recovered from the signature.
 * Takes 65 bytes (r, s, v with v 0, 1, 27 or 28) or 64 bytes (ERC-2098); refuses s above half of the order.
 * A recovered address proves nothing until it is compared with the one expected.
 */
export function recoverAddress(digest: `0x${string}`, signature: `0x${string}`): `0x${string}` | null {
  const parts = splitSignature(hexToBytes(signature));
  if (!parts) return null;
  try {
    const publicKey = curve.ecdsaRecover(parts.compact, parts.recoveryId, hexToBytes(digest), false);
    return getAddress(`0x${keccak256(publicKey.subarray(1)).slice(26)}`);
  } catch {
    // The point is not on the curve: the library's only way of saying "no key signed this".
    return null;
  }
}

/** Signs a digest: r, s, v (27 or 28) as 65 bytes, with low s and the nonce of RFC 6979. */
export async function signDigest(digest: `0x${string}`, privateKey: `0x${string}`): Promise<`0x${string}`> {
  if (!isNative) return serializeSignature(await sign({ hash: digest, privateKey }));
  const { signature, recid } = curve.ecdsaSign(hexToBytes(digest), hexToBytes(privateKey));
  return `${toHex(signature)}${recid === 0 ? "1b" : "1c"}`;
}

function splitSignature(bytes: Uint8Array): { compact: Uint8Array; recoveryId: number } | null {
  if (bytes.length !== 64 && bytes.length !== 65) return null;
  const compact = bytes.slice(0, 64);
  let recoveryId = bytes[64] ?? 0;
  if (bytes.length === 64) {
    const top = compact[32] ?? 0;
    recoveryId = top >> 7;
    compact[32] = top & 0x7f;
  } else if (recoveryId >= 27) recoveryId -= 27;
  if (recoveryId !== 0 && recoveryId !== 1) return null;
  return BigInt(toHex(compact.subarray(32))) > halfOrder ? null : { compact, recoveryId };
}

/** The native part, or the package's own JavaScript where no prebuilt binary fits. */
function open(): { curve: Secp256k1; isNative: boolean } {
  try {
    return { curve: load("secp256k1/bindings.js"), isNative: true };
  } catch {
    return { curve: load("secp256k1/elliptic.js"), isNative: false };
  }
}
