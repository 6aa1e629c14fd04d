import type { Clock } from "#offchain/core/clock.ts";
import { BursarError } from "#offchain/core/error.ts";
import type { Reading } from "#offchain/core/reading.ts";
import { formatAmount } from "#offchain/core/unit.ts";
import { callBytesMax, type TransactionRequest, type Transactions } from "#offchain/platform/chain/port.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import type { Log } from "#offchain/platform/observe/log.ts";
import { type BatchClaim, type ClaimAddresses, settlementCall } from "../contract.ts";
import {
  type BatchPolicies,
  type Conditions,
  type Decision,
  decide,
  dueAt,
  nextPart,
  type PartLimits,
  settlementCostUp,
} from "../rules/batch.ts";
import { purposes } from "../rules/purposes.ts";
import { usdcUnit } from "../rules/tokens.ts";
import {
  type BatchDecision,
  closeBatch,
  type PendingRow,
  pendingBatches,
  recordDecision,
  spreadOf,
} from "../store/batches.ts";
import { dueRefusals, recordRefusal, takeBackRefusal } from "../store/refusals.ts";
import {
  awaitsPayers,
  type BatchVoucher,
  closeSettlement,
  lockClosedBatch,
  markSubmitted,
  reopenUnclaimed,
  settleClaimed,
  unclaimedVouchers,
  voucherIn,
} from "../store/settlements.ts";

/** What may be worth waiting for; null: not known. */
export interface Market {
  /** Wei per gas. */
  gas: () => Promise<Reading | null>;
  /** mg of CO₂e per kWh. */
  energy: () => Promise<Reading | null>;
  /** Base units of USDC for one whole native token of the chain; null: gas is not weighed. */
  nativePrice: bigint | null;
}

export interface SettleOptions {
  sql: Sql;
  clock: Clock;
  log: Log;
  policies: BatchPolicies;
  market: Market;
  /** The current chain run, or null before the chain is met. */
  runId: () => bigint | null;
  /** Where vouchers are claimed. */
  contracts: ClaimAddresses;
  sender: Pick<Transactions, "simulate" | "enqueueTx">;
  /** Told of batches that closed or were submitted. */
  onBatch: (batchId: bigint, state: "closed" | "submitted") => void;
  /** What one settlement transaction may hold; tests make it small. */
  limits?: PartLimits;
}

/** Well below the 2²⁴ gas of a transaction (EIP-7825): the sender offers a quarter more than the estimate, and tokens differ. */
export const partLimits: PartLimits = { bytes: callBytesMax, gas: 12_000_000n };

/**
 * One pass of settlement: decides about every batch that waits and hands those whose moment has come to the sender. The
 * batch and its transaction are stored together, and the transaction's key is the batch's, so a kill between any two
 * steps leaves nothing unpaid and nothing paid twice. The indexer marks batches settled when it sees the claims.
 */
export async function settle(options: SettleOptions): Promise<void> {
  const runId = options.runId();
  if (runId === null) return;
  const { sql, clock, log } = options;
  for (const { id: batchId, failures } of await reopenUnclaimed(sql, runId))
    if (failures > 0) log.warn({ batchId, failures }, "settlement failed; it is tried again");
    else log.info({ batchId }, "settlement left something to claim; the next part follows");
  await settleClaimed(sql, runId, clock.now());
  const failures: unknown[] = [];
  // What cannot be judged for the moment must not hold back the others.
  for (const refusal of await dueRefusals(sql, runId, clock.now()))
    await tryAgain(options, refusal).catch((error: unknown) => failures.push(error));
  for (const batch of await pendingBatches(sql, runId))
    await settleOne(options, batch).catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

async function settleOne(options: SettleOptions, batch: PendingRow): Promise<void> {
  const { sql, clock, onBatch } = options;
  // What was decided before a crash, or has failed since, is carried out.
  if (batch.state === "closed" && batch.lastDecision?.action === "settle") return submit(options, batch);
  const conditions = await conditionsOf(options, batch);
  const decision = decide(batch, options.policies(batch.unit), conditions, clock.now());
  if (isNews(decision, batch.lastDecision))
    await recordDecision(sql, batch.id, written(decision, conditions, clock.now()));
  if (decision.action === "wait") return;
  if (batch.state === "open" && (await closeBatch(sql, batch.id, decision.reason, clock.now())))
    onBatch(batch.id, "closed");
  await submit(options, batch);
}

/** Asks only for what the decision can depend on: most passes ask for nothing. */
async function conditionsOf(
  { sql, clock, policies, market }: SettleOptions,
  batch: PendingRow,
): Promise<Conditions> {
  const policy = policies(batch.unit);
  const isAware = policy.mode === "price-aware";
  const isLate = clock.now() >= dueAt(batch, policy, clock.now());
  const isWeighed = batch.unit === usdcUnit && market.nativePrice !== null && isLate;
  const gas = isAware || isWeighed ? await market.gas() : null;
  return {
    gas,
    energy: isAware ? await market.energy() : null,
    cost:
      isWeighed && gas
        ? settlementCostUp(await spreadOf(sql, batch.id), gas.now, market.nativePrice ?? 0n)
        : null,
  };
}

/** That a batch still fills is no news; nor is what was decided the last time. */
const isNews = ({ action, reason }: Decision, last: BatchDecision | null): boolean =>
  reason !== "payments" && (action !== last?.action || reason !== last.reason);

function written(decision: Decision, { gas, energy, cost }: Conditions, now: number): BatchDecision {
  const reading = (figures: Reading | null) =>
    figures && { now: figures.now.toString(), median: figures.median.toString() };
  return {
    action: decision.action,
    reason: decision.reason,
    at: now,
    until: decision.action === "wait" ? decision.until : null,
    gas: reading(gas),
    energy: reading(energy),
    cost: cost === null ? null : { amount: formatAmount(cost, usdcUnit), unit: usdcUnit },
  };
}

/**
 * Hands a closed batch to the sender, unless another instance does or it has nothing left to claim: as much of it as one
 * transaction takes. What is left follows when that one's block is indexed.
 */
async function submit(
  options: SettleOptions,
  { id: batchId, attempts, failures }: Pick<PendingRow, "id" | "attempts" | "failures">,
): Promise<void> {
  const { sql, clock, limits = partLimits } = options;
  // A closed batch takes no more vouchers. One that is claimed meanwhile does no harm: its claim moves nothing.
  const unclaimed = await unclaimedVouchers(sql, batchId);
  const part = nextPart(unclaimed, failures, limits);
  const { claims, refusals } =
    failures === 0 ? { claims: part, refusals: [] } : await claimable(options, batchId, part);
  const known = new Set(unclaimed.map(({ channel }) => channel));
  const request = claims.length > 0 ? settlementRequest(options, batchId, attempts, claims) : null;
  // The batch and its transaction are stored together: the outbox.
  const isSubmitted = await sql.begin(async (tx) => {
    const batch = await lockClosedBatch(tx, batchId);
    if (batch?.attempts !== attempts) return false;
    for (const refusal of refusals) await recordRefusal(tx, refusal, clock.now());
    // A reorganisation may have taken a claim back since the vouchers were read.
    const left = await unclaimedVouchers(tx, batchId);
    if (left.some(({ channel }) => !known.has(channel))) return false;
    if (!request && left.length > 0) return false;
    if (request) await markSubmitted(tx, batchId, await options.sender.enqueueTx(tx, request));
    else if (await awaitsPayers(tx, batchId)) await markSubmitted(tx, batchId, null);
    else await closeSettlement(tx, batchId, clock.now());
    return true;
  });
  if (isSubmitted) options.onBatch(batchId, "submitted");
}

const settlementRequest = (
  options: SettleOptions,
  batchId: bigint,
  attempts: number,
  claims: readonly BatchClaim[],
): TransactionRequest => ({
  key: `batch:${batchId}:${attempts}`,
  ...settlementCall(claims, options.contracts),
  purpose: purposes.settlement,
});

interface Refusal {
  batchId: bigint;
  channel: bigint;
  reason: string;
}

/**
 * After a failed try, finds what fails by itself. A payee whom the token does not let be paid holds up nobody: it is
 * claimed for it all the same, before its payer may withdraw, and paid out later. What cannot even be claimed is left out.
 */
async function claimable(
  options: SettleOptions,
  batchId: bigint,
  vouchers: readonly BatchVoucher[],
): Promise<{ claims: BatchClaim[]; refusals: Refusal[] }> {
  const { log } = options;
  const claims: BatchClaim[] = [];
  const refusals: Refusal[] = [];
  for (const voucher of vouchers) {
    const { claim, reason } = await offer(options, voucher);
    const about = { batchId, channelId: voucher.channelId, reason };
    if (claim) claims.push(claim);
    else refusals.push({ batchId, channel: voucher.channel, reason });
    if (!claim) log.error(about, "voucher cannot be claimed");
    else if (claim.isPayeeBlocked)
      log.warn(about, "payee cannot be paid now: claimed for it, paid out later");
  }
  return { claims, refusals };
}

/** What was in a refused voucher's way may have passed: a reorganisation brings a deposit back, a payer tops up. */
async function tryAgain(
  options: SettleOptions,
  refusal: { batchId: bigint; channel: bigint },
): Promise<void> {
  const { sql, clock, log } = options;
  const voucher = await voucherIn(sql, refusal.batchId, refusal.channel);
  if (!voucher) return;
  const { claim, reason } = await offer(options, voucher);
  if (!claim) return recordRefusal(sql, { ...refusal, reason }, clock.now());
  if (await sql.begin((tx) => takeBackRefusal(tx, refusal)))
    log.warn({ batchId: refusal.batchId, channelId: voucher.channelId }, "voucher can be claimed after all");
}

/** How the contract takes a voucher alone: with its payout, without, or not at all; and what was in the way. */
async function offer(
  options: SettleOptions,
  voucher: BatchVoucher,
): Promise<{ claim: BatchClaim | null; reason: string }> {
  const reason = await refusalOf(options, voucher);
  if (reason === null) return { claim: voucher, reason: "" };
  const held = { ...voucher, isPayeeBlocked: true };
  return { claim: (await refusalOf(options, held)) === null ? held : null, reason };
}

/** The contract's error if it would refuse this claim alone, else null. */
async function refusalOf({ sender, contracts }: SettleOptions, claim: BatchClaim): Promise<string | null> {
  try {
    await sender.simulate(settlementCall([claim], contracts));
    return null;
  } catch (error) {
    if (error instanceof BursarError && error.code === "TRANSACTION_REVERTED")
      return String(error.facts.error ?? error.message);
    if (error instanceof BursarError && error.code === "TRANSACTION_TOO_EXPENSIVE") return error.code;
    throw error;
  }
}
