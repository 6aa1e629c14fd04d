import type { Abi } from "viem";
import { treasuryAbi } from "#contracts";
import { RevertDecoder } from "#offchain/platform/chain/revert.ts";
import { chainFeature, type Opened } from "#offchain/platform/feature.ts";
import { approve } from "./actions/approve.ts";
import { listBudgets } from "./actions/budgets.ts";
import { execute } from "./actions/execute.ts";
import { showProposal, simulateProposal } from "./actions/proposal.ts";
import { listProposals } from "./actions/proposals.ts";
import { showTreasury } from "./actions/show.ts";
import { spend } from "./actions/spend.ts";
import { treasuryHandlers } from "./events.ts";
import type { Treasuries } from "./service.ts";
import { endProposals } from "./store.ts";
import { openTreasury } from "./treasury.ts";
import { knownContracts } from "./words.ts";

/** The Treasury contract: budgets of agents, and proposals that owners approve. */
export const treasury = chainFeature({
  name: "treasury",
  migrations: new URL("./migrations/", import.meta.url),
  abis: { Treasury: treasuryAbi as Abi },
  actions: [
    approve,
    listBudgets,
    execute,
    showProposal,
    simulateProposal,
    listProposals,
    showTreasury,
    spend,
  ],
  open({ sql, clock, chain }): Opened<Treasuries> {
    const { contracts, operator } = chain;
    const service = openTreasury({
      sql,
      client: chain.client.reader,
      clock,
      view: chain.view,
      sender: chain.sender,
      chainId: chain.chainId,
      addresses: contracts,
      known: knownContracts(contracts),
      reverts: new RevertDecoder(chain.abis),
      labels: new Map([
        [contracts.treasury.toLowerCase(), "the Treasury"],
        [contracts.batchSettlement.toLowerCase(), "the payment channels"],
        [contracts.usdc.toLowerCase(), "USDC"],
        [operator.address.toLowerCase(), "the operator"],
      ]),
    });
    return {
      service,
      handlers: treasuryHandlers(contracts.treasury),
      onNewEpoch: [(tx, old) => endProposals(tx, old.id)],
    };
  },
});
