import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expire } from "#offchain/features/energy/jobs.ts";
import {
  allocateOne,
  atp,
  day,
  durationFor,
  type EnergyWorld,
  openEnergyWorld,
  openSociety,
  week,
  work,
} from "./energyWorld.ts";

let world: EnergyWorld;
beforeAll(async () => {
  world = await openEnergyWorld();
});
afterAll(async () => {
  await world.close();
});

const charge = (society: { id: string; source: string }, key: string, amount: bigint, lifetimeMs: number) =>
  world.energy.charge({ key, society: society.id, sourceId: society.source, amount, lifetimeMs });

const standing = async (id: string) => (await world.energy.pools({ society: id, limit: 1 }))[0];

describe("expiring", () => {
  it("moves a lot only once it is past its expiry", async () => {
    const society = await openSociety(world, atp(1_000), atp(500));
    await charge(society, "a", atp(100), day);
    world.clock.at += day;
    expect(await expire(world.energy)).toEqual({ lots: [], tickets: [], expired: 0n, wasteful: [] });
    world.clock.at += 1;
    // Spoiled by the clock, whether or not the job has run.
    expect(await standing(society.id)).toMatchObject({ atp: 0n, expired: atp(100), wasteBps: 10_000 });
    const moved = await expire(world.energy);
    expect(moved).toMatchObject({
      expired: atp(100),
      lots: [{ society: society.id, expired: atp(100), available: 0n }],
    });
    expect(await world.balance(`expired:${society.id}`, "ATP")).toBe(atp(100));
    expect(await expire(world.energy)).toMatchObject({ lots: [], expired: 0n });
    expect(await standing(society.id)).toMatchObject({ atp: 0n, expired: atp(100), adp: atp(900) });
  });

  it("alerts about a lot of which more than 100 ATP spoiled", async () => {
    const society = await openSociety(world, atp(1_000), atp(500));
    await charge(society, "a", atp(100), day);
    await charge(society, "b", atp(100) + 1n, day);
    world.clock.at += day + 1;
    const { wasteful } = await expire(world.energy);
    expect(wasteful.map(({ expired }) => expired)).toEqual([atp(100) + 1n]);
    expect((await standing(society.id))?.wasteAlerts).toEqual(wasteful);
  });

  it("gives up overdue work: its ATP returns to its lot, or spoils with it", async () => {
    const society = await openSociety(world, atp(1_000), atp(500));
    await charge(society, "short", atp(70), day);
    await charge(society, "long", atp(70), week);
    const short = await allocateOne(
      world,
      work(society.id, "1", { durationMs: durationFor(atp(70), day), timeoutMs: 2 * day }),
    );
    const long = await allocateOne(
      world,
      work(society.id, "2", { durationMs: durationFor(atp(70)), timeoutMs: 2 * day }),
    );
    world.clock.at += 2 * day;
    expect((await expire(world.energy)).tickets).toEqual([]);
    world.clock.at += 1;
    const { tickets, expired } = await expire(world.energy);
    expect(new Set(tickets.map(({ id }) => id))).toEqual(new Set([short.id, long.id]));
    expect(
      tickets.every(({ state, resolvedAt }) => state === "expired" && resolvedAt === world.clock.at),
    ).toBe(true);
    expect(expired).toBe(atp(70));
    expect(await standing(society.id)).toMatchObject({ atp: atp(70), reserved: 0n, expired: atp(70) });
    expect((await world.energy.tickets([short.id]))[0]).toEqual(tickets.find(({ id }) => id === short.id));
    expect((await world.ledger.trialBalance()).balanced).toBe(true);
  });

  it("takes as many passes as there is to move, and may run twice at once", async () => {
    const society = await openSociety(world, atp(1_000), atp(500));
    await charge(society, "a", atp(100), week);
    await world.energy.allocateMany(
      Array.from({ length: 1_200 }, (_, index) => work(society.id, `n${index}`, { timeoutMs: 1_000 })),
    );
    world.clock.at += 1_001;
    const both = await Promise.all([expire(world.energy), expire(world.energy)]);
    const ids = both.flatMap(({ tickets }) => tickets.map(({ id }) => id));
    expect(ids).toHaveLength(1_200);
    expect(new Set(ids).size).toBe(1_200);
    expect(await standing(society.id)).toMatchObject({ atp: atp(100), reserved: 0n });
    expect((await world.ledger.trialBalance()).balanced).toBe(true);
  });
});
