import { type Address, type PublicClient, zeroAddress } from "viem";
import type { Clock } from "#offchain/core/clock.ts";
import type { Agents } from "#offchain/features/agents/service.ts";
import type { KnownContracts } from "#offchain/platform/chain/contracts/known.ts";
import type { RevertDecoder } from "#offchain/platform/chain/contracts/revert.ts";
import type { TokenAmount, Tokens } from "#offchain/platform/chain/contracts/tokens.ts";
import { type ChainView, sharedReadMs } from "#offchain/platform/chain/port.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { shareEach } from "#offchain/platform/jobs/shareNext.ts";
import type { BudgetFigures, UntrustedContracts } from "./contract.ts";
import type { Following } from "./following.ts";
import { type Named, type Names, openNaming } from "./proposals/naming.ts";
import { Proposals } from "./proposals/proposals.ts";
import { noLimit, standingBudgets } from "./rules.ts";
import type { Send } from "./sending/sending.ts";
import { openSpends } from "./sending/spends.ts";
import { openTold } from "./sending/told.ts";
import type { BudgetView, Treasuries } from "./service.ts";
import { budgetHolders } from "./store/budgets.ts";
import { proposalFigures, recentProposals } from "./store/proposals.ts";

export interface TreasuryOptions {
  readonly sql: Sql;
  readonly client: PublicClient;
  readonly untrustedCode: UntrustedContracts;
  readonly clock: Clock;
  readonly view: ChainView;
  readonly reverts: RevertDecoder;
  readonly agents: Pick<Agents, "names">;
  readonly chainId: number;
  readonly usdc: Address;
  readonly following: Following;
  readonly send: Send;
  readonly known: KnownContracts;
  readonly tokens: Tokens;
  /** The service's own names of addresses: contracts, the operator. By lower-case address. */
  readonly labels: ReadonlyMap<string, string>;
}

const windows = ["hourly", "daily", "weekly", "monthly"] as const;

/** The Treasury contracts, read from the chain and its indexed events, with signatures gathered here. */
export function openTreasury(options: TreasuryOptions): Treasuries {
  const { sql, client, clock, view, chainId, following, send, tokens } = options;
  const contractOf = (treasury?: Address) => following.contractOf(treasury);
  const runId = () => view.runNow();
  const caughtUp = async () => view.waitForBlock(await client.getBlockNumber());
  const named = openNaming(options.agents, options.labels);
  const membershipOf = shareEach((address) => contractOf(address as Address).membership(), sharedReadMs);
  const proposals = new Proposals({
    sql,
    clock,
    view,
    client,
    untrustedCode: options.untrustedCode,
    chainId,
    contractOf,
    membershipOf,
    treasuries: async () => (await following.list()).map(({ address }) => address),
    reverts: options.reverts,
    known: options.known,
    tokens,
    named,
    send,
    caughtUp,
    runId,
  });
  return {
    create: (terms) => following.create(terms),
    adopt: (address) => following.adopt(address),
    list: () => following.list(),

    ...openReads(options, named),

    ...openSpends({ client, contractOf, send, tokens, told: openTold({ sql, runId, caughtUp }) }),
    proposals: (query) => proposals.list(query),
    proposal: (proposalId) => proposals.find(proposalId),
    simulate: (proposalId) => proposals.simulate(proposalId),
    approve: (proposalId, owner, signature) => proposals.approve(proposalId, owner, signature),
    execute: (proposalId) => proposals.execute(proposalId),
    proposalFigures: async () => proposalFigures(sql, runId(), clock.now()),
    recentProposals: (limit) => recentProposals(sql, chainId, limit),
  };
}

/** What anybody may ask of a Treasury, as often as the rates allow: the chain is read once for all. */
function openReads(
  options: TreasuryOptions,
  named: Named,
): Pick<Treasuries, "show" | "budgets" | "heldBudgets"> {
  const { sql, view, chainId, following, tokens, usdc } = options;
  const show = shareEach(async (address) => {
    const contract = following.contractOf(address as Address);
    const [{ owners, threshold }, paused, balances] = await Promise.all([
      contract.membership(),
      contract.isPaused(),
      contract.balances(),
    ]);
    return {
      address: contract.address,
      chainId,
      owners: [...owners],
      threshold,
      paused,
      balances: [tokens.amountOf(usdc, balances.usdc), tokens.amountOf(zeroAddress, balances.native)],
    };
  }, sharedReadMs);
  const held = shareEach(async (address) => {
    const contract = following.contractOf(address as Address);
    const holders = await budgetHolders(sql, view.runNow(), contract.address);
    const figures = await contract.budgetsOf(holders);
    return named((nameOf) =>
      holders.flatMap((holder, at) => {
        const budget = figures[at];
        if (!budget) return [];
        return [{ budget: budgetView(holder, budget, { tokens, nameOf }), isRemoved: !budget.isActive }];
      }),
    );
  }, sharedReadMs);
  const heldBudgets: Treasuries["heldBudgets"] = async ({ treasury } = {}) =>
    held(following.contractOf(treasury).address);
  return {
    show: async ({ treasury } = {}) => show(following.contractOf(treasury).address),
    heldBudgets,
    budgets: async (chosen) => standingBudgets(await heldBudgets(chosen)),
  };
}

function budgetView(
  { spender, token }: { spender: Address; token: Address },
  figures: BudgetFigures,
  { tokens, nameOf }: { tokens: Tokens; nameOf: Names },
): BudgetView {
  const written = (base: bigint): TokenAmount => {
    const amount = tokens.amountOf(token, base);
    return base >= noLimit ? { ...amount, amount: "unlimited" } : amount;
  };
  return {
    spender,
    spenderName: nameOf(spender).chosen,
    ...tokens.unitOf(token),
    approvalAbove: written(figures.approvalAbove),
    validUntil: Number(figures.validUntil) * 1000,
    recipientsOnly: figures.recipientsOnly,
    frozen: figures.isFrozen,
    windows: [
      {
        window: "transaction",
        limit: written(figures.perTransaction),
        spent: written(0n),
        left: written(figures.perTransaction),
        resetsAt: null,
      },
      ...windows.map((window, at) => {
        const { limit = 0n, left = 0n, freeAt = 0n } = figures.windows[at] ?? {};
        return {
          window,
          limit: written(limit),
          spent: written(limit - left),
          left: written(left),
          resetsAt: freeAt === 0n ? null : Number(freeAt) * 1000,
        };
      }),
    ],
  };
}
