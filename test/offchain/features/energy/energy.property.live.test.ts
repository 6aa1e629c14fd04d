import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { BursarError } from "#offchain/core/error.ts";
import {
  atp,
  day,
  type EnergyWorld,
  gridProof,
  openEnergyWorld,
  openSociety,
  requireWholeBooks,
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

const verbs = [
  "charge",
  "charge",
  "allocate",
  "allocate",
  "allocate",
  "complete",
  "complete",
  "fail",
  "wait",
  "prove",
  "expire",
];
const step = fc.record({
  verb: fc.constantFrom(...verbs),
  size: fc.integer({ min: 1, max: 1_000 }),
  pick: fc.nat(999),
});

it("keeps the books whole through random work", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 60, maxLength: 60 }), async (steps) => {
      const society = await openSociety(world, atp(1_000), atp(500));
      const tickets: string[] = [];
      for (const [index, { verb, size, pick }] of steps.entries()) {
        const ticketId = tickets[pick % Math.max(tickets.length, 1)];
        try {
          if (verb === "charge")
            await world.energy.charge({
              key: `c${index}`,
              society: society.id,
              sourceId: society.source,
              amount: BigInt(size) * 300_001n,
              lifetimeMs: 1 + pick * 600_000,
            });
          if (verb === "allocate") {
            const [outcome] = await world.energy.allocateMany([
              work(society.id, `t${index}`, { durationMs: size * 90_001, timeoutMs: 1 + pick * 200_000 }),
            ]);
            if (outcome?.ok) tickets.push(outcome.ticket.id);
          }
          if (verb === "complete" && ticketId)
            await world.energy.completeMany([{ ticketId, durationMs: size * 90_007, qualityBps: pick * 10 }]);
          if (verb === "fail" && ticketId) await world.energy.fail(ticketId, "random");
          if (verb === "wait") world.clock.at += (pick * day) / 250;
          if (verb === "prove")
            await world.energy.register(
              society.id,
              gridProof(`meter-${society.id}`, atp(size), world.clock.at),
            );
          if (verb === "expire") await world.energy.expire(1 + (pick % 20));
        } catch (error) {
          if (!(error instanceof BursarError)) throw error;
        }
        if (index % 10 === 9) await requireWholeBooks(world, society);
      }
      world.clock.at += week;
      while (!(await world.energy.expire(50)).isDone);
      await requireWholeBooks(world, society);
      expect((await world.energy.pools({ society: society.id, limit: 1 }))[0]).toMatchObject({
        atp: 0n,
        reserved: 0n,
        lots: [],
      });
    }),
    { numRuns: 15 },
  );
});
