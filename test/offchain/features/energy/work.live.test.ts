import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { atpPriceUp } from "#offchain/features/energy/rules/pool.ts";
import { emittedAccount, workerAccount } from "#offchain/features/energy/rules/postings.ts";
import {
  allocateOne,
  atp,
  callsOf,
  day,
  type EnergyWorld,
  openEnergyWorld,
  openSociety,
  requester,
  requireWholeBooks,
  ticketOf,
  week,
  work,
  worker,
  writesOf,
} from "./energyWorld.ts";

let world: EnergyWorld;
beforeAll(async () => {
  world = await openEnergyWorld();
});
afterAll(async () => {
  await world.close();
});

const { charge, standing } = callsOf(() => world);

describe("allocating", () => {
  it("reserves the price of the work on the ledger", async () => {
    const society = await openSociety(world, atp(1_000), atp(500));
    await charge(society, "a", atp(100));
    const ticket = await allocateOne(world, work(society.id, "t", { requester }));
    // 3500 J over a week.
    expect(ticket).toMatchObject({
      state: "allocated",
      reserved: 5_788n,
      requester,
      deadlineAt: world.clock.at + day,
    });
    const account = await world.ledger.account(`society:${society.id}`, "ATP");
    expect(account).toMatchObject({ balance: atp(100), pending: 5_788n });
    expect(await world.energy.tickets([ticket.id])).toEqual([ticket]);
    await requireWholeBooks(world, society);
  });

  it("takes the lot that spoils first", async () => {
    const society = await openSociety(world, atp(1_000), atp(500));
    await charge(society, "x", atp(100), week);
    world.clock.at += day;
    await charge(society, "y", atp(100), day);
    world.clock.at += day / 2;
    await allocateOne(
      world,
      // 400 W for six hours are 100 W for a day.
      work(society.id, "t", { computeType: "GPU", durationMs: 21_600_000, timeoutMs: week }),
    );
    world.clock.at += 0.6 * day;
    expect(await standing(society.id)).toMatchObject({ atp: atp(100), expired: 0n });
  });

  it("answers the same key alike, also within one batch, and refuses another request under it", async () => {
    const society = await openSociety(world, atp(1_000), atp(500));
    await charge(society, "a", atp(100));
    const [first, twin, other] = await world.energy.allocateMany([
      work(society.id, "t"),
      work(society.id, "t"),
      work(society.id, "t", { durationMs: 6_000 }),
    ]);
    expect(twin).toEqual({ ok: true, ticket: ticketOf(first), replayed: true });
    expect(other).toMatchObject({ ok: false, error: { code: "IDEMPOTENCY_CONFLICT" } });
    const [again] = await world.energy.allocateMany([work(society.id, "t")]);
    expect(again).toEqual({ ok: true, ticket: ticketOf(first), replayed: true });
    expect((await standing(society.id)).reserved).toBe(5_788n);
  });

  it("lets each request of a batch stand alone", async () => {
    const society = await openSociety(world, atp(1_000), atp(500));
    await charge(society, "a", 6_000n);
    const outcomes = await world.energy.allocateMany([
      work(society.id, "1"),
      work(society.id, "2"),
      work("nowhere", "3"),
      work(society.id, "4", { computeType: "Storage" }),
    ]);
    expect(outcomes.map((outcome) => (outcome.ok ? "ok" : outcome.error.code))).toEqual([
      "ok",
      "ENERGY_INSUFFICIENT",
      "SOCIETY_UNKNOWN",
      "ok",
    ]);
    await requireWholeBooks(world, society);
  });

  it("never promises the same ATP twice to concurrent callers", async () => {
    const society = await openSociety(world, atp(1_000), atp(500));
    const price = atpPriceUp(3_500_000n, week);
    await charge(society, "a", price * 10n);
    const outcomes = await Promise.all(
      Array.from({ length: 25 }, (_, index) => world.energy.allocateMany([work(society.id, `k${index}`)])),
    );
    expect(outcomes.flat().filter(({ ok }) => ok)).toHaveLength(10);
    expect(await standing(society.id)).toMatchObject({ atp: 0n, reserved: price * 10n });
    await requireWholeBooks(world, society);
  });

  it("gives concurrent callers with one key one ticket", async () => {
    const society = await openSociety(world, atp(1_000), atp(500));
    await charge(society, "a", atp(1));
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, () => world.energy.allocateMany([work(society.id, "same")])),
    );
    const ids = outcomes.flat().map((outcome) => ticketOf(outcome).id);
    expect(new Set(ids).size).toBe(1);
    expect((await standing(society.id)).reserved).toBe(5_788n);
  });
});

describe("completing", () => {
  it("discharges, credits the worker and records the footprint, all at once", async () => {
    const society = await openSociety(world, atp(1_000), atp(500));
    await charge(society, "a", atp(100));
    const credited = await world.balance(workerAccount(worker), "ADP");
    const emitted = await world.balance(emittedAccount(worker), "CO2E");
    const { id } = await allocateOne(world, work(society.id, "t"));
    const [outcome] = await world.energy.completeMany([
      { ticketId: id, durationMs: 5_000, qualityBps: 9_000 },
    ]);
    const ticket = ticketOf(outcome);
    expect(ticket).toMatchObject({
      state: "completed",
      resolvedAt: world.clock.at,
      result: {
        durationMs: 5_000,
        qualityBps: 9_000,
        creditAdp: 5_209n,
        receipt: {
          ticketId: id,
          atp: 5_788n,
          energyMillijoules: 3_500_000n,
          co2Micrograms: 340_278n,
          waterMicrolitres: 292n,
          factor: { value: 350_000n, region: "us-east", source: "legacy", year: null, kind: "average" },
        },
      },
    });
    expect(await world.energy.tickets([id])).toEqual([ticket]);
    expect(await standing(society.id)).toMatchObject({
      adp: atp(900) + 5_788n,
      atp: atp(100) - 5_788n,
      reserved: 0n,
      consumed: 5_788n,
    });
    expect((await world.balance(workerAccount(worker), "ADP")) - credited).toBe(5_209n);
    expect((await world.balance(emittedAccount(worker), "CO2E")) - emitted).toBe(340_278n);
    await requireWholeBooks(world, society);
  });

  it("returns what shorter work did not need", async () => {
    const society = await openSociety(world, atp(1_000), atp(500));
    await charge(society, "a", atp(100));
    const { id } = await allocateOne(world, work(society.id, "t"));
    await world.energy.completeMany([{ ticketId: id, durationMs: 2_500, qualityBps: 10_000 }]);
    expect(await standing(society.id)).toMatchObject({
      atp: atp(100) - 2_894n,
      reserved: 0n,
      consumed: 2_894n,
    });
    await requireWholeBooks(world, society);
  });

  it("draws what longer work took from the pool", async () => {
    const society = await openSociety(world, atp(1_000), atp(500));
    await charge(society, "a", atp(100));
    const { id } = await allocateOne(world, work(society.id, "t"));
    const [outcome] = await world.energy.completeMany([
      { ticketId: id, durationMs: 10_000, qualityBps: 10_000 },
    ]);
    const { receipt } = ticketOf(outcome).result ?? {};
    expect(receipt).toMatchObject({ energyMillijoules: 7_000_000n });
    expect(receipt?.atp).toBeGreaterThanOrEqual(atpPriceUp(7_000_000n, week));
    expect(receipt?.atp).toBeLessThanOrEqual(atpPriceUp(7_000_000n, week) + 1n);
    expect((await standing(society.id)).consumed).toBe(receipt?.atp);
    await requireWholeBooks(world, society);
  });

  it("leaves the ticket open when the pool cannot pay an overrun, until it is charged", async () => {
    const society = await openSociety(world, atp(1_000), atp(500));
    await charge(society, "a", 6_000n);
    const { id } = await allocateOne(world, work(society.id, "t"));
    const done = { ticketId: id, durationMs: 10_000, qualityBps: 10_000 };
    expect(await world.energy.completeMany([done])).toMatchObject([
      { ok: false, error: { code: "ENERGY_INSUFFICIENT" } },
    ]);
    expect((await world.energy.tickets([id]))[0]?.state).toBe("allocated");
    await requireWholeBooks(world, society);
    await charge(society, "b", atp(1));
    expect(await world.energy.completeMany([done])).toMatchObject([{ ok: true }]);
    await requireWholeBooks(world, society);
  });

  it("happens once: the same completion is answered alike, another is a conflict", async () => {
    const society = await openSociety(world, atp(1_000), atp(500));
    await charge(society, "a", atp(100));
    const { id } = await allocateOne(world, work(society.id, "t"));
    const done = { ticketId: id, durationMs: 5_000, qualityBps: 10_000 };
    const all = (
      await Promise.all(Array.from({ length: 6 }, () => world.energy.completeMany([done])))
    ).flat();
    expect(all.filter((outcome) => outcome.ok && !outcome.replayed)).toHaveLength(1);
    for (const outcome of all) expect(ticketOf(outcome)).toEqual(ticketOf(all[0]));
    expect(await world.energy.completeMany([{ ...done, qualityBps: 1 }])).toMatchObject([
      { ok: false, error: { code: "IDEMPOTENCY_CONFLICT" } },
    ]);
    expect((await standing(society.id)).consumed).toBe(5_788n);
    await requireWholeBooks(world, society);
  });

  it("is refused for unknown, failed and overdue tickets", async () => {
    const society = await openSociety(world, atp(1_000), atp(500));
    await charge(society, "a", atp(100));
    const failed = await allocateOne(world, work(society.id, "1"));
    await world.energy.fail(failed.id, "no GPU");
    const overdue = await allocateOne(world, work(society.id, "2", { timeoutMs: 1_000 }));
    world.clock.at += 1_001;
    const outcomes = await world.energy.completeMany(
      [failed.id, overdue.id, "00000000-0000-4000-8000-000000000000"].map((ticketId) => ({
        ticketId,
        durationMs: 1,
        qualityBps: 10_000,
      })),
    );
    expect(outcomes.map((outcome) => (outcome.ok ? "ok" : outcome.error.code))).toEqual([
      "TICKET_CLOSED",
      "TICKET_CLOSED",
      "TICKET_UNKNOWN",
    ]);
    await expect(world.energy.fail(overdue.id, "late")).rejects.toMatchObject({ code: "TICKET_CLOSED" });
  });

  it("still counts at the very deadline", async () => {
    const society = await openSociety(world, atp(1_000), atp(500));
    await charge(society, "a", atp(100));
    const { id } = await allocateOne(world, work(society.id, "t", { timeoutMs: 1_000 }));
    world.clock.at += 1_000;
    const [outcome] = await world.energy.completeMany([
      { ticketId: id, durationMs: 5_000, qualityBps: 10_000 },
    ]);
    expect(outcome?.ok).toBe(true);
  });

  it("consumes reserved ATP of a lot that spoiled meanwhile, and spoils only what is left over", async () => {
    const society = await openSociety(world, atp(1_000), atp(500));
    await charge(society, "a", atp(1), day);
    const { id, reserved } = await allocateOne(world, work(society.id, "t", { timeoutMs: week }));
    world.clock.at += day + 1;
    const [outcome] = await world.energy.completeMany([
      { ticketId: id, durationMs: 2_500, qualityBps: 10_000 },
    ]);
    const { receipt } = ticketOf(outcome).result ?? {};
    expect(receipt?.atp).toBe(atpPriceUp(1_750_000n, day));
    const swept = await world.energy.expire(100);
    expect(swept.lots.some(({ society: of }) => of === society.id)).toBe(true);
    expect(await world.balance(`expired:${society.id}`, "ATP")).toBe(atp(1) - (receipt?.atp ?? 0n));
    expect(reserved).toBe(atpPriceUp(3_500_000n, day));
    await requireWholeBooks(world, society);
  });

  it("writes nothing of a ticket whose worker the ledger refuses, and all of the others", async () => {
    const society = await openSociety(world, atp(1_000), atp(500));
    await charge(society, "a", atp(100));
    const good = await allocateOne(world, work(society.id, "1"));
    const bad = await allocateOne(world, work(society.id, "2", { worker: requester }));
    const seed = await allocateOne(world, work(society.id, "3", { worker: requester }));
    await world.energy.completeMany([{ ticketId: seed.id, durationMs: 5_000, qualityBps: 10_000 }]);
    await world.sql`UPDATE account SET suspended_at = 1 WHERE name = ${workerAccount(requester)}`;
    const outcomes = await world.energy.completeMany(
      [good.id, bad.id].map((ticketId) => ({ ticketId, durationMs: 5_000, qualityBps: 10_000 })),
    );
    await world.sql`UPDATE account SET suspended_at = NULL WHERE name = ${workerAccount(requester)}`;
    expect(outcomes).toMatchObject([{ ok: true }, { ok: false, error: { code: "ACCOUNT_SUSPENDED" } }]);
    expect((await world.energy.tickets([bad.id]))[0]?.state).toBe("allocated");
    await requireWholeBooks(world, society);
  });

  it("carries a thousand tickets in a few commits, so thousands a minute", async () => {
    const society = await openSociety(world, atp(1_000), atp(500));
    await charge(society, "a", atp(500));
    const before = await writesOf(world);
    const tickets = (
      await world.energy.allocateMany(
        Array.from({ length: 1_000 }, (_, index) => work(society.id, `n${index}`)),
      )
    ).map(ticketOf);
    const done = await world.energy.completeMany(
      tickets.map(({ id }) => ({ ticketId: id, durationMs: 5_000, qualityBps: 10_000 })),
    );
    expect(done.every(({ ok }) => ok)).toBe(true);
    // What takes time is a commit, and a batch has few: thousands of tickets a minute on any disk.
    expect((await writesOf(world)) - before).toBeLessThan(20);
    expect((await standing(society.id)).consumed).toBe(5_788_000n);
    await requireWholeBooks(world, society);
  });
});

describe("failing", () => {
  it("returns ATP to its lot, and is answered alike again", async () => {
    const society = await openSociety(world, atp(1_000), atp(500));
    await charge(society, "a", atp(100));
    const { id } = await allocateOne(world, work(society.id, "t"));
    const { ticket } = await world.energy.fail(id, "no GPU");
    expect(ticket).toMatchObject({ state: "failed", reason: "no GPU", resolvedAt: world.clock.at });
    expect(await world.energy.fail(id, "no GPU")).toEqual({ ticket, replayed: true });
    await expect(world.energy.fail(id, "other")).rejects.toMatchObject({ code: "TICKET_CLOSED" });
    expect(await standing(society.id)).toMatchObject({
      adp: atp(900),
      atp: atp(100),
      reserved: 0n,
      consumed: 0n,
    });
    await requireWholeBooks(world, society);
  });

  it("spoils what came back to a lot past its expiry", async () => {
    const society = await openSociety(world, atp(1_000), atp(500));
    await charge(society, "a", atp(1), day);
    const { id, reserved } = await allocateOne(world, work(society.id, "t", { timeoutMs: week }));
    world.clock.at += day + 1;
    await world.energy.fail(id, "too late");
    expect(await world.balance(`expired:${society.id}`, "ATP")).toBe(reserved);
    expect(await standing(society.id)).toMatchObject({ atp: 0n, reserved: 0n, expired: atp(1) });
    await requireWholeBooks(world, society);
  });
});
