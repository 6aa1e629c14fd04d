/** Keccak-256 of bytes, 32 bytes. An argument, so that the same code runs in the service and in a browser. */
export type Keccak = (bytes: Uint8Array) => Uint8Array;

/** A node of a Merkle-sum tree: a hash that commits to everything below it, and the sum of all leaves below it. */
export interface SumNode {
  /** 32 bytes. */
  readonly hash: Uint8Array;
  /** Base units, from 0 to {@link maxSum}. */
  readonly sum: bigint;
}

/** Sums are 128 bits wide; the ledger's 38 digits fit, and no sum wraps because each is checked. */
export const maxSum = 2n ** 128n - 1n;

/** A sum below zero or beyond {@link maxSum}: with one, a liability could be hidden behind another. */
export class SumOutOfRange extends Error {
  override readonly name = "SumOutOfRange";
  readonly got: bigint;
  readonly limit = maxSum;
  constructor(got: bigint) {
    super(`a sum must be from 0 to 2^128 - 1, got ${got}`);
    this.got = got;
  }
}

const encoder = new TextEncoder();

/** A text's hash: how units and owners enter other hashes at one length. */
export const textHash = (keccak: Keccak, text: string): Uint8Array => keccak(encoder.encode(text));

/**
 * Hash of 32-byte words under a tag, so that no hash of one kind can be read as one of another.
 * @param tag at most 32 ASCII characters; it is the first word, filled up with zeros
 * @param words hashes as they are, numbers big-endian
 * @throws SumOutOfRange
 */
export function taggedHash(keccak: Keccak, tag: string, words: readonly (Uint8Array | bigint)[]): Uint8Array {
  const bytes = new Uint8Array(32 * (words.length + 1));
  const view = new DataView(bytes.buffer);
  encoder.encodeInto(tag, bytes);
  for (const [index, each] of words.entries()) {
    const at = 32 * (index + 1);
    if (typeof each !== "bigint") bytes.set(each, at);
    else {
      if (each < 0n || each > maxSum) throw new SumOutOfRange(each);
      view.setBigUint64(at + 16, each >> 64n);
      view.setBigUint64(at + 24, each & 0xffffffffffffffffn);
    }
  }
  return keccak(bytes);
}

/**
 * The node above two others. Its hash commits to each child's sum by itself, not to their total: in Maxwell's scheme,
 * which hashed the total, one could show the left child's owner a smaller right sum and the right one's a smaller left
 * (Chalkias, Lewi, Mohassel, Nikolaenko, "Distributed Auditing Proofs of Liabilities", 2020).
 * @throws SumOutOfRange
 */
export function parentOf(keccak: Keccak, left: SumNode, right: SumNode): SumNode {
  const sum = left.sum + right.sum;
  const words = [left.sum, left.hash, right.sum, right.hash];
  if (sum > maxSum) throw new SumOutOfRange(sum);
  return { hash: taggedHash(keccak, "bursar.solvency.node.v1", words), sum };
}

/**
 * All levels over the leaves, the root's last; a step for each node.
 * @param leaves a power of two of them, at least one: see {@link widthFor}.
 */
export function* sumTree(
  keccak: Keccak,
  leaves: readonly SumNode[],
): Generator<void, (readonly SumNode[])[]> {
  const levels: (readonly SumNode[])[] = [leaves];
  for (let below = leaves; below.length > 1; ) {
    const level: SumNode[] = [];
    for (let at = 0; at + 1 < below.length; at += 2) {
      const [left, right] = [below[at], below[at + 1]];
      if (left && right) level.push(parentOf(keccak, left, right));
      yield;
    }
    levels.push(level);
    below = level;
  }
  return levels;
}

/** How many leaves a tree of so many owners has: the next power of two, so that only the magnitude of their number shows. */
export const widthFor = (owners: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, owners)));
