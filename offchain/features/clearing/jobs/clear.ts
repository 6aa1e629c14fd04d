import type { Clock } from "#offchain/core/clock.ts";
import type { HubBooks } from "#offchain/features/payments/service.ts";
import { isYounger } from "#offchain/platform/age.ts";
import type { TransactionRequest, Transactions } from "#offchain/platform/chain/port.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import type { Log } from "#offchain/platform/observe/log.ts";
import type { ClearingContract, TokenTerms } from "../contract.ts";
import { isOpen, isSettled, packRows, patientTries } from "../rules.ts";
import { creditStanding } from "../store/credits.ts";
import { isAnyDemandYoung } from "../store/demands.ts";
import {
  type ClearingEpoch,
  dropEpoch,
  lastEpoch,
  markCalled,
  strangeEpoch,
  unpaidEpochs,
} from "../store/epochs.ts";
import { reopenFailedClearing } from "../store/failed.ts";
import { endPayout, markPayout, setPaid } from "../store/payouts.ts";
import { payeesFrom, placeRows } from "../store/rows.ts";
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
  /** Whether the contract takes epochs from this operator. */
  isBonded: () => Promise<boolean>;
  /** The token's, read once while the chain's head stands: a pass may wait for what is not due yet. */
  terms: () => Promise<TokenTerms>;
  /** Up to this block no reorganisation is expected any more. */
  finalTo: () => bigint;
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
  // A credit that a payee has demanded is in no epoch; if a reorganisation took the demand back, one that is sealed without it
  // would contradict the receipt.
  if (isPending || (await isAnyDemandYoung(sql, runId, options.finalTo()))) return;
  const last = await lastEpoch(sql, runId);
  if (last && isOpen(last)) await fill(options, runId, last);
  else if (!isPaying) await cut(options, runId);
}

/** Once for each office, as soon as it has begun: what arrives is safe from the receipts of those before. */
async function takeOver({ sql, contract, sender, told }: ClearOptions, office: number): Promise<void> {
  const key = `clearing:handover:${office}`;
  if (told.has(key)) return;
  const step = { key, to: contract.address, data: contract.recordHandover(), purpose: "clearing.handover" };
  await sql.begin((tx) => sender.enqueueTx(tx, step));
  told.set(key, "");
}

async function cut(options: ClearOptions, runId: bigint): Promise<void> {
  const { sql, books, clock, log, epochEveryMs } = options;
  const { waitsSince } = await creditStanding(sql, runId);
  if (waitsSince === null || isYounger(waitsSince, epochEveryMs, clock.now())) return;
  const strange = await strangeEpoch(sql, runId);
  if (strange !== null)
    // Whom it credited is not known, so they would be credited once more.
    return complain(options, { epoch: strange }, "an epoch was filled by another database: no more are cut");
  const { leastCredit } = await options.terms();
  const number = await cutEpoch({ sql, books }, runId, leastCredit, clock.now());
  if (number !== null) log.info({ epoch: number }, "an epoch of credits is cut");
}

/** Sends the next rows of an epoch once Clearing has received what it promises. */
async function fill(options: ClearOptions, runId: bigint, epoch: ClearingEpoch): Promise<void> {
  const { number } = epoch;
  if (epoch.payees === null || epoch.filled > epoch.callTo)
    return complain(options, { epoch: number }, "an epoch is being filled by another database");
  const isOnItsWay = epoch.isGivenUp || epoch.filled < epoch.callTo;
  if (isOnItsWay || !(await options.books.areClaimed(runId, epoch.cutAt))) return;
  if (!(await options.isBonded()))
    return complain(
      options,
      { epoch: number },
      "the operator's bond is too low, or another one is in office: no epoch is taken from it",
    );
  const { contract } = options;
  const [terms, { rows, received, settled }] = await Promise.all([
    options.terms(),
    contract.standingOf(number),
  ]);
  // What was mined and is not indexed yet.
  if (rows !== epoch.filled) return;
  if ((await contract.now()) >= terms.listedUntil)
    return complain(options, { epoch: number }, "Clearing does not list the token: it takes no epoch of it");
  if (settled + epoch.total > received) {
    // A voucher that could not be claimed: its payee has the operator's receipt, and the operator's bond behind it.
    const short = settled + epoch.total - received;
    const what = "Clearing is short: send it this much USDC, or its bond is at risk";
    return complain(options, { epoch: number, short }, what);
  }
  await call(options, runId, epoch, terms.leastCredit);
}

/** Stores the next call of an epoch; it is given up where all the rows that were left are not to be sent any more. */
async function call(
  { sql, books, contract, sender, log, atOnce }: ClearOptions,
  runId: bigint,
  { number, filled: from, attempts, cutAt }: ClearingEpoch,
  least: bigint,
): Promise<void> {
  await sql.begin(async (tx) => {
    await books.lock(tx, runId);
    const epoch = await lastEpoch(tx, runId);
    const isAsRead =
      epoch?.number === number && isOpen(epoch) && epoch.filled === from && epoch.attempts === attempts;
    if (!isAsRead) return;
    const { rows, isLast } = await placeRows(tx, runId, number, { from, limit: atOnce.rows, least });
    const isGivenUp = rows.length === 0;
    if (isGivenUp && from === 0) return dropEpoch(tx, runId, number);
    const transactionId = await sender.enqueueTx(tx, {
      // One that was dropped and cut again has its number once more.
      key: `clearing:epoch:${number}:${cutAt}:${attempts}`,
      to: contract.address,
      data: isGivenUp ? contract.abandon(number) : contract.credit(number, from, packRows(rows), isLast),
      purpose: "clearing.epoch",
    });
    await markCalled(tx, runId, number, { transactionId, callTo: from + rows.length, isGivenUp });
    if (isLast) log.info({ epoch: number }, "the last rows of an epoch of credits are sent");
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
  const payees = await payeesFrom(sql, runId, number, { from, limit: atOnce.payees });
  if (payees.length === 0) {
    await setPaid(sql, runId, number, clock.now());
    return true;
  }
  const step: TransactionRequest = {
    key: `clearing:payout:${number}:${payoutAttempts}`,
    to: contract.address,
    data: contract.payOutAll(payees),
    purpose: "clearing.payout",
  };
  await sql.begin(async (tx: Tx) => {
    const transactionId = await sender.enqueueTx(tx, step);
    await markPayout(tx, runId, number, { from, to: from + payees.length, transactionId });
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
