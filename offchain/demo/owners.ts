import type { Hex } from "viem";
import type { HDAccount } from "viem/accounts";
import { BursarError } from "#offchain/core/error.ts";
import type { Client } from "#offchain/sdk/client.ts";
import { type RetryOptions, untilAnswered } from "#offchain/sdk/http/retry.ts";

type Owner = Pick<HDAccount, "address" | "sign">;
type Proposal = Awaited<ReturnType<Client["treasury"]["proposal"]>>;

/**
 * Stands in for the owners of a local chain: signs every open proposal as each of `owners` and executes it.
 * @returns the ids of what was executed
 */
export async function approveAll(
  client: Pick<Client, "treasury">,
  owners: readonly Owner[],
  retry: RetryOptions = {},
): Promise<Hex[]> {
  const executed: Hex[] = [];
  for (const proposal of await waiting(client, retry)) {
    const { proposalId } = proposal;
    let latest = proposal;
    for (const owner of owners.filter(({ address }) => proposal.missing.includes(address))) {
      if (latest.state !== "open") break;
      const signature = await owner.sign({ hash: proposalId });
      latest = await untilAnswered(
        () => client.treasury.approve({ proposalId, owner: owner.address, signature }),
        retry,
      );
    }
    if (latest.state !== "ready") continue;
    try {
      await untilAnswered(() => client.treasury.execute({ proposalId }), retry);
      executed.push(proposalId);
    } catch (error) {
      // Somebody else was faster, a person in the dashboard perhaps.
      if (!(error instanceof BursarError) || error.code !== "PROPOSAL_CLOSED") throw error;
    }
  }
  return executed;
}

async function waiting({ treasury }: Pick<Client, "treasury">, retry: RetryOptions): Promise<Proposal[]> {
  const found: Proposal[] = [];
  for (const state of ["open", "ready"] as const) {
    let cursor: string | undefined;
    do {
      const page = await untilAnswered(
        () => treasury.proposals({ state, limit: 200, ...(cursor && { cursor }) }),
        retry,
      );
      found.push(...page.items);
      cursor = page.next ?? undefined;
    } while (cursor);
  }
  return found;
}
