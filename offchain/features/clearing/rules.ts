import { keccak256 } from "#offchain/core/keccak.ts";
import { type MerkleTree, merkleTree } from "#offchain/core/merkle.ts";

/** `Clearing.CHALLENGE_WINDOW`. */
export const challengeWindowMs = 86_400_000;

/** One payee's line in a root: all that it was ever credited, base units. */
export interface CreditRow {
  payee: `0x${string}`;
  cumulative: bigint;
}

/**
 * `cut`: its rows are fixed. `submitted`: its transaction is on its way. `posted`: the chain has it.
 * `void`: a challenge was won against it; what it promised is in the next one.
 */
export type RootState = "cut" | "submitted" | "posted" | "void";

/**
 * Payees whom one root can hold. It is posted with its own rows and those of the root before in one call, whose limit
 * (the sender's `callBytesMax`) has room for two thousand. What is over is for payments that two instances take at the same moment.
 */
export const payeesMax = 1_500;

/** A root of so many payees is paid by the contract's `payOut`: at some 45,000 gas each a transaction's 2²⁴ (EIP-7825) suffice. */
export const payOutMax = 200;

/** Payees of a larger root whose claims are sent in one transaction, at some 80,000 gas each. */
export const payeesAtOnce = 100;

/** Challenges that are answered in one transaction, at some 60,000 gas each. */
export const answersAtOnce = 64;

/** A step that has failed this often holds nothing back any more, and health tells it. */
export const patientTries = 4;

/** How long a step waits after it has failed so often in a row, ms. */
export const retryAfterMs = (failures: number): number => Math.min(60_000, 500 * 2 ** Math.min(failures, 10));

/** What a payee takes of a root's rows. */
export const rowBytes = 32;
const payeeBytes = 20;
const hexOf = (bytes: Uint8Array): `0x${string}` => `0x${Buffer.from(bytes).toString("hex")}`;

/** @throws RangeError when a credit does not fit its 12 bytes */
export function packRows(rows: readonly CreditRow[]): Buffer {
  const packed = Buffer.alloc(rows.length * rowBytes);
  for (const [at, { payee, cumulative }] of rows.entries()) {
    if (cumulative >= 1n << 96n)
      throw new RangeError(`the credit of ${payee} exceeds 96 bits: ${cumulative}`);
    packed.write(payee.slice(2), at * rowBytes, "hex");
    packed.write(cumulative.toString(16).padStart(24, "0"), at * rowBytes + payeeBytes, "hex");
  }
  return packed;
}

export function unpackRows(packed: `0x${string}`): CreditRow[] {
  const bytes = Buffer.from(packed.slice(2), "hex");
  return Array.from({ length: bytes.length / rowBytes }, (_, index) => {
    const at = index * rowBytes;
    return {
      payee: hexOf(bytes.subarray(at, at + payeeBytes)),
      cumulative: BigInt(hexOf(bytes.subarray(at + payeeBytes, at + rowBytes))),
    };
  });
}

/** The leaf of a payee's line in a root: keccak256(keccak256(abi.encode(payee, cumulative))). */
export function creditLeaf(payee: `0x${string}`, cumulative: bigint): Uint8Array {
  const encoded = Buffer.alloc(64);
  encoded.write(payee.slice(2), 12, "hex");
  encoded.write(cumulative.toString(16).padStart(64, "0"), 32, "hex");
  return keccak256(keccak256(encoded));
}

/** The tree over a root's rows, as the contract computes it. */
export const creditTree = (rows: readonly CreditRow[]): MerkleTree =>
  merkleTree(rows.map(({ payee, cumulative }) => creditLeaf(payee, cumulative)));

export const rootHashOf = (rows: readonly CreditRow[]): `0x${string}` => hexOf(creditTree(rows).root);

/** A payee's line in a root with its proof. */
export interface CreditLine {
  cumulative: bigint;
  proof: `0x${string}`[];
}

/** Looks lines up in a root whose tree is made once; null for who has none. */
export function linesOf(rows: readonly CreditRow[]): (payee: string) => CreditLine | null {
  const places = new Map(rows.map(({ payee }, index) => [payee.toLowerCase(), index]));
  let tree: MerkleTree | null = null;
  return (payee) => {
    const index = places.get(payee.toLowerCase());
    const row = index === undefined ? undefined : rows[index];
    if (index === undefined || !row) return null;
    tree ??= creditTree(rows);
    return { cumulative: row.cumulative, proof: tree.proof(index).map(hexOf) };
  };
}

/** What decides whether a root can be claimed. Times are epoch ms. */
export interface RootStanding {
  state: RootState;
  postedAt: number | null;
  paidAt: number | null;
  openChallenges: number;
}

/** Whether a root on the chain is past its challenge window, and nobody challenges it. @param chainNow the newest block's time */
export const isFinal = ({ postedAt, openChallenges }: RootStanding, chainNow: number): boolean =>
  postedAt !== null && openChallenges === 0 && chainNow >= postedAt + challengeWindowMs;

/** `pending`: on the chain, open to challenge. `final`: payees can claim. `paid`: they were paid out. */
export function stateOf(
  root: RootStanding,
  chainNow: number,
): "cut" | "submitted" | "pending" | "final" | "paid" | "void" {
  if (root.state !== "posted") return root.state;
  if (root.paidAt !== null) return "paid";
  return isFinal(root, chainNow) ? "final" : "pending";
}
