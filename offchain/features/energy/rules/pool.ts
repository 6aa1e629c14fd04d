import { BursarError } from "#offchain/core/error.ts";
import { divideDown, divideUp, least } from "#offchain/core/rounding.ts";
import { formatAmount } from "#offchain/core/unit.ts";

/*
 * Energy-backed ATP. 1 ATP is 1 W of a source's capacity, committed for the lifetime of its lot;
 * ATP has 6 decimals, so 1 µATP is 1 µW. mJ ÷ ms = W, which gives the price of metered work.
 * ADP waits to be charged; charging turns it into a lot of ATP that spoils; work turns ATP back into ADP.
 * The rules here only say what changes; whoever holds the pool applies it.
 */

/** Seven days. */
export const defaultLifetimeMs = 7 * 86_400_000;
/** Work that is neither completed nor failed by then gives its ATP back. */
export const defaultDeadlineMs = 86_400_000;
/** More than this spoiled in one lot is waste worth an alert: 100 ATP. */
export const wasteAlertAbove = 100_000_000n;
/** Wasteful lots that a pool shows, the latest. */
export const wasteAlertsShown = 20;
/** What a society has at the most at a time, since whoever looks at it or works for it reads all: sources, and lots that are not used up. */
export const societyMost = { sources: 256, lots: 256 } as const;
/** Tickets and lots moved in one transaction. */
export const passMax = 500;
/** Time between looks at what spoiled and what is overdue. */
export const expireEveryMs = 1_000;

/** ATP charged at one time from one source. Its four parts always add up to what was charged. µATP. */
export interface Lot {
  id: string;
  sourceId: string;
  lifetimeMs: number;
  /** Epoch ms until which it may be allocated; that moment included. */
  expiresAt: number;
  available: bigint;
  reserved: bigint;
  consumed: bigint;
  expired: bigint;
}

/** A lot as it was charged and now stands, all amounts in µATP. */
export interface LotRecord extends Lot {
  society: string;
  charged: bigint;
  chargedAt: number;
}

/** A wish to turn ADP into ATP. */
export interface Charge {
  key: string;
  society: string;
  sourceId: string;
  /** µATP; as much ADP is taken. */
  amount: bigint;
  lifetimeMs: number;
}

/** Whether a lot was charged by just this wish. */
export const isSameCharge = (lot: LotRecord, charge: Charge): boolean =>
  lot.sourceId === charge.sourceId && lot.charged === charge.amount && lot.lifetimeMs === charge.lifetimeMs;

/** An amount of one lot, µATP. */
export interface Draw {
  lotId: string;
  amount: bigint;
}

/** How much each part of a lot rises or falls; the four add up to zero. */
export interface LotChange {
  lotId: string;
  available: bigint;
  reserved: bigint;
  consumed: bigint;
  expired: bigint;
}

/** A source of capacity as its latest proof has it; a lapsed proof backs nothing. */
export interface Source {
  id: string;
  effectiveMicrowatts: bigint;
  /** Epoch ms from which the proof no longer holds. */
  lapsesAt: number;
}

export const isExpired = (lot: Lot, now: number): boolean => now > lot.expiresAt;

export const isBacking = (source: Source, now: number): boolean => now < source.lapsesAt;

/** What work of `energyMillijoules` costs in a lot, µATP: watts committed over the lot's lifetime, never below the exact price. */
export function atpPriceUp(energyMillijoules: bigint, lifetimeMs: number): bigint {
  return divideUp(energyMillijoules * 1_000_000n, BigInt(lifetimeMs));
}

/** The work that an amount of a lot pays for, mJ; the inverse of {@link atpPriceUp}. */
export function energyWorthDown(amount: bigint, lifetimeMs: number): bigint {
  return divideDown(amount * BigInt(lifetimeMs), 1_000_000n);
}

/** What a worker is credited for a discharge, µADP: quality 10 000 earns all of it. */
export function creditDown(consumed: bigint, qualityBps: number): bigint {
  return divideDown(consumed * BigInt(qualityBps), 10_000n);
}

/** ATP that commits capacity at `now`: what is reserved, and what is available and not yet spoiled. */
export function outstanding(lots: readonly Lot[], now: number): bigint {
  return sum(lots.map((lot) => lot.reserved + (isExpired(lot, now) ? 0n : lot.available)));
}

/** ATP that may be allocated at `now`. */
export function availableAt(lots: readonly Lot[], now: number): bigint {
  return sum(lots.map((lot) => (isExpired(lot, now) ? 0n : lot.available)));
}

/** Power that valid proofs vouch for at `now`, µW. */
export function capacityAt(sources: readonly Source[], now: number): bigint {
  return sum(sources.map((source) => (isBacking(source, now) ? source.effectiveMicrowatts : 0n)));
}

/**
 * Whether `amount` may be charged from a source: its proof holds, the ADP is there, and neither the source nor the society
 * commits more than its capacity. Capacity that is lost later blocks charging until enough ATP is used or spoiled.
 * @throws BursarError SOURCE_UNKNOWN, CAPACITY_PROOF_INVALID, ENERGY_INSUFFICIENT (ADP), CAPACITY_EXCEEDED.
 */
export function requireChargeable(
  pool: { society: string; adp: bigint; sources: readonly Source[]; lots: readonly Lot[] },
  charge: { sourceId: string; amount: bigint },
  now: number,
): void {
  requireRoomFor("lots", pool.society, pool.lots.length);
  const source = pool.sources.find(({ id }) => id === charge.sourceId);
  if (!source)
    throw new BursarError("SOURCE_UNKNOWN", `society ${pool.society} has no source ${charge.sourceId}`, {
      facts: { society: pool.society, source: charge.sourceId },
    });
  if (!isBacking(source, now))
    throw new BursarError("CAPACITY_PROOF_INVALID", "the source's proof has lapsed; register a new one", {
      facts: { society: pool.society, source: source.id, lapsesAt: source.lapsesAt, now },
    });
  if (charge.amount > pool.adp)
    throw new BursarError("ENERGY_INSUFFICIENT", "the society has less ADP than is to be charged", {
      facts: {
        society: pool.society,
        unit: "ADP",
        got: formatAmount(charge.amount, "ADP"),
        limit: formatAmount(pool.adp, "ADP"),
      },
    });
  const ofSource = pool.lots.filter((lot) => lot.sourceId === source.id);
  requireCapacity(
    outstanding(ofSource, now) + charge.amount,
    source.effectiveMicrowatts,
    "source",
    source.id,
  );
  requireCapacity(
    outstanding(pool.lots, now) + charge.amount,
    capacityAt(pool.sources, now),
    "society",
    pool.society,
  );
}

/** @throws BursarError CAPACITY_EXCEEDED when there are as many as may be */
export function requireRoomFor(what: keyof typeof societyMost, society: string, count: number): void {
  const most = societyMost[what];
  if (count < most) return;
  const remedy =
    what === "lots" ? "charge more at once, or wait until some are used up or spoil" : "renew one";
  throw new BursarError("CAPACITY_EXCEEDED", `society ${society} has ${count} ${what}; ${remedy}`, {
    facts: { scope: what, id: society, got: count, limit: most },
  });
}

function requireCapacity(got: bigint, limit: bigint, scope: "source" | "society", id: string): void {
  if (got <= limit) return;
  const [gotWatts, limitWatts] = [formatAmount(got, "ATP"), formatAmount(limit, "ATP")];
  throw new BursarError("CAPACITY_EXCEEDED", `Insufficient capacity: ${gotWatts}W > ${limitWatts}W`, {
    facts: { scope, id, gotWatts, limitWatts },
  });
}

/**
 * Which lots work of `energyMillijoules` takes from, earliest expiry first, so that little spoils. A job may span lots; each part
 * is priced by its own lot's lifetime.
 * @throws BursarError ENERGY_INSUFFICIENT: all lots together do not pay for it.
 */
export function drawEnergy(lots: readonly Lot[], energyMillijoules: bigint, now: number): Draw[] {
  const draws: Draw[] = [];
  let missing = energyMillijoules;
  for (const lot of allocatable(lots, now)) {
    if (missing <= 0n) break;
    const price = atpPriceUp(missing, lot.lifetimeMs);
    const amount = least(price, lot.available);
    draws.push({ lotId: lot.id, amount });
    missing = price <= lot.available ? 0n : missing - energyWorthDown(amount, lot.lifetimeMs);
  }
  if (missing > 0n)
    throw new BursarError("ENERGY_INSUFFICIENT", "the society has too little charged ATP for this work", {
      facts: {
        unit: "ATP",
        energyMillijoules,
        missingMillijoules: missing,
        available: formatAmount(availableAt(lots, now), "ATP"),
      },
    });
  return draws;
}

/** How a completed ticket splits what it had reserved. */
export interface Discharge {
  /** Of the reserved draws, what the work really took. */
  used: Draw[];
  /** Of the reserved draws, what it did not need. */
  unused: Draw[];
  /** Taken from the pool on top, when the work took more than was reserved. */
  overrun: Draw[];
}

/**
 * Splits a ticket's draws by the energy that the work really took, in the order in which they were drawn. Work that took
 * more than estimated draws the rest from the pool by the same rule as an allocation.
 * @throws BursarError ENERGY_INSUFFICIENT: the pool cannot cover the overrun; the ticket stays open, so charge and retry.
 */
export function discharge(
  lots: readonly Lot[],
  draws: readonly Draw[],
  energyMillijoules: bigint,
  now: number,
): Discharge {
  const used: Draw[] = [];
  const unused: Draw[] = [];
  let missing = energyMillijoules;
  for (const { lotId, amount } of draws) {
    const { lifetimeMs } = lotOf(lots, lotId);
    const price = missing > 0n ? atpPriceUp(missing, lifetimeMs) : 0n;
    const taken = least(price, amount);
    if (taken > 0n) used.push({ lotId, amount: taken });
    if (taken < amount) unused.push({ lotId, amount: amount - taken });
    missing = price <= amount ? 0n : missing - energyWorthDown(taken, lifetimeMs);
  }
  return { used, unused, overrun: missing > 0n ? drawEnergy(lots, missing, now) : [] };
}

/** available → reserved. */
export const reserve = (draws: readonly Draw[]): LotChange[] =>
  draws.map(({ lotId, amount }) => ({ ...unchanged(lotId), available: -amount, reserved: amount }));

/** reserved → consumed for the used part, available → consumed for the overrun; the unused part as {@link release}. */
export function applyDischarge(
  lots: readonly Lot[],
  { used, unused, overrun }: Discharge,
  now: number,
): LotChange[] {
  return [
    ...used.map(({ lotId, amount }) => ({ ...unchanged(lotId), reserved: -amount, consumed: amount })),
    ...overrun.map(({ lotId, amount }) => ({ ...unchanged(lotId), available: -amount, consumed: amount })),
    ...release(lots, unused, now),
  ];
}

/** reserved → back to its own lot with its own expiry; what has spoiled meanwhile → expired. */
export const release = (lots: readonly Lot[], draws: readonly Draw[], now: number): LotChange[] =>
  draws.map(({ lotId, amount }) => ({
    ...unchanged(lotId),
    reserved: -amount,
    ...(isExpired(lotOf(lots, lotId), now) ? { expired: amount } : { available: amount }),
  }));

/** available → expired, for every lot that is past its expiry. */
export const spoil = (lots: readonly Lot[], now: number): LotChange[] =>
  lots
    .filter((lot) => isExpired(lot, now) && lot.available > 0n)
    .map((lot) => ({ ...unchanged(lot.id), available: -lot.available, expired: lot.available }));

/** The lots after the changes. */
export function changed(lots: readonly Lot[], changes: readonly LotChange[]): Lot[] {
  const byId = new Map(lots.map((lot) => [lot.id, { ...lot }]));
  for (const change of changes) {
    const lot = byId.get(change.lotId);
    if (!lot) throw new RangeError(`no lot ${change.lotId}`);
    lot.available += change.available;
    lot.reserved += change.reserved;
    lot.consumed += change.consumed;
    lot.expired += change.expired;
  }
  return [...byId.values()];
}

/** Whether so much of a lot spoiled that someone should know. */
export const isWasteful = (lot: Pick<Lot, "expired">): boolean => lot.expired > wasteAlertAbove;

const allocatable = (lots: readonly Lot[], now: number): Lot[] =>
  lots
    .filter((lot) => lot.available > 0n && !isExpired(lot, now))
    .sort((a, b) => a.expiresAt - b.expiresAt || compareIds(a.id, b.id));

/** Lots of the same expiry go by age: ids are numbers that rise. */
const compareIds = (a: string, b: string): number => a.length - b.length || (a < b ? -1 : 1);

function lotOf(lots: readonly Lot[], id: string): Lot {
  const lot = lots.find((each) => each.id === id);
  if (!lot) throw new RangeError(`no lot ${id}`);
  return lot;
}

const unchanged = (lotId: string): LotChange => ({
  lotId,
  available: 0n,
  reserved: 0n,
  consumed: 0n,
  expired: 0n,
});

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n);
