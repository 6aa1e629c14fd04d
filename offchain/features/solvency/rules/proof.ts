import { type Keccak, maxSum, parentOf, type SumNode, taggedHash, textHash } from "#offchain/core/sumTree.ts";
import type { UnitCode } from "#offchain/core/unit.ts";
import { holderOf } from "#offchain/features/payments/rules/accounts.ts";

/**
 * What is owed to an owner, by what it is. `deposits`: what is free of his channels' deposits. `promised`: vouchers to
 * him that are accepted and not yet claimed. `claimed`: claimed on the chain and not yet paid out. `credits`: owed by a
 * hub to payees beyond that. `balance`: his account in the ledger. Their order is that in which a leaf hashes them.
 */
export const obligationKinds = ["deposits", "promised", "claimed", "credits", "balance"] as const;
export type ObligationKind = (typeof obligationKinds)[number];
/** Base units, none below zero. */
export type Obligation = Readonly<Record<ObligationKind, bigint>>;

export const nothingOwed: Obligation = { deposits: 0n, promised: 0n, claimed: 0n, credits: 0n, balance: 0n };

type Hex = `0x${string}`;

/** What a root is about; all of it is hashed into the root. */
export interface SolvencyTerms {
  chainId: number;
  /** The unit on the ledger, and the ERC-20 that is its form on the chain. */
  unit: UnitCode;
  token: Hex;
  /** The snapshot's number, a decimal integer. */
  snapshotId: string;
  /** The block at which the ledger and the contracts were read. */
  blockNumber: string;
  blockHash: Hex;
  /** Epoch ms. */
  takenAt: number;
  /** The root before this one of the same unit, zero for the first: roots are a chain, and a forked one shows. */
  previous: Hex;
}

/** A leaf's owner with what opens it, and the way from it to the root. Amounts are base units as decimal integers. */
export interface SolvencyProof extends SolvencyTerms {
  /** Lower-case address, or the name of an account of the house. */
  owner: string;
  salt: Hex;
  parts: Record<ObligationKind, string>;
  /** The leaf's place: bit n says whether the way goes up from the left (0) or the right (1) at level n. */
  position: number;
  /** The neighbour at each level, from the leaf up. */
  path: { hash: Hex; sum: string }[];
  /** All that is owed. */
  obligations: string;
  root: Hex;
}

interface ShownNode {
  hash: Hex;
  sum: bigint;
}

/** What a verification did, to be shown step by step. */
export interface Verification {
  isValid: boolean;
  /** Why not. */
  problem: string | null;
  leaf: ShownNode | null;
  steps: { isLeft: boolean; sibling: ShownNode; parent: ShownNode }[];
  /** The root as it was computed from the leaf. */
  root: Hex | null;
}

/** Deeper trees than this have more leaves than there are accounts to have. */
const maxDepth = 40;

export const obligationSum = (parts: Obligation): bigint =>
  obligationKinds.reduce((sum, kind) => sum + parts[kind], 0n);

/**
 * Whose leaf an account counts for: the lower-case address of whom it belongs to, or its own name when that is the house.
 * All that is owed to an address is one leaf.
 */
export const ownerOf = (account: string): string => holderOf(account) ?? account;

/** An owner's leaf. The owner stands in it, so that no two can be shown the same one; the salt hides who and how much. */
export function leafNode(keccak: Keccak, owner: string, salt: Uint8Array, parts: Obligation): SumNode {
  const words = [textHash(keccak, owner), salt, ...obligationKinds.map((kind) => parts[kind])];
  return { hash: taggedHash(keccak, "bursar.solvency.leaf.v1", words), sum: obligationSum(parts) };
}

/** A leaf of nobody, that fills a tree up; looks like any other from outside. */
export const paddingNode = (keccak: Keccak, salt: Uint8Array): SumNode => ({
  hash: taggedHash(keccak, "bursar.solvency.padding.v1", [salt]),
  sum: 0n,
});

/** What is published: the tree's top with everything that it is about. */
export function rootOf(keccak: Keccak, terms: SolvencyTerms, top: SumNode, depth: number): Uint8Array {
  return taggedHash(keccak, "bursar.solvency.root.v1", [
    BigInt(terms.chainId),
    textHash(keccak, terms.unit),
    padded(bytesOf(terms.token)),
    BigInt(terms.snapshotId),
    BigInt(terms.blockNumber),
    bytesOf(terms.blockHash),
    BigInt(terms.takenAt),
    bytesOf(terms.previous),
    BigInt(depth),
    top.sum,
    top.hash,
  ]);
}

/**
 * Whether the proof leads from this owner's leaf to this root. Both are what the caller knows by himself: his own
 * address, and the root that everybody is shown. Never throws: a malformed proof is a failed one.
 */
export function verifyProof(
  keccak: Keccak,
  proof: SolvencyProof,
  expected: { owner: string; root: string },
): Verification {
  const shown: Verification = { isValid: false, problem: null, leaf: null, steps: [], root: null };
  try {
    shown.problem = climb(keccak, proof, expected, shown);
    shown.isValid = shown.problem === null;
  } catch (error) {
    shown.problem = error instanceof Error ? error.message : String(error);
  }
  return shown;
}

/** @returns the first thing that is wrong, or null. */
function climb(
  keccak: Keccak,
  proof: SolvencyProof,
  expected: { owner: string; root: string },
  shown: Verification,
): string | null {
  const { position, path } = proof;
  if (proof.owner !== expected.owner) return `the leaf is that of ${proof.owner}, not of ${expected.owner}`;
  if (path.length > maxDepth) return `the path has ${path.length} steps, more than ${maxDepth}`;
  if (!Number.isSafeInteger(position) || position < 0 || position >= 2 ** path.length)
    return `there is no leaf ${position} at depth ${path.length}`;
  const parts = readParts(proof.parts);
  let node = leafNode(keccak, proof.owner, hash32(proof.salt, "salt"), parts);
  shown.leaf = shownNode(node);
  for (const [level, { hash, sum }] of path.entries()) {
    const sibling = { hash: hash32(hash, "path"), sum: amount(sum, "path") };
    const isLeft = Math.floor(position / 2 ** level) % 2 === 0;
    node = isLeft ? parentOf(keccak, node, sibling) : parentOf(keccak, sibling, node);
    shown.steps.push({ isLeft, sibling: shownNode(sibling), parent: shownNode(node) });
  }
  shown.root = hexOf(rootOf(keccak, readTerms(proof), node, path.length));
  if (node.sum !== amount(proof.obligations, "obligations"))
    return `the leaves sum to ${node.sum}, not to ${proof.obligations}`;
  if (shown.root !== expected.root) return `the path leads to ${shown.root}, not to ${expected.root}`;
  if (shown.root !== proof.root) return `the proof is said to be for ${proof.root}`;
  return null;
}

function readParts(parts: SolvencyProof["parts"]): Obligation {
  return Object.fromEntries(obligationKinds.map((kind) => [kind, amount(parts[kind], kind)])) as Record<
    ObligationKind,
    bigint
  >;
}

function readTerms(proof: SolvencyProof): SolvencyTerms {
  if (!/^0x[0-9a-fA-F]{40}$/.test(proof.token)) throw new MalformedProof("token", proof.token);
  for (const field of ["snapshotId", "blockNumber"] as const) amount(proof[field], field);
  for (const field of ["blockHash", "previous"] as const) hash32(proof[field], field);
  for (const field of ["chainId", "takenAt"] as const)
    if (!Number.isSafeInteger(proof[field]) || proof[field] < 0)
      throw new MalformedProof(field, proof[field]);
  return proof;
}

/** A field of a proof does not have the form that it must have. */
export class MalformedProof extends Error {
  override readonly name = "MalformedProof";
  readonly field: string;
  constructor(field: string, got: unknown) {
    super(`the proof's ${field} is malformed: ${String(got).slice(0, 80)}`);
    this.field = field;
  }
}

/** One way to write a number, so that none can be read as another. */
function amount(text: string, field: string): bigint {
  if (typeof text !== "string" || !/^(0|[1-9]\d{0,38})$/.test(text)) throw new MalformedProof(field, text);
  const value = BigInt(text);
  if (value > maxSum) throw new MalformedProof(field, text);
  return value;
}

function hash32(hex: string, field: string): Uint8Array {
  if (typeof hex !== "string" || !/^0x[0-9a-f]{64}$/.test(hex)) throw new MalformedProof(field, hex);
  return bytesOf(hex);
}

const shownNode = ({ hash, sum }: SumNode): ShownNode => ({ hash: hexOf(hash), sum });

const padded = (bytes: Uint8Array): Uint8Array => {
  const whole = new Uint8Array(32);
  whole.set(bytes, 32 - bytes.length);
  return whole;
};

const bytesOf = (hex: string): Uint8Array =>
  Uint8Array.from(hex.slice(2).match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

const hexOf = (bytes: Uint8Array): Hex =>
  `0x${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
