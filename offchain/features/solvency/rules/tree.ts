import { type Keccak, type SumNode, sumTree, widthFor } from "#offchain/core/sumTree.ts";
import { leafNode, type Obligation, paddingNode } from "./proof.ts";

/** What is owed to one owner, with the 32 random bytes that hide it. */
export interface OwnedObligation {
  owner: string;
  salt: Uint8Array;
  parts: Obligation;
}

export interface PlantedTree {
  /** From the leaves up to the root. */
  levels: (readonly SumNode[])[];
  /** Where each owner's leaf lies. */
  positions: Map<string, number>;
}

/**
 * The tree over all owners, a step for each leaf and node: there may be a hundred thousand, and each costs some
 * microseconds. Leaves lie in the order of their hashes, which the salts make random: where a leaf lies,
 * and beside whom, says nothing, and is different in every snapshot.
 * @param newSalt 32 random bytes for each leaf that fills the tree up
 */
export function* plantTree(
  keccak: Keccak,
  owners: readonly OwnedObligation[],
  newSalt: () => Uint8Array,
): Generator<void, PlantedTree> {
  const planted: { owner: string | null; node: SumNode }[] = [];
  for (const { owner, salt, parts } of owners) {
    planted.push({ owner, node: leafNode(keccak, owner, salt, parts) });
    yield;
  }
  while (planted.length < widthFor(owners.length)) {
    planted.push({ owner: null, node: paddingNode(keccak, newSalt()) });
    yield;
  }
  planted.sort((one, other) => Buffer.compare(one.node.hash, other.node.hash));
  const positions = new Map<string, number>();
  for (const [at, { owner }] of planted.entries()) if (owner !== null) positions.set(owner, at);
  return {
    levels: yield* sumTree(
      keccak,
      planted.map(({ node }) => node),
    ),
    positions,
  };
}

/** Where the neighbours of a leaf's way to the root lie, from the leaf up. */
export const siblingsOf = (position: number, depth: number): { level: number; position: number }[] =>
  Array.from({ length: depth }, (_, level) => {
    const here = Math.floor(position / 2 ** level);
    return { level, position: here % 2 === 0 ? here + 1 : here - 1 };
  });
