import { keccak256 } from "./keccak.ts";

/** A Merkle tree as OpenZeppelin's `MerkleProof` and Clearing read it; nodes are 32 bytes. */
export interface MerkleTree {
  readonly root: Uint8Array;
  /**
   * The sibling nodes that prove `count` consecutive leaves (default one), from the leaves up; on each level the left
   * sibling first.
   */
  proof(first: number, count?: number): Uint8Array[];
}

/**
 * Pairs are hashed in sorted order; a leaf without a partner goes up as it is. A leaf must not be the hash of 64 bytes, so
 * that none can be taken for a node.
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
    proof(first, count = 1) {
      const beside: Uint8Array[] = [];
      let [from, last] = [first, first + count - 1];
      for (const nodes of levels) {
        const [left, right] = [nodes[from - 1], nodes[last + 1]];
        if (from % 2 === 1 && left) beside.push(left);
        if (last % 2 === 0 && right) beside.push(right);
        from >>= 1;
        last >>= 1;
      }
      return beside;
    },
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
