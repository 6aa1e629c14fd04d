import { privateKeyToAccount } from "viem/accounts";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type AnchorOptions, anchorHeads, openAnchors } from "#offchain/features/anchors/anchors.ts";
import { listAnchors } from "#offchain/features/anchors/store.ts";
import { type AnchorsToVerify, verifyAnchors } from "#offchain/features/anchors/verification.ts";
import { openLedger } from "#offchain/features/ledger/ledger.ts";
import { verifyJournal } from "#offchain/features/ledger/store/verify.ts";
import { privateKeyToSigner } from "#offchain/platform/chain/signatures/signer.ts";
import { bytesOf } from "#offchain/platform/database/bytes.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { hex } from "../../support/books.ts";
import { startTestServer, type TestDatabase, type TestServer } from "../../support/database.ts";

const chainId = 31_337;
const address = hex(20);
const key = hex(32);
const operator = privateKeyToAccount(key).address;
const everyMs = 1_000;
const clock = { at: 0, now: () => clock.at };

let server: TestServer;
let database: TestDatabase;
let runId: bigint;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  clock.at = 1_000_000;
  database = await server.create();
  runId = await begin(database.sql);
});
afterEach(() => database.close());

async function begin(sql: Sql): Promise<bigint> {
  const [run] = await sql<{ id: bigint }[]>`
    INSERT INTO chain_run (chain_id, genesis_hash, from_block, indexed_to, filter_hash, started_at)
    VALUES (${chainId}, ${bytesOf(hex(32))}, 0, 0, ${bytesOf(hex(32))}, 0) RETURNING id`;
  return run?.id ?? 0n;
}

/** What was handed to the sender, by key. */
let sent: Map<string, string>;

/** Writes a little into each of two units, a hold and a rule, and lets the time pass in which an anchor is due. */
async function write(sql: Sql, day: number, amount = 5n, by = key): Promise<void> {
  const ledger = openLedger(sql, clock);
  const [debit, credit] = ["issuer:test", "agent:a"] as const;
  for (const unit of ["USDC", "ETH"] as const)
    await ledger.submit([{ kind: "transfer", key: `${unit}${day}`, debit, credit, unit, amount }]);
  const held = { debit: credit, credit: "agent:b", unit: "USDC", amount: 1n } as const;
  await ledger.submit([{ kind: "hold", key: `hold ${day}`, ...held }]);
  await ledger.setLimits("agent:a", "USDC", { daily: 1_000n + BigInt(day) });
  await anchor(sql, by);
}

/** Lets the time pass in which an anchor is due; the chain anchors what is sent. */
async function anchor(sql: Sql, by = key): Promise<void> {
  clock.at += everyMs;
  sent = new Map();
  const options = {
    sql,
    clock,
    ledger: openLedger(sql, clock),
    sender: {
      enqueue: async (request: { key: string; data: string }) => {
        sent.set(request.key, request.data);
        return 1n;
      },
    } as unknown as AnchorOptions["sender"],
    signer: privateKeyToSigner(by),
    address,
    chainId,
    runId: () => runId,
    everyMs,
  };
  await anchorHeads(options);
  await sql`
    UPDATE ledger_anchor SET anchored_root = root, anchored_at = ${clock.at}, transaction_hash = ${bytesOf(hex(32))}
    WHERE run_id = ${runId} AND anchored_root IS NULL`;
}

const verify = (sql: Sql, onChain?: AnchorsToVerify["onChain"], operators?: AnchorsToVerify["operators"]) =>
  verifyAnchors({
    sql,
    ledger: openLedger(sql, clock),
    addressOn: () => address,
    ...(onChain && { onChain }),
    ...(operators && { operators }),
  });

async function chainOf(sql: Sql): Promise<NonNullable<AnchorsToVerify["onChain"]>> {
  const stored = await listAnchors(sql, runId, { limit: 100 });
  const anchors = stored
    .toReversed()
    .flatMap(({ anchored }) => (anchored ? [{ root: anchored.root, count: 3 }] : []));
  return { chainId, anchors };
}

/** Changes what the triggers forbid, as somebody with the database's own rights could. */
const tamper = (statement: string) =>
  database.sql.begin(async (tx) => {
    await tx`SET LOCAL session_replication_role = replica`;
    await tx.unsafe(statement);
  });

/** Another past, whole in itself: written by the ledger's own code, in its place. */
async function rewrite(by: `0x${string}`): Promise<TestDatabase> {
  const other = await server.create();
  clock.at = 1_000_000;
  const before = runId;
  runId = await begin(other.sql);
  for (const day of [1, 2, 3]) await write(other.sql, day, day === 2 ? 500n : 5n, by);
  expect((await verifyJournal(other.sql)).broken).toBeNull();
  expect(runId).toBe(before);
  return other;
}

test("what was written since is signed once in a while, and nothing while nothing is written", async () => {
  await write(database.sql, 1);
  expect([...sent.keys()]).toHaveLength(1);
  const [first] = await listAnchors(database.sql, runId, { limit: 9 });
  expect(first).toMatchObject({ epoch: 0n, signed: { signedBy: operator } });
  expect(first?.signed?.heads).toMatchObject([
    { unit: "ETH", height: 1, openings: 0 },
    { unit: "USDC", height: 1, openings: 1 },
    { unit: "rules", openings: 0 },
  ]);
  await anchor(database.sql);
  expect([...sent.keys()]).toHaveLength(0);
  await write(database.sql, 2);
  expect(await listAnchors(database.sql, runId, { limit: 9 })).toHaveLength(2);
  expect(await verify(database.sql, await chainOf(database.sql))).toEqual({
    anchors: 2,
    signers: [operator],
    onChain: 2,
    broken: null,
  });
});

test("heads whose number the chain gave to another root are signed again under the next, though nothing was written", async () => {
  await write(database.sql, 1);
  await database.sql`UPDATE ledger_anchor SET anchored_root = ${bytesOf(hex(32))}`;
  await anchor(database.sql);
  const [newest, taken] = await listAnchors(database.sql, runId, { limit: 9 });
  expect(newest).toMatchObject({ epoch: 1n, signed: { root: taken?.signed?.root } });
  await anchor(database.sql);
  expect(sent.size).toBe(0);
});

test.each([
  [
    "its heads, edited",
    `UPDATE ledger_anchor SET heads = jsonb_set(heads, '{0,height}', '9') WHERE epoch = 1`,
    1n,
    "root",
    null,
  ],
  ["its heads, none any more", "UPDATE ledger_anchor SET heads = '[]' WHERE epoch = 1", 1n, "root", null],
  ["its heads, no list", "UPDATE ledger_anchor SET heads = '{}' WHERE epoch = 1", 1n, "root", null],
  ["its heads, without names", "UPDATE ledger_anchor SET heads = '[{}]' WHERE epoch = 1", 1n, "root", null],
  ["its heads, nothing", "UPDATE ledger_anchor SET heads = '[null]' WHERE epoch = 1", 1n, "root", null],
  [
    "its root, edited",
    "UPDATE ledger_anchor SET root = decode(repeat('ab', 32), 'hex') WHERE epoch = 1",
    1n,
    "root",
    null,
  ],
  [
    "its signature, edited",
    "UPDATE ledger_anchor SET taken_at = taken_at + 1 WHERE epoch = 0",
    0n,
    "signature",
    null,
  ],
  [
    "another signer",
    "UPDATE ledger_anchor SET signed_by = decode(repeat('ab', 20), 'hex') WHERE epoch = 0",
    0n,
    "signature",
    null,
  ],
  [
    "an entry of before, edited with its hash",
    "UPDATE journal SET hash = sha256('x') WHERE unit = 'ETH' AND height = 1",
    0n,
    "journal",
    "ETH",
  ],
  [
    "the end of a journal, cut off",
    "DELETE FROM journal WHERE unit = 'ETH' AND height > 2",
    2n,
    "journal",
    "ETH",
  ],
  [
    "a hold, edited with its hash",
    "UPDATE transfer SET hash = sha256('x') WHERE hash IS NOT NULL AND key = 'hold 2'",
    1n,
    "journal",
    "USDC",
  ],
  ["the newest hold, removed", "DELETE FROM transfer WHERE key = 'hold 3'", 2n, "journal", "USDC"],
  [
    "a rule, edited with its hash",
    "UPDATE ledger_rule SET hash = sha256('x') WHERE number = 7",
    1n,
    "journal",
    "rules",
  ],
] as const)("%s: found", async (_, statement, epoch, why, unit) => {
  for (const day of [1, 2, 3]) await write(database.sql, day);
  expect((await verify(database.sql)).broken).toBeNull();
  await tamper(statement);
  expect((await verify(database.sql)).broken).toEqual({ epoch, why, unit });
});

test("a past that was rewritten whole, hashes and heads with it, is not the one that was signed", async () => {
  for (const day of [1, 2, 3]) await write(database.sql, day);
  const signed = await database.sql<
    { row: string }[]
  >`SELECT to_jsonb(a)::text AS row FROM ledger_anchor a ORDER BY epoch`;
  const other = await rewrite(key);
  try {
    await other.sql.begin(async (tx) => {
      await tx`SET LOCAL session_replication_role = replica`;
      await tx`DELETE FROM ledger_anchor`;
      for (const { row } of signed)
        await tx`INSERT INTO ledger_anchor SELECT * FROM jsonb_populate_record(NULL::ledger_anchor, ${row}::jsonb)`;
    });
    expect((await verify(other.sql)).broken).toEqual({ epoch: 1n, why: "journal", unit: "ETH" });
  } finally {
    await other.close();
  }
});

test("whoever signs another past with a key of their own is named; with the operator's own, the chain says otherwise", async () => {
  for (const day of [1, 2, 3]) await write(database.sql, day);
  const chain = await chainOf(database.sql);
  const strangerKey = hex(32);
  const byStranger = await rewrite(strangerKey);
  const byOperator = await rewrite(key);
  try {
    expect(await verify(byStranger.sql)).toMatchObject({
      signers: [privateKeyToAccount(strangerKey).address],
      broken: null,
    });
    const bySigner = await verify(byStranger.sql, undefined, [operator]);
    expect(bySigner.broken).toEqual({ epoch: 0n, why: "signer", unit: null });
    const lowerCase = operator.toLowerCase() as `0x${string}`;
    expect((await verify(byOperator.sql, undefined, [lowerCase])).broken).toBeNull();
    expect((await verify(byStranger.sql, chain)).broken).toMatchObject({ why: "chain" });
    expect((await verify(byOperator.sql)).broken).toBeNull();
    expect((await verify(byOperator.sql, chain)).broken).toEqual({ epoch: 1n, why: "chain", unit: null });
  } finally {
    await byStranger.close();
    await byOperator.close();
  }
});

test("anchors that were taken out of the database are missed by the chain", async () => {
  for (const day of [1, 2]) await write(database.sql, day);
  const chain = await chainOf(database.sql);
  await tamper("DELETE FROM ledger_anchor WHERE epoch = 1");
  expect((await verify(database.sql)).broken).toBeNull();
  expect((await verify(database.sql, chain)).broken).toEqual({ epoch: 1n, why: "unknown", unit: null });
});

test("heads that the chain lacks are missed, but for the newest, which may be on their way", async () => {
  for (const day of [1, 2, 3]) await write(database.sql, day);
  const { anchors } = await chainOf(database.sql);
  const having = (count: number) => verify(database.sql, { chainId, anchors: anchors.slice(0, count) });
  expect(await having(2)).toMatchObject({ anchors: 3, onChain: 2, broken: null });
  expect(await having(1)).toMatchObject({ onChain: 1, broken: { epoch: 1n, why: "missing" } });
  expect(await having(0)).toMatchObject({ onChain: 0, broken: { epoch: 0n, why: "missing" } });
  expect(await verify(database.sql, { chainId: 1, anchors: [] })).toMatchObject({ anchors: 3, onChain: 0 });
});

test("without the database's own rights nobody changes or removes what was signed", async () => {
  await write(database.sql, 1);
  for (const statement of [
    "UPDATE ledger_anchor SET taken_at = 1",
    "DELETE FROM ledger_anchor",
    "TRUNCATE ledger_anchor",
  ])
    await expect(database.sql.unsafe(statement)).rejects.toThrow(/kept as they are|append-only/);
});

test("health tells heads that are signed and not anchored for ten minutes, and for a week a root that nobody signed here", async () => {
  const { problem } = openAnchors({ sql: database.sql, clock, runId: () => runId });
  await write(database.sql, 1);
  expect(await problem()).toBeNull();
  await database.sql`UPDATE ledger_anchor SET anchored_root = NULL, anchored_at = NULL, transaction_hash = NULL`;
  expect(await problem()).toBeNull();
  clock.at += 600_000;
  expect(await problem()).toContain(`signed and not anchored: ${operator} needs the anchorer's role`);
  await database.sql`
    UPDATE ledger_anchor SET anchored_root = ${bytesOf(hex(32))}, anchored_at = ${clock.at}, transaction_hash = ${bytesOf(hex(32))}`;
  expect(await problem()).toContain("under epoch 0");
  clock.at += 7 * 86_400_000 + 1;
  expect(await problem()).toBeNull();
});
