import fc from "fast-check";
import { concatHex, type Hex, keccak256, toHex } from "viem";
import { describe, expect, it } from "vitest";
import { merkleTree } from "#offchain/core/merkle.ts";
import { pathsOf } from "#offchain/sdk/receipt.ts";

const leavesOf = (count: number) =>
  Array.from({ length: count }, (_, at) => Buffer.from(keccak256(toHex(`leaf ${at}`)).slice(2), "hex"));
/** As OpenZeppelin's `MerkleProof.verify` goes up, by another Keccak. */
const climb = (leaf: Uint8Array, path: readonly Uint8Array[]): Hex =>
  path
    .map((node) => toHex(node))
    .reduce<Hex>(
      (node, sibling) => keccak256(node <= sibling ? concatHex([node, sibling]) : concatHex([sibling, node])),
      toHex(leaf),
    );

describe("a Merkle tree", () => {
  it("proves each of its leaves, however many they are", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 130 }), (count) => {
        const leaves = leavesOf(count);
        const tree = merkleTree(leaves);
        for (const [at, leaf] of leaves.entries()) expect(climb(leaf, tree.proof(at))).toBe(toHex(tree.root));
      }),
      { numRuns: 60 },
    );
  });

  it("proves leaves that follow each other by one path, from which each one's own is found", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 70 }).chain((count) =>
          fc.tuple(
            fc.constant(count),
            fc
              .integer({ min: 0, max: count - 1 })
              .chain((first) => fc.tuple(fc.constant(first), fc.integer({ min: 1, max: count - first }))),
          ),
        ),
        ([leaves, [first, count]]) => {
          const nodes = leavesOf(leaves);
          const tree = merkleTree(nodes);
          const own = nodes.slice(first, first + count).map((leaf) => toHex(leaf));
          const path = tree.proof(first, count).map((node) => toHex(node));
          expect(pathsOf(own, { first, leaves, path })).toEqual(
            own.map((_, at) => tree.proof(first + at).map((node) => toHex(node))),
          );
        },
      ),
    );
  });

  it("proves no leaf by another's path", () => {
    const leaves = leavesOf(9);
    const tree = merkleTree(leaves);
    for (const [at, leaf] of leaves.entries())
      expect(climb(leaf, tree.proof((at + 1) % leaves.length))).not.toBe(toHex(tree.root));
  });

  it("has a leaf at least", () => {
    expect(() => merkleTree([])).toThrow(RangeError);
  });
});
