import { BursarError } from "#offchain/core/error.ts";
import type { UnitCode } from "#offchain/core/unit.ts";
import { feeUp, systemTreasury } from "./fee.ts";
import { scheduleLateMs } from "./limits.ts";
import { type AccountName, accountKind, type LedgerOperation } from "./transfer.ts";

/** A schedule whose next run is due, with the fee terms of its unit. */
export interface DueRun {
  scheduleId: bigint;
  /** Counts the schedule's runs from one. */
  run: number;
  /** Epoch ms: the latest time that has come. */
  dueAt: bigint;
  /** Times due before it that nobody ran. They stay unrun: paid in bulk, they would come when nobody expects them. */
  skipped: bigint;
  debit: AccountName;
  credit: AccountName;
  unit: UnitCode;
  amount: bigint;
  reference: string | null;
  memo: string | null;
  /** Between runs; null: it runs once. */
  everyMs: bigint | null;
  runsMax: number;
  fee: { fixed: bigint; rateBps: number };
}

/** The transfer of a run, for the fee of its day. Its key names schedule and run, so that each run happens once. */
export function runOperation(due: DueRun): LedgerOperation {
  const isBetweenAgents = accountKind(due.debit) === "agent" && accountKind(due.credit) === "agent";
  const fee = isBetweenAgents ? feeUp(due.fee, due.amount) : 0n;
  return {
    kind: "transfer",
    key: `schedule:${due.scheduleId}:${due.run}`,
    debit: due.debit,
    credit: due.credit,
    unit: due.unit,
    amount: due.amount,
    mustExist: accountKind(due.credit) === "agent",
    reference: due.reference ?? `schedule:${due.scheduleId}`,
    ...(due.memo !== null && { memo: due.memo }),
    ...(fee > 0n && { fee: { credit: systemTreasury as AccountName, amount: fee } }),
  };
}

/** @throws BursarError VALIDATION_INVALID_INPUT for a start in the past: its runs would all be due at once */
export function assertStart(startsAt: number, now: number): void {
  if (startsAt >= now - scheduleLateMs) return;
  throw new BursarError("VALIDATION_INVALID_INPUT", "startsAt: a schedule cannot start in the past", {
    facts: { startsAt, now, lateMs: scheduleLateMs },
    fields: [
      { field: "startsAt", message: `must not be before ${now}, the service's time`, value: startsAt },
    ],
  });
}

/** Which of the times due by now is run: the latest one alone; those before it are skipped. */
export function latestDue(nextAt: bigint, everyMs: bigint | null, now: bigint) {
  const skipped = everyMs === null ? 0n : (now - nextAt) / everyMs;
  return { dueAt: nextAt + skipped * (everyMs ?? 0n), skipped };
}

/** Whether no run comes after this one. */
export const isLastRun = ({ everyMs, run, runsMax }: DueRun): boolean => everyMs === null || run >= runsMax;
