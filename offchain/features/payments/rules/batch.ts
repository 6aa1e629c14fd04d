import { type Address, concatHex, type Hex } from "viem";
import type { Reading } from "#offchain/core/reading.ts";
import { divideUp } from "#offchain/core/rounding.ts";
import type { UnitCode } from "#offchain/core/unit.ts";
import { type ChannelTokens, usdcUnit } from "./tokens.ts";

/** How large, how old and how valuable a batch of payments gets; all configurable. */
export interface BatchLimits {
  /** Most payments in a batch. */
  batchSize: number;
  /** Longest time that a batch worth its gas waits, whatever it waits for. */
  maxDelayMs: number;
  /** Value from which a batch is settled before it is full, base units; null: no value closes it. */
  minAmount: bigint | null;
}

/** `immediate` settles what has reached a limit at once; `price-aware` waits for cheap gas and clean energy, within `maxDelayMs`. */
export const batchModes = ["immediate", "price-aware"] as const;

export interface BatchPolicy extends BatchLimits {
  mode: (typeof batchModes)[number];
  /** Value from which a batch does not wait for cleaner energy any more, base units. */
  urgentAmount: bigint;
}

/** What holds for the batches of a unit. */
export type BatchPolicies = (unit: UnitCode) => BatchPolicy;

/**
 * Gas is paid in a coin of which only the price in USDC is known, and what is urgent is told in USDC: batches in other
 * tokens go by size, their own value, and age alone.
 */
export function batchPolicies(usdc: BatchPolicy, tokens: ChannelTokens): BatchPolicies {
  const policies = new Map<UnitCode, BatchPolicy>(
    tokens.all.map(({ unit, minAmount }) => [
      unit,
      unit === usdcUnit ? usdc : { ...usdc, mode: "immediate", minAmount },
    ]),
  );
  return (unit) => {
    const policy = policies.get(unit);
    if (!policy) throw new Error(`no channel is in ${unit} here`);
    return policy;
  };
}

/** A batch that is not submitted yet. */
export interface PendingBatch {
  payments: number;
  /** Base units. */
  value: bigint;
  openedAt: number;
  /** Somebody entitled to it asked to have it settled now. */
  isForced: boolean;
  /** When a payer's withdrawal makes the first of its vouchers unclaimable, epoch ms; null if none does. */
  claimBy: number | null;
}

/** What is known of the world outside; what is not known is no reason to wait. */
export interface Conditions {
  /** Wei per gas. */
  gas: Reading | null;
  /** mg of CO₂e per kWh. */
  energy: Reading | null;
  /** What settling the batch now would cost, base units of its currency. */
  cost: bigint | null;
}

export const settleReasons = ["size", "value", "age", "forced", "withdrawal"] as const;
export const waitReasons = ["payments", "gas", "energy", "worth"] as const;

/** Why a batch is settled, and so why it takes no more payments. */
export type CloseReason = (typeof settleReasons)[number];
/** `payments`: no limit is reached. `worth`: its value is below the gas that settling it costs. */
export type WaitReason = (typeof waitReasons)[number];

/** What to do with a batch now. A wait is reconsidered on every pass, at the latest at `until`; null: when something changes. */
export type Decision =
  | { action: "settle"; reason: CloseReason }
  | { action: "wait"; reason: WaitReason; until: number | null };

/**
 * Settle or wait. A withdrawal or a flush by hand settles at once. A batch at its size or value limit is settled, in the
 * price-aware mode at a good moment within `maxDelayMs`; any other batch at that age, if it is worth more than its gas.
 */
export function decide(
  batch: PendingBatch,
  policy: BatchPolicy,
  conditions: Conditions,
  now: number,
): Decision {
  if (batch.payments === 0) return { action: "wait", reason: "payments", until: null };
  if (batch.isForced) return { action: "settle", reason: "forced" };
  if (batch.claimBy !== null) return { action: "settle", reason: "withdrawal" };
  const until = dueAt(batch, policy, now);
  const reached = limitReached(batch, policy);
  if (reached) {
    const wait = now < until ? worthWaitingFor(batch, policy, conditions) : null;
    return wait ? { action: "wait", reason: wait, until } : { action: "settle", reason: reached };
  }
  if (now < until) return { action: "wait", reason: "payments", until };
  const isWorthIt = conditions.cost === null || batch.value > conditions.cost;
  return isWorthIt ? { action: "settle", reason: "age" } : { action: "wait", reason: "worth", until: null };
}

/**
 * When the batch has its age, epoch ms. One that was opened further ahead than it may wait was opened by a clock that was
 * wrong: how old it is, nobody knows, and it is due.
 */
export function dueAt(
  { openedAt }: Pick<PendingBatch, "openedAt">,
  { maxDelayMs }: Pick<BatchLimits, "maxDelayMs">,
  now: number,
): number {
  return openedAt > now + maxDelayMs ? now : openedAt + maxDelayMs;
}

/** Why the batch takes no further payment, or null: a price-aware one goes on filling while it waits for its moment. */
export function fullBy(
  batch: Pick<PendingBatch, "payments" | "value">,
  policy: BatchPolicy,
): "size" | "value" | null {
  const reached = limitReached(batch, policy);
  return reached === "value" && policy.mode === "price-aware" ? null : reached;
}

function limitReached(
  { payments, value }: Pick<PendingBatch, "payments" | "value">,
  { batchSize, minAmount }: BatchLimits,
): "size" | "value" | null {
  if (payments >= batchSize) return "size";
  return minAmount !== null && payments > 0 && value >= minAmount ? "value" : null;
}

function worthWaitingFor(
  { value }: PendingBatch,
  { mode, urgentAmount }: BatchPolicy,
  { gas, energy }: Conditions,
): "gas" | "energy" | null {
  if (mode === "immediate") return null;
  if (gas && gas.now > gas.median) return "gas";
  return energy && energy.now > energy.median && value < urgentAmount ? "energy" : null;
}

/** Gas of a settlement transaction, fitted to the measured ones of docs/benchmarks.md within 3 %: fixed, a voucher, a payout. */
const settlementGas = { fixed: 30_000n, channel: 10_400n, payee: 27_000n };
const weiPerNative = 10n ** 18n;

/** What settling costs, base units, rounded up. `nativePrice`: base units for one whole native token (10¹⁸ wei). */
export function settlementCostUp(
  batch: { channels: number; payees: number },
  weiPerGas: bigint,
  nativePrice: bigint,
): bigint {
  const { fixed, channel, payee } = settlementGas;
  const gas = fixed + channel * BigInt(batch.channels) + payee * BigInt(batch.payees);
  return divideUp(gas * weiPerGas * nativePrice, weiPerNative);
}

/** What one settlement transaction may hold. */
export interface PartLimits {
  /** Of its call. */
  bytes: number;
  gas: bigint;
}

/** At most, of `settlementCall`: fixed, a row of a voucher, and a payee's header with what the ABI puts around it. */
const settlementBytes = { fixed: 68, channel: 108, payee: 256 };

/** Whom a voucher pays: vouchers of one payee are claimed and paid out together. */
export interface ReceiverSide {
  receiver: Address;
  receiverAuthorizer: Address;
  token: Address;
}

/** The header of a payee's packed claims. */
export const payeeOf = ({ receiver, receiverAuthorizer, token }: ReceiverSide): Hex =>
  concatHex([receiver, receiverAuthorizer, token]);

/**
 * The vouchers that the next settlement transaction claims, at least one: as many as it can hold, payee by payee, of one
 * receiver authorizer, since each is another contract's or account's to claim; after a failure the next one's turn comes. What
 * cannot be claimed at all is left out after a first failure; from the second in a row on, each halves what is sent, for
 * the whole may fail although each of it is good alone.
 */
export function nextPart<Voucher extends ReceiverSide>(
  vouchers: readonly Voucher[],
  failures: number,
  limits: PartLimits,
): Voucher[] {
  const sides = [...Map.groupBy(vouchers, ({ receiverAuthorizer }) => receiverAuthorizer).values()];
  const side = sides[failures % sides.length] ?? [];
  const whole: Voucher[] = [];
  let { fixed: bytes } = settlementBytes;
  let { fixed: gas } = settlementGas;
  for (const group of Map.groupBy(side, payeeOf).values()) {
    bytes += settlementBytes.payee;
    gas += settlementGas.payee;
    for (const voucher of group) {
      bytes += settlementBytes.channel;
      gas += settlementGas.channel;
      if (whole.length > 0 && (bytes > limits.bytes || gas > limits.gas)) return halved(whole, failures);
      whole.push(voucher);
    }
  }
  return halved(whole, failures);
}

/** Each time from another place, so that a voucher that is good only until it is sent holds up no other. */
function halved<Voucher>(whole: readonly Voucher[], failures: number): Voucher[] {
  if (failures < 2 || whole.length === 0) return [...whole];
  const count = Math.max(1, Math.ceil(whole.length / 2 ** (failures - 1)));
  const from = (failures * count) % whole.length;
  return whole.slice(from, from + count);
}
