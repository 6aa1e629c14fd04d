import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { settleAndCount } from "../../scripts/stack/once.ts";
import { startProgram } from "../../scripts/stack/process.ts";
import { chance } from "./support/chance.ts";
import { chainId, startTestStack, type TestStack } from "./support/stack.ts";

const root = join(import.meta.dirname, "../..");
const payments = 2_000;
const kills = 10;

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack();
}, 240_000);

afterAll(() => stack?.stop());

/** The demo economy in its own process; `reached(n)` resolves once it has made n payments, or has ended. */
function startDemo(seed: number) {
  let count = 0;
  let waiting: { count: number; done: () => void }[] = [];
  const demo = startProgram({
    name: "demo economy",
    command: process.execPath,
    args: [
      join(root, "offchain/demo/main.ts"),
      ...["--api", stack.apiUrl, "--rpc", stack.rpcUrl, "--data", join(stack.dataDir, "demo")],
      ...["--seed", String(seed), "--payments", String(payments), "--once", "--approve"],
    ],
    logFile: join(stack.dataDir, "logs/demo.log"),
    onLine(line) {
      const said = JSON.parse(line) as { payments?: number };
      count = said.payments ?? count;
      for (const one of waiting) if (count >= one.count) one.done();
      waiting = waiting.filter((one) => count < one.count);
    },
  });
  return {
    exited: demo.exited,
    reached: (wanted: number) =>
      Promise.race([
        demo.exited,
        new Promise<void>((done) => {
          if (count >= wanted) done();
          else waiting.push({ count: wanted, done });
        }),
      ]),
  };
}

describe("a service that is killed ten times while agents pay", () => {
  test("loses nothing and pays nothing twice", { timeout: 600_000 }, async () => {
    const random = chance();
    const demo = startDemo(7);
    for (let kill = 0; kill < kills; kill += 1) {
      // Where in its work the service is when it dies differs from run to run; the demo's pace decides.
      await demo.reached(Math.floor(((kill + 0.2 + random.below(600) / 1_000) * payments) / kills));
      await stack.killService();
      await stack.startService();
    }
    expect(await demo.exited).toBe(0);
    const summary = await settleAndCount(stack.apiUrl, chainId);
    expect(summary).toMatchObject({
      payments,
      settledOnChain: payments,
      payers: 8,
      payees: 8,
      ledgerBalanced: true,
      chainMatchesLedger: true,
    });
    expect(summary.proposalsOpened).toBeGreaterThan(0);
    expect(summary.proposalsExecuted).toBe(summary.proposalsOpened);
    const { items } = await stack.client.payments.list({ limit: 200 });
    expect(items.every(({ carbon, energy }) => carbon !== null && energy !== null)).toBe(true);
  });
});

// Two whole services, one after the other: on a machine under load that takes minutes.
test("a second start on a new chain goes on with the books, and writes off what the old chain held", {
  timeout: 600_000,
}, async () => {
  const quiet = {
    BURSAR_BATCH_SIZE: "1000",
    BURSAR_BATCH_MAX_DELAY_MS: "600000",
    BURSAR_BATCH_MIN_AMOUNT: "1000",
  };
  const first = await startTestStack(quiet, { isKept: true });
  const [payer, payee] = [first.agent(4), first.agent(5)];
  await payer.register("Payer", "buyer");
  await payee.register("Payee", "seller");
  const channel = await payer.openChannel({ payee: payee.address, deposit: "5" });
  const { paymentId } = await channel.pay({ key: "unsettled", amount: "0.5" });
  await first.stop();

  const second = await startTestStack(quiet, { dataDir: first.dataDir });
  try {
    expect(await second.client.ledger.reconcile()).toMatchObject({
      ledgerBalanced: true,
      chainMatchesLedger: true,
      channels: 0,
      held: { chain: { amount: "0" }, ledger: { amount: "0" } },
    });
    expect(await second.client.payments.receipt({ paymentId })).toMatchObject({ state: "lost" });
    expect((await second.client.overview.show()).payments).toMatchObject({
      total: 0,
      pending: 0,
      settled: 0,
      value: { amount: "0", unit: "USDC" },
      payers: 0,
      payees: 0,
    });
    expect((await second.client.channels.list({ payer: payer.address })).items, "none is open").toEqual([]);
    const { chain } = await second.client.overview.show();
    expect(chain).toMatchObject({ state: "live", progress: { share: 1, etaMs: 0 } });
    const figures = await (await fetch(`${second.apiUrl}/metrics`)).text();
    expect(figures).toMatch(/^bursar_indexer_progress_ratio\{chain="31337"\} 1$/m);
    expect(figures).toMatch(/^bursar_indexer_eta_seconds\{chain="31337"\} 0$/m);
    expect((await second.client.agents.list()).items.map(({ name }) => name)).toEqual(["Payer", "Payee"]);
  } finally {
    await second.stop();
  }
});
