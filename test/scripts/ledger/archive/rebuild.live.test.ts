import { randomUUID } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Sql } from "#offchain/platform/database/database.ts";
import { noMigrations } from "#offchain/platform/database/migrations.ts";
import { createClient } from "#offchain/sdk/client.ts";
import { signRequests } from "#offchain/sdk/http/request.ts";
import { type Opened, openPlace } from "../../../../scripts/ledger/archive/database.ts";
import {
  account,
  chainId,
  startSecondService,
  startTestStack,
  type TestStack,
  testChain,
  until,
} from "../../../offchain/support/stack.ts";
import { command, root, run } from "./commands.ts";

const [payer, payee] = [account(4), account(5)];

let stack: TestStack;
let running: Opened;
let folder: string;
/** Rebuilt while one payment was not settled and one ticket was not completed. */
let rebuilt: string;

beforeAll(async () => {
  stack = await startTestStack({
    BURSAR_BATCH_SIZE: "1000",
    BURSAR_BATCH_MAX_DELAY_MS: "600000",
    BURSAR_BATCH_MIN_AMOUNT: "1",
    BURSAR_CLEARING_EPOCH_EVERY_MS: "1000",
  });
  running = await openPlace(stack.dataDir, noMigrations);
  folder = join(stack.dataDir, "archive");
}, 240_000);

afterAll(async () => {
  await running?.close();
  await stack?.stop();
});

/** A new database on the stack's own server, by its address. */
async function emptyDatabase(): Promise<string> {
  const name = `rebuilt_${randomUUID().slice(0, 8)}`;
  await running.sql`CREATE DATABASE ${running.sql(name)}`;
  const { host, port, username } = running.connection as { host: string; port: number; username: string };
  return `postgres://${username}@localhost/${name}?host=${encodeURIComponent(host)}&port=${port}`;
}

const archive = () => command("archive", ["--to", folder, "--data", stack.dataDir]);
const rebuild = (database: string, ...more: string[]) =>
  command("rebuild", ["--database", database, "--rpc", stack.rpcUrl, "--archive", folder, ...more]);

/** Nothing is under way any more: what is compared stands still. */
async function settled(sql: Sql): Promise<void> {
  const chain = testChain(stack);
  await chain.mine({ blocks: 2 });
  await until(
    async () => {
      const [open] = await sql<{ batches: number; transactions: number; epochs: number; behind: number }[]>`
        SELECT (SELECT count(*)::int FROM batch WHERE state IN ('closed', 'submitted')) AS batches,
               (SELECT count(*)::int FROM chain_transaction WHERE state NOT IN ('mined', 'failed')) AS transactions,
               (SELECT count(*)::int FROM clearing_epoch WHERE sealed_at IS NULL)
                 -- The first one comes at once, the next one a day after it.
                 + (SELECT 1 - least(count(*), 1)::int FROM clearing_epoch) AS epochs,
               (SELECT (${Number(await chain.getBlockNumber())} - indexed_to)::int FROM chain_run WHERE ended_at IS NULL) AS behind`;
      return open;
    },
    (open) => open !== undefined && Object.values(open).every((count) => count === 0),
  );
}

/** Money of every kind that only the service knows. */
async function moveOnTheLedger(): Promise<void> {
  const [one, other] = [stack.agent(4).client, stack.agent(5).client];
  const { ledger } = stack.operator;
  for (const { address } of [payer, payee])
    await ledger.issue({ key: `issue-${address}`, to: address, unit: "USDC", amount: "100" });
  const movement = (amount: string) =>
    ({ key: randomUUID(), to: payee.address, unit: "USDC", amount }) as const;
  await ledger.setFees({ unit: "USDC", fixed: "0.01", rateBps: 100 });
  const moved = await one.ledger.transfer({ ...movement("10"), memo: "a line\u2028separator" });
  await other.ledger.reverse({ transferId: moved.id, key: "back", amount: "4" });
  const [posted, voided] = [await one.ledger.hold(movement("5")), await one.ledger.hold(movement("6"))];
  await one.ledger.post({ transferId: posted.id, key: "post", amount: "3" });
  await one.ledger.void({ transferId: voided.id, key: "void" });
  await one.ledger.hold({ ...movement("7"), expiresAt: Date.now() + 3_600_000 });
  await one.ledger.schedule({
    ...movement("1"),
    startsAt: Date.now() + 3_600_000,
    everyMs: 3_600_000,
    runsMax: 3,
  });
  await ledger.setLimits({ account: payer.address, unit: "USDC", daily: "1000" });
}

async function work(): Promise<string> {
  const { energy } = stack.operator;
  await energy.issue({ key: "adp", society: "grid", adp: "100000" });
  const proof = {
    kind: "solar",
    method: "declared",
    provenAt: Date.now(),
    serial: "ROOF",
    ratedWatts: "5000",
    degradationBps: 9_500,
  } as const;
  await energy.source({ society: "grid", proof });
  await energy.charge({ key: "lot", society: "grid", source: "solar:ROOF", atp: "1000" });
  const terms = {
    society: "grid",
    worker: payee.address,
    computeType: "T4",
    durationMs: 1_000,
    region: "nordic",
  } as const;
  await energy.allocate({ key: "waiting", ...terms });
  const ticket = await energy.allocate({ key: "done", ...terms });
  await energy.complete({ ticketId: ticket.id, durationMs: 900 });
  return ticket.id;
}

test("a database made of the chain and of two archives has the running one's rows", async () => {
  for (const [index, name] of [
    [4, "Payer"],
    [5, "Payee"],
  ] as const)
    await stack.agent(index).register(name, "trader");
  await moveOnTheLedger();
  const ticketId = await work();
  const direct = await stack.agent(4).openChannel({ payee: payee.address, deposit: "5" });
  const cleared = await stack.agent(4).openChannel({ deposit: "5" });
  for (const key of ["one", "two"]) {
    await direct.pay({ key, amount: "0.5", reference: `for ${key}` });
    await cleared.pay({ key, amount: "1", payee: payee.address });
  }
  await direct.pay({ key: "work", amount: "0.1", ticketId });
  expect(await archive()).toMatchObject({ code: 0, text: expect.stringContaining("5 payments") });

  await stack.operator.batches.flush();
  await settled(running.sql);
  await direct.pay({ key: "later", amount: "0.75" });
  await cleared.pay({ key: "later", amount: "1", payee: payee.address });
  await stack.operator.batches.flush();
  await settled(running.sql);
  await direct.pay({ key: "unsettled", amount: "0.5" });
  await stack.operator.solvency.take({});
  expect(await archive()).toMatchObject({ code: 0, text: expect.stringContaining("3 payments") });

  rebuilt = await emptyDatabase();
  const made = await rebuild(rebuilt, "--compare", stack.dataDir);
  expect(made.text).toContain("8 payments");
  expect(made.text).toContain("; 0 differ");
  expect(made.code).toBe(0);

  const again = await rebuild(rebuilt);
  expect(again).toMatchObject({ code: 1, text: expect.stringContaining("the database is not empty") });

  await direct.pay({ key: "after", amount: "0.5" });
  const older = await rebuild(await emptyDatabase(), "--compare", stack.dataDir);
  expect(older.code).toBe(1);
  expect(older.text).toMatch(/^payment 9\n {2}rebuilt \(none\)/m);
});

test("the page's own lines of code verify the archive without Bursar", async () => {
  const page = await readFile(join(root, "docs/archive.md"), "utf8");
  const [, recipe = ""] = /^```ts\n([\s\S]*?)^```$/m.exec(page) ?? [];
  const file = join(stack.dataDir, "verify.ts");
  await writeFile(file, recipe);
  const said = await run(file, [folder]);
  expect(said).toMatchObject({ code: 0, text: "the archive is whole, and 8 vouchers are signed\n" });
});

test("an archive in which one byte was changed is not restored", async () => {
  const { journal } = JSON.parse(await readFile(join(folder, "head.json"), "utf8")) as {
    journal: { files: string[] };
  };
  const file = join(folder, journal.files[0] ?? "");
  const whole = await readFile(file, "utf8");
  await writeFile(file, whole.replace('"for one"', '"for two"'));
  const refused = await rebuild(await emptyDatabase());
  const seen = await run(join(stack.dataDir, "verify.ts"), [folder]);
  await writeFile(file, whole);
  expect(seen).toMatchObject({ code: 1, text: expect.stringContaining("is not whole before") });
  expect(refused).toMatchObject({
    code: 1,
    text: expect.stringContaining("does not continue the line before it"),
  });
});

test("the service goes on with a rebuilt database: it settles what waited, and the books agree with the chain", async () => {
  await stack.killService();
  const service = await startSecondService(stack, { DATABASE_URL: rebuilt });
  try {
    const client = createClient({ url: service.url, authorize: signRequests(account(0), chainId) });
    const { batchId } = await client.batches.flush();
    await until(
      () => client.batches.show({ batchId: batchId ?? "" }),
      ({ state }) => state === "settled",
    );
    const waiting = await client.energy.allocate({
      key: "waiting",
      society: "grid",
      worker: payee.address,
      computeType: "T4",
      durationMs: 1_000,
      region: "nordic",
    });
    expect(await client.energy.complete({ ticketId: waiting.id, durationMs: 500 })).toMatchObject({
      state: "completed",
    });
    await until(
      () => client.ledger.reconcile(),
      ({ ledgerBalanced, chainMatchesLedger }) => ledgerBalanced && chainMatchesLedger,
    );
  } finally {
    await service.stop();
  }
});
