import { expect, test } from "vitest";
import { ledger } from "#offchain/features/ledger/feature.ts";

test("holds expire in a job of their own, which nobody's schedules can keep busy", async () => {
  const context = { settings: { tickMs: 10, keyRetentionMs: 1, schedulesMax: 1 } };
  const { jobs = [] } = await ledger.open(context as Parameters<typeof ledger.open>[0], {});
  expect(jobs.map(({ name, everyMs }) => [name, everyMs])).toEqual([
    ["expire holds", 10],
    ["run schedules", 10],
    ["forget keys", 3_600_000],
  ]);
});
