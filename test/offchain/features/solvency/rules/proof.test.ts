import { createHash } from "node:crypto";
import fc from "fast-check";
import { hexToBytes, keccak256, numberToHex, toHex } from "viem";
import { describe, expect, test } from "vitest";
import {
  maxSum,
  parentOf,
  type SumNode,
  SumOutOfRange,
  taggedHash,
  widthFor,
} from "#offchain/core/sumTree.ts";
import {
  type Obligation,
  type ObligationKind,
  obligationKinds,
  obligationSum,
  rootOf,
  type SolvencyProof,
  type SolvencyTerms,
  verifyProof,
} from "#offchain/features/solvency/rules/proof.ts";
import { type PlantedTree, plantTree, siblingsOf } from "#offchain/features/solvency/rules/tree.ts";
import { verifySolvencyProof } from "#offchain/sdk/solvency.ts";
import { drained } from "../../../support/drained.ts";

const keccak = (bytes: Uint8Array) => keccak256(bytes, "bytes");
/** Random enough for a test, and the same in every run. */
const saltOf = (seed: string) => new Uint8Array(createHash("sha256").update(seed).digest());
const addressOf = (index: number) => numberToHex(index + 1, { size: 20 });

const terms: SolvencyTerms = {
  chainId: 31337,
  unit: "USDC",
  token: "0x5FbDB2315678afecb367f032d93F642f64180aa3",
  snapshotId: "7",
  blockNumber: "120",
  blockHash: keccak256("0x0b"),
  takenAt: 1_760_000_000_000,
  previous: keccak256("0x0a"),
};

const partsOf = (amounts: readonly bigint[]): Obligation =>
  Object.fromEntries(obligationKinds.map((kind, at) => [kind, amounts[at] ?? 0n])) as Record<
    ObligationKind,
    bigint
  >;

interface Grown {
  tree: PlantedTree;
  owners: { owner: `0x${string}`; salt: Uint8Array; parts: Obligation }[];
  root: `0x${string}`;
  total: bigint;
}

function grow(amounts: readonly (readonly bigint[])[]): Grown {
  const owners = amounts.map((each, index) => ({
    owner: addressOf(index),
    salt: saltOf(`owner ${index}`),
    parts: partsOf(each),
  }));
  let padding = 0;
  const tree = drained(plantTree(keccak, owners, () => saltOf(`padding ${padding++}`)));
  const top = topOf(tree);
  return { tree, owners, root: toHex(rootOf(keccak, terms, top, tree.levels.length - 1)), total: top.sum };
}

const topOf = ({ levels }: PlantedTree): SumNode => levels.at(-1)?.[0] ?? fail();
const fail = (): never => {
  throw new Error("the tree has no root");
};

function proofOf({ tree, owners, root, total }: Grown, index: number): SolvencyProof {
  const { owner, salt, parts } = owners[index] ?? fail();
  const position = tree.positions.get(owner) ?? -1;
  return {
    ...terms,
    owner,
    salt: toHex(salt),
    parts: Object.fromEntries(obligationKinds.map((kind) => [kind, parts[kind].toString()])) as never,
    position,
    path: siblingsOf(position, tree.levels.length - 1).map(({ level, position: at }) => {
      const node = tree.levels[level]?.[at] ?? fail();
      return { hash: toHex(node.hash), sum: node.sum.toString() };
    }),
    obligations: total.toString(),
    root,
  };
}

const smallAmounts = fc.array(
  fc.array(fc.bigInt({ min: 0n, max: 10n ** 38n / 200n }), { minLength: 5, maxLength: 5 }),
  { minLength: 1, maxLength: 20 },
);

describe("a proof of what is owed", () => {
  test("leads from every owner's leaf to the root", () => {
    fc.assert(
      fc.property(smallAmounts, (amounts) => {
        const grown = grow(amounts);
        expect(grown.total).toBe(amounts.flat().reduce((sum, each) => sum + each, 0n));
        for (const [index, { owner }] of grown.owners.entries()) {
          const shown = verifySolvencyProof(proofOf(grown, index), { owner, root: grown.root });
          expect(shown).toMatchObject({ isValid: true, problem: null, root: grown.root });
        }
      }),
      { numRuns: 40 },
    );
  });

  test("shows each step of the way, the last one being all that is owed", () => {
    const grown = grow([[1n], [0n, 2n], [0n, 0n, 4n]]);
    const proof = proofOf(grown, 1);
    const { leaf, steps } = verifyProof(keccak, proof, { owner: proof.owner, root: grown.root });
    expect(leaf?.sum).toBe(2n);
    expect(steps.map(({ parent, sibling }) => parent.sum - sibling.sum)[0]).toBe(2n);
    expect(steps.at(-1)?.parent.sum).toBe(7n);
    expect(steps).toHaveLength(2);
  });

  test("fails when any field of it is another", () => {
    const grown = grow([[5n, 1n], [7n], [9n], [11n], [0n, 0n, 3n]]);
    const other = keccak256("0xff");
    fc.assert(
      fc.property(
        fc.nat({ max: 4 }),
        fc.bigInt({ min: 1n, max: 10n }),
        fc.nat({ max: 16 }),
        (index, delta, which) => {
          const proof = proofOf(grown, index);
          const add = (text: string) => (BigInt(text) + delta).toString();
          const [first, ...rest] = proof.path;
          if (!first) throw new Error("no path");
          const changed: Partial<SolvencyProof>[] = [
            { chainId: 1 },
            { unit: "AVT" },
            { token: addressOf(99) },
            { snapshotId: "8" },
            { blockNumber: "121" },
            { blockHash: other },
            { takenAt: terms.takenAt + 1 },
            { previous: other },
            { owner: addressOf(98) },
            { salt: other },
            { parts: { ...proof.parts, promised: add(proof.parts.promised) } },
            { position: proof.position ^ 1 },
            { position: proof.position ^ 4 },
            { path: [{ ...first, sum: add(first.sum) }, ...rest] },
            { path: [{ ...first, hash: other }, ...rest] },
            { path: rest },
            { obligations: add(proof.obligations) },
          ];
          const expected = { owner: proof.owner, root: grown.root };
          expect(verifyProof(keccak, proof, expected).isValid).toBe(true);
          const lie = { ...proof, ...changed[which % changed.length] };
          expect(verifyProof(keccak, lie, expected)).toMatchObject({ isValid: false });
          expect(verifyProof(keccak, lie, { ...expected, owner: lie.owner }).isValid).toBe(false);
        },
      ),
      { numRuns: 120 },
    );
  });

  test("moves amounts between parts only at the price of another root", () => {
    const grown = grow([[5n, 5n], [1n]]);
    const proof = proofOf(grown, 0);
    const moved = { ...proof, parts: { ...proof.parts, deposits: "10", promised: "0" } };
    expect(verifyProof(keccak, moved, { owner: proof.owner, root: grown.root }).isValid).toBe(false);
  });

  test("fails against any root but the one that everybody is shown, also when it brings its own along", () => {
    const [honest, hiding] = [grow([[5n], [7n]]), grow([[5n]])];
    const proof = proofOf(hiding, 0);
    expect(verifyProof(keccak, proof, { owner: proof.owner, root: hiding.root }).isValid).toBe(true);
    const shown = verifyProof(keccak, proof, { owner: proof.owner, root: honest.root });
    expect(shown.problem).toContain(honest.root);
  });

  test("of somebody with the same balance is not mine", () => {
    const grown = grow([[5n], [5n]]);
    const mine = { owner: addressOf(1), root: grown.root };
    expect(verifyProof(keccak, proofOf(grown, 0), mine).problem).toContain("not of");
    const relabelled = { ...proofOf(grown, 0), owner: addressOf(1) };
    expect(verifyProof(keccak, relabelled, mine).isValid).toBe(false);
  });

  test("that is malformed fails with words, and never throws", () => {
    const grown = grow([[5n], [7n], [1n]]);
    const proof = proofOf(grown, 0);
    const expected = { owner: proof.owner, root: grown.root };
    const field = fc.constantFrom(...(Object.keys(proof) as (keyof SolvencyProof)[]));
    fc.assert(
      fc.property(field, fc.anything(), (name, value) => {
        fc.pre(value !== proof[name]);
        const shown = verifyProof(keccak, { ...proof, [name]: value } as never, expected);
        expect(shown.isValid).toBe(false);
        expect(shown.problem).not.toBeNull();
      }),
      { numRuns: 300 },
    );
    for (const nothing of [null, undefined, 7, "proof", []])
      expect(verifyProof(keccak, nothing as never, expected).isValid).toBe(false);
  });

  test("does not take sums that wrap, fall below zero or are written in another way", () => {
    const grown = grow([[5n], [7n]]);
    const proof = proofOf(grown, 0);
    const expected = { owner: proof.owner, root: grown.root };
    const [first] = proof.path;
    const sums = ["-2", "07", "7.0", "0x7", "1e3", "", " 7", (2n ** 128n).toString(), maxSum.toString()];
    for (const sum of sums) {
      const lie = { ...proof, path: [{ hash: first?.hash ?? "0x", sum }] } as SolvencyProof;
      expect(verifyProof(keccak, lie, expected).isValid, sum).toBe(false);
    }
  });
});

describe("the tree", () => {
  test("has a power of two of leaves, in the order of their hashes", () => {
    for (const [owners, width] of [
      [0, 1],
      [1, 1],
      [2, 2],
      [3, 4],
      [4, 4],
      [5, 8],
      [1000, 1024],
      [1024, 1024],
      [1025, 2048],
    ] as const)
      expect(widthFor(owners)).toBe(width);
    const { tree } = grow([[1n], [2n], [3n], [4n], [5n]]);
    const hashes = (tree.levels[0] ?? []).map(({ hash }) => toHex(hash));
    expect(hashes).toHaveLength(8);
    expect(hashes).toEqual(hashes.toSorted());
  });

  test("of nobody owes nothing", () => {
    const tree = drained(plantTree(keccak, [], () => saltOf("only")));
    expect(topOf(tree).sum).toBe(0n);
  });

  test("refuses sums below zero and beyond 128 bits", () => {
    const node = (sum: bigint): SumNode => ({ hash: saltOf("node"), sum });
    expect(() => taggedHash(keccak, "tag", [-1n])).toThrow(SumOutOfRange);
    expect(() => parentOf(keccak, node(-5n), node(10n))).toThrow(SumOutOfRange);
    expect(() => parentOf(keccak, node(maxSum), node(1n))).toThrow(SumOutOfRange);
    expect(parentOf(keccak, node(maxSum - 1n), node(1n)).sum).toBe(maxSum);
    expect(() => grow([[-1n, 2n], [1n]])).toThrow(SumOutOfRange);
  });
});

/**
 * Maxwell's scheme: a node's hash commits to its children's total alone, so each child's owner may be shown another
 * sum for the other child. The node then need hold the larger of the two only, and the rest is hidden.
 */
describe("hiding a liability behind the larger neighbour", () => {
  const naive = (left: SumNode, right: SumNode): SumNode => {
    const sum = left.sum + right.sum;
    return {
      hash: keccak(
        hexToBytes(
          `${numberToHex(sum, { size: 32 })}${toHex(left.hash).slice(2)}${toHex(right.hash).slice(2)}`,
        ),
      ),
      sum,
    };
  };
  const larger = (one: bigint, other: bigint): bigint => (one > other ? one : other);
  const leaf = (name: string, sum: bigint): SumNode => ({ hash: saltOf(name), sum });
  const amounts = fc.tuple(fc.bigInt({ min: 1n, max: 2n ** 100n }), fc.bigInt({ min: 1n, max: 2n ** 100n }));

  test("works where a node commits to the total of its children", () => {
    fc.assert(
      fc.property(amounts, ([alice, bob]) => {
        const shownSum = larger(alice, bob);
        const toAlice = naive(leaf("alice", alice), { ...leaf("bob", bob), sum: shownSum - alice });
        const toBob = naive({ ...leaf("alice", alice), sum: shownSum - bob }, leaf("bob", bob));
        expect(toHex(toAlice.hash)).toBe(toHex(toBob.hash));
        expect(toAlice.sum).toBeLessThan(alice + bob);
      }),
      { numRuns: 50 },
    );
  });

  test("fails here: each child's sum is hashed, so whoever is shown another gets another root", () => {
    fc.assert(
      fc.property(amounts, ([alice, bob]) => {
        const shownSum = larger(alice, bob);
        const toAlice = parentOf(keccak, leaf("alice", alice), {
          ...leaf("bob", bob),
          sum: shownSum - alice,
        });
        const toBob = parentOf(keccak, { ...leaf("alice", alice), sum: shownSum - bob }, leaf("bob", bob));
        expect(toAlice.sum).toBe(toBob.sum);
        expect(toHex(toAlice.hash)).not.toBe(toHex(toBob.hash));
      }),
      { numRuns: 50 },
    );
  });

  test("fails at every level of a whole tree: no smaller sum beside my way leads to the root", () => {
    fc.assert(
      fc.property(
        smallAmounts,
        fc.nat(),
        fc.nat(),
        fc.bigInt({ min: 1n, max: 10n ** 30n }),
        (amounts, who, where, less) => {
          const grown = grow(amounts);
          const proof = proofOf(grown, who % grown.owners.length);
          const level = where % Math.max(1, proof.path.length);
          const step = proof.path[level];
          fc.pre(step !== undefined && BigInt(step.sum) >= less);
          const path = proof.path.map((each, at) =>
            at === level ? { ...each, sum: (BigInt(each.sum) - less).toString() } : each,
          );
          const lie = { ...proof, path, obligations: (grown.total - less).toString() };
          expect(verifyProof(keccak, lie, { owner: proof.owner, root: grown.root }).isValid).toBe(false);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("sums of parts are what a leaf counts", () => {
    expect(obligationSum(partsOf([1n, 2n, 3n, 4n, 5n]))).toBe(15n);
  });
});
