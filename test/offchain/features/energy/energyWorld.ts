import { expect } from "vitest";
import type { UnitCode } from "#offchain/core/unit.ts";
import { openCarbon } from "#offchain/features/carbon/carbon.ts";
import type { Carbon } from "#offchain/features/carbon/service.ts";
import { openEnergy } from "#offchain/features/energy/energy.ts";
import type { GridProof } from "#offchain/features/energy/rules/capacity.ts";
import type { Ticket, TicketOutcome, TicketRequest } from "#offchain/features/energy/rules/ticket.ts";
import type { Energy } from "#offchain/features/energy/service.ts";
import { openLedger } from "#offchain/features/ledger/ledger.ts";
import type { AccountName } from "#offchain/features/ledger/rules/transfer.ts";
import type { Ledger } from "#offchain/features/ledger/service.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { startTestServer } from "../../support/database.ts";

export const day = 86_400_000;
export const week = 7 * day;
export const atp = (count: number): bigint => BigInt(Math.round(count * 1_000_000));

export const owner = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
export const worker = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";
export const requester = "0x90F79bf6EB2c4f870365E785982E1f101E93b906";

/** A real PostgreSQL with energy, carbon and the ledger on it, and a clock that tests move. */
export interface EnergyWorld {
  sql: Sql;
  clock: { at: number; now(): number };
  energy: Energy;
  carbon: Carbon;
  ledger: Ledger;
  balance(account: AccountName, unit: UnitCode): Promise<bigint>;
  close(): Promise<void>;
}

export async function openEnergyWorld(): Promise<EnergyWorld> {
  const server = await startTestServer();
  const database = await server.create();
  const { sql } = database;
  const clock = {
    at: Date.UTC(2026, 5, 15, 12, 30),
    now() {
      return this.at;
    },
  };
  const ledger = openLedger(sql, clock);
  const carbon = openCarbon(sql, clock);
  return {
    sql,
    clock,
    ledger,
    energy: openEnergy(sql, clock, { ledger, carbon }),
    carbon,
    balance: async (account, unit) => (await ledger.account(account, unit))?.balance ?? 0n,
    async close() {
      await database.close();
      await server.stop();
    },
  };
}

/** How many transactions have written transfers by now, or posted or voided them. */
export async function writesOf({ sql }: EnergyWorld): Promise<number> {
  const [row] = await sql<{ writes: number }[]>`
    SELECT count(DISTINCT written)::int AS writes
    FROM (SELECT xmin::text AS written FROM transfer UNION ALL SELECT xmin::text FROM journal) rows`;
  return row?.writes ?? 0;
}

let societies = 0;

/** A society of its own for a test: `adp` issued, and one grid meter of `watts`. */
export async function openSociety(
  world: EnergyWorld,
  adp: bigint,
  watts: bigint,
): Promise<{ id: string; source: string }> {
  const id = `society-${++societies}`;
  await world.energy.issue({ key: "first", society: id, owner, amount: adp });
  const { source } = await world.energy.register(id, gridProof(`meter-${id}`, watts, world.clock.at));
  return { id, source: source.id };
}

export const gridProof = (meterId: string, watts: bigint, provenAt: number): GridProof => ({
  kind: "grid",
  method: "utility API",
  provenAt,
  allocatedMicrowatts: watts,
  meterId,
  accountId: "42",
  peakFactorBps: 10_000,
});

export const work = (society: string, key: string, change: Partial<TicketRequest> = {}): TicketRequest => ({
  key,
  society,
  worker,
  requester: null,
  computeType: "H100",
  durationMs: 5_000,
  region: "us-east",
  profile: "legacy",
  description: "inference",
  timeoutMs: day,
  ...change,
});

/** The ticket of an outcome that must have succeeded. */
export function ticketOf(outcome: TicketOutcome | undefined): Ticket {
  if (!outcome) throw new RangeError("no outcome");
  if (!outcome.ok) throw outcome.error;
  return outcome.ticket;
}

export async function allocateOne(world: EnergyWorld, request: TicketRequest): Promise<Ticket> {
  return ticketOf((await world.energy.allocateMany([request]))[0]);
}

/** Durations that reserve exactly `amount` of a week's lot on an H100: a whole number of milliseconds. */
export const durationFor = (amount: bigint, lifetimeMs = week): number =>
  Number((amount * BigInt(lifetimeMs)) / 1_000_000n / 700n);

/** What C5 demands of the books at any time. */
export async function requireWholeBooks(
  world: EnergyWorld,
  society: { id: string; source: string },
): Promise<void> {
  const [pool] = await world.energy.pools({ society: society.id, limit: 1 });
  if (!pool) throw new RangeError(`no pool ${society.id}`);
  expect(pool.adp + pool.atp + pool.reserved + pool.expired).toBe(pool.issued);
  const balance = (account: AccountName, unit: "ADP" | "ATP") => world.balance(account, unit);
  const inSociety = await balance(`society:${society.id}`, "ATP");
  const expired = await balance(`expired:${society.id}`, "ATP");
  const consumed = await balance(`consumed:${society.id}`, "ATP");
  const capacity: AccountName = `capacity:${society.source}`;
  expect(await balance(capacity, "ADP")).toBe(inSociety + expired);
  expect(await balance(capacity, "ATP")).toBe(-(inSociety + expired + consumed));
  expect((await balance(`society:${society.id}`, "ADP")) + inSociety + expired).toBe(
    -(await balance(`issuer:society:${society.id}`, "ADP")),
  );
  const trial = await world.ledger.trialBalance();
  expect(trial.balanced).toBe(true);
  expect(trial.sums.every(({ sum }) => sum === 0n)).toBe(true);
  const [lots] = await world.sql<{ held: bigint; reserved: bigint; consumed: bigint; expired: bigint }[]>`
    SELECT coalesce(sum(available + reserved), 0) AS held, coalesce(sum(reserved), 0) AS reserved,
      coalesce(sum(consumed), 0) AS consumed, coalesce(sum(expired), 0) AS expired
    FROM energy_lot WHERE society_id = ${society.id}`;
  expect(lots).toEqual({ held: inSociety, reserved: pool.reserved, consumed, expired });
}

/** What tests do with the world that they open. */
export const callsOf = (world: () => EnergyWorld) => ({
  charge: (society: { id: string; source: string }, key: string, amount: bigint, lifetimeMs = week) =>
    world().energy.charge({ key, society: society.id, sourceId: society.source, amount, lifetimeMs }),
  async standing(id: string) {
    const [pool] = await world().energy.pools({ society: id, limit: 1 });
    if (!pool) throw new RangeError(`no pool ${id}`);
    return pool;
  },
});
