import type { Clock } from "#offchain/core/clock.ts";
import type { HubBooks } from "#offchain/features/payments/service.ts";
import { isYounger } from "#offchain/platform/age.ts";
import type { Revert } from "#offchain/platform/chain/contracts/revert.ts";
import type { TransactionRequest, Transactions } from "#offchain/platform/chain/port.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import type { Log } from "#offchain/platform/observe/log.ts";
import type { ClearingContract, TokenTerms } from "../contract.ts";
import { isOpen, isSettled, packRows, patientTries, purposes } from "../rules.ts";
import { creditStanding } from "../store/credits.ts";
import { type ClearingEpoch, lastEpoch, markCalled, strangeEpoch, unpaidEpochs } from "../store/epochs.ts";
import { reopenFailedClearing } from "../store/failed.ts";
import { endPayout, markPayout, setPaid } from "../store/payouts.ts";
import { rowsFrom } from "../store/rows.ts";
import { cutEpoch } from "./cut.ts";

/** Troubles that are remembered; beyond it all are told anew. */
const toldMax = 1_000;

/** Epochs that are paid out beside each other: all but the newest have payouts that fail. */
const payoutsAtOnce = 16;

export interface ClearOptions {
  sql: Sql;
  clock: Clock;
  log: Log;
  contract: ClearingContract;
  books: HubBooks;
  /** The current chain run, or null before the chain is met. */
  runId: () => bigint | null;
  sender: Pick<Transactions, "enqueueTx">;
  /** Why the contract would not take a call now; null: it would. As the terms, asked once while the chain's head stands. */
  refusal: (data: `0x${string}`) => Promise<Revert | null>;
  /** The token's, read once while the chain's head stands: a pass may wait for what is not due yet. */
  terms: () => Promise<TokenTerms>;
  /** Reads again who is in office: the number of this operator's office, or null. */
  refreshOffice: () => Promise<number | null>;
  /** What was logged or sent, by what it is about: a pass comes several times a second, and each is said once. */
  told: Map<string, string>;
  /** How long a credit may wait for an epoch. The contract's window of a day bounds it from below after the first. */
  epochEveryMs: number;
  /** The most that one call fills, and the most whom one pays. */
  atOnce: { rows: number; payees: number };
}

/**
 * One pass of clearing: cuts an epoch when credits have waited long enough and the one before is decided, fills it when all
 * that it promises was claimed, and pays its payees when its challenge window is over. Every step is stored with its
 * transaction, so a kill between any two repeats none.
 */
export async function clear(options: ClearOptions): Promise<void> {
  const runId = options.runId();
  if (runId === null) return;
  const { sql, log, clock } = options;
  const reopened = await reopenFailedClearing(sql, runId, clock.now());
  if (reopened > 0) log.warn({ reopened }, "a step of clearing failed on the chain; it is tried again");
  const office = await options.refreshOffice();
  if (office !== null && office > 0) await takeOver(options, office);
  const { isPending, isPaying } = await payOutSettled(options, runId);
  if (isPending) return;
  const last = await lastEpoch(sql, runId);
  if (last && isOpen(last)) await fill(options, runId, last);
  else if (!isPaying) await cut(options, runId);
}

/** Once for each office, as soon as it has begun: what arrives is safe from the receipts of those before. */
async function takeOver({ sql, contract, sender, told }: ClearOptions, office: number): Promise<void> {
  const key = `clearing:handover:${office}`;
  if (told.has(key)) return;
  const step = { key, to: contract.address, data: contract.recordHandover(), purpose: purposes.handover };
  await sql.begin((tx) => sender.enqueueTx(tx, step));
  told.set(key, "");
}

async function cut(options: ClearOptions, runId: bigint): Promise<void> {
  const { sql, books, clock, log, epochEveryMs } = options;
  const { waitsSince } = await creditStanding(sql, runId);
  if (waitsSince === null || isYounger(waitsSince, epochEveryMs, clock.now())) return;
  const strange = await strangeEpoch(sql, runId);
  if (strange !== null)
    // What its payees are credited in all is not known: a row that says less adds nothing.
    return complain(options, { epoch: strange }, "an epoch was filled by another database: no more are cut");
  const { leastCredit } = await options.terms();
  const number = await cutEpoch({ sql, books }, runId, leastCredit, clock.now());
  if (number !== null) log.info({ epoch: number }, "an epoch of credits is cut");
}

/** Sends the next rows of an epoch once all that they promise was claimed, and the contract would take them. */
async function fill(options: ClearOptions, runId: bigint, epoch: ClearingEpoch): Promise<void> {
  const { sql, contract, books, atOnce } = options;
  const { number, filled: from, payees } = epoch;
  if (payees === null || from > epoch.callTo)
    return complain(options, { epoch: number }, "an epoch is being filled by another database");
  if (from < epoch.callTo || !(await books.areClaimed(runId, epoch.cutAt))) return;
  const rows = await rowsFrom(sql, runId, number, { from, limit: atOnce.rows });
  const callTo = from + rows.length;
  const data = contract.credit(number, from, packRows(rows), callTo === payees);
  // What the rows add depends on what was demanded meanwhile: the contract alone knows whether it has the money.
  const refusal = await options.refusal(data);
  if (refusal === null) await call(options, runId, epoch, { data, callTo });
  else complainOf(options, number, refusal);
}

function complainOf(options: ClearOptions, epoch: number, { error, args }: Revert): void {
  // What was mined and is not indexed yet.
  if (error === "Clearing_WrongRow") return;
  if (error === "Clearing_TotalTooHigh") {
    // A voucher that could not be claimed: its payee has the operator's receipt, and the operator's bond behind it.
    const { total, received } = JSON.parse(args) as { total: string; received: string };
    const short = BigInt(total) - BigInt(received);
    complain(options, { epoch, short }, "Clearing is short: send it this much USDC, or its bond is at risk");
  } else complain(options, { epoch, error, args }, "Clearing takes no rows of an epoch");
}

/** Stores the next call of an epoch, unless it has changed since it was read. */
async function call(
  { sql, books, contract, sender, log }: ClearOptions,
  runId: bigint,
  { number, filled, attempts, payees }: ClearingEpoch,
  { data, callTo }: { data: `0x${string}`; callTo: number },
): Promise<void> {
  await sql.begin(async (tx) => {
    await books.lock(tx, runId);
    const epoch = await lastEpoch(tx, runId);
    const isAsRead =
      epoch?.number === number && isOpen(epoch) && epoch.filled === filled && epoch.attempts === attempts;
    if (!isAsRead) return;
    const transactionId = await sender.enqueueTx(tx, {
      key: `clearing:epoch:${number}:${attempts}`,
      to: contract.address,
      data,
      purpose: purposes.epoch,
    });
    await markCalled(tx, runId, number, { transactionId, callTo });
    if (callTo === payees) log.info({ epoch: number }, "the last rows of an epoch of credits are sent");
  });
}

/**
 * Pays the payees of settled epochs, some at a time.
 * @returns whether an epoch can be challenged yet, and whether the next one waits for payouts: not for those that fail again
 *   and again
 */
async function payOutSettled(
  options: ClearOptions,
  runId: bigint,
): Promise<{ isPending: boolean; isPaying: boolean }> {
  const found = { isPending: false, isPaying: false };
  const epochs = await unpaidEpochs(options.sql, runId, payoutsAtOnce);
  if (epochs.length === 0) return found;
  const now = await options.contract.now();
  for (const epoch of epochs)
    if (!isSettled(epoch, now)) found.isPending = true;
    else if (!(await payOut(options, runId, epoch))) found.isPaying ||= epoch.payoutFailures < patientTries;
  return found;
}

/** Sends the next payout of an epoch when the last one is done. @returns whether all its payees are paid */
async function payOut(
  { sql, clock, contract, sender, atOnce }: ClearOptions,
  runId: bigint,
  { number, paidRows, payoutTo, payoutAttempts }: ClearingEpoch,
): Promise<boolean> {
  const from = paidRows === payoutTo ? paidRows : await endPayout(sql, runId, number);
  if (from === null) return false;
  const rows = await rowsFrom(sql, runId, number, { from, limit: atOnce.payees });
  if (rows.length === 0) {
    await setPaid(sql, runId, number, clock.now());
    return true;
  }
  const step: TransactionRequest = {
    key: `clearing:payout:${number}:${payoutAttempts}`,
    to: contract.address,
    data: contract.payOutAll(rows.map(({ payee }) => payee)),
    purpose: purposes.payout,
  };
  await sql.begin(async (tx: Tx) => {
    const transactionId = await sender.enqueueTx(tx, step);
    await markPayout(tx, runId, number, { from, to: from + rows.length, transactionId });
  });
  return false;
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
