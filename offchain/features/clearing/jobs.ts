import { keccak256 } from "viem";
import type { Clock } from "#offchain/core/clock.ts";
import type { HubBooks } from "#offchain/features/payments/service.ts";
import { isYounger } from "#offchain/platform/age.ts";
import type { TransactionRequest, Transactions } from "#offchain/platform/chain/port.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import type { Log } from "#offchain/platform/observe/log.ts";
import type { ChallengeAnswer, ClearingContract, CreditClaim } from "./contract.ts";
import { cutRoot } from "./cut.ts";
import {
  answersAtOnce,
  isFinal,
  linesOf,
  patientTries,
  payeesAtOnce,
  payOutMax,
  unpackRows,
} from "./rules.ts";
import { markAnswersSubmitted, openChallenges } from "./store/challenges.ts";
import { creditStanding } from "./store/credits.ts";
import { reopenFailedClearing } from "./store/failed.ts";
import {
  type ClearingRoot,
  endPayoutParts,
  lastRoot,
  markPayoutSubmitted,
  markRootSubmitted,
  rootByNumber,
  setRootPaid,
  standingRoot,
} from "./store/roots.ts";

/** Troubles that are remembered; beyond it all are told anew. */
const toldMax = 1_000;

export interface ClearOptions {
  sql: Sql;
  clock: Clock;
  log: Log;
  contract: ClearingContract;
  books: HubBooks;
  /** The current chain run, or null before the chain is met. */
  runId: () => bigint | null;
  sender: Pick<Transactions, "enqueueTx">;
  /** Whether the contract takes roots from this operator. */
  isBonded: () => Promise<boolean>;
  /** The troubles that were logged, by what they are about: a pass comes several times a second, and each is told once. */
  told: Map<string, string>;
  /** How long a credit may wait for a root. The contract's window of a day bounds it from below after the first. */
  rootEveryMs: number;
}

/**
 * One pass of clearing: cuts a root when credits have waited long enough and the one before is decided, posts it when
 * all that it promises was claimed, pays its payees when its challenge window is over, and answers challenges. Every
 * step is stored with its transaction, so a kill between any two repeats none.
 */
export async function clear(options: ClearOptions): Promise<void> {
  const runId = options.runId();
  if (runId === null) return;
  const { sql, log, clock } = options;
  const reopened = await reopenFailedClearing(sql, runId, clock.now());
  if (reopened > 0) log.warn({ reopened }, "a step of clearing failed on the chain; it is tried again");
  // An answer that cannot be sent holds up no root, nor a root an answer.
  try {
    await answerChallenges(options, runId);
  } finally {
    await advance(options, runId);
  }
}

/** The next step of the newest root, or of the one that stands. */
async function advance(options: ClearOptions, runId: bigint): Promise<void> {
  const { sql } = options;
  const last = await lastRoot(sql, runId);
  if (last?.state === "cut") return post(options, runId, last);
  if (last?.state === "submitted") return;
  const isDecided = last === null || last.state === "void" || isFinal(last, await options.contract.now());
  if (!isDecided) return;
  const standing = await standingRoot(sql, runId);
  if (standing && (await payOut(options, runId, standing))) return;
  await cut(options, runId);
}

async function cut({ sql, books, clock, log, rootEveryMs }: ClearOptions, runId: bigint): Promise<void> {
  const { waitsSince } = await creditStanding(sql, runId);
  if (waitsSince === null || isYounger(waitsSince, rootEveryMs, clock.now())) return;
  const number = await cutRoot({ sql, books }, runId, clock.now());
  if (number !== null) log.info({ root: number }, "a root of credits is cut");
}

/** Posts a root once Clearing has received what it promises. */
async function post(options: ClearOptions, runId: bigint, root: ClearingRoot): Promise<void> {
  const { sql, contract, books, log } = options;
  if (!root.rows || !(await books.areClaimed(runId, root.cutAt))) return;
  if (!(await options.isBonded()))
    return complain(
      options,
      { root: root.number },
      "the operator's bond is too low: no root is taken from it",
    );
  const received = await contract.received();
  if (root.total > received) {
    // A voucher that could not be claimed: its payee has the operator's receipt, and the operator's bond behind it.
    const short = root.total - received;
    const what = "Clearing is short: send it this much USDC, or its bond is at risk";
    return complain(options, { root: root.number, short }, what);
  }
  const standing = await standingRoot(sql, runId);
  if (standing && !standing.rows)
    return complain(options, { root: standing.number }, "the rows of the standing root are not known here");
  const data = contract.postRoot(root.number, root.rows, standing?.rows ?? "0x");
  const key = `clearing:root:${root.number}:${root.attempts}`;
  await submit(options, { key, data, purpose: "clearing.root" }, (tx, id) =>
    markRootSubmitted(tx, runId, root.number, id),
  );
  log.info({ root: root.number, total: root.total }, "a root of credits is posted");
}

/**
 * Pays the payees of a final root: all in one transaction, or, of a root that is too large for it, some at a time.
 * @returns whether the next root waits for it: not for a payout that fails again and again, since what this root leaves
 *   unpaid is in the next one
 */
async function payOut(options: ClearOptions, runId: bigint, root: ClearingRoot): Promise<boolean> {
  const { sql, contract, clock } = options;
  if (root.paidAt !== null || !root.rows) return false;
  const isWaitedFor = root.payoutFailures < patientTries;
  if (root.payoutTransactionId !== null && !(await endPayoutParts(sql, runId, root.number, contract.address)))
    return isWaitedFor;
  const call = await payoutCall(contract, root.number, root.rows);
  if (!call) {
    await setRootPaid(sql, runId, root.number, clock.now());
    return false;
  }
  const key = `clearing:payout:${root.number}:${root.payoutAttempts}`;
  await submit(options, { key, ...call, purpose: "clearing.payout" }, (tx, id) =>
    markPayoutSubmitted(tx, runId, root.number, id),
  );
  return isWaitedFor;
}

/** The next transaction of a payout; null when everybody is paid who can be. */
async function payoutCall(
  contract: ClearingContract,
  number: number,
  packed: `0x${string}`,
): Promise<{ to?: `0x${string}`; data: `0x${string}` } | null> {
  const rows = unpackRows(packed);
  if (rows.length <= payOutMax) return { data: contract.payOut(number, packed) };
  const paid = await contract.paidToEach(rows.map(({ payee }) => payee));
  const lineIn = linesOf(rows);
  const unpaid = rows.filter(({ cumulative }, at) => cumulative > (paid[at] ?? 0n));
  for (let from = 0; from < unpaid.length; from += payeesAtOnce) {
    const lines = unpaid.slice(from, from + payeesAtOnce).flatMap(({ payee }): CreditClaim[] => {
      const line = lineIn(payee);
      return line ? [{ payee, ...line }] : [];
    });
    const claims = await contract.payable(number, lines);
    if (claims.length > 0) return contract.claimAll(number, claims);
  }
  return null;
}

/**
 * Answers in bundles, since whoever holds many receipts can challenge a root many times. What failed goes again in a
 * bundle of half the size, until what makes it fail stands alone.
 */
async function answerChallenges(options: ClearOptions, runId: bigint): Promise<void> {
  const { sql } = options;
  const lines = new Map<number, ReturnType<typeof linesOf> | null>();
  const byTries = new Map<number, ChallengeAnswer[]>();
  for (const { challengeId, rootNumber, payee, cumulative, attempts } of await openChallenges(sql, runId)) {
    if (!lines.has(rootNumber)) {
      const root = await rootByNumber(sql, runId, rootNumber);
      lines.set(rootNumber, root?.rows ? linesOf(unpackRows(root.rows)) : null);
    }
    const line = lines.get(rootNumber)?.(payee);
    if (!line || line.cumulative < cumulative) {
      const about = { challengeId, payee, cumulative };
      complain(options, about, "a challenge cannot be answered: the root says less");
    } else byTries.set(attempts, [...(byTries.get(attempts) ?? []), { challengeId, ...line }]);
  }
  for (const [attempts, answers] of byTries) {
    const size = Math.max(1, answersAtOnce >> attempts);
    for (let from = 0; from < answers.length; from += size)
      await submitAnswers(options, runId, attempts, answers.slice(from, from + size));
  }
}

async function submitAnswers(
  options: ClearOptions,
  runId: bigint,
  attempts: number,
  answers: readonly ChallengeAnswer[],
): Promise<void> {
  const ids = answers.map(({ challengeId }) => challengeId);
  const call = options.contract.answerAll(answers);
  // Not by their numbers: after a reorganisation another challenge may have the same one.
  const key = `clearing:answer:${keccak256(call.data)}:${attempts}`;
  const step = { key, ...call, purpose: "clearing.answer", isIndependent: true };
  await submit(options, step, (tx, id) => markAnswersSubmitted(tx, runId, ids, id));
}

function complain(
  { log, told }: ClearOptions,
  about: Record<string, string | number | bigint>,
  message: string,
): void {
  const [subject = "", ...rest] = Object.values(about);
  const trouble = [message, ...rest].join(" ");
  const key = `${message}: ${subject}`;
  if (told.get(key) === trouble) return;
  if (told.size >= toldMax) told.clear();
  told.set(key, trouble);
  log.error(about, message);
}

/** Stores a step together with its transaction: the outbox. */
async function submit(
  { sql, sender, contract }: ClearOptions,
  step: Pick<TransactionRequest, "key" | "data" | "purpose" | "isIndependent"> & { to?: `0x${string}` },
  mark: (tx: Tx, transactionId: bigint) => Promise<void>,
): Promise<void> {
  await sql.begin(async (tx) => {
    await mark(tx, await sender.enqueueTx(tx, { to: contract.address, ...step }));
  });
}
