import { type ChildProcess, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { migrations } from "#offchain/app/migrations.ts";
import { openLedger } from "#offchain/features/ledger/ledger.ts";
import { verifyJournal } from "#offchain/features/ledger/store/verify.ts";
import { openDatabase, type Sql } from "#offchain/platform/database/database.ts";
import type { EmbeddedPostgres } from "#offchain/platform/database/postgres.ts";
import { ended } from "./child.ts";

type Connection = EmbeddedPostgres["connection"];

/** A process of callers, and what they were answered so far. */
export interface Load {
  readonly child: ChildProcess;
  readonly answers: { kind: string; key: string; id: string }[];
  /** Resolves when so many more answers have come. */
  more(count: number): Promise<void>;
  kill(): Promise<void>;
}

export function startLoad(connection: Connection, callers: number, name: string): Load {
  const task = JSON.stringify({ connection, callers, name });
  const child = spawn(process.execPath, [join(import.meta.dirname, "ledger.child.ts"), task], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const answers: Load["answers"] = [];
  let rest = "";
  let heard: (() => void)[] = [];
  child.stdout.on("data", (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const [kind = "", key = "", id = ""] = line.split(" ");
      answers.push({ kind, key, id });
    }
    for (const wake of heard) wake();
    heard = [];
  });
  child.once("exit", () => {
    for (const wake of heard) wake();
  });
  return {
    child,
    answers,
    async more(count) {
      const until = answers.length + count;
      while (answers.length < until) {
        if (child.exitCode !== null || child.signalCode !== null) throw new Error("the callers are gone");
        await new Promise<void>((done) => heard.push(done));
      }
    },
    async kill() {
      child.kill("SIGKILL");
      await ended(child);
    },
  };
}

/** Money for twenty agents, before anyone moves it. */
export async function fundAgents(connection: Connection): Promise<void> {
  const sql = await openDatabase({ connection, maxConnections: 2, migrations });
  const outcomes = await openLedger(sql, { now: () => Date.now() }).submit(
    Array.from({ length: 20 }, (_, at) => ({
      kind: "transfer" as const,
      key: `fund:${at}`,
      debit: "issuer:test" as const,
      credit: `agent:${at}` as const,
      unit: "USDC" as const,
      amount: 1_000_000n,
    })),
  );
  expect(outcomes.every(({ ok }) => ok)).toBe(true);
  await sql.end({ timeoutMs: 5_000 });
}

/** The server's main process, by its own pid file. */
export async function serverPid(dataDir: string): Promise<number> {
  return Number.parseInt(await readFile(join(dataDir, "postmaster.pid"), "utf8"), 10);
}

/** Every answer stands in the tables, nothing is half there, the sums are zero and the chain is whole. */
export async function expectWhole(sql: Sql, answers: Load["answers"]): Promise<void> {
  const of = (kind: string) => answers.filter((answer) => answer.kind === kind).map(({ id }) => id);
  const [lost] = await sql<{ holds: number; posts: number; keys: number }[]>`
    SELECT (SELECT count(*) FROM unnest(${of("hold")}::bigint[]) a(id) WHERE NOT EXISTS (SELECT FROM transfer t WHERE t.id = a.id))::int AS holds,
           (SELECT count(*) FROM unnest(${of("post")}::bigint[]) a(id)
            WHERE NOT EXISTS (SELECT FROM journal j WHERE j.transfer_id = a.id AND j.amount > 0))::int AS posts,
           (SELECT count(*) FROM unnest(${answers.map(({ key }) => key)}::text[], ${answers.map(({ id }) => id)}::bigint[]) a(key, id)
            WHERE NOT EXISTS (SELECT FROM ledger_key k WHERE k.digest = half_digest(a.key) AND k.transfer_id = a.id))::int AS keys`;
  expect(lost, "acknowledged and lost").toEqual({ holds: 0, posts: 0, keys: 0 });
  const [half] = await sql<{ keyless: number; orphans: number; ahead: number }[]>`
    SELECT (SELECT count(*) FROM transfer t WHERE NOT EXISTS (SELECT FROM ledger_key k WHERE k.transfer_id = t.id))::int AS keyless,
           (SELECT count(*) FROM journal j WHERE NOT EXISTS (SELECT FROM transfer t WHERE t.id = j.transfer_id))::int AS orphans,
           (SELECT count(*) FROM transfer t, ledger_head h WHERE t.id > h.last_transfer)::int AS ahead`;
  expect(half, "half there").toEqual({ keyless: 0, orphans: 0, ahead: 0 });
  expect(await openLedger(sql, { now: () => Date.now() }).trialBalance()).toMatchObject({
    balanced: true,
    mismatches: [],
  });
  expect((await verifyJournal(sql)).broken).toBeNull();
}
