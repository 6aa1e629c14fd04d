import { type Address, getAddress, zeroAddress } from "viem";
import { type Caller, submitterOf } from "#offchain/core/call/caller.ts";
import type { Agent, Agents } from "#offchain/features/agents/service.ts";
import type { Clearings } from "#offchain/features/clearing/service.ts";
import { emittedAccount, workerAccount } from "#offchain/features/energy/rules/postings.ts";
import {
  type AccountName,
  agentAccount,
  type Account as LedgerAccount,
} from "#offchain/features/ledger/rules/transfer.ts";
import type { Ledger } from "#offchain/features/ledger/service.ts";
import { payeeAccount } from "#offchain/features/payments/rules/accounts.ts";
import { usdcUnit } from "#offchain/features/payments/rules/tokens.ts";
import type { Figures, PartyFigures } from "#offchain/features/payments/service.ts";
import { standingBudgets } from "#offchain/features/treasury/rules.ts";
import type { BudgetView } from "#offchain/features/treasury/service.ts";
import type { Tokens } from "#offchain/platform/chain/contracts/tokens.ts";
import type { ChainFacts } from "./chainFacts.ts";
import { dailyOf, money } from "./overview.ts";
import type { WalletQuery, WalletView } from "./service.ts";

export interface WalletOptions {
  readonly facts: ChainFacts;
  readonly tokens: Tokens;
  readonly agents: Pick<Agents, "list" | "get">;
  readonly ledger: Pick<Ledger, "accounts">;
  readonly figures: Pick<Figures, "parties" | "channelAccounts">;
  readonly clearing: Pick<Clearings, "currentCredits">;
  /** The chain's current run. */
  readonly runId: () => bigint;
  readonly addresses: { readonly treasury: Address; readonly usdc: Address };
  readonly operator: Address;
}

type WalletHolder = Pick<WalletView, "name" | "kind" | "role"> & { address: Address };

/** What an account on the ledger says to its holder. */
type Account = Pick<LedgerAccount, "unit" | "balance" | "pending" | "incoming"> & { name: string };

/** A smaller cursor says how many of the service's own accounts were shown, a greater one which agent was the last. */
const agentsFrom = 1_000n;

/** A page of holders with their balances: the service's own accounts, then agents by time of registration. */
export async function listWallets(
  query: WalletQuery,
  caller: Caller,
  options: WalletOptions,
): Promise<{ items: WalletView[]; next: string | null }> {
  const { facts, figures, clearing, addresses, tokens } = options;
  const { holders, next } = await holdersOf(query, options);
  const shown = holders.map(({ address }) => address);
  const [balances, budgets, parties, credits, accounts] = await Promise.all([
    facts.holdings(shown),
    facts.budgets(),
    figures.parties(shown),
    clearing.currentCredits(shown),
    accountsByHolder(
      shown.filter((address) => maySeeLedger(caller, address)),
      options,
    ),
  ]);
  const standing = standingBudgets(budgets);
  const items = holders.map((holder, at) => {
    const key = holder.address.toLowerCase();
    const { usdc = 0n, native = 0n } = balances[at] ?? {};
    const isAgent = holder.kind === "agent";
    return {
      ...holder,
      onChain: [tokens.amountOf(addresses.usdc, usdc), tokens.amountOf(zeroAddress, native)],
      ledger: maySeeLedger(caller, holder.address) ? (accounts.get(key) ?? []).map(accountView) : null,
      channels: channelsView(isAgent ? parties.get(key) : undefined, isAgent ? credits.get(key) : undefined),
      ...budgetsOf(holder.address, standing, addresses.usdc),
    };
  });
  return { items, next };
}

/** What is on the chain is everybody's to see; what is on the ledger, its owner's and the operator's. */
export const maySeeLedger = (caller: Caller, holder: Address): boolean =>
  caller.role === "operator" || submitterOf(caller) === holder;

async function holdersOf(
  { address, cursor = 0n, limit }: WalletQuery,
  options: WalletOptions,
): Promise<{ holders: WalletHolder[]; next: string | null }> {
  if (address) {
    const [own, agent] = await Promise.all([ownHolders(options), options.agents.get(address)]);
    const holders = own.filter((holder) => holder.address === address);
    return { holders: agent ? [...holders, agentHolder(agent)] : holders, next: null };
  }
  const before = cursor < agentsFrom ? Number(cursor) : null;
  const own = before === null ? [] : (await ownHolders(options)).slice(before, before + limit);
  if (before !== null && own.length === limit) return { holders: own, next: String(before + limit) };
  const { items, next } = await options.agents.list({
    cursor: before === null ? cursor - agentsFrom : undefined,
    limit: limit - own.length,
  });
  return {
    holders: [...own, ...items.map(agentHolder)],
    next: next === null ? null : (BigInt(next) + agentsFrom).toString(),
  };
}

async function ownHolders({ facts, addresses, operator }: WalletOptions): Promise<WalletHolder[]> {
  const { owners } = await facts.treasury();
  return [
    { address: addresses.treasury, name: "Treasury", kind: "treasury", role: null },
    { address: operator, name: "Operator", kind: "operator", role: null },
    ...owners.map((owner, at) => ({
      address: getAddress(owner),
      name: `Owner ${at + 1}`,
      kind: "owner" as const,
      role: null,
    })),
  ];
}

const agentHolder = ({ address, name, role }: Agent): WalletHolder => ({
  address: getAddress(address),
  name,
  kind: "agent",
  role,
});

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
    const { frozen, validUntil } = budget;
    return [{ isUsdc, view: { leftToday: window.left, limitToday: window.limit, frozen, validUntil } }];
  });
  return {
    budget: daily.find(({ isUsdc }) => isUsdc)?.view ?? null,
    otherBudgets: daily.filter(({ isUsdc }) => !isUsdc).map(({ view }) => view),
  };
}

const accountView = ({
  name,
  unit,
  balance,
  pending,
  incoming,
}: Account): NonNullable<WalletView["ledger"]>[number] => ({
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

/** Ledger accounts by their holder's lower-case address: what it earned, its channels' deposits, its work and emissions. */
async function accountsByHolder(
  holders: readonly Address[],
  { ledger, figures, runId }: WalletOptions,
): Promise<Map<string, Account[]>> {
  if (holders.length === 0) return new Map();
  const channels = await figures.channelAccounts(holders);
  const holderOf = new Map<string, { holder: string; name?: string }>(
    channels.map(({ account, payer }) => [account, { holder: payer.toLowerCase(), name: "channels" }]),
  );
  const run = runId();
  for (const address of holders) {
    const holder = address.toLowerCase();
    const accountOf = [agentAccount, workerAccount, emittedAccount, (of: string) => payeeAccount(run, of)];
    // Before names had one spelling, some were written with the checksummed address.
    for (const name of accountOf.map((nameOf) => nameOf(address)))
      for (const spelling of [name, name.replace(holder, address)]) holderOf.set(spelling, { holder });
  }
  const accounts = await ledger.accounts([...holderOf.keys()] as AccountName[]);
  return groupByHolder(
    accounts.map((account) => {
      const { holder = "", name = account.name } = holderOf.get(account.name) ?? {};
      return { holder, account: { ...account, name } };
    }),
  );
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
