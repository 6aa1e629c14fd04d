import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { toEventSelector } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { migrations } from "#offchain/app/migrations.ts";
import { openDatabase } from "#offchain/platform/database/database.ts";
import { type Migrations, noMigrations } from "#offchain/platform/database/migrations.ts";
import { startTestServer, type TestDatabase, type TestServer } from "../../support/database.ts";
import { describeSchema } from "../../support/schema.ts";

const approvedTopic = toEventSelector("ProposalApproved(bytes32,address)");

let server: TestServer;
let database: TestDatabase;
beforeAll(async () => {
  server = await startTestServer();
  database = await server.create();
});
afterAll(async () => {
  await database.close();
  await server.stop();
});

test("the migrations make the schema that schema.txt shows; a change is reviewed there", async () => {
  await expect(await describeSchema(database.sql)).toMatchFileSnapshot("schema.txt");
});

test("a database from before the first release is refused with what to do", async () => {
  const old = await server.create();
  await old.sql`INSERT INTO migration (name, checksum) VALUES ('0001_ledger.sql', '00')`;
  await expect(openDatabase({ connection: old.connection, migrations: noMigrations })).rejects.toMatchObject({
    name: "MigrationError",
    fault: "unreleased",
    message: expect.stringContaining("move or delete the data folder"),
  });
  await old.close();
});

/** The migrations that had been added when `name` was not yet, in a folder of their own. */
async function migrationsBefore(name: string): Promise<{ folder: string; before: Migrations }> {
  const folder = await mkdtemp(join(tmpdir(), "bursar-migrations-"));
  const order = migrations.order.slice(0, migrations.order.indexOf(name));
  const folders = migrations.folders.map(({ owner }) => ({
    owner,
    folder: pathToFileURL(`${folder}/${owner}/`),
  }));
  for (const { owner, folder: all } of migrations.folders)
    await cp(all, join(folder, owner), {
      recursive: true,
      filter: (file) => !file.endsWith(".sql") || order.includes(`${owner}/${basename(file)}`),
    });
  return { folder, before: { folders, order } };
}

test("a database from before chain runs had their name is carried over with what it holds", async () => {
  const { folder, before } = await migrationsBefore("chain/0002_chain_run.sql");
  const old = await server.create(before);
  await old.sql`
    WITH run AS (
      INSERT INTO chain_epoch (chain_id, genesis_hash, from_block, indexed_to, filter_hash, started_at)
      VALUES (31337, decode(repeat('01', 32), 'hex'), 0, -1, decode(repeat('02', 32), 'hex'), 0) RETURNING id
    )
    INSERT INTO chain_transaction
      (epoch_id, chain_id, sender, key, request_hash, target, value, data, purpose, state, created_at, updated_at)
    SELECT id, 31337, decode(repeat('03', 20), 'hex'), 'k', decode(repeat('04', 32), 'hex'),
           decode(repeat('05', 20), 'hex'), 0, '', 'test', 'epoch_lost', 0, 0 FROM run`;

  const now = await openDatabase({ connection: old.connection, migrations });
  await expect(await describeSchema(now)).toMatchFileSnapshot("schema.txt");
  expect(await now`SELECT state, key FROM chain_transaction JOIN chain_run r ON r.id = run_id`).toEqual([
    { state: "run_lost", key: "k" },
  ]);
  await now.end({ timeoutMs: 5_000 });
  await old.close();
  await rm(folder, { recursive: true });
});

test("proposals from before their facts stood apart keep what was decided and signed", async () => {
  const { folder, before } = await migrationsBefore("treasury/0004_told_by_events.sql");
  const old = await server.create(before);
  await old.sql`
    INSERT INTO proposal (run_id, proposal_id, proposer, nonce, deadline_s, reference, calls, state, opened_at, closed_at, closed_transaction, treasury)
    SELECT 1, decode(repeat(id, 32), 'hex'), decode(repeat('0a', 20), 'hex'), nonce, 9, '', '[]', state, 1,
           CASE WHEN state = 'open' THEN NULL ELSE 5 END, CASE WHEN state = 'open' THEN NULL ELSE decode('cc', 'hex') END,
           decode(repeat('0b', 20), 'hex')
    FROM (VALUES ('01', 1, 'executed'), ('02', 1, 'open'), ('03', 2, 'cancelled'), ('04', 3, 'open')) p (id, nonce, state)`;
  await old.sql`
    INSERT INTO proposal_approval (run_id, proposal_id, owner, signature, approved_at)
    SELECT 1, decode(repeat('04', 32), 'hex'), decode(repeat(owner, 20), 'hex'), signature, 7
    FROM (VALUES ('0c', NULL), ('0d', decode('5151', 'hex'))) a (owner, signature)`;
  await old.sql`
    INSERT INTO chain_block (run_id, sequence, number, hash, parent_hash, block_at, event_count)
    VALUES (1, 1, 1, '', '', 7, 1)`;
  await old.sql`
    INSERT INTO chain_event (run_id, sequence, log_index, transaction_index, transaction_hash, address, topics, data)
    VALUES (1, 1, 0, 0, decode('dd', 'hex'), decode(repeat('0b', 20), 'hex'),
            decode(${approvedTopic.slice(2)} || repeat('04', 32) || repeat('00', 12) || repeat('0c', 20), 'hex'), '')`;
  const now = await openDatabase({ connection: old.connection, migrations });
  expect(
    await now`SELECT nonce::int, substr(encode(executed, 'hex'), 1, 2) AS executed, used_at::int FROM treasury_nonce ORDER BY nonce`,
  ).toEqual([
    { nonce: 1, executed: "01", used_at: 5 },
    { nonce: 2, executed: null, used_at: 5 },
  ]);
  expect(
    await now`SELECT encode(signature, 'hex') AS signature, signed_at::int FROM proposal_signature`,
  ).toEqual([{ signature: "5151", signed_at: 7 }]);
  expect(
    await now`SELECT substr(encode(owner, 'hex'), 1, 2) AS owner, encode(transaction_hash, 'hex') AS by FROM proposal_approval`,
  ).toEqual([{ owner: "0c", by: "dd" }]);
  await now.end({ timeoutMs: 5_000 });
  await old.close();
  await rm(folder, { recursive: true });
});

test("what the last root of credits promised is in no epoch once more", async () => {
  const { folder, before } = await migrationsBefore("payments/0008_credit_epochs.sql");
  const old = await server.create(before);
  const promised = 2n ** 70n + 5n;
  const rows = (amount: bigint) =>
    `${"01".repeat(20)}${amount.toString(16).padStart(24, "0")}${"02".repeat(20)}${"07".padStart(24, "0")}`;
  await old.sql`
    INSERT INTO clearing_payee (run_id, payee, credited, credited_at)
    SELECT 1, decode(repeat(payee, 20), 'hex'), ${(promised + 10n).toString()}::numeric, 0
    FROM unnest(ARRAY['01', '02', '03']) payee`;
  await old.sql`INSERT INTO clearing_credited (run_id, credited) VALUES (1, 1)`;
  await old.sql`
    INSERT INTO clearing_root (run_id, number, state, rows, total, cut_at)
    SELECT 1, number, state, decode(rows, 'hex'), 0, 0 FROM (VALUES
      (1, 'posted', ${rows(1n)}), (2, 'posted', ${rows(promised)}), (3, 'void', ${rows(9n)}), (4, 'cut', ${rows(8n)})
    ) r (number, state, rows)`;
  const now = await openDatabase({ connection: old.connection, migrations });
  expect(
    await now`SELECT encode(payee, 'hex') AS payee, assigned FROM clearing_payee ORDER BY payee`,
  ).toEqual([
    { payee: "01".repeat(20), assigned: promised },
    { payee: "02".repeat(20), assigned: 7n },
    { payee: "03".repeat(20), assigned: 0n },
  ]);
  expect(await now`SELECT waits_since FROM clearing_credited`, "the rest is due").toEqual([
    { waits_since: 0n },
  ]);
  await now.end({ timeoutMs: 5_000 });
  await old.close();
  await rm(folder, { recursive: true });
});

test("rows that said by how much credits rise say totals; of an epoch that was open nothing is sent", async () => {
  const { folder, before } = await migrationsBefore("clearing/0007_totals.sql");
  const old = await server.create(before);
  const payee = (run: number) => old.sql`decode(repeat(${`0${run}`}, 20), 'hex')`;
  // 1: two epochs that stand, a void one between them, a demand of 20, and one of which nothing was sent. 2: half filled.
  // 3: its first call is on its way. 4: its first call failed.
  await old.sql`
    INSERT INTO chain_run (chain_id, genesis_hash, from_block, indexed_to, filter_hash, started_at)
    SELECT chain, decode(repeat('01', 32), 'hex'), 0, -1, decode(repeat('02', 32), 'hex'), 0
    FROM generate_series(1, 4) chain`;
  for (const run of [1, 2, 3, 4])
    await old.sql`
      INSERT INTO clearing_payee (run_id, payee, credited, credited_at, assigned)
      VALUES (${run}, ${payee(run)}, 200, 0, ${run === 1 ? 160 : 10})`;
  await old.sql`INSERT INTO clearing_credited (run_id, credited) SELECT run, 200 FROM generate_series(1, 4) run`;
  await old.sql`
    INSERT INTO clearing_demand (run_id, block_hash, log_index, block_number, payee, amount, number, taken)
    VALUES (1, '', 1, 1, ${payee(1)}, 25, 1, 5)`;
  for (const [id, run, state] of [
    [73, 3, "prepared"],
    [74, 4, "failed"],
  ] as const)
    await old.sql`
      INSERT INTO chain_transaction
        (id, run_id, chain_id, sender, key, request_hash, target, value, data, purpose, state, created_at, updated_at)
      OVERRIDING SYSTEM VALUE
      VALUES (${id}, ${run}, 31337, decode(repeat('0a', 20), 'hex'), ${state}, decode(repeat('0b', 32), 'hex'),
        decode(repeat('0c', 20), 'hex'), 0, '', 'clearing.epoch', ${state}, 0, 0)`;
  await old.sql`
    INSERT INTO clearing_epoch (run_id, number, payees, total, cut_at, sealed_at, is_void, transaction_id, attempts, call_to)
    VALUES (1, 1, 1, 100, 0, 1, false, 71, 1, 1), (1, 2, 1, 50, 0, 1, true, 71, 1, 1), (1, 3, 1, 30, 0, 1, false, 71, 1, 1),
      (1, 4, 1, 10, 0, NULL, false, NULL, 0, 0), (2, 1, 2, 10, 0, NULL, false, 72, 1, 1),
      (3, 1, 1, 10, 0, NULL, false, 73, 1, 1), (4, 1, 1, 10, 0, NULL, false, 74, 1, 1)`;
  await old.sql`INSERT INTO clearing_fill (run_id, number, rows, total) VALUES (1, 1, 1, 100), (2, 1, 1, 10)`;
  for (const [run, number, amount, place] of [
    [1, 1, 100, 0],
    [1, 2, 50, 0],
    [1, 3, 30, 0],
    [1, 4, 10, null],
    [2, 1, 10, 0],
    [3, 1, 10, 0],
    [4, 1, 10, 0],
  ] as const)
    await old.sql`
      INSERT INTO clearing_row (run_id, number, payee, amount, place)
      VALUES (${run}, ${number}, ${payee(run)}, ${amount}, ${place})`;
  const now = await openDatabase({ connection: old.connection, migrations });
  expect(
    await now`SELECT run_id::int AS run, assigned::int, demands FROM clearing_payee ORDER BY run_id`,
    "what no epoch that stands has is due again",
  ).toEqual([
    { run: 1, assigned: 130, demands: 1 },
    { run: 2, assigned: 0, demands: 0 },
    { run: 3, assigned: 0, demands: 0 },
    { run: 4, assigned: 0, demands: 0 },
  ]);
  expect(await now`SELECT run_id::int AS run, number, total::int FROM clearing_row ORDER BY number`).toEqual([
    { run: 1, number: 1, total: 100 },
    { run: 1, number: 2, total: 100 },
    { run: 1, number: 3, total: 130 },
  ]);
  expect(
    await now`
      SELECT run_id::int AS run, number FROM clearing_epoch WHERE payees IS NULL OR (run_id, number) = (1, 4) ORDER BY run_id`,
    "whose rows are not known any more: nothing is sent before they are void",
  ).toEqual([
    { run: 2, number: 1 },
    { run: 3, number: 1 },
  ]);
  expect(await now`SELECT DISTINCT waits_since::int AS since FROM clearing_credited`).toEqual([{ since: 0 }]);
  await now.end({ timeoutMs: 5_000 });
  await old.close();
  await rm(folder, { recursive: true });
});

test("a migration that was edited after it was applied is refused", async () => {
  const edited = await server.create();
  await edited.sql`UPDATE migration SET checksum = '00' WHERE name = 'ledger/0001_ledger.sql'`;
  const ledger = new URL("../../../../offchain/features/ledger/migrations/", import.meta.url);
  const again = openDatabase({
    connection: edited.connection,
    migrations: { folders: [{ owner: "ledger", folder: ledger }], order: [] },
  });
  await expect(again).rejects.toMatchObject({ name: "MigrationError", fault: "changed" });
  await edited.close();
});
