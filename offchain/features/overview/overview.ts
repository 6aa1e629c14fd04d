import { formatUnits, parseUnits } from "viem";
import type { Clock } from "#offchain/core/clock.ts";
import { formatAmount, type UnitCode } from "#offchain/core/unit.ts";
import type { Carbon, CarbonTotals } from "#offchain/features/carbon/service.ts";
import type { Clearings } from "#offchain/features/clearing/service.ts";
import type { Energy, PoolStanding } from "#offchain/features/energy/service.ts";
import { usdcUnit } from "#offchain/features/payments/rules/tokens.ts";
import type { BatchFigures, PaymentFigures, Payments } from "#offchain/features/payments/service.ts";
import type { BudgetView, HeldBudget, Treasuries } from "#offchain/features/treasury/service.ts";
import type { TokenUnit } from "#offchain/platform/chain/contracts/tokens.ts";
import type { ChainView } from "#offchain/platform/chain/port.ts";
import type { ChainFacts } from "./chainFacts.ts";
import type { OverviewView } from "./service.ts";

export interface OverviewOptions {
  readonly clock: Clock;
  readonly view: ChainView;
  readonly usdc: TokenUnit;
  readonly facts: Pick<ChainFacts, "treasury" | "budgets">;
  readonly treasury: Pick<Treasuries, "proposalFigures">;
  readonly energy: Energy;
  readonly carbon: Carbon;
  readonly payments: Payments;
  readonly clearing: Pick<Clearings, "gasUsed">;
  /** Payments accepted per second, lately. */
  readonly rate: () => number;
}

/** Gas of one ERC-3009 USDC transfer, FiatTokenV2_2 behind its proxy; measured with that contract (docs/benchmarks.md). */
const erc3009TransferGas = 85_728n;

/** The figures of the dashboard's first page. */
export async function showOverview(options: OverviewOptions): Promise<OverviewView> {
  const { payments } = options;
  const { figures } = payments;
  const [treasury, budgets, paid, batches, clearingGas, closing, carbon, pools, proposals] =
    await Promise.all([
      options.facts.treasury(),
      options.facts.budgets(),
      figures.payments(),
      figures.batches(),
      options.clearing.gasUsed(),
      payments.closing(),
      options.carbon.totals(),
      options.energy.pools({ limit: 200 }),
      options.treasury.proposalFigures(),
    ]);
  return {
    chain: chainView(options),
    treasury: {
      address: treasury.address,
      balances: treasury.balances,
      ...budgetFigures(budgets, options.usdc, options.clock.now()),
    },
    payments: { ...paymentsView(paid), perSecond: options.rate() },
    batches: batchesView(batches, paid, batches.gasUsed + clearingGas, payments),
    closing,
    proposals,
    carbon: carbonView(carbon),
    energy: energyView(pools),
  };
}

function chainView({ view, clock }: OverviewOptions): OverviewView["chain"] {
  const { chainId, head, indexedTo, lagMs, state, progress } = view.status();
  return {
    chainId,
    head: head.toString(),
    indexedTo: indexedTo.toString(),
    runId: Number(view.runNow()),
    indexedAt: clock.now() - lagMs,
    state,
    progress,
  };
}

const paymentsView = ({ values, ...counts }: PaymentFigures) => ({
  ...counts,
  value: money(values.get(usdcUnit) ?? 0n, usdcUnit),
  others: [...values].flatMap(([unit, value]) => (unit === usdcUnit ? [] : money(value, unit))),
});

function batchesView(
  { settled, open }: BatchFigures,
  paid: PaymentFigures,
  gasUsed: bigint,
  { policy: { batchSize, maxDelayMs, minAmount } }: Payments,
): OverviewView["batches"] {
  const direct = erc3009TransferGas * BigInt(paid.settled);
  const shown = open.map(({ id, unit, payments, value, openedAt }) => ({
    batchId: id.toString(),
    payments,
    value: money(value, unit),
    openedAt,
  }));
  return {
    settled,
    open: shown.find(({ value }) => value.unit === usdcUnit) ?? null,
    others: shown.filter(({ value }) => value.unit !== usdcUnit),
    limits: { batchSize, maxDelayMs, minAmount: money(minAmount ?? 0n, usdcUnit) },
    gasUsed: gasUsed.toString(),
    gasPerPayment: paid.settled === 0 ? null : Number(gasUsed) / paid.settled,
    gasSaved: (direct > gasUsed ? direct - gasUsed : 0n).toString(),
  };
}

const carbonView = ({ tickets, co2Micrograms, energyMillijoules }: CarbonTotals): OverviewView["carbon"] => ({
  tickets: tickets.toString(),
  co2Micrograms: co2Micrograms.toString(),
  energyMillijoules: energyMillijoules.toString(),
});

function energyView(pools: readonly PoolStanding[]): OverviewView["energy"] {
  const sum = (pick: (pool: PoolStanding) => bigint) => pools.reduce((total, pool) => total + pick(pool), 0n);
  const atp = (pick: (pool: PoolStanding) => bigint) => money(sum(pick), "ATP");
  return {
    capacityWatts: formatAmount(
      sum(({ capacityMicrowatts }) => capacityMicrowatts),
      "ATP",
    ),
    atp: atp((pool) => pool.atp),
    reserved: atp((pool) => pool.reserved),
    adp: money(
      sum(({ adp }) => adp),
      "ADP",
    ),
    charged: atp((pool) => pool.atp + pool.reserved + pool.expired + pool.consumed),
    discharged: atp((pool) => pool.consumed),
    expired: atp((pool) => pool.expired),
  };
}

export const money = (amount: bigint, unit: UnitCode) => ({ amount: formatAmount(amount, unit), unit });

export const dailyOf = (budget: BudgetView | undefined) =>
  budget?.windows.find(({ window }) => window === "daily") ?? null;

const dayMs = 86_400_000;

/**
 * What agents spent in the last day, and may spend in one. All that was spent counts, also from a budget that lets nobody
 * spend any more: frozen, ended or removed. Of such a one only the limit is left out.
 */
export function budgetFigures(budgets: readonly HeldBudget[], usdc: TokenUnit, now: number) {
  const hasEndedBy = ({ validUntil }: BudgetView, moment: number) =>
    validUntil !== null && validUntil <= moment;
  const told = budgets.map(({ budget, isRemoved }) => ({
    budget,
    isStopped: isRemoved || budget.frozen || hasEndedBy(budget, now),
  }));
  const unlimited = told.filter(
    ({ budget, isStopped }) =>
      dailyOf(budget)?.limit.amount === "unlimited" &&
      !(isStopped && (hasEndedBy(budget, now - dayMs) || isUnspent(budget))),
  );
  const agents = new Set(unlimited.map(({ budget }) => budget.spender.toLowerCase()));
  return { ...dailyTotals(told, usdc), agentsWithoutLimit: agents.size };
}

/** A window of more than a day says that nothing was spent in one. */
const isUnspent = ({ windows }: BudgetView): boolean =>
  windows.some(
    ({ window, limit, spent }) =>
      (window === "weekly" || window === "monthly") &&
      limit.amount !== "unlimited" &&
      !/[1-9]/.test(spent.amount),
  );

/** A budget, and whether anything can be spent from it. */
interface ToldBudget {
  readonly budget: BudgetView;
  readonly isStopped: boolean;
}

/**
 * Σ spent and Σ limits of today over all agents, apart for each token; a budget without a daily limit adds to neither.
 * @param usdc comes first, also if no budget is in it
 */
export function dailyTotals(budgets: readonly ToldBudget[], usdc: TokenUnit) {
  type Total = { unit: Pick<BudgetView, keyof TokenUnit>; spent: bigint; stopped: bigint; limit: bigint };
  const nothing = { spent: 0n, stopped: 0n, limit: 0n };
  const totals = new Map<string, Total>([[usdc.token.toLowerCase(), { unit: usdc, ...nothing }]]);
  for (const { budget, isStopped } of budgets) {
    const daily = dailyOf(budget);
    if (!daily || daily.limit.amount === "unlimited") continue;
    const { token, unit, decimals, known } = budget;
    const key = token.toLowerCase();
    const before = totals.get(key) ?? { unit: { token, unit, decimals, known }, ...nothing };
    const spent = parseUnits(daily.spent.amount, before.unit.decimals);
    totals.set(key, {
      unit: before.unit,
      spent: before.spent + spent,
      stopped: before.stopped + (isStopped ? spent : 0n),
      limit: before.limit + (isStopped ? 0n : parseUnits(daily.limit.amount, before.unit.decimals)),
    });
  }
  const [first, ...others] = [...totals.values()].map(({ unit: { decimals, ...unit }, ...sums }) => {
    const amountOf = (sum: bigint) => ({ amount: formatUnits(sum, decimals), ...unit });
    return {
      spentToday: amountOf(sums.spent),
      stoppedToday: amountOf(sums.stopped),
      budgetToday: amountOf(sums.limit),
    };
  });
  if (!first) throw new Error("USDC is always among the totals");
  return { ...first, others };
}
