import { type Address, erc20Abi, getAddress } from "viem";
import type { Clock } from "#offchain/core/clock.ts";
import { formatAmount, parseAmount, type UnitCode } from "#offchain/core/unit.ts";
import type { Energy } from "#offchain/features/energy/service.ts";
import { channelUnit } from "#offchain/features/payments/rules/accounts.ts";
import type { BatchLimits } from "#offchain/features/payments/rules/batch.ts";
import { closingChannels } from "#offchain/features/payments/store/closing.ts";
import type { BudgetView, Treasuries } from "#offchain/features/treasury/service.ts";
import type { ChainReader } from "#offchain/platform/chain/client.ts";
import type { ChainView } from "#offchain/platform/chain/port.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import type { Overviews } from "./service.ts";
import {
  type AgentFigures,
  agentFigures,
  batchFigures,
  carbonFigures,
  paymentFigures,
  walletAccounts,
} from "./store.ts";

export interface OverviewOptions {
  sql: Sql;
  clock: Clock;
  view: ChainView;
  client: ChainReader;
  treasury: Treasuries;
  energy: Energy;
  addresses: { treasury: Address; usdc: Address };
  /** Holders that are no agents: shown among the wallets. */
  holders: readonly { address: Address; name: string; kind: "owner" | "operator" }[];
  limits: BatchLimits;
  /** Payments accepted per second, lately. */
  rate: () => number;
  standIns: readonly string[];
}

/** Gas of one ERC-3009 USDC transfer, FiatTokenV2_2 behind its proxy; measured with that contract (docs/benchmarks.md). */
const erc3009TransferGas = 85_728n;
const spendingStates = ["open", "ready"] as const;

/** Read models that gather several nouns for a page. */
export function openOverviews(options: OverviewOptions): Overviews {
  const { sql, view, clock, client, addresses } = options;

  async function waiting(): Promise<number> {
    const counts = await Promise.all(
      spendingStates.map(
        async (state) => (await options.treasury.proposals({ state, limit: 200 })).items.length,
      ),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  return {
    async show() {
      const status = view.status();
      const [treasury, budgets, payments, batches, closing, carbon, pools, proposals] = await Promise.all([
        options.treasury.show(),
        options.treasury.budgets(),
        paymentFigures(sql),
        batchFigures(sql, status.epoch),
        closingChannels(sql, status.epoch),
        carbonFigures(sql),
        options.energy.pools({ limit: 200 }),
        waiting(),
      ]);
      const settledGas = batches.gasUsed;
      const direct = erc3009TransferGas * BigInt(payments.settled);
      const sum = (pick: (pool: (typeof pools)[number]) => bigint) =>
        pools.reduce((total, pool) => total + pick(pool), 0n);
      const charged = sum(({ atp, reserved, expired, consumed }) => atp + reserved + expired + consumed);
      return {
        chain: {
          chainId: status.chainId,
          head: status.head.toString(),
          indexedTo: status.indexedTo.toString(),
          epoch: Number(status.epoch),
          indexedAt: clock.now() - status.lagMs,
          state: status.state,
          progress: status.progress,
        },
        treasury: {
          address: treasury.address,
          balances: treasury.balances,
          ...dailyTotals(budgets),
        },
        payments: {
          total: payments.total,
          value: money(payments.value, channelUnit),
          perSecond: options.rate(),
          payers: payments.payers,
          payees: payments.payees,
          pending: payments.pending,
          settled: payments.settled,
        },
        batches: {
          settled: batches.settled,
          open: batches.open && {
            batchId: batches.open.id.toString(),
            payments: batches.open.payments,
            value: money(batches.open.value, channelUnit),
            openedAt: batches.open.openedAt,
          },
          limits: {
            batchSize: options.limits.batchSize,
            maxDelayMs: options.limits.maxDelayMs,
            minAmount: money(options.limits.minAmount, channelUnit),
          },
          gasUsed: settledGas.toString(),
          gasPerPayment: payments.settled === 0 ? null : Number(settledGas) / payments.settled,
          gasSaved: (direct > settledGas ? direct - settledGas : 0n).toString(),
        },
        closing,
        proposals: { waiting: proposals, executed: batches.proposalsExecuted },
        carbon: {
          co2Micrograms: carbon.co2Micrograms.toString(),
          energyMillijoules: carbon.energyMillijoules.toString(),
        },
        energy: {
          capacityWatts: formatAmount(
            sum(({ capacityMicrowatts }) => capacityMicrowatts),
            "ATP",
          ),
          atp: money(
            sum(({ atp }) => atp),
            "ATP",
          ),
          reserved: money(
            sum(({ reserved }) => reserved),
            "ATP",
          ),
          adp: money(
            sum(({ adp }) => adp),
            "ADP",
          ),
          charged: money(charged, "ATP"),
          discharged: money(
            sum(({ consumed }) => consumed),
            "ATP",
          ),
          expired: money(
            sum(({ expired }) => expired),
            "ATP",
          ),
        },
        standIns: [...options.standIns],
      };
    },

    async wallets() {
      const agents = await agentFigures(sql, view.status().epoch);
      const [budgets, { owners }] = await Promise.all([options.treasury.budgets(), options.treasury.show()]);
      const rows: WalletRow[] = [
        { address: addresses.treasury, name: "Treasury", kind: "treasury", role: null },
        ...owners.map((owner, at) => ({
          address: getAddress(owner),
          name: `Owner ${at + 1}`,
          kind: "owner" as const,
          role: null,
        })),
        ...options.holders.map((holder) => ({ ...holder, role: null })),
        ...agents.map((agent) => ({
          address: agent.address,
          name: agent.name,
          kind: "agent" as const,
          role: agent.role,
          agent,
        })),
      ];
      const [balances, accounts] = await Promise.all([
        Promise.all(rows.map(({ address }) => onChain(client, addresses.usdc, address))),
        walletAccounts(sql, view.status().epoch),
      ]);
      return rows.map(({ address, name, kind, role, agent }, at) => {
        const daily = dailyOf(budgets.find(({ spender }) => spender === address));
        return {
          address,
          name,
          kind,
          role,
          onChain: balances[at] ?? [],
          ledger: (accounts.get(address.toLowerCase()) ?? []).map((account) => ({
            account: account.name,
            balance: money(account.balance, account.unit),
            pending: money(account.pending, account.unit),
            available: money(account.balance - account.pending, account.unit),
            incoming: money(account.incoming, account.unit),
          })),
          channels: {
            paying: agent?.paying ?? 0,
            earning: agent?.earning ?? 0,
            deposited: money(agent?.deposited ?? 0n, channelUnit),
            spent: money(agent?.spent ?? 0n, channelUnit),
            earned: money(agent?.earned ?? 0n, channelUnit),
          },
          budget: daily && { leftToday: daily.left, limitToday: daily.limit },
        };
      });
    },
  };
}

interface WalletRow {
  address: Address;
  name: string;
  kind: "treasury" | "owner" | "operator" | "agent";
  role: string | null;
  agent?: AgentFigures;
}

const money = (amount: bigint, unit: UnitCode) => ({ amount: formatAmount(amount, unit), unit });

const dailyOf = (budget: BudgetView | undefined) =>
  budget?.windows.find(({ window }) => window === "daily") ?? null;

/** Σ spent and Σ limits of today over all agents; a budget without a daily limit adds to what is spent only. */
function dailyTotals(budgets: readonly BudgetView[]) {
  let [spent, limit] = [0n, 0n];
  for (const daily of budgets.map(dailyOf)) {
    if (!daily || daily.limit.amount === "unlimited") continue;
    spent += parseAmount(daily.spent.amount, "USDC");
    limit += parseAmount(daily.limit.amount, "USDC");
  }
  return { spentToday: money(spent, "USDC"), budgetToday: money(limit, "USDC") };
}

async function onChain(client: ChainReader, usdc: Address, address: Address) {
  const [tokens, native] = await Promise.all([
    client.readContract({ address: usdc, abi: erc20Abi, functionName: "balanceOf", args: [address] }),
    client.getBalance({ address }),
  ]);
  return [money(tokens, "USDC"), money(native, "ETH")];
}
