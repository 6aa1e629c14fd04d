import { backoffMs } from "#offchain/core/pause.ts";

/** `CreditBook.CHALLENGE_WINDOW`. */
export const challengeWindowMs = 86_400_000;

/** What each transaction of clearing is for, as it stands beside it in the sender's queue. */
export const purposes = {
  epoch: "clearing.epoch",
  payout: "clearing.payout",
  handover: "clearing.handover",
} as const;

/** One row of an epoch. */
export interface CreditRow {
  payee: `0x${string}`;
  /** All that the payee is credited after it, base units: the contract adds what is missing of that. */
  total: bigint;
}

/** Rows of one call: at some 23,000 gas each for payees who were never credited, a transaction's 2²⁴ (EIP-7825) suffice. */
export const rowsAtOnce = 400;

/** Payees who are paid by one call, at some 60,000 gas each. */
export const payeesAtOnce = 100;

/** A step that has failed this often holds nothing back any more, and health tells it. */
export const patientTries = 4;

/** How long a step waits after it has failed so often in a row, ms. */
export const retryAfterMs = (failures: number): number =>
  backoffMs(failures + 1, { firstMs: 500, longestMs: 60_000 });

const rowBytes = 32;
const payeeBytes = 20;

/**
 * As `Clearing.credit` takes them.
 * @throws RangeError when a total does not fit its 12 bytes
 */
export function packRows(rows: readonly CreditRow[]): `0x${string}` {
  const packed = Buffer.alloc(rows.length * rowBytes);
  for (const [at, { payee, total }] of rows.entries()) {
    if (total >= 1n << 96n) throw new RangeError(`the credit of ${payee} exceeds 96 bits: ${total}`);
    packed.write(payee.slice(2), at * rowBytes, "hex");
    packed.write(total.toString(16).padStart(24, "0"), at * rowBytes + payeeBytes, "hex");
  }
  return `0x${packed.toString("hex")}`;
}

/** What an epoch's state follows from. Times are epoch ms. */
export interface EpochStanding {
  /** Calls that were sent for it. */
  attempts: number;
  /** Rows that the chain has. */
  filled: number;
  /** The time of the block that completed it. */
  sealedAt: number | null;
  isVoid: boolean;
  paidAt: number | null;
}

/** Whether nobody can take an epoch back any more. @param chainNow the newest block's time */
export const isSettled = ({ sealedAt, isVoid }: EpochStanding, chainNow: number): boolean =>
  sealedAt !== null && !isVoid && chainNow >= sealedAt + challengeWindowMs;

/** Whether an epoch is cut, and neither complete on the chain nor void. */
export const isOpen = ({ sealedAt, isVoid }: EpochStanding): boolean => sealedAt === null && !isVoid;

/** `pending`: complete, and open to challenge. `settled`: its payees can be paid. `paid`: they were. */
export function stateOf(
  epoch: EpochStanding,
  chainNow: number,
): "cut" | "filling" | "pending" | "settled" | "paid" | "void" {
  if (epoch.isVoid) return "void";
  if (epoch.sealedAt === null) return epoch.attempts > 0 || epoch.filled > 0 ? "filling" : "cut";
  if (epoch.paidAt !== null) return "paid";
  return isSettled(epoch, chainNow) ? "settled" : "pending";
}
