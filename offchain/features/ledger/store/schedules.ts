import { BursarError } from "#offchain/core/error.ts";
import type { UnitCode } from "#offchain/core/unit.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import { halfDigest } from "../books/digest.ts";
import { type DueRun, isLastRun } from "../rules/schedule.ts";
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
}

const select = (sql: Sql | Tx) => sql`
  SELECT s.*, r.ran_at, r.transfer_id, r.error_code
  FROM ledger_schedule s LEFT JOIN ledger_schedule_run r ON r.schedule_id = s.id AND r.run = s.runs`;

/** Stores a schedule; the same key with the same request returns the one that exists. */
export async function addSchedule(sql: Sql, request: ScheduleRequest, now: number): Promise<Schedule> {
  const { key, owner, ...rest } = request;
  const digest = halfDigest(
    JSON.stringify(Object.values(rest), (_, value) => (typeof value === "bigint" ? `${value}n` : value)),
  );
  await sql`
    INSERT INTO ledger_schedule (owner, key, request, debit, credit, unit, amount, reference, memo, every_ms, runs_max,
                                 next_at, created_at)
    VALUES (${owner}, ${key}, ${digest}, ${request.debit}, ${request.credit}, ${request.unit}, ${request.amount.toString()},
            ${request.reference}, ${request.memo}, ${request.everyMs}, ${request.runsMax}, ${request.startsAt}, ${now})
    ON CONFLICT (owner, key) DO NOTHING`;
  const [row] = await sql<ScheduleRow[]>`${select(sql)} WHERE s.owner = ${owner} AND s.key = ${key}`;
  if (!row) throw new Error(`schedule ${key} vanished while it was saved`);
  if (row.request.replaceAll("-", "") !== digest)
    throw new BursarError("IDEMPOTENCY_CONFLICT", `key "${key}" was used for another schedule`, {
      facts: { key, scheduleId: row.id },
    });
  return toSchedule(row);
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

/** The schedules that are due, the longest overdue first, locked: those that another instance runs are passed over. */
export async function lockDueRuns(tx: Tx, now: number, limit: number): Promise<DueRun[]> {
  const rows = await tx<DueRow[]>`
    SELECT s.*, f.fixed, f.rate_bps FROM ledger_schedule s LEFT JOIN ledger_fee f ON f.unit = s.unit
    WHERE s.state = 'active' AND s.next_at <= ${now}
    ORDER BY s.next_at, s.id LIMIT ${limit} FOR UPDATE OF s SKIP LOCKED`;
  return rows.map(
    ({ id, runs, next_at, debit, credit, unit, amount, reference, memo, every_ms, runs_max, ...fee }) => ({
      scheduleId: id,
      run: runs + 1,
      dueAt: next_at,
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

/** Records what became of a run, and when the next one is due. */
export async function saveRun(
  tx: Tx,
  due: DueRun,
  outcome: { transferId: string | null; errorCode: string | null },
  now: number,
): Promise<void> {
  await tx`
    INSERT INTO ledger_schedule_run (schedule_id, run, due_at, ran_at, transfer_id, error_code)
    VALUES (${due.scheduleId}, ${due.run}, ${due.dueAt}, ${now}, ${outcome.transferId}, ${outcome.errorCode})`;
  await tx`
    UPDATE ledger_schedule SET runs = ${due.run}, next_at = next_at + ${due.everyMs ?? 0n},
      state = ${isLastRun(due) ? "done" : "active"} WHERE id = ${due.scheduleId}`;
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
        },
});
