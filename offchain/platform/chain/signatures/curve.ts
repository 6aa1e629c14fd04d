import { createRequire } from "node:module";

// Loads nothing but the curve: every recovery thread starts with it.

type Secp256k1 = typeof import("secp256k1");

const load = createRequire(import.meta.url);

/** libsecp256k1; `isNative` is false where its JavaScript stand-in runs (about 1 ms a recovery for 40 µs). */
export const { curve, isNative } = open();

/** Bytes of a signature in the one form that is worked with here: r, s, recovery id (0 or 1). */
export const signatureBytes = 65;
/** Bytes of a public key: x, y. */
export const publicKeyBytes = 64;

/**
 * The public keys that signed digests (32 bytes each), from signatures as `parseSignature` gives them; a row of
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

/** The native part, or the package's own JavaScript where no prebuilt binary fits. */
function open(): { curve: Secp256k1; isNative: boolean } {
  try {
    return { curve: load("secp256k1/bindings.js"), isNative: true };
  } catch {
    return { curve: load("secp256k1/elliptic.js"), isNative: false };
  }
}
