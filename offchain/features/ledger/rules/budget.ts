/** What a spending limit counts: one transfer, or everything in a calendar window (UTC; weeks start on Monday). */
export const budgetPeriods = ["transaction", "hourly", "daily", "weekly", "monthly"] as const;
export type BudgetPeriod = (typeof budgetPeriods)[number];
export type WindowPeriod = Exclude<BudgetPeriod, "transaction">;
export const windowPeriods = [
  "hourly",
  "daily",
  "weekly",
  "monthly",
] as const satisfies readonly WindowPeriod[];

/** Limits by period, base units; a period without one is not limited. */
export type Limits = Readonly<Partial<Record<BudgetPeriod, bigint>>>;

/** What was spent in the windows that `chargedAt` (epoch ms) lies in, base units. */
export interface Spending {
  hourly: bigint;
  daily: bigint;
  weekly: bigint;
  monthly: bigint;
  chargedAt: number;
}

/** The windows of one moment: when each began and when it starts anew, epoch ms. */
export interface Windows {
  readonly startsAt: Readonly<Record<WindowPeriod, number>>;
  readonly resetsAt: Readonly<Record<WindowPeriod, number>>;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const weekMs = 7 * dayMs;
/** The epoch began on a Thursday; the Monday before it is three days earlier. */
const mondayMs = 3 * dayMs;

export function windowsAt(now: number): Windows {
  const date = new Date(now);
  const month = (ahead: number) => Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + ahead, 1);
  const hourly = Math.floor(now / hourMs) * hourMs;
  const daily = Math.floor(now / dayMs) * dayMs;
  const weekly = Math.floor((now + mondayMs) / weekMs) * weekMs - mondayMs;
  return {
    startsAt: { hourly, daily, weekly, monthly: month(0) },
    resetsAt: { hourly: hourly + hourMs, daily: daily + dayMs, weekly: weekly + weekMs, monthly: month(1) },
  };
}

/** Whether both moments lie in the same hour, and so in the same of every window. */
export const isSameHour = (windows: Windows, now: number): boolean =>
  now >= windows.startsAt.hourly && now < windows.resetsAt.hourly;

/** What is spent in the windows of now: those that began after the last charge are empty. */
export function spentIn(spending: Spending, windows: Windows): Record<WindowPeriod, bigint> {
  const spent = (period: WindowPeriod) =>
    spending.chargedAt < windows.startsAt[period] ? 0n : spending[period];
  return {
    hourly: spent("hourly"),
    daily: spent("daily"),
    weekly: spent("weekly"),
    monthly: spent("monthly"),
  };
}

/** One limit as it stands: how much of it is left, and when it starts anew (epoch ms; null: it never runs down). */
export interface Allowance {
  period: BudgetPeriod;
  limit: bigint;
  spent: bigint;
  left: bigint;
  resetsAt: number | null;
}

/** Every limit that is set, in the order of {@link budgetPeriods}. */
export function allowances(limits: Limits, spending: Spending, windows: Windows): Allowance[] {
  const spent = spentIn(spending, windows);
  return budgetPeriods.flatMap((period): Allowance[] => {
    const limit = limits[period];
    if (limit === undefined) return [];
    if (period === "transaction") return [{ period, limit, spent: 0n, left: limit, resetsAt: null }];
    const left = limit > spent[period] ? limit - spent[period] : 0n;
    return [{ period, limit, spent: spent[period], left, resetsAt: windows.resetsAt[period] }];
  });
}

/** Whether no limit stands against an amount. The same question as {@link brokenLimit}, without the answer's details. */
export function isWithinLimits(
  amount: bigint,
  limits: Limits,
  spending: Spending,
  windows: Windows,
): boolean {
  if (limits.transaction !== undefined && amount > limits.transaction) return false;
  for (const period of windowPeriods) {
    const limit = limits[period];
    if (limit === undefined) continue;
    const spent = spending.chargedAt < windows.startsAt[period] ? 0n : spending[period];
    if (spent + amount > limit) return false;
  }
  return true;
}

/** The limit that an amount would break and that takes longest to give way; null if none. */
export function brokenLimit(
  amount: bigint,
  limits: Limits,
  spending: Spending,
  windows: Windows,
): Allowance | null {
  const broken = allowances(limits, spending, windows).filter(({ left }) => amount > left);
  return broken.toSorted((one, other) => resetOf(other) - resetOf(one))[0] ?? null;
}

/** A limit of one transaction never gives way. */
const resetOf = ({ resetsAt }: Allowance): number => resetsAt ?? Number.POSITIVE_INFINITY;

/** Counts `amount` as spent now. */
export function charge(spending: Spending, amount: bigint, windows: Windows, now: number): void {
  if (spending.chargedAt < windows.startsAt.hourly) Object.assign(spending, spentIn(spending, windows));
  spending.hourly += amount;
  spending.daily += amount;
  spending.weekly += amount;
  spending.monthly += amount;
  spending.chargedAt = now;
}

/** Gives back what was charged at `chargedAt`, in those windows of now in which it still counts. */
export function giveBack(
  spending: Spending,
  amount: bigint,
  chargedAt: number,
  windows: Windows,
  now: number,
): void {
  Object.assign(spending, spentIn(spending, windows));
  for (const period of windowPeriods) {
    if (chargedAt < windows.startsAt[period]) continue;
    spending[period] = spending[period] > amount ? spending[period] - amount : 0n;
  }
  spending.chargedAt = Math.max(spending.chargedAt, now);
}
