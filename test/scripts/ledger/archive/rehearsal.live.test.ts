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
    phaseMs: 300,
    say: () => {},
  });
  const { payments, transfers, paidByChain } = found;
  for (const came of [payments, transfers]) {
    expect(came).toMatchObject({ missing: 0, missingInBackup: 0 });
    expect(came.beforeBackup).toBeGreaterThan(0);
    expect(came.fromArchive).toBeGreaterThan(0);
  }
  expect(payments.fromCallers + paidByChain).toBeGreaterThan(0);
});
