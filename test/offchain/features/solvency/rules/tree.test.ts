import { createHash } from "node:crypto";
import fc from "fast-check";
import { concatHex, encodeAbiParameters, type Hex, keccak256, stringToHex, toHex } from "viem";
import { describe, expect, test } from "vitest";
import { maxSum, parentOf, type SumNode, SumOutOfRange } from "#offchain/core/sumTree.ts";
import {
  leafNode,
  nothingOwed,
  obligationKinds,
  paddingNode,
} from "#offchain/features/solvency/rules/proof.ts";
import { type OwnedObligation, plantTree, siblingsOf } from "#offchain/features/solvency/rules/tree.ts";
import { drained } from "../../../support/drained.ts";

const keccak = (bytes: Uint8Array) => keccak256(bytes, "bytes");
/** Random enough for a test, and the same in every run. */
const saltOf = (seed: string) => new Uint8Array(createHash("sha256").update(seed).digest());

const owned = (at: number, balance: bigint, seed = "salt"): OwnedObligation => ({
  owner: `owner ${at}`,
  salt: saltOf(`${seed} ${at}`),
  parts: { ...nothingOwed, balance },
});
const owners = (amounts: readonly bigint[], seed?: string) =>
  amounts.map((balance, at) => owned(at, balance, seed));

function plant(of: readonly OwnedObligation[]) {
  let paddings = 0;
  const tree = drained(plantTree(keccak, of, () => saltOf(`padding ${paddings++}`)));
  return { ...tree, leaves: tree.levels[0] ?? [], top: tree.levels.at(-1)?.[0] as SumNode, paddings };
}

const amounts = fc.array(fc.bigInt(0n, 10n ** 36n), { maxLength: 20 });
const text = ({ hash }: SumNode) => Buffer.from(hash).toString("hex");

/** The hash as the ABI encodes words, and the tree by its definition: a node is two halves of what lies below it. */
const reference = {
  hash: (tag: string, words: readonly (Hex | bigint)[]) =>
    keccak256(
      concatHex([
        stringToHex(tag, { size: 32 }),
        ...words.map((word) =>
          typeof word === "bigint" ? encodeAbiParameters([{ type: "uint256" }], [word]) : word,
        ),
      ]),
    ),
  leaf({ owner, salt, parts }: OwnedObligation) {
    const words = obligationKinds.map((kind) => parts[kind]);
    const hash = reference.hash("bursar.solvency.leaf.v1", [keccak256(toHex(owner)), toHex(salt), ...words]);
    return { hash, sum: words.reduce((sum, each) => sum + each, 0n) };
  },
  padding: (salt: Uint8Array) => ({
    hash: reference.hash("bursar.solvency.padding.v1", [toHex(salt)]),
    sum: 0n,
  }),
  top(leaves: readonly { hash: Hex; sum: bigint }[]): { hash: Hex; sum: bigint } {
    const [only] = leaves;
    if (!only) throw new Error("a tree has a leaf");
    if (leaves.length === 1) return only;
    const left = reference.top(leaves.slice(0, leaves.length / 2));
    const right = reference.top(leaves.slice(leaves.length / 2));
    const hash = reference.hash("bursar.solvency.node.v1", [left.sum, left.hash, right.sum, right.hash]);
    return { hash, sum: leaves.reduce((sum, leaf) => sum + leaf.sum, 0n) };
  },
};

describe("a planted tree", () => {
  test("is that of a reference which encodes, sorts and sums by itself", () => {
    const obligation = fc.array(fc.bigInt(0n, 10n ** 36n), {
      minLength: obligationKinds.length,
      maxLength: obligationKinds.length,
    });
    fc.assert(
      fc.property(fc.array(obligation, { maxLength: 20 }), (all) => {
        const owed = all.map((sums, at) => ({
          ...owned(at, 0n),
          parts: {
            ...nothingOwed,
            ...Object.fromEntries(obligationKinds.map((kind, k) => [kind, sums[k] ?? 0n])),
          },
        }));
        const { top, paddings } = plant(owed);
        const leaves = owed.map(reference.leaf);
        while (!Number.isInteger(Math.log2(leaves.length)))
          leaves.push(reference.padding(saltOf(`padding ${leaves.length - owed.length}`)));
        expect(paddings).toBe(leaves.length - owed.length);
        const wanted = reference.top(leaves.toSorted((one, other) => (one.hash < other.hash ? -1 : 1)));
        expect({ hash: toHex(top.hash), sum: top.sum }).toEqual(wanted);
      }),
    );
  });

  test.each([
    [0, 1],
    [1, 1],
    [2, 2],
    [3, 4],
    [4, 4],
    [5, 8],
    [8, 8],
    [9, 16],
  ])("of %s owners has %s leaves, so that only the magnitude of their number shows", (count, width) => {
    const { leaves, levels, paddings, positions } = plant(owners(new Array(count).fill(1n)));
    expect([leaves.length, 2 ** (levels.length - 1), paddings]).toEqual([width, width, width - count]);
    expect(positions.size).toBe(count);
  });

  test("sums at its root to all that is owed: padding owes nothing, and nobody is left out", () => {
    fc.assert(
      fc.property(amounts, (owed) => {
        const { top } = plant(owners(owed));
        expect(top.sum).toBe(owed.reduce((sum, each) => sum + each, 0n));
      }),
    );
  });

  test("holds each owner's own leaf where it says that it lies, and no place twice", () => {
    fc.assert(
      fc.property(amounts, (owed) => {
        const all = owners(owed);
        const { leaves, positions } = plant(all);
        for (const { owner, salt, parts } of all)
          expect(leaves[positions.get(owner) ?? -1]).toEqual(leafNode(keccak, owner, salt, parts));
        expect(new Set(positions.values()).size).toBe(all.length);
      }),
    );
  });

  test("lies in the order of the hashes: who came first and whom he stands beside says nothing", () => {
    const all = owners([5n, 4n, 3n, 2n, 1n]);
    const { leaves } = plant(all);
    expect(leaves.map(text)).toEqual(leaves.map(text).toSorted());
    expect(plant(all.toReversed()).leaves.map(text)).toEqual(leaves.map(text));
  });

  test("is another with other salts, though the same is owed to the same", () => {
    const owed = [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n];
    const [before, after] = [plant(owners(owed)), plant(owners(owed, "other"))];
    expect(text(after.top)).not.toBe(text(before.top));
    const placesOf = ({ positions }: typeof before) => owed.map((_, at) => positions.get(`owner ${at}`));
    expect(placesOf(after)).not.toEqual(placesOf(before));
  });

  test("fills up with leaves of salts of their own, which look like any other", () => {
    const { leaves, positions } = plant(owners([1n, 2n, 3n, 4n, 5n]));
    const taken = new Set(positions.values());
    const fillers = leaves.filter((_, at) => !taken.has(at)).map(text);
    const expected = [0, 1, 2].map((at) => text(paddingNode(keccak, saltOf(`padding ${at}`))));
    expect(fillers.toSorted()).toEqual(expected.toSorted());
  });

  test("is refused when all that is owed does not fit its sums: none wraps around to less", () => {
    expect(plant(owners([maxSum - 1n, 1n])).top.sum).toBe(maxSum);
    expect(() => plant(owners([maxSum, 1n]))).toThrow(SumOutOfRange);
    expect(() => plant(owners([1n, -1n]))).toThrow(SumOutOfRange);
  });

  test("of one owner is its leaf", () => {
    const [only] = owners([7n]);
    const { top, levels } = plant(only ? [only] : []);
    expect(levels).toHaveLength(1);
    expect(top).toEqual(only && leafNode(keccak, only.owner, only.salt, only.parts));
  });
});

describe("the neighbours of a leaf's way to the root", () => {
  test.each([
    [0, 0, []],
    [0, 1, [1]],
    [1, 1, [0]],
    [0, 3, [1, 1, 1]],
    [5, 3, [4, 3, 0]],
    [7, 3, [6, 2, 0]],
  ])("of leaf %s at depth %s lie at %j, from the leaf up", (position, depth, wanted) => {
    expect(siblingsOf(position, depth)).toEqual(wanted.map((at, level) => ({ level, position: at })));
  });

  test("lead from every leaf to the root", () => {
    fc.assert(
      fc.property(amounts, (owed) => {
        const { leaves, levels, top } = plant(owners(owed));
        for (const [position, leaf] of leaves.entries()) {
          const climbed = siblingsOf(position, levels.length - 1).reduce((node, { level, position: at }) => {
            const sibling = levels[level]?.[at] as SumNode;
            return at % 2 === 0 ? parentOf(keccak, sibling, node) : parentOf(keccak, node, sibling);
          }, leaf);
          expect(climbed).toEqual(top);
        }
      }),
      { numRuns: 20 },
    );
  });

  test("are right beyond 2³¹ leaves, where shifts of 32 bits would be wrong", () => {
    const siblings = siblingsOf(2 ** 36 + 1, 40);
    expect(siblings[0]).toEqual({ level: 0, position: 2 ** 36 });
    expect(siblings[36]).toEqual({ level: 36, position: 0 });
    expect(siblings[39]).toEqual({ level: 39, position: 1 });
  });
});
