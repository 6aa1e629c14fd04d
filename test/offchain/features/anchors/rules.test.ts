import { encodeAbiParameters, hashTypedData, keccak256, recoverAddress, stringToHex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { expect, test } from "vitest";
import { ledgerHeadsDomain, ledgerHeadsTypes } from "#offchain/features/anchors/messages.ts";
import { areEmpty, digestOf, leafOf, rootOf } from "#offchain/features/anchors/rules.ts";

const head = (unit: string, height = 3) => ({
  unit,
  height,
  hash: "a1".repeat(32),
  openings: 1,
  openingHash: "b2".repeat(32),
});
const hex = (bytes: Uint8Array) => `0x${Buffer.from(bytes).toString("hex")}` as const;

test("a leaf is hashed twice, as an EIP-712 struct of the head", () => {
  const { unit, height, hash, openings, openingHash } = head("USDC");
  const type = "LedgerHead(string unit,uint256 height,bytes32 hash,uint256 openings,bytes32 openingHash)";
  const struct = encodeAbiParameters(
    ["bytes32", "bytes32", "uint256", "bytes32", "uint256", "bytes32"].map((kind) => ({ type: kind })),
    [
      keccak256(stringToHex(type)),
      keccak256(stringToHex(unit)),
      BigInt(height),
      `0x${hash}`,
      BigInt(openings),
      `0x${openingHash}`,
    ],
  );
  expect(hex(leafOf(head("USDC")))).toBe(keccak256(keccak256(struct)));
});

test("the root does not depend on the order in which the heads are told, and on all else", () => {
  const [one, other] = [head("AVT"), head("USDC")];
  expect(rootOf([one, other])).toBe(rootOf([other, one]));
  expect(rootOf([one])).toBe(hex(leafOf(one)));
  const roots = [
    [one, other],
    [one],
    [one, head("USDC", 4)],
    [one, { ...other, hash: "a2".repeat(32) }],
    [one, { ...other, openings: 2 }],
    [one, { ...other, openingHash: "b3".repeat(32) }],
    [one, head("ETH")],
  ].map(rootOf);
  expect(new Set(roots).size).toBe(roots.length);
});

test("the digest is that of the typed data, and its signature names the operator", async () => {
  const account = privateKeyToAccount(`0x${"11".repeat(32)}`);
  const domain = ledgerHeadsDomain(31_337, `0x${"22".repeat(20)}`);
  const heads = [head("AVT"), head("USDC")];
  const signed = { epoch: 7n, heads, root: rootOf(heads), takenAt: 1_234 };
  const typed = {
    domain,
    types: ledgerHeadsTypes,
    primaryType: "LedgerHeads" as const,
    message: { epoch: 7n, root: signed.root, count: 2n, takenAt: 1_234n },
  };
  expect(digestOf(signed, domain)).toBe(hashTypedData(typed));
  const signature = await account.signTypedData(typed);
  expect(await recoverAddress({ hash: digestOf(signed, domain), signature })).toBe(account.address);
});

test("heads under which nothing was ever written are empty", () => {
  const none = { unit: "USDC", height: 0, hash: "00".repeat(32), openings: 0, openingHash: "00".repeat(32) };
  expect(areEmpty([none])).toBe(true);
  expect(areEmpty([none, { ...none, unit: "AVT", openings: 1 }])).toBe(false);
  expect(areEmpty([none, head("AVT", 1)])).toBe(false);
});
