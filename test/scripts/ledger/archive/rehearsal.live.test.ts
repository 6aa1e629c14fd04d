import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { rehearse } from "../../../../scripts/ledger/archive/rehearsal.ts";
import { startTestStack, type TestStack } from "../../../offchain/support/stack.ts";

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack({ BURSAR_BATCH_SIZE: "100", BURSAR_BATCH_MIN_AMOUNT: "0.00005" });
}, 240_000);
afterAll(() => stack?.stop());

test("a service that is lost under load comes back from backup, archive and payers, and nothing acknowledged is missing", async () => {
  const found = await rehearse({
    stack,
    folder: join(stack.dataDir, "restored"),
    channels: 3,
    phaseMs: 500,
    say: () => {},
  });
  expect(found).toMatchObject({ missing: 0, missingInBackup: 0 });
  expect(found.beforeBackup).toBeGreaterThan(0);
  expect(found.fromArchive).toBeGreaterThan(0);
  expect(found.fromPayers + found.paidByChain).toBeGreaterThan(0);
  expect(found.fromBackup + found.fromArchive + found.fromPayers + found.paidByChain).toBe(
    found.acknowledged,
  );
});
