import { BursarError } from "#offchain/core/error.ts";
import type { UnitCode } from "#offchain/core/unit.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import { applyOperations } from "../books/apply.ts";
import { halfDigest } from "../books/digest.ts";
import { feeUp, systemTreasury } from "../fee.ts";
import { type AccountName, accountKind, type LedgerOperation } from "../rules.ts";
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
  query: { owner: string; cursor?: string | undefined; limit: number },
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

/**
 * Runs what is due, each run once: the transfer and the schedule's next time are one transaction, and the run's key
 * names schedule and run. A run that the ledger refuses counts as a run and is recorded with its reason.
 * What was missed while nobody ran it is made up for, one run per call.
 */
export async function runDueSchedules(sql: Sql, now: number, limit: number): Promise<number> {
  return (await sql.begin(async (tx) => {
    const due = await tx<DueRow[]>`
      SELECT s.*, f.fixed, f.rate_bps FROM ledger_schedule s LEFT JOIN ledger_fee f ON f.unit = s.unit
      WHERE s.state = 'active' AND s.next_at <= ${now}
      ORDER BY s.next_at, s.id LIMIT ${limit} FOR UPDATE OF s SKIP LOCKED`;
    if (due.length === 0) return 0;
    const outcomes = await applyOperations(tx, due.map(operationOf), now);
    for (const [at, row] of due.entries()) {
      const outcome = outcomes[at];
      const run = row.runs + 1;
      const isLast = row.every_ms === null || run >= row.runs_max;
      await tx`
        INSERT INTO ledger_schedule_run (schedule_id, run, due_at, ran_at, transfer_id, error_code)
        VALUES (${row.id}, ${run}, ${row.next_at}, ${now}, ${outcome?.ok ? outcome.transfer.id : null},
                ${outcome?.ok === false ? outcome.error.code : null})`;
      await tx`
        UPDATE ledger_schedule SET runs = ${run}, next_at = next_at + ${row.every_ms ?? 0n},
          state = ${isLast ? "done" : "active"} WHERE id = ${row.id}`;
    }
    return due.length;
  })) as number;
}

/** A schedule with the fee terms of its unit, if there are any. */
interface DueRow extends ScheduleRow {
  fixed: bigint | null;
  rate_bps: number | null;
}

function operationOf(row: DueRow): LedgerOperation {
  const isBetweenAgents = accountKind(row.debit) === "agent" && accountKind(row.credit) === "agent";
  const fee = isBetweenAgents
    ? feeUp({ fixed: row.fixed ?? 0n, rateBps: row.rate_bps ?? 0 }, row.amount)
    : 0n;
  return {
    kind: "transfer",
    key: `schedule:${row.id}:${row.runs + 1}`,
    debit: row.debit,
    credit: row.credit,
    unit: row.unit,
    amount: row.amount,
    mustExist: accountKind(row.credit) === "agent",
    reference: row.reference ?? `schedule:${row.id}`,
    ...(row.memo !== null && { memo: row.memo }),
    ...(fee > 0n && { fee: { credit: systemTreasury as AccountName, amount: fee } }),
  };
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
