import { rm } from "node:fs/promises";
import { join } from "node:path";
import { contractsOn } from "#offchain/platform/chain/contracts/contracts.ts";
import { hexOf } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import { lockNumbers } from "#offchain/platform/database/lockNumbers.ts";
import { type ArchivedChain, ArchiveFault, ChainWriter, type Cursor, type Head, writeHead } from "./files.ts";
import { archivedTables, isMirror, meaningOf, origins, type Rows } from "./tables.ts";

/** Rows that are in memory at once. */
const pageSize = 1_000;

const beginning: Cursor = { payment: "0", transfer: "0", heights: {} };

/** What an archive has added. */
export interface Taken {
  readonly head: Head;
  readonly payments: number;
  readonly transfers: number;
  readonly stateLines: number;
}

/**
 * Adds to the archive in a folder what was accepted since the last time, and what stands now, all as of one moment. The
 * service may run meanwhile.
 * @throws ArchiveFault when the archive is of another chain
 */
export function takeArchive(
  sql: Sql,
  folder: string,
  before: Head | null,
  options: { now: number; told: (lines: number) => void },
): Promise<Taken> {
  return inOneMoment(sql, async (tx) => {
    const chains = await chainsOf(tx);
    if (before) assertContinues(before, chains);
    const number = String((before?.journal.files.length ?? 0) + 1).padStart(6, "0");
    const from = before?.cursor ?? beginning;
    const journal = await ChainWriter.open(folder, `journal-${number}.jsonl`, before?.journal);
    const counted = { lines: 0, told: options.told };
    const payments = await writeAll(tx, journal, paymentsSince(from.payment), counted);
    const transfers = await writeAll(tx, journal, transfersSince(from), counted);
    const cursor = await cursorOf(tx, from);
    const state = await ChainWriter.open(folder, `state-${options.now}.jsonl`);
    let stateLines = 0;
    for (const query of stateQueries()) stateLines += await writeAll(tx, state, query, counted);
    const head: Head = {
      format: "bursar-archive-1",
      takenAt: options.now,
      chains,
      journal: await journal.end(),
      state: await state.end(),
      cursor,
    };
    await writeHead(folder, head);
    for (const file of before?.state.files ?? []) await rm(join(folder, file), { force: true });
    return { head, payments, transfers, stateLines };
  });
}

/**
 * Reads as of one moment at which no payment is being booked: numbers of payments are given out before they are written, so
 * that a lower one could else come to light after a higher one, and never be archived.
 */
async function inOneMoment<T>(sql: Sql, work: (tx: Tx) => Promise<T>): Promise<T> {
  const seen = Promise.withResolvers<void>();
  let reading: Promise<T> | undefined;
  await sql.begin(async (locker) => {
    const runs = await locker<{ id: bigint }[]>`SELECT id FROM chain_run WHERE ended_at IS NULL ORDER BY id`;
    for (const { id } of runs)
      await locker`SELECT pg_advisory_xact_lock(${lockNumbers.paymentBooks}, ${Number(BigInt.asIntN(32, id))})`;
    reading = sql.begin("ISOLATION LEVEL REPEATABLE READ READ ONLY", async (tx) => {
      await tx`SELECT 1`;
      seen.resolve();
      return work(tx);
    });
    await Promise.race([seen.promise, reading]);
  });
  return reading as Promise<T>;
}

async function chainsOf(tx: Tx): Promise<Record<string, ArchivedChain>> {
  const rows = await tx<{ chain_id: bigint; genesis_hash: Uint8Array; indexed_to: bigint }[]>`
    SELECT chain_id, genesis_hash, indexed_to FROM chain_run WHERE ended_at IS NULL ORDER BY chain_id`;
  return Object.fromEntries(
    rows.map(({ chain_id, genesis_hash, indexed_to }) => [
      String(chain_id),
      {
        genesis: hexOf(genesis_hash),
        settlement: contractsOn(Number(chain_id)).batchSettlement,
        indexedTo: String(indexed_to),
      },
    ]),
  );
}

/** @throws ArchiveFault */
function assertContinues({ chains: before }: Head, chains: Head["chains"]): void {
  for (const [id, { genesis }] of Object.entries(before))
    if (chains[id]?.genesis !== genesis)
      throw new ArchiveFault(
        `the archive is of the chain ${id} that began with block ${genesis}, and the database follows ${chains[id]?.genesis ?? "none of that id"}: archive into another folder`,
      );
}

async function cursorOf(tx: Tx, from: Cursor): Promise<Cursor> {
  const [newest] = await tx<{ payment: bigint | null; transfer: bigint }[]>`
    SELECT (SELECT max(id) FROM payment) AS payment, last_transfer AS transfer FROM ledger_head`;
  const heights = await tx<
    { unit: string; height: bigint }[]
  >`SELECT unit, height FROM journal_head ORDER BY unit`;
  return {
    payment: String(newest?.payment ?? from.payment),
    transfer: String(newest?.transfer ?? from.transfer),
    heights: Object.fromEntries(heights.map(({ unit, height }) => [unit, String(height)])),
  };
}

/** @returns how many lines the query gave */
async function writeAll(
  tx: Tx,
  writer: ChainWriter,
  query: string,
  counted: { lines: number; told: (lines: number) => void },
): Promise<number> {
  let count = 0;
  for await (const page of pagesOf<{ body: string }>(tx, query)) {
    await writer.write(page.map(({ body }) => body));
    count += page.length;
    counted.lines += page.length;
    counted.told(counted.lines);
  }
  return count;
}

/** The rows of a query, as many at a time as memory should hold. */
export async function* pagesOf<Row>(tx: Tx, query: string): AsyncGenerator<Row[]> {
  await tx.unsafe(`DECLARE page NO SCROLL CURSOR FOR ${query}`);
  for (;;) {
    const rows = (await tx.unsafe(`FETCH ${pageSize} FROM page`)) as unknown as Row[];
    if (rows.length > 0) yield [...rows];
    if (rows.length < pageSize) break;
  }
  await tx.unsafe("CLOSE page");
}

const hex = (column: string) => `'0x' || encode(${column}, 'hex')`;

/** Accepted vouchers, in the order in which they were accepted. */
const paymentsSince = (id: string) => `
  SELECT json_build_object('kind', 'payment', 'chainId', r.chain_id, 'id', p.id::text, 'channelId', ${hex("c.channel_id")},
    'channel', json_build_object('payer', ${hex("c.payer")}, 'payerAuthorizer', ${hex("c.payer_authorizer")},
      'receiver', ${hex("c.receiver")}, 'receiverAuthorizer', ${hex("c.receiver_authorizer")}, 'token', ${hex("c.token")},
      'withdrawDelay', c.withdraw_delay, 'salt', ${hex("c.salt")}),
    'unit', c.unit, 'cumulative', p.cumulative::text, 'amount', p.amount::text, 'signature', ${hex("p.signature")},
    'key', p.key, 'reference', p.reference, 'ticketId', p.ticket_id, 'payee', ${hex("p.payee")},
    'credited', p.credited::text, 'epoch', p.epoch, 'office', p.office, 'batch', p.batch_id::text,
    'acceptedAt', p.accepted_at)::text AS body
  FROM payment p JOIN channel c ON c.id = p.channel JOIN chain_run r ON r.id = c.run_id AND r.ended_at IS NULL
  WHERE p.id > ${BigInt(id)} ORDER BY p.id`;

/** Whether a transfer `t`, with its entry `j` if it has one, was made to wait. */
const wasHeld = `NOT coalesce(j.amount = t.amount AND j.resolved_at = t.created_at AND t.hash IS NULL AND t.expires_at IS NULL, false)`;

/**
 * What moved accounts that no chain mirrors, so that it can be done again in this order: at each moment first what ends, and
 * so makes money free, then what begins. A fee stands with the transfer that it belongs to.
 */
function transfersSince({ transfer, heights }: Cursor): string {
  const own = `JOIN account d ON d.id = t.debit JOIN account c ON c.id = t.credit`;
  const isOwn = `t.fee_of IS NULL AND NOT ${isMirror("d.name")} AND NOT ${isMirror("c.name")}`;
  const known = Object.entries(heights).map(
    ([unit, height]) => `WHEN '${unit.replaceAll("'", "''")}' THEN ${BigInt(height)}`,
  );
  const height = known.length === 0 ? "0" : `CASE j.unit ${known.join(" ")} ELSE 0 END`;
  return `
    SELECT body FROM (
      SELECT t.created_at AS at, t.id AS place, 1 AS step, json_build_object('kind', 'transfer', 'id', t.id::text, 'key', t.key,
        'isHeld', ${wasHeld}, 'debit', d.name, 'credit', c.name, 'unit', t.unit, 'amount', t.amount::text,
        'fee', CASE WHEN f.id IS NOT NULL THEN json_build_object('credit', e.name, 'amount', f.amount::text) END,
        'reverses', b.key, 'reference', t.reference, 'memo', t.memo, 'metadata', t.metadata, 'expiresAt', t.expires_at,
        'at', t.created_at)::text AS body
      FROM transfer t ${own} LEFT JOIN journal j ON j.transfer_id = t.id LEFT JOIN transfer b ON b.id = t.reverses
      LEFT JOIN transfer f ON f.id = t.id + 1 AND f.fee_of = t.id LEFT JOIN account e ON e.id = f.credit
      WHERE t.id > ${BigInt(transfer)} AND ${isOwn}
      UNION ALL
      SELECT j.resolved_at, CASE WHEN t.created_at = j.resolved_at THEN t.id ELSE 0 END,
        CASE WHEN t.created_at = j.resolved_at THEN 2 ELSE 0 END,
        json_build_object('kind', 'resolved', 'id', t.id::text, 'key', t.key, 'amount', j.amount::text, 'at', j.resolved_at)::text
      FROM journal j JOIN transfer t ON t.id = j.transfer_id ${own}
      WHERE j.height > ${height} AND ${isOwn} AND (t.id <= ${BigInt(transfer)} OR ${wasHeld})
    ) told ORDER BY at, place, step`;
}

/** Rows of a table `t` as JSON, numbers as text: they may be greater than what JSON's readers hold exactly. */
const rowBody = (kind: string, table: string, row: string, isOfRun: boolean) => `
  json_build_object('kind', '${kind}', 'table', '${table}'${isOfRun ? ", 'chainId', r.chain_id" : ""}, 'row', (
    SELECT json_object_agg(key, CASE WHEN jsonb_typeof(value) = 'number' THEN to_jsonb(value #>> '{}') ELSE value END)
    FROM jsonb_each(${row})))::text AS body`;

const ofRun = "JOIN chain_run r ON r.id = t.run_id AND r.ended_at IS NULL";

/** What stands now, each query after those whose lines it refers to. */
function* stateQueries(): Generator<string> {
  yield `SELECT json_build_object('kind', 'adopted', 'chainId', t.chain_id, 'treasury', ${hex("t.address")})::text AS body
    FROM treasury t ${ofRun} WHERE t.origin = 'adopted'`;
  yield `SELECT ${rowBody("batch", "batch", "to_jsonb(t) - '{run_id,transaction_id,transaction_hash}'::text[]", true)}
    FROM batch t ${ofRun} ORDER BY t.id`;
  yield `SELECT json_build_object('kind', 'account', 'name', t.name, 'unit', t.unit, 'openedAt', t.opened_at,
      'suspendedAt', t.suspended_at, 'limits', json_build_object('transaction', t.limit_transaction::text,
        'hourly', t.limit_hourly::text, 'daily', t.limit_daily::text, 'weekly', t.limit_weekly::text,
        'monthly', t.limit_monthly::text), 'balance', t.balance::text, 'pending', t.pending::text)::text AS body
    FROM account t WHERE NOT ${isMirror("t.name")} ORDER BY t.id`;
  for (const table of archivedTables) {
    const origin = origins[table] as { from: "archive" } & Rows;
    const row = Object.entries(origin.links ?? {}).reduce(
      (json, [column, link]) =>
        `${json} || jsonb_build_object('${column}', ${meaningOf[link](`t.${column}`)})`,
      "(to_jsonb(t) - 'run_id')",
    );
    yield `SELECT ${rowBody("row", table, row, origin.isOfRun === true)} FROM ${table} t ${origin.isOfRun ? ofRun : ""}
      ${origin.where ? `WHERE ${origin.where}` : ""} ORDER BY ${origin.key.map((column) => `t.${column}`).join(", ") || "1"}`;
  }
  yield `SELECT ${rowBody("epoch", "clearing_epoch", "to_jsonb(t) - '{run_id,transaction_id,payout_transaction_id}'::text[]", true)}
    FROM clearing_epoch t ${ofRun} WHERE t.payees IS NOT NULL ORDER BY t.run_id, t.number`;
}
