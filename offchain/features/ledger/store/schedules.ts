import { BursarError } from "#offchain/core/error.ts";
import type { UnitCode } from "#offchain/core/unit.ts";
import { list } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import { lockNumbers } from "#offchain/platform/database/lockNumbers.ts";
import { halfDigest } from "../books/digest.ts";
import { accountUnknown } from "../books/refusals.ts";
import { assertWithin } from "../rules/fee.ts";
import { assertStart, type DueRun, isLastRun, latestDue } from "../rules/schedule.ts";
import type { AccountName } from "../rules/transfer.ts";
import type { Page, Schedule, ScheduleRequest } from "../service.ts";

interface ScheduleRow {
  id: bigint;
  owner: string;
  key: string;
  request: string;
  debit: AccountName;
  credit: AccountName;
  unit: UnitCode;
  amount: bigint;
  reference: string | null;
  memo: string | null;
  every_ms: bigint | null;
  runs_max: number;
  runs: number;
  next_at: bigint;
  state: Schedule["state"];
  created_at: bigint;
  ran_at: bigint | null;
  transfer_id: bigint | null;
  error_code: string | null;
  skipped: number | null;
}

const select = (sql: Sql | Tx) => sql`
  SELECT s.*, r.ran_at, r.transfer_id, r.error_code, r.skipped
  FROM ledger_schedule s LEFT JOIN ledger_schedule_run r ON r.schedule_id = s.id AND r.run = s.runs`;

/**
 * Stores a schedule; the same key with the same request returns the one that exists, whatever has become of it since.
 * @param most active schedules of one owner
 */
export async function addSchedule(
  sql: Sql,
  request: ScheduleRequest,
  now: number,
  most: number,
): Promise<Schedule> {
  const { key, owner, bounds, ...rest } = request;
  const digest = halfDigest(
    JSON.stringify(Object.values(rest), (_, value) => (typeof value === "bigint" ? `${value}n` : value)),
  );
  return sql.begin(async (tx) => {
    // One owner's additions go one after another, so that the count below is right.
    await tx`SELECT pg_advisory_xact_lock(${lockNumbers.schedules}, hashtext(${owner}))`;
    const read = () => tx<ScheduleRow[]>`${select(tx)} WHERE s.owner = ${owner} AND s.key = ${key}`;
    const [known] = await read();
    if (known && known.request.replaceAll("-", "") !== digest)
      throw new BursarError("IDEMPOTENCY_CONFLICT", `key "${key}" was used for another schedule`, {
        facts: { key, scheduleId: known.id },
      });
    if (known) return toSchedule(known);
    assertStart(request.startsAt, now);
    if (bounds) assertWithin(bounds, request.amount, request.unit);
    await assertAddable(tx, request, most);
    await tx`
      INSERT INTO ledger_schedule (owner, key, request, debit, credit, unit, amount, reference, memo, every_ms, runs_max,
                                   next_at, created_at)
      VALUES (${owner}, ${key}, ${digest}, ${request.debit}, ${request.credit}, ${request.unit}, ${request.amount.toString()},
              ${request.reference}, ${request.memo}, ${request.everyMs}, ${request.runsMax}, ${request.startsAt}, ${now})`;
    const [added] = await read();
    if (!added) throw new Error(`schedule ${key} vanished while it was saved`);
    return toSchedule(added);
  });
}

/** The account that pays must be open, as for a transfer, and the owner must have room. */
async function assertAddable(tx: Tx, { owner, debit, unit }: ScheduleRequest, most: number): Promise<void> {
  const [account] = await tx`SELECT FROM account WHERE name = ${debit} AND unit = ${unit}`;
  if (!account) throw accountUnknown({ name: debit, unit });
  const [active] = await tx<{ count: number }[]>`
    SELECT count(*)::int AS count FROM ledger_schedule WHERE owner = ${owner} AND state = 'active'`;
  if ((active?.count ?? 0) < most) return;
  throw new BursarError("SCHEDULES_FULL", `you have ${most} active schedules, the most there may be`, {
    facts: { owner, schedulesMax: most },
  });
}

export async function readSchedules(
  sql: Sql,
  query: { owner: string; cursor?: bigint | undefined; limit: number },
): Promise<Page<Schedule>> {
  const rows = await sql<ScheduleRow[]>`
    ${select(sql)} WHERE s.owner = ${query.owner} ${query.cursor === undefined ? sql`` : sql`AND s.id < ${query.cursor}`}
    ORDER BY s.id DESC LIMIT ${query.limit}`;
  const next = rows.length === query.limit ? (rows.at(-1)?.id.toString() ?? null) : null;
  return { items: rows.map(toSchedule), next };
}

/** @param owner Null for whoever may cancel anybody's. @throws BursarError SCHEDULE_UNKNOWN */
export async function endSchedule(sql: Sql, owner: string | null, id: string): Promise<Schedule> {
  const isId = /^\d{1,15}$/.test(id);
  if (isId)
    await sql`
      UPDATE ledger_schedule SET state = 'cancelled'
      WHERE id = ${id} AND state = 'active' ${owner === null ? sql`` : sql`AND owner = ${owner}`}`;
  const [row] = isId
    ? await sql<
        ScheduleRow[]
      >`${select(sql)} WHERE s.id = ${id} ${owner === null ? sql`` : sql`AND s.owner = ${owner}`}`
    : [];
  if (!row)
    throw new BursarError("SCHEDULE_UNKNOWN", "there is no such schedule of yours", {
      facts: { scheduleId: id.slice(0, 40) },
    });
  return toSchedule(row);
}

/** A schedule with the fee terms of its unit, if there are any. */
interface DueRow extends ScheduleRow {
  fixed: bigint | null;
  rate_bps: number | null;
}

/**
 * Schedules that are due, locked: those that another instance runs are passed over. Each owner's longest overdue one comes
 * first, then each one's second, so that nobody's many keep another's few waiting.
 */
export async function lockDueRuns(tx: Tx, now: number, limit: number): Promise<DueRun[]> {
  const rows = await tx<DueRow[]>`
    WITH due AS (
      SELECT id FROM (
        SELECT id, next_at, row_number() OVER (PARTITION BY owner ORDER BY next_at, id) AS turn
        FROM ledger_schedule WHERE state = 'active' AND next_at <= ${now}
      ) waiting ORDER BY turn, next_at, id LIMIT ${limit})
    SELECT s.*, f.fixed, f.rate_bps
    FROM due JOIN ledger_schedule s USING (id) LEFT JOIN ledger_fee f ON f.unit = s.unit
    WHERE s.state = 'active' AND s.next_at <= ${now}
    ORDER BY s.next_at, s.id FOR UPDATE OF s SKIP LOCKED`;
  return rows.map(
    ({ id, runs, next_at, debit, credit, unit, amount, reference, memo, every_ms, runs_max, ...fee }) => ({
      scheduleId: id,
      run: runs + 1,
      ...latestDue(next_at, every_ms, BigInt(now)),
      debit,
      credit,
      unit,
      amount,
      reference,
      memo,
      everyMs: every_ms,
      runsMax: runs_max,
      fee: { fixed: fee.fixed ?? 0n, rateBps: fee.rate_bps ?? 0 },
    }),
  );
}

/** A run with what became of it. */
interface DoneRun extends DueRun {
  transferId: string | null;
  errorCode: string | null;
}

/** Records what became of runs, and when the next ones are due. */
export async function saveRuns(tx: Tx, runs: readonly DoneRun[], now: number): Promise<void> {
  if (runs.length === 0) return;
  const ids = list(runs.map(({ scheduleId }) => scheduleId));
  const numbers = list(runs.map(({ run }) => run));
  await tx`
    INSERT INTO ledger_schedule_run (schedule_id, run, due_at, ran_at, transfer_id, error_code, skipped)
    SELECT id, run, due_at, ${now}, transfer_id, error_code, skipped
    FROM unnest(${ids}::bigint[], ${numbers}::int[], ${list(runs.map(({ dueAt }) => dueAt))}::bigint[],
      ${list(runs.map(({ transferId }) => transferId))}::bigint[], ${list(runs.map(({ errorCode }) => errorCode))}::text[],
      ${list(runs.map(({ skipped }) => skipped))}::int[]) AS r(id, run, due_at, transfer_id, error_code, skipped)`;
  await tx`
    UPDATE ledger_schedule SET runs = r.run, next_at = r.next_at, state = r.state
    FROM unnest(${ids}::bigint[], ${numbers}::int[],
      ${list(runs.map(({ dueAt, everyMs }) => dueAt + (everyMs ?? 0n)))}::bigint[],
      ${runs.map((run) => (isLastRun(run) ? "done" : "active"))}::text[]) AS r(id, run, next_at, state)
    WHERE ledger_schedule.id = r.id`;
}

const toSchedule = (row: ScheduleRow): Schedule => ({
  id: row.id.toString(),
  key: row.key,
  owner: row.owner,
  debit: row.debit,
  credit: row.credit,
  unit: row.unit,
  amount: row.amount,
  reference: row.reference,
  memo: row.memo,
  everyMs: row.every_ms === null ? null : Number(row.every_ms),
  runsMax: row.runs_max,
  runs: row.runs,
  nextAt: row.state === "active" ? Number(row.next_at) : null,
  state: row.state,
  createdAt: Number(row.created_at),
  lastRun:
    row.ran_at === null
      ? null
      : {
          ranAt: Number(row.ran_at),
          transferId: row.transfer_id?.toString() ?? null,
          errorCode: row.error_code,
          skipped: row.skipped ?? 0,
        },
});
