import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { emittedAccount } from "#offchain/features/energy/rules/postings.ts";
import type { TicketRequest } from "#offchain/features/energy/rules/ticket.ts";
import { paidTickets } from "#offchain/features/payments/store/receipts.ts";
import {
  allocateOne,
  atp,
  type EnergyWorld,
  openEnergyWorld,
  openSociety,
  owner,
  requester,
  ticketOf,
  week,
  work,
  worker,
} from "../energy/energyWorld.ts";

const hour = 3_600_000;
let world: EnergyWorld;
let society: { id: string; source: string };

beforeAll(async () => {
  world = await openEnergyWorld();
  society = await openSociety(world, atp(1_000), atp(500));
  await world.energy.charge({
    key: "a",
    society: society.id,
    sourceId: society.source,
    amount: atp(500),
    lifetimeMs: week,
  });
});
afterAll(async () => {
  await world.close();
});

let keys = 0;
async function done(change: Partial<TicketRequest> = {}) {
  const { id, durationMs } = await allocateOne(world, work(society.id, `k${++keys}`, change));
  const [outcome] = await world.energy.completeMany([{ ticketId: id, durationMs, qualityBps: 10_000 }]);
  const { result } = ticketOf(outcome);
  if (!result) throw new RangeError("no result");
  return result.receipt;
}

describe("the summary", () => {
  it("shows nothing, and 24 empty hours, before any work", async () => {
    const summary = await world.carbon.summary({ limit: 10 });
    const none = { tickets: 0n, atp: 0n, energyMillijoules: 0n, co2Micrograms: 0n, waterMicrolitres: 0n };
    expect(summary).toMatchObject({ totals: none, agents: [], regions: [], hardware: [] });
    expect(summary.hours).toHaveLength(24);
    expect(summary.hours.at(-1)).toEqual({ startsAt: Math.floor(world.clock.at / hour) * hour, ...none });
  });

  it("adds up to the receipts, by agent, region, hardware and hour, and to the ledger", async () => {
    const first = await done();
    world.clock.at += hour;
    const second = await done({
      worker: requester,
      region: "SWE",
      computeType: "CPU",
      profile: "datacenter",
    });
    const third = await done({ region: "FRA" });
    const summary = await world.carbon.summary({ limit: 10 });
    const co2 = first.co2Micrograms + second.co2Micrograms + third.co2Micrograms;
    expect(summary.totals).toEqual({
      tickets: 3n,
      atp: first.atp + second.atp + third.atp,
      energyMillijoules: first.energyMillijoules + second.energyMillijoules + third.energyMillijoules,
      co2Micrograms: co2,
      waterMicrolitres: first.waterMicrolitres + second.waterMicrolitres + third.waterMicrolitres,
    });
    expect(summary.agents.map(({ agent, co2Micrograms }) => [agent, co2Micrograms])).toEqual([
      [worker, first.co2Micrograms + third.co2Micrograms],
      [requester, second.co2Micrograms],
    ]);
    expect(summary.regions.map(({ region }) => region)).toEqual(["us-east", "FRA", "SWE"]);
    expect(summary.hardware.map(({ computeType, tickets }) => [computeType, tickets])).toEqual([
      ["H100", 2n],
      ["CPU", 1n],
    ]);
    expect(summary.hours.slice(-2).map(({ tickets }) => tickets)).toEqual([1n, 2n]);
    expect(summary.hours.reduce((sum, each) => sum + each.co2Micrograms, 0n)).toBe(co2);
    expect(await world.balance(emittedAccount(worker), "CO2E")).toBe(
      first.co2Micrograms + third.co2Micrograms,
    );
    expect(await world.balance("grid:SWE", "CO2E")).toBe(-second.co2Micrograms);
  });

  it("can be of one agent, and lists no more agents than asked", async () => {
    const one = await world.carbon.summary({ agent: requester, limit: 10 });
    expect(one.agents.map(({ agent }) => agent)).toEqual([requester]);
    expect(one.totals.tickets).toBe(1n);
    expect((await world.carbon.summary({ agent: owner, limit: 10 })).totals.tickets).toBe(0n);
    expect((await world.carbon.summary({ limit: 1 })).agents).toHaveLength(1);
  });

  it("keeps its totals when old footprints are removed, and drops hours older than a day", async () => {
    const before = await world.carbon.summary({ limit: 10 });
    await world.sql`DELETE FROM footprint`;
    expect(await world.carbon.summary({ limit: 10 })).toEqual(before);
    world.clock.at += 24 * hour;
    const later = await world.carbon.summary({ limit: 10 });
    expect(later.totals).toEqual(before.totals);
    expect(later.hours.every(({ tickets }) => tickets === 0n)).toBe(true);
  });
});

describe("a footprint", () => {
  it("stores where its factor comes from", async () => {
    const receipt = await done({ region: "DEU" });
    expect(receipt.factor).toEqual({
      value: 380_950n,
      region: "DEU",
      source: "CodeCarbon global_energy_mix",
      year: 2023,
      kind: "average",
    });
    const [ticket] = await world.energy.tickets([receipt.ticketId]);
    expect(ticket?.result?.receipt).toEqual(receipt);
  });

  it("cannot be stored with a percentile", async () => {
    await expect(world.sql`UPDATE footprint SET factor_kind = 'percentile'`).rejects.toThrow("factor_kind");
  });
});

describe("a ticket to be paid for", () => {
  it("gives its worker and the facts of its receipt", async () => {
    const receipt = await done();
    const facts = {
      ticketId: receipt.ticketId,
      atp: receipt.atp,
      energyMillijoules: 3_500_000n,
      co2Micrograms: 340_278n,
      waterMicrolitres: 292n,
      factor: "350000 mg/kWh, us-east, average, legacy",
    };
    expect(await world.energy.completedWork([receipt.ticketId])).toEqual(
      new Map([[receipt.ticketId, { worker, ...facts }]]),
    );
    expect(await world.sql.begin((tx) => paidTickets(tx, [receipt.ticketId]))).toEqual(new Map());
  });

  it("is unknown while its work is not done, under another spelling, or as any other text", async () => {
    const open = await allocateOne(world, work(society.id, "open"));
    const { ticketId } = await done();
    const ids = [open.id, ticketId.toUpperCase(), "ticket'--", "00000000-0000-4000-8000-000000000000"];
    expect(await world.energy.completedWork(ids)).toEqual(new Map());
  });
});
