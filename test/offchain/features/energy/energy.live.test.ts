import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { societyMost } from "#offchain/features/energy/rules/pool.ts";
import {
  allocateOne,
  atp,
  callsOf,
  day,
  durationFor,
  type EnergyWorld,
  gridProof,
  openEnergyWorld,
  openSociety,
  owner,
  requireWholeBooks,
  week,
  work,
  worker,
} from "./energyWorld.ts";

let world: EnergyWorld;
beforeAll(async () => {
  world = await openEnergyWorld();
});
afterAll(async () => {
  await world.close();
});

const { charge, standing } = callsOf(() => world);

describe("charging", () => {
  it("keeps the trace on the ledger: 1000 ADP against 500 W", async () => {
    const society = await openSociety(world, atp(1_000), atp(500));
    await charge(society, "a", atp(300));
    expect(await standing(society.id)).toMatchObject({
      adp: atp(700),
      atp: atp(300),
      capacityMicrowatts: atp(500),
    });
    await expect(charge(society, "b", atp(300))).rejects.toMatchObject({
      code: "CAPACITY_EXCEEDED",
      message: "Insufficient capacity: 600W > 500W",
      facts: { gotWatts: "600", limitWatts: "500" },
    });
    await allocateOne(world, work(society.id, "t", { durationMs: durationFor(atp(120)) }));
    expect(await standing(society.id)).toMatchObject({ atp: atp(180), reserved: atp(120) });
    await expect(charge(society, "c", atp(250))).rejects.toThrow("550W > 500W");
    await charge(society, "d", atp(200));
    expect(await standing(society.id)).toMatchObject({ adp: atp(500), atp: atp(380), reserved: atp(120) });
    await requireWholeBooks(world, society);
  });

  it("answers the same key alike and moves nothing twice", async () => {
    const society = await openSociety(world, atp(1_000), atp(500));
    const first = await charge(society, "a", atp(100));
    const again = await charge(society, "a", atp(100));
    expect(again).toEqual({ lot: first.lot, replayed: true });
    expect((await standing(society.id)).adp).toBe(atp(900));
    await expect(charge(society, "a", atp(101))).rejects.toMatchObject({ code: "IDEMPOTENCY_CONFLICT" });
  });

  it("never lets concurrent charges exceed the capacity", async () => {
    const society = await openSociety(world, atp(1_000), atp(500));
    const attempts = await Promise.allSettled(
      Array.from({ length: 10 }, (_, index) => charge(society, `k${index}`, atp(100))),
    );
    expect(attempts.filter(({ status }) => status === "fulfilled")).toHaveLength(5);
    expect((await standing(society.id)).atp).toBe(atp(500));
    await requireWholeBooks(world, society);
  });

  it("needs an existing society", async () => {
    await expect(charge({ id: "nowhere", source: "grid:none" }, "a", 1n)).rejects.toMatchObject({
      code: "SOCIETY_UNKNOWN",
    });
  });

  it("is blocked, and reported, while a lapsed proof leaves too much outstanding", async () => {
    const society = await openSociety(world, atp(1_000), atp(500));
    await charge(society, "a", atp(500), 30 * day);
    expect((await standing(society.id)).isOvercommitted).toBe(false);
    world.clock.at += week;
    await world.energy.register(society.id, gridProof(`other-${society.id}`, atp(100), world.clock.at));
    expect((await standing(society.id)).isOvercommitted).toBe(true);
    await expect(
      world.energy.charge({
        key: "b",
        society: society.id,
        sourceId: `grid:other-${society.id}`,
        amount: atp(1),
        lifetimeMs: week,
      }),
    ).rejects.toMatchObject({ code: "CAPACITY_EXCEEDED", facts: { scope: "society" } });
    await expect(charge(society, "c", atp(1))).rejects.toMatchObject({ code: "CAPACITY_PROOF_INVALID" });
  });
});

describe("sources", () => {
  it("back one society only", async () => {
    const society = await openSociety(world, atp(1), atp(500));
    const other = await openSociety(world, atp(1), atp(500));
    const proof = gridProof(`meter-${society.id}`, atp(500), world.clock.at);
    await expect(world.energy.register(other.id, proof)).rejects.toMatchObject({ code: "SOURCE_TAKEN" });
  });

  it("are no more of one society than are read at once, and each of them can still be renewed", async () => {
    const society = await openSociety(world, atp(1), atp(1));
    const meter = (count: number, provenAt = world.clock.at) =>
      world.energy.register(society.id, gridProof(`${society.id}-${count}`, atp(1), provenAt));
    for (let count = 1; count < societyMost.sources; count += 1) await meter(count);
    await expect(meter(0)).rejects.toMatchObject({
      code: "CAPACITY_EXCEEDED",
      facts: { scope: "sources", got: societyMost.sources, limit: societyMost.sources },
    });
    world.clock.at += 1;
    await expect(meter(1)).resolves.toMatchObject({ replayed: false });
  });

  it("are renewed by a newer proof, and answer the same one alike", async () => {
    const society = await openSociety(world, atp(1_000), atp(100));
    const meter = `meter-${society.id}`;
    const same = await world.energy.register(society.id, gridProof(meter, atp(100), world.clock.at));
    expect(same.replayed).toBe(true);
    await expect(
      world.energy.register(society.id, gridProof(meter, atp(900), world.clock.at)),
    ).rejects.toMatchObject({ code: "CAPACITY_PROOF_INVALID", fields: [{ field: "provenAt" }] });
    world.clock.at += 1;
    const renewed = await world.energy.register(society.id, gridProof(meter, atp(900), world.clock.at));
    expect(renewed).toMatchObject({ replayed: false, source: { effectiveMicrowatts: atp(900) } });
    await charge(society, "a", atp(900));
  });
});

describe("issuing", () => {
  it("answers the same key alike, and refuses another amount or owner under it", async () => {
    const issue = { key: "k", society: "issued", owner, amount: atp(5) } as const;
    expect(await world.energy.issue(issue)).toMatchObject({ replayed: false });
    expect(await world.energy.issue(issue)).toMatchObject({ replayed: true });
    expect(await world.balance("society:issued", "ADP")).toBe(atp(5));
    await expect(world.energy.issue({ ...issue, amount: atp(6) })).rejects.toMatchObject({
      code: "IDEMPOTENCY_CONFLICT",
    });
    await expect(world.energy.issue({ ...issue, key: "l", owner: worker })).rejects.toMatchObject({
      code: "FORBIDDEN",
    });
  });
});
