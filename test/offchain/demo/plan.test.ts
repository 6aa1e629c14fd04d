import { expect, it } from "vitest";
import { cast, partnersOf } from "#offchain/demo/cast.ts";
import { approvalAboveUsdc, askAt, stepAt } from "#offchain/demo/plan.ts";
import { createRandom } from "#offchain/demo/random.ts";

const steps = (seed: number, count: number) =>
  Array.from({ length: count }, (_, index) => stepAt(seed, index));

it("is the same for the same seed, from any step on", () => {
  expect(steps(7, 50)).toEqual(steps(7, 50));
  expect(stepAt(7, 41)).toEqual(steps(7, 50)[41]);
});

it("is another for another seed", () => {
  expect(steps(7, 50)).not.toEqual(steps(8, 50));
});

it("does not change between versions: these are the first steps of seed 1", () => {
  expect(steps(1, 4)).toMatchInlineSnapshot(`
    [
      {
        "amount": "0.0006",
        "durationMs": 160,
        "index": 0,
        "payee": 7,
        "payer": 6,
        "skill": "code",
        "units": 1,
      },
      {
        "amount": "0.0002",
        "durationMs": 80,
        "index": 1,
        "payee": 3,
        "payer": 0,
        "skill": "data",
        "units": 2,
      },
      {
        "amount": "0.0015",
        "durationMs": 600,
        "index": 2,
        "payee": 0,
        "payer": 7,
        "skill": "research",
        "units": 5,
      },
      {
        "amount": "0.0018",
        "durationMs": 900,
        "index": 3,
        "payee": 1,
        "payer": 6,
        "skill": "image",
        "units": 2,
      },
    ]
  `);
});

it("buys only over the open channels, from everybody, for less than a cent", () => {
  const all = steps(1, 2_000);
  for (const { payer, payee } of all) expect(partnersOf(payer)).toContain(payee);
  expect(new Set(all.map(({ payer }) => payer)).size).toBe(cast.length);
  expect(new Set(all.map(({ payee }) => payee)).size).toBe(cast.length);
  expect(Math.max(...all.map(({ amount }) => Number(amount)))).toBeLessThan(0.01);
});

it("pays nobody itself", () => {
  for (const payer of cast.keys()) expect(partnersOf(payer)).not.toContain(payer);
});

it("asks the Treasury for more than the limit now and then, and less and less often", () => {
  const large = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, at) => askAt(1, from + at)).filter(
      (ask) => ask && Number(ask.amount) > approvalAboveUsdc,
    ).length;
  expect([large(0, 2_000), large(2_000, 10_000)]).toEqual([5, 2]);
});

it("draws numbers evenly below the bound", () => {
  const counts = new Array<number>(8).fill(0);
  for (let stream = 0; stream < 8_000; stream += 1) {
    const drawn = createRandom(1, stream).below(8);
    counts[drawn] = (counts[drawn] ?? 0) + 1;
  }
  for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(150);
});
