import { BursarError } from "#offchain/core/error.ts";

/** How much an agent may emit per calendar day and calendar month (UTC), µg CO₂e. */
export interface CarbonBudget {
  dailyMicrograms: bigint;
  monthlyMicrograms: bigint;
  /** Share of either limit from which to alert, once a period. */
  alertBps: bigint;
  /** Whether a job that would exceed a limit is refused, or only reported. */
  blocking: boolean;
}

/** 1000 g a day, 25 000 g a month, alert at 80 %, not blocking: AgentKern's defaults. */
export const defaultCarbonBudget: CarbonBudget = {
  dailyMicrograms: 1_000_000_000n,
  monthlyMicrograms: 25_000_000_000n,
  alertBps: 8_000n,
  blocking: false,
};

interface Period {
  /** Epoch ms at which it began, UTC. */
  startsAt: number;
  usedMicrograms: bigint;
  isAlerted: boolean;
}

/** What an agent used. Running totals, not a sum over history: trimming history frees nothing. */
export interface CarbonUsage {
  day: Period;
  month: Period;
  /** Promised to jobs that still run; counts against whichever day and month it is. */
  reservedMicrograms: bigint;
}

export interface CarbonAlert {
  period: "day" | "month";
  startsAt: number;
  micrograms: bigint;
  limitMicrograms: bigint;
}

export interface CarbonDecision {
  usage: CarbonUsage;
  alerts: CarbonAlert[];
  /** Periods whose limit the use now exceeds; only a budget that does not block lets this happen. */
  exceeded: CarbonAlert[];
}

export function noCarbonUsage(now: number): CarbonUsage {
  const fresh = (startsAt: number): Period => ({ startsAt, usedMicrograms: 0n, isAlerted: false });
  return { day: fresh(dayStart(now)), month: fresh(monthStart(now)), reservedMicrograms: 0n };
}

/**
 * Promises emissions to a job before it runs, so that two jobs cannot both take the last gram.
 * Reaching a limit exactly is allowed.
 * @throws BursarError CARBON_BUDGET_EXCEEDED when the budget blocks; nothing is reserved then.
 */
export function reserveCarbon(
  budget: CarbonBudget,
  usage: CarbonUsage,
  micrograms: bigint,
  now: number,
): CarbonDecision {
  const current = rollOver(usage, now);
  const next = { ...current, reservedMicrograms: current.reservedMicrograms + micrograms };
  const exceeded = periodsAbove(budget, next);
  const first = exceeded[0];
  if (first && budget.blocking)
    throw new BursarError("CARBON_BUDGET_EXCEEDED", `the carbon budget of this ${first.period} is used up`, {
      facts: {
        period: first.period,
        gotMicrograms: first.micrograms,
        limitMicrograms: first.limitMicrograms,
        askedMicrograms: micrograms,
        startsAt: first.startsAt,
      },
    });
  return { ...alert(budget, next), exceeded };
}

/** Turns a reservation into what the job really emitted; the difference is released or added. It has happened, so it never fails. */
export function recordCarbon(
  budget: CarbonBudget,
  usage: CarbonUsage,
  reserved: bigint,
  actual: bigint,
  now: number,
): CarbonDecision {
  const { day, month, reservedMicrograms } = rollOver(usage, now);
  const next: CarbonUsage = {
    day: { ...day, usedMicrograms: day.usedMicrograms + actual },
    month: { ...month, usedMicrograms: month.usedMicrograms + actual },
    reservedMicrograms: reservedMicrograms - reserved,
  };
  return { ...alert(budget, next), exceeded: periodsAbove(budget, next) };
}

/** Gives back what a job that did not run had reserved. */
export function releaseCarbon(usage: CarbonUsage, reserved: bigint, now: number): CarbonUsage {
  const current = rollOver(usage, now);
  return { ...current, reservedMicrograms: current.reservedMicrograms - reserved };
}

function rollOver(usage: CarbonUsage, now: number): CarbonUsage {
  const fresh = noCarbonUsage(now);
  return {
    day: usage.day.startsAt >= fresh.day.startsAt ? usage.day : fresh.day,
    month: usage.month.startsAt >= fresh.month.startsAt ? usage.month : fresh.month,
    reservedMicrograms: usage.reservedMicrograms,
  };
}

function periodsAbove(budget: CarbonBudget, usage: CarbonUsage): CarbonAlert[] {
  return standings(budget, usage).filter(({ micrograms, limitMicrograms }) => micrograms > limitMicrograms);
}

function alert(budget: CarbonBudget, usage: CarbonUsage): { usage: CarbonUsage; alerts: CarbonAlert[] } {
  const alerts = standings(budget, usage).filter(
    ({ period, micrograms, limitMicrograms }) =>
      !usage[period].isAlerted && micrograms * 10_000n >= limitMicrograms * budget.alertBps,
  );
  const alerted = (period: "day" | "month"): Period => ({
    ...usage[period],
    isAlerted: usage[period].isAlerted || alerts.some((raised) => raised.period === period),
  });
  return { usage: { ...usage, day: alerted("day"), month: alerted("month") }, alerts };
}

function standings(budget: CarbonBudget, usage: CarbonUsage): CarbonAlert[] {
  const standing = (period: "day" | "month", limitMicrograms: bigint): CarbonAlert => ({
    period,
    startsAt: usage[period].startsAt,
    micrograms: usage[period].usedMicrograms + usage.reservedMicrograms,
    limitMicrograms,
  });
  return [standing("day", budget.dailyMicrograms), standing("month", budget.monthlyMicrograms)];
}

const dayMs = 86_400_000;
const dayStart = (at: number): number => Math.floor(at / dayMs) * dayMs;

function monthStart(at: number): number {
  const date = new Date(at);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
}
