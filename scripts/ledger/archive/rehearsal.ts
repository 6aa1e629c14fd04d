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

/** A transfer on the ledger that was answered. */
interface Transferred {
  readonly key: string;
  readonly to: `0x${string}`;
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
interface CameBack {
  /** In all, and before the backup ended. */
  readonly acknowledged: number;
  readonly beforeBackup: number;
  /** Those of the latter that the restored backup lacks: must be none. */
  readonly missingInBackup: number;
  readonly fromBackup: number;
  readonly fromArchive: number;
  /** Sent again by those who hold the answer. */
  readonly fromCallers: number;
  /** In none of these: must be none. */
  readonly missing: number;
}

export interface Rehearsed {
  readonly payments: CameBack;
  /** On the ledger, between accounts that no chain mirrors. */
  readonly transfers: CameBack;
  /** The chain had paid them out before they could be booked again: the money is there, the receipt is the payer's alone. */
  readonly paidByChain: number;
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
  const client = operatorAt(stack.apiUrl);
  const postgres = join(stack.dataDir, "postgres");
  const running = await openPlace(stack.dataDir);
  const archive = join(folder, "archive");
  let [backupMs, endedAt] = [0, 0];
  try {
    await pause(phaseMs);
    say("backup under load");
    const startedAt = performance.now();
    await baseBackup(running.connection, postgres, join(folder, "postgres"), () => {
      endedAt = performance.now();
    });
    backupMs = performance.now() - startedAt;
    await pause(phaseMs);
    // What is settled after the backup is the hard part: the chain has the claims, the backup lacks the vouchers.
    await client.batches.flush();
    await pause(phaseMs);
    say("archive under load");
    await takeArchive(running.sql, archive, await readHead(archive), { now: Date.now(), told: () => {} });
    await pause(phaseMs);
  } finally {
    await running.close();
  }
  say("killing the service and its database");
  load.losing();
  await stack.killService();
  const pid = await serverPid(postgres);
  if (pid !== null) process.kill(pid, "SIGKILL");
  const answered = await load.end();
  await rename(postgres, `${postgres}.lost`);
  return restore(options, { ...answered, endedAt, archive, backupMs });
}

const operatorAt = (url: string) => createClient({ url, authorize: signRequests(operator, chainId) });

interface Answered {
  readonly acknowledged: readonly Acknowledged[];
  readonly transferred: readonly Transferred[];
}

interface Lost extends Answered {
  readonly endedAt: number;
  readonly archive: string;
  readonly backupMs: number;
}

async function restore({ stack, folder, say }: RehearsalOptions, lost: Lost): Promise<Rehearsed> {
  const { acknowledged, transferred, backupMs } = lost;
  const startedAt = performance.now();
  const { inBackup, inBoth } = await restoreFiles(folder, lost, stack.rpcUrl);
  say("backup and archive are restored; the service starts");

  const programs = new Programs();
  try {
    const { apiUrl } = stack;
    const { port } = new URL(apiUrl);
    const env = { BURSAR_PORT: port, BURSAR_RPC_URL: stack.rpcUrl, BURSAR_DATA_DIR: folder };
    await startService(programs, { apiUrl, env, logFile: join(folder, "logs/restored.log") });
    const paidByChain = await payAgain(
      apiUrl,
      acknowledged.filter((payment) => !inBoth.payments.has(payment)),
    );
    for (const transfer of transferred) if (!inBoth.transfers.has(transfer)) await issue(apiUrl, transfer);
    const restoreMs = Math.round(performance.now() - startedAt);
    const restored = await openPlace(folder);
    try {
      await assertWhole(apiUrl, restored.sql);
      const atLast = await foundOf(restored.sql, lost);
      const payments = cameBack(acknowledged, lost, [inBackup.payments, inBoth.payments, atLast.payments]);
      return {
        payments: { ...payments, missing: payments.missing - paidByChain },
        transfers: cameBack(transferred, lost, [inBackup.transfers, inBoth.transfers, atLast.transfers]),
        paidByChain,
        backupMs: Math.round(backupMs),
        restoreMs,
      };
    } finally {
      await restored.close();
    }
  } finally {
    await programs.stop();
  }
}

/** The backup, and then what the archive has beyond it. */
async function restoreFiles(folder: string, lost: Lost, rpcUrl: string) {
  const backup = await openPlace(folder);
  try {
    const inBackup = await foundOf(backup.sql, lost);
    await addArchive(backup, lost.archive, rpcUrl);
    return { inBackup, inBoth: await foundOf(backup.sql, lost) };
  } finally {
    await backup.close();
  }
}

/** @param found what was there at each step */
function cameBack<One extends { readonly at: number }>(
  all: readonly One[],
  { endedAt }: Lost,
  found: readonly [ReadonlySet<One>, ReadonlySet<One>, ReadonlySet<One>],
): CameBack {
  const [inBackup, inBoth, atLast] = found;
  const before = all.filter(({ at }) => at <= endedAt);
  return {
    acknowledged: all.length,
    beforeBackup: before.length,
    missingInBackup: before.filter((one) => !inBackup.has(one)).length,
    fromBackup: inBackup.size,
    fromArchive: inBoth.size - inBackup.size,
    fromCallers: atLast.size - inBoth.size,
    missing: all.length - atLast.size,
  };
}

/**
 * Payers at work until the service is gone; each sends a voucher when the one before it is answered. Beside them the operator
 * issues money on the ledger.
 */
function startLoad(url: string, channels: readonly Channel[]) {
  const client = createClient({ url });
  const acknowledged: Acknowledged[] = [];
  const transferred: Transferred[] = [];
  let isLosing = false;
  let failure: unknown = null;
  /** Until something is not answered because the service is gone: then nothing was promised. */
  const again = async (deed: () => Promise<void>) => {
    try {
      while (!isLosing) await deed();
    } catch (error) {
      if (!isLosing) failure ??= error;
    }
  };
  const payers = channels.map((channel) =>
    again(async () => {
      const [[body] = []] = await sign([channel], 1);
      if (!body) throw new Error("nothing was signed");
      const { paymentId } = await client.payments.pay(body);
      acknowledged.push({ body, paymentId, at: performance.now() });
    }),
  );
  const issuer = again(async () => {
    const wanted = { key: `rehearsal-${transferred.length}`, to: operator.address };
    await issue(url, wanted);
    transferred.push({ ...wanted, at: performance.now() });
  });
  return {
    /** To be called just before the service is killed. */
    losing() {
      isLosing = true;
    },
    /** @throws what went wrong before that */
    async end(): Promise<Answered> {
      await Promise.all([...payers, issuer]);
      if (failure) throw failure;
      return { acknowledged, transferred };
    },
  };
}

/** The same key is the same transfer. */
async function issue(url: string, { key, to }: Omit<Transferred, "at">): Promise<void> {
  await operatorAt(url).ledger.issue({ key, to, unit: "USDC", amount: "1" });
}

/** What of it is in a database as it was acknowledged. */
async function foundOf(sql: Sql, { acknowledged, transferred }: Answered) {
  const bodies = acknowledged.map(({ body }) => body);
  const payments = await sql<{ at: number }[]>`
    SELECT w.at::int AS at
    FROM unnest(${list(bodies.map(({ channelId }) => bytesOf(channelId)))}::text[], ${bodies.map(({ key }) => key)}::text[],
                ${bodies.map(({ maxClaimableAmount }) => maxClaimableAmount)}::numeric[])
      WITH ORDINALITY AS w(id, key, cumulative, at)
    JOIN channel c ON c.channel_id = w.id::bytea
    JOIN payment p ON p.channel = c.id AND p.key = w.key AND p.cumulative = w.cumulative`;
  const transfers = await sql<{ at: number }[]>`
    SELECT w.at::int AS at
    FROM unnest(${transferred.map(({ key }) => key)}::text[]) WITH ORDINALITY AS w(key, at)
    JOIN transfer t ON right(t.key, length(w.key) + 1) = ' ' || w.key AND t.amount = 1000000
    JOIN journal j ON j.transfer_id = t.id AND j.amount = t.amount`;
  return { payments: chosen(acknowledged, payments), transfers: chosen(transferred, transfers) };
}

/** @param places counted from one */
function chosen<One>(all: readonly One[], places: readonly { at: number }[]): Set<One> {
  return new Set(places.flatMap(({ at }) => all[at - 1] ?? []));
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
  const client = operatorAt(url);
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
