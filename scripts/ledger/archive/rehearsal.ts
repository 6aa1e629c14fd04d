import { execFile } from "node:child_process";
import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { BursarError } from "#offchain/core/error.ts";
import { verifyJournal } from "#offchain/features/ledger/store/verify.ts";
import { bytesOf, list } from "#offchain/platform/database/bytes.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { serverPid } from "#offchain/platform/database/embedded/folders.ts";
import { createClient } from "#offchain/sdk/client.ts";
import { signRequests } from "#offchain/sdk/http/request.ts";
import { type Body, type Channel, openChannels, sign } from "../../bench/parts/vouchers.ts";
import { chainId, operator } from "../../soak/wallets.ts";
import { Programs } from "../../stack/programs.ts";
import { startService } from "../../stack/service.ts";
import type { Stack } from "../../stack/stack.ts";
import { baseBackup } from "./backup.ts";
import { type Opened, openPlace } from "./database.ts";
import { readHead } from "./files.ts";
import { takeArchive } from "./take.ts";

const root = join(import.meta.dirname, "../../..");

/** A payment that was answered, with when; ms of this process. */
export interface Acknowledged {
  readonly body: Body;
  readonly paymentId: string;
  readonly at: number;
}

export interface RehearsalOptions {
  readonly stack: Stack;
  /** Where backup, archive and the restored service stand. */
  readonly folder: string;
  readonly channels: number;
  /** How long payments are made before the backup, after it, and after the archive. */
  readonly phaseMs: number;
  readonly say: (what: string) => void;
}

/** What came back from where. */
export interface Rehearsed {
  /** Payments that were acknowledged in all, and before the backup ended. */
  readonly acknowledged: number;
  readonly beforeBackup: number;
  /** Those of the latter that the restored backup lacks: must be none. */
  readonly missingInBackup: number;
  readonly fromBackup: number;
  readonly fromArchive: number;
  /** Sent again by their payers. */
  readonly fromPayers: number;
  /** The chain had paid them out before they could be booked again: the money is there, the receipt is the payer's alone. */
  readonly paidByChain: number;
  readonly missing: number;
  readonly backupMs: number;
  readonly restoreMs: number;
}

/**
 * Loses a service under load and restores it elsewhere: from a backup that was taken under load, from an archive for what came
 * after it, from the payers for what came after that.
 * @throws Error when the restored books are not whole
 */
export async function rehearse(options: RehearsalOptions): Promise<Rehearsed> {
  const { stack, folder, say, phaseMs } = options;
  await mkdir(folder, { recursive: true });
  const channels = await openChannels(stack, options.channels);
  say(`${channels.length} payers at work`);
  const load = startLoad(stack.apiUrl, channels);
  const client = createClient({ url: stack.apiUrl, authorize: signRequests(operator, chainId) });
  const postgres = join(stack.dataDir, "postgres");
  const running = await openPlace(stack.dataDir);
  await pause(phaseMs);

  say("backup under load");
  const startedAt = performance.now();
  let endedAt = 0;
  await baseBackup(running.connection, postgres, join(folder, "postgres"), () => {
    endedAt = performance.now();
  });
  const backupMs = performance.now() - startedAt;
  await pause(phaseMs);
  // What is settled after the backup is the hard part: the chain has the claims, the backup lacks the vouchers.
  await client.batches.flush();
  await pause(phaseMs);
  say("archive under load");
  const archive = join(folder, "archive");
  await takeArchive(running.sql, archive, await readHead(archive), { now: Date.now(), told: () => {} });
  await pause(phaseMs);

  say("killing the service and its database");
  await stack.killService();
  const pid = await serverPid(postgres);
  await running.sql.end({ timeoutMs: 1_000 });
  if (pid !== null) process.kill(pid, "SIGKILL");
  const acknowledged = await load.end();
  await rename(postgres, `${postgres}.lost`);
  return restore(options, { acknowledged, endedAt, archive, backupMs });
}

interface Lost {
  readonly acknowledged: readonly Acknowledged[];
  readonly endedAt: number;
  readonly archive: string;
  readonly backupMs: number;
}

async function restore({ stack, folder, say }: RehearsalOptions, lost: Lost): Promise<Rehearsed> {
  const { acknowledged, endedAt, archive, backupMs } = lost;
  const startedAt = performance.now();
  const before = acknowledged.filter(({ at }) => at <= endedAt);
  const backup = await openPlace(folder);
  say("the backup is restored");
  const inBackup = await bookedOf(backup.sql, acknowledged);
  await addArchive(backup, archive, stack.rpcUrl);
  const inBoth = await bookedOf(backup.sql, acknowledged);
  await backup.close();
  say("the archive is added; the service starts");

  const programs = new Programs();
  try {
    const { apiUrl } = stack;
    const { port } = new URL(apiUrl);
    const env = { BURSAR_PORT: port, BURSAR_RPC_URL: stack.rpcUrl, BURSAR_DATA_DIR: folder };
    await startService(programs, { apiUrl, env, logFile: join(folder, "logs/restored.log") });
    const again = acknowledged.filter((payment) => !inBoth.has(nameOf(payment.body)));
    const paidByChain = await payAgain(apiUrl, again);
    const restoreMs = performance.now() - startedAt;
    const restored = await openPlace(folder);
    try {
      await assertWhole(apiUrl, restored.sql);
      const booked = await bookedOf(restored.sql, acknowledged);
      return {
        acknowledged: acknowledged.length,
        beforeBackup: before.length,
        missingInBackup: before.filter(({ body }) => !inBackup.has(nameOf(body))).length,
        fromBackup: inBackup.size,
        fromArchive: inBoth.size - inBackup.size,
        fromPayers: booked.size - inBoth.size,
        paidByChain,
        missing: acknowledged.length - booked.size - paidByChain,
        backupMs: Math.round(backupMs),
        restoreMs: Math.round(restoreMs),
      };
    } finally {
      await restored.close();
    }
  } finally {
    await programs.stop();
  }
}

/** Payers at work until the service is gone; each sends a voucher when the one before it is answered. */
function startLoad(url: string, channels: readonly Channel[]) {
  const client = createClient({ url });
  const acknowledged: Acknowledged[] = [];
  let isOver = false;
  const work = channels.map(async (channel) => {
    while (!isOver) {
      const [[body] = []] = await sign([channel], 1);
      if (!body) return;
      try {
        const { paymentId } = await client.payments.pay(body);
        acknowledged.push({ body, paymentId, at: performance.now() });
      } catch {
        // Not answered, so nothing was promised.
        return;
      }
    }
  });
  return {
    async end(): Promise<readonly Acknowledged[]> {
      isOver = true;
      await Promise.all(work);
      return acknowledged;
    },
  };
}

const nameOf = ({ channelId, key }: Pick<Body, "channelId" | "key">) => `${channelId} ${key}`;

/** Which payments are in a database with the amounts that were acknowledged. */
async function bookedOf(sql: Sql, payments: readonly Acknowledged[]): Promise<Set<string>> {
  const bodies = payments.map(({ body }) => body);
  const rows = await sql<{ channelId: `0x${string}`; key: string }[]>`
    SELECT '0x' || encode(c.channel_id, 'hex') AS "channelId", p.key
    FROM unnest(${list(bodies.map(({ channelId }) => bytesOf(channelId)))}::text[], ${bodies.map(({ key }) => key)}::text[],
                ${bodies.map(({ maxClaimableAmount }) => maxClaimableAmount)}::numeric[]) AS w(id, key, cumulative)
    JOIN channel c ON c.channel_id = w.id::bytea
    JOIN payment p ON p.channel = c.id AND p.key = w.key AND p.cumulative = w.cumulative`;
  return new Set(rows.map(nameOf));
}

/** By the command that an operator would type. */
function addArchive(backup: Opened, archive: string, rpcUrl: string): Promise<void> {
  const { host, port, username, database } = backup.connection as Exclude<Opened["connection"], string>;
  const url = `postgres://${username}@localhost/${database}?host=${encodeURIComponent(host)}&port=${port}`;
  const file = join(root, "scripts/ledger/archive/rebuild.ts");
  const args = [file, "--onto-backup", "--database", url, "--rpc", rpcUrl, "--archive", archive];
  return new Promise((done, fail) => {
    execFile(process.execPath, args, (error, out, err) => {
      if (error) fail(new Error(`the archive could not be added: ${out}${err}`));
      else done();
    });
  });
}

/** Payers send what they hold an answer for once more. @returns how many the chain has paid already */
async function payAgain(url: string, payments: readonly Acknowledged[]): Promise<number> {
  const client = createClient({ url });
  let paid = 0;
  for (const { body } of payments) {
    try {
      await client.payments.pay(body);
    } catch (error) {
      if (!(error instanceof BursarError)) throw error;
      const { claimed } = await client.channels.show({ channelId: body.channelId });
      if (baseUnits(claimed.amount) >= BigInt(body.maxClaimableAmount)) paid += 1;
    }
  }
  return paid;
}

/** Of USDC. */
function baseUnits(amount: string): bigint {
  const [whole = "0", part = ""] = amount.split(".");
  return BigInt(whole + part.padEnd(6, "0"));
}

/** @throws Error when the ledger's hashes, its sums or the chain do not agree */
async function assertWhole(url: string, sql: Sql): Promise<void> {
  const client = createClient({ url, authorize: signRequests(operator, chainId) });
  const deadline = performance.now() + 60_000;
  for (;;) {
    await client.batches.flush();
    const [waiting] = await sql<{ count: number }[]>`
      SELECT count(*)::int AS count FROM batch WHERE state IN ('closed', 'submitted')`;
    const books = await client.ledger.reconcile();
    if (waiting?.count === 0 && books.chainMatchesLedger && books.ledgerBalanced) break;
    if (performance.now() > deadline)
      throw new Error(
        `the restored books do not agree with the chain: ${JSON.stringify({ waiting, books })}`,
      );
    await pause(200);
  }
  const { broken } = await verifyJournal(sql, () => {});
  if (broken) throw new Error(`the restored ledger's hash chain is broken: ${broken.what}, ${broken.why}`);
}
