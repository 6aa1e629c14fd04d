import {
  concatHex,
  hashMessage,
  keccak256,
  parseSignature,
  serializeCompactSignature,
  serializeSignature,
  signatureToCompactSignature,
  toHex,
} from "viem";
import { privateKeyToAccount, sign } from "viem/accounts";
import { expect, it } from "vitest";
import { isNative } from "#offchain/platform/chain/signatures/curve.ts";
import { recoverAddress, signatureOfKey, signDigest } from "#offchain/platform/chain/signatures/secp256k1.ts";

const privateKey = keccak256(toHex("bursar test key"));
const { address } = privateKeyToAccount(privateKey);
const digest = hashMessage("a digest");
const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

it("runs natively here", () => {
  expect(isNative).toBe(true);
});

it("recovers what viem signed", async () => {
  for (let count = 0; count < 20; count += 1) {
    const hash = keccak256(toHex(count));
    expect(recoverAddress(hash, await sign({ hash, privateKey, to: "hex" }))).toBe(address);
  }
});

it("signs as viem does, byte for byte", async () => {
  expect(await signDigest(digest, privateKey)).toBe(await sign({ hash: digest, privateKey, to: "hex" }));
});

it("takes the compact form of ERC-2098", async () => {
  for (let count = 0; count < 8; count += 1) {
    const hash = keccak256(toHex(count));
    const signature = parseSignature(await signDigest(hash, privateKey));
    const compact = serializeCompactSignature(signatureToCompactSignature(signature));
    expect(recoverAddress(hash, compact)).toBe(address);
  }
});

it("takes 0 and 1 as recovery ids", async () => {
  const signature = await signDigest(digest, privateKey);
  const v = signature.endsWith("1b") ? "00" : "01";
  expect(recoverAddress(digest, `${signature.slice(0, -2)}${v}` as `0x${string}`)).toBe(address);
});

it("refuses the malleated twin with high s", async () => {
  const { r, s, yParity } = parseSignature(await signDigest(digest, privateKey));
  const twin = `${r}${(order - BigInt(s)).toString(16).padStart(64, "0")}${yParity === 0 ? "1c" : "1b"}`;
  expect(recoverAddress(digest, twin as `0x${string}`)).toBeNull();
});

it.each([
  ["a wrong length", `0x${"11".repeat(66)}`],
  ["a wrong recovery id", `0x${"11".repeat(64)}1d`],
  ["all zeros", `0x${"00".repeat(65)}`],
  ["r above the field", `0x${"ff".repeat(32)}${"11".repeat(32)}1b`],
])("gives null for %s", (_, signature) => {
  expect(recoverAddress(digest, signature as `0x${string}`)).toBeNull();
});

it("gives another address for another digest", async () => {
  expect(recoverAddress(hashMessage("another"), await signDigest(digest, privateKey))).not.toBe(address);
});

it("gives a key's signature in the form of contracts, and no other's", async () => {
  const signature = await signDigest(digest, privateKey);
  const { r, s, yParity } = parseSignature(signature);
  const lowV = concatHex([r, s, toHex(yParity, { size: 1 })]);
  const compact = serializeCompactSignature(signatureToCompactSignature(parseSignature(signature)));
  for (const form of [signature, lowV, compact])
    expect(signatureOfKey(digest, form, address), form).toBe(signature);
  expect(signatureOfKey(digest, signature, privateKeyToAccount(digest).address)).toBeNull();
  const twin = serializeSignature({ r, s: toHex(order - BigInt(s), { size: 32 }), yParity: 1 - yParity });
  expect(signatureOfKey(digest, twin, address), "s above half of the order").toBeNull();
});
