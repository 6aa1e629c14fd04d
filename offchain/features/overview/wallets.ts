import { type Address, getAddress, zeroAddress } from "viem";
import type { Agent, Agents } from "#offchain/features/agents/service.ts";
import type { Clearings } from "#offchain/features/clearing/service.ts";
import type { Holding, Ledger } from "#offchain/features/ledger/service.ts";
import { usdcUnit } from "#offchain/features/payments/rules/tokens.ts";
import type { Figures, PartyFigures } from "#offchain/features/payments/service.ts";
import type { BudgetView, Treasuries } from "#offchain/features/treasury/service.ts";
import type { ChainReader } from "#offchain/platform/chain/client/client.ts";
import type { Tokens } from "#offchain/platform/chain/contracts/tokens.ts";
import { holdingsOnChain } from "./contract.ts";
import { dailyOf, money } from "./overview.ts";
import type { WalletView } from "./service.ts";

export interface WalletOptions {
  readonly client: ChainReader;
  readonly tokens: Tokens;
  readonly agents: Pick<Agents, "list">;
  readonly ledger: Pick<Ledger, "accounts" | "holdings">;
  readonly figures: Pick<Figures, "parties" | "channelAccounts">;
  readonly clearing: Pick<Clearings, "currentCredits">;
  readonly treasury: Pick<Treasuries, "show" | "budgets">;
  /** The chain's current run. */
  readonly runId: () => bigint;
  readonly addresses: { readonly treasury: Address; readonly usdc: Address };
  readonly operator: Address;
}

type WalletHolder = Pick<WalletView, "name" | "kind" | "role"> & { address: Address };

/** What an account on the ledger says to its holder. */
type Account = Pick<Holding, "unit" | "balance" | "pending" | "incoming"> & { name: string };

const agentsPerPage = 1_000;

/** Every holder with its balances on the chain and on the ledger. */
export async function listWallets(options: WalletOptions): Promise<WalletView[]> {
  const { client, figures, addresses, tokens } = options;
  const [agents, budgets, { owners }, parties, credits, accounts] = await Promise.all([
    everyAgent(options.agents),
    options.treasury.budgets(),
    options.treasury.show(),
    figures.parties(),
    options.clearing.currentCredits(),
    accountsByHolder(options),
  ]);
  const holders: WalletHolder[] = [
    { address: addresses.treasury, name: "Treasury", kind: "treasury", role: null },
    ...owners.map((owner, at) => ({
      address: getAddress(owner),
      name: `Owner ${at + 1}`,
      kind: "owner" as const,
      role: null,
    })),
    { address: options.operator, name: "Operator", kind: "operator", role: null },
    ...agents.map(({ address, name, role }) => ({
      address: getAddress(address),
      name,
      kind: "agent" as const,
      role,
    })),
  ];
  const balances = await Promise.all(
    holders.map(({ address }) => holdingsOnChain(client, addresses.usdc, address)),
  );
  return holders.map((holder, at) => {
    const key = holder.address.toLowerCase();
    const { usdc = 0n, native = 0n } = balances[at] ?? {};
    const isAgent = holder.kind === "agent";
    return {
      ...holder,
      onChain: [tokens.amountOf(addresses.usdc, usdc), tokens.amountOf(zeroAddress, native)],
      ledger: (accounts.get(key) ?? []).map(accountView),
      channels: channelsView(isAgent ? parties.get(key) : undefined, isAgent ? credits.get(key) : undefined),
      ...budgetsOf(holder.address, budgets, addresses.usdc),
    };
  });
}

/** What is left of today's limit in each token: a spender has one budget in each. */
export function budgetsOf(
  address: Address,
  budgets: readonly BudgetView[],
  usdc: Address,
): Pick<WalletView, "budget" | "otherBudgets"> {
  const daily = budgets.flatMap((budget) => {
    const window = budget.spender === address ? dailyOf(budget) : null;
    if (!window) return [];
    const isUsdc = budget.token.toLowerCase() === usdc.toLowerCase();
    return [{ isUsdc, view: { leftToday: window.left, limitToday: window.limit } }];
  });
  return {
    budget: daily.find(({ isUsdc }) => isUsdc)?.view ?? null,
    otherBudgets: daily.filter(({ isUsdc }) => !isUsdc).map(({ view }) => view),
  };
}

const accountView = ({ name, unit, balance, pending, incoming }: Account): WalletView["ledger"][number] => ({
  account: name,
  balance: money(balance, unit),
  pending: money(pending, unit),
  available: money(balance - pending, unit),
  incoming: money(incoming, unit),
});

/** All cleared channels that pay somebody count as one, and are in USDC. */
export function channelsView(
  party: readonly PartyFigures[] = [],
  credited: bigint | undefined = undefined,
): WalletView["channels"] {
  const count = (pick: (figures: PartyFigures) => number) =>
    party.reduce((total, figures) => total + pick(figures), 0);
  const usdc = party.find(({ unit }) => unit === usdcUnit) ?? { deposited: 0n, spent: 0n, earned: 0n };
  return {
    paying: count(({ paying }) => paying),
    earning: count(({ earning }) => earning) + (credited === undefined ? 0 : 1),
    deposited: money(usdc.deposited, usdcUnit),
    spent: money(usdc.spent, usdcUnit),
    earned: money(usdc.earned + (credited ?? 0n), usdcUnit),
    others: party
      .filter(({ unit }) => unit !== usdcUnit)
      .map(({ unit, deposited, spent, earned }) => ({
        deposited: money(deposited, unit),
        spent: money(spent, unit),
        earned: money(earned, unit),
      })),
  };
}

async function everyAgent(agents: Pick<Agents, "list">): Promise<Agent[]> {
  const all: Agent[] = [];
  for (let cursor: bigint | undefined; ; ) {
    const { items, next } = await agents.list({ cursor, limit: agentsPerPage });
    all.push(...items);
    if (next === null) return all;
    cursor = BigInt(next);
  }
}

/** Ledger accounts by their holder's lower-case address: what it earned, its channels' deposits, its work and emissions. */
async function accountsByHolder({ ledger, figures, runId }: WalletOptions): Promise<Map<string, Account[]>> {
  const [held, channels] = await Promise.all([
    ledger.holdings(["agent:0x", "worker:0x", "emitted:0x", `payee:${runId()}:`]),
    figures.channelAccounts(),
  ]);
  const payers = new Map<string, string>(
    channels.map(({ account, payer }) => [account, payer.toLowerCase()]),
  );
  const deposits = await ledger.accounts(channels.map(({ account }) => account));
  return groupByHolder([
    ...held.map((account) => ({ holder: account.name.replace(/^.*:/, "").toLowerCase(), account })),
    ...deposits.map((account) => ({
      holder: payers.get(account.name) ?? "",
      account: { ...account, name: "channels" },
    })),
  ]);
}

/** One line for each name and unit, in that order: all channels of a payer are one. */
export function groupByHolder(
  held: readonly { readonly holder: string; readonly account: Account }[],
): Map<string, Account[]> {
  const holders = new Map<string, Map<string, Account>>();
  for (const { holder, account } of held) {
    const lines = holders.get(holder) ?? new Map<string, Account>();
    const key = `${account.name} ${account.unit}`;
    const { name, unit } = account;
    const { balance = 0n, pending = 0n, incoming = 0n } = lines.get(key) ?? {};
    lines.set(key, {
      name,
      unit,
      balance: balance + account.balance,
      pending: pending + account.pending,
      incoming: incoming + account.incoming,
    });
    holders.set(holder, lines);
  }
  return new Map(
    [...holders].map(([holder, lines]) => [
      holder,
      [...lines].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, account]) => account),
    ]),
  );
}
