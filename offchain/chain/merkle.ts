import { keccak256 } from "#offchain/ports/keccak.ts";

/** A Merkle tree as OpenZeppelin's `MerkleProof` and Clearing read it; nodes are 32 bytes. */
export interface MerkleTree {
  readonly root: Uint8Array;
  /** The siblings from the leaf up to the root. */
  proof(index: number): Uint8Array[];
}

/**
 * Pairs are hashed in sorted order; a leaf without a partner goes up as it is. Leaves must be hashes of hashes, so that
 * none can be taken for a node.
 * @throws RangeError for no leaves
 */
export function merkleTree(leaves: readonly Uint8Array[]): MerkleTree {
  if (leaves.length === 0) throw new RangeError("a tree has at least one leaf");
  const levels: (readonly Uint8Array[])[] = [leaves];
  for (let nodes = leaves; nodes.length > 1; ) {
    const above: Uint8Array[] = [];
    for (let at = 0; at < nodes.length; at += 2) above.push(parent(nodes[at], nodes[at + 1]));
    levels.push(above);
    nodes = above;
  }
  return {
    root: levels.at(-1)?.[0] ?? new Uint8Array(32),
    proof: (index) => levels.flatMap((nodes, height) => nodes[(index >> height) ^ 1] ?? []),
  };
}

const pair = Buffer.alloc(64);

function parent(left: Uint8Array = new Uint8Array(32), right?: Uint8Array): Uint8Array {
  if (!right) return left;
  const isSorted = Buffer.compare(left, right) <= 0;
  pair.set(isSorted ? left : right, 0);
  pair.set(isSorted ? right : left, 32);
  return keccak256(pair);
}
