import { scopesAbi, treasuryAbi, treasuryFactoryAbi } from "#contracts";
import type { Agents } from "#offchain/features/agents/service.ts";
import { RevertDecoder } from "#offchain/platform/chain/contracts/revert.ts";
import { openTokens } from "#offchain/platform/chain/contracts/tokens.ts";
import { chainFeature, type Opened } from "#offchain/platform/feature.ts";
import { adopt } from "./actions/adopt.ts";
import { approve } from "./actions/approve.ts";
import { listBudgets } from "./actions/budgets.ts";
import { create } from "./actions/create.ts";
import { execute } from "./actions/execute.ts";
import { listTreasuries } from "./actions/list.ts";
import { showProposal, simulateProposal } from "./actions/proposal.ts";
import { listProposals } from "./actions/proposals.ts";
import { showTreasury } from "./actions/show.ts";
import { spend } from "./actions/spend.ts";
import { treasuryHandlers } from "./events.ts";
import { Following } from "./following.ts";
import { labelsOf } from "./proposals/naming.ts";
import { openSending } from "./sending/sending.ts";
import type { Treasuries } from "./service.ts";
import { openTreasury } from "./treasury.ts";

/** How often it is looked for what other instances of the service follow. */
const takeUpEveryMs = 2_000;

/** The Treasury contracts: budgets of agents, and proposals that owners approve. */
export const treasury = chainFeature({
  name: "treasury",
  migrations: new URL("./migrations/", import.meta.url),
  contracts: [
    { name: "Treasury", abi: treasuryAbi, address: "treasury" },
    { name: "TreasuryFactory", abi: treasuryFactoryAbi, address: "treasuryFactory" },
    { name: "Scopes", abi: scopesAbi, address: "scopes" },
  ],
  actions: [
    adopt,
    approve,
    create,
    listTreasuries,
    listBudgets,
    execute,
    showProposal,
    simulateProposal,
    listProposals,
    showTreasury,
    spend,
  ],
  async open({ sql, clock, chain }, { agents }: { agents: Agents }): Promise<Opened<Treasuries>> {
    const { contracts, operator, chainId, view } = chain;
    const { reader: client, untrustedCode } = chain.client;
    const send = openSending(chain.sender, view);
    const runId = () => view.runNow();
    const following = await Following.open({ sql, clock, client, untrustedCode, chain, runId, send });
    const service = openTreasury({
      sql,
      client,
      untrustedCode,
      clock,
      view,
      send,
      following,
      agents,
      chainId,
      usdc: contracts.usdc,
      known: chain.known,
      reverts: new RevertDecoder(chain.abis),
      tokens: openTokens(chain.known, chain.nativeCoin),
      labels: labelsOf(contracts, operator.address),
    });
    return {
      service,
      handlers: treasuryHandlers(following.addresses),
      jobs: [{ name: "treasuries", everyMs: takeUpEveryMs, run: () => following.takeUp() }],
    };
  },
});
