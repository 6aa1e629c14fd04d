import { createRequire } from "node:module";
import { getAddress, hexToBytes, serializeSignature, toHex } from "viem";
import { sign } from "viem/accounts";
import { keccak256 } from "#offchain/core/keccak.ts";

type Secp256k1 = typeof import("secp256k1");

/** A key that signs for this service. */
export interface SigningKey {
  readonly address: `0x${string}`;
  readonly privateKey: `0x${string}`;
}

const load = createRequire(import.meta.url);
const { curve, isNative } = open();

/** Whether libsecp256k1 itself runs (about 40 µs a recovery) or its JavaScript stand-in (about 1 ms). */
export const isNativeSecp256k1 = isNative;

/** Half of the group order: a signature with s above it is the malleated twin of a valid one (EIP-2). */
const halfOrder = hexToBytes("0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0");

/** Bytes of a signature in the one form that is worked with here: r, s, recovery id (0 or 1). */
export const signatureBytes = 65;
/** Bytes of a public key: x, y. */
export const publicKeyBytes = 64;

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

/**
 * The public keys that signed digests (32 bytes each), from signatures as {@link parseSignature} gives them; a row of
 * zeros where no key can have signed. A recovered key proves nothing until it is compared with the one expected.
 */
export function recoverPublicKeys(digests: Uint8Array, signatures: Uint8Array): Uint8Array {
  const count = digests.length / 32;
  const keys = new Uint8Array(count * publicKeyBytes);
  const key = new Uint8Array(publicKeyBytes + 1);
  for (let at = 0; at < count; at += 1) {
    const from = at * signatureBytes;
    try {
      const compact = signatures.subarray(from, from + 64);
      curve.ecdsaRecover(
        compact,
        signatures[from + 64] ?? 0,
        digests.subarray(at * 32, at * 32 + 32),
        false,
        key,
      );
      keys.set(key.subarray(1), at * publicKeyBytes);
    } catch {
      // The point is not on the curve: the library's only way of saying "no key signed this".
    }
  }
  return keys;
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

/** The native part, or the package's own JavaScript where no prebuilt binary fits. */
function open(): { curve: Secp256k1; isNative: boolean } {
  try {
    return { curve: load("secp256k1/bindings.js"), isNative: true };
  } catch {
    return { curve: load("secp256k1/elliptic.js"), isNative: false };
  }
}
