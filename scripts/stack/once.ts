import { setTimeout as delay } from "node:timers/promises";
import { mnemonicToAccount } from "viem/accounts";
import { createClient } from "#offchain/sdk/client.ts";
import { signRequests } from "#offchain/sdk/http/request.ts";
import { NotReady, type Program } from "./process.ts";
import type { Progress } from "./progress.ts";
import type { Stack } from "./stack.ts";

/** What one run of the demo economy came to, counted by the service and checked against the chain. */
export interface OnceSummary {
  payments: number;
  payers: number;
  payees: number;
  batches: number;
  /** Payments whose money has reached its payee on the chain. */
  settledOnChain: number;
  /** Gas of all settlement transactions over the payments that they settled. */
  gasPerPayment: number | null;
  proposalsOpened: number;
  proposalsExecuted: number;
  carbonGrams: number;
  /** ATP as written. */
  atpCharged: string;
  atpDischarged: string;
  ledgerBalanced: boolean;
  chainMatchesLedger: boolean;
}

/** The local chain's operator: Hardhat's first development account. */
const operator = mnemonicToAccount("test test test test test test test test test test test junk");
const settleTimeoutMs = 180_000;
const pollMs = 200;

/** Waits for the demo's end, has everything settled, and compares the books with the chain. */
export async function checkOnce(options: {
  stack: Stack;
  demos: readonly Program[];
  progress: Progress;
}): Promise<OnceSummary> {
  const { stack, demos, progress } = options;
  const code = await progress.during("the demo economy is at work", () =>
    Promise.race([allEnded(demos), stack.failed.then(({ name }) => `${name} ended`)]),
  );
  if (code !== 0) throw new NotReady(`the demo economy did not finish: ${code}`);
  return progress.during("settling what is left", async () => {
    const [first, ...others] = await Promise.all(
      stack.chains.map(({ chainId }) => settleAndCount(stack.apiUrl, chainId)),
    );
    if (!first) throw new Error("a stack without a chain");
    return others.reduce(together, first);
  });
}

/** What two chains came to. The same agents are at work on both; carbon and energy are the service's, not a chain's. */
function together(one: OnceSummary, other: OnceSummary): OnceSummary {
  const settledOnChain = one.settledOnChain + other.settledOnChain;
  const gasOf = ({ gasPerPayment, settledOnChain: settled }: OnceSummary) => (gasPerPayment ?? 0) * settled;
  return {
    ...one,
    payments: one.payments + other.payments,
    payers: Math.max(one.payers, other.payers),
    payees: Math.max(one.payees, other.payees),
    batches: one.batches + other.batches,
    settledOnChain,
    gasPerPayment: settledOnChain === 0 ? null : (gasOf(one) + gasOf(other)) / settledOnChain,
    proposalsOpened: one.proposalsOpened + other.proposalsOpened,
    proposalsExecuted: one.proposalsExecuted + other.proposalsExecuted,
    ledgerBalanced: one.ledgerBalanced && other.ledgerBalanced,
    chainMatchesLedger: one.chainMatchesLedger && other.chainMatchesLedger,
  };
}

/** 0 when each has done its work; else how the first that has not ended. */
async function allEnded(demos: readonly Program[]): Promise<number | string> {
  const codes = await Promise.all(demos.map(({ exited }) => exited));
  return codes.find((code) => code !== 0) ?? 0;
}

/** Closes the open batch, waits until the chain has everything, and counts. */
export async function settleAndCount(apiUrl: string, chainId: number): Promise<OnceSummary> {
  const client = createClient({ url: apiUrl, chain: chainId, authorize: signRequests(operator, chainId) });
  await client.batches.flush();
  const deadline = Date.now() + settleTimeoutMs;
  for (;;) {
    const { payments, batches } = await client.overview.show();
    if (payments.pending === 0) break;
    if (Date.now() > deadline)
      throw new NotReady(`${payments.pending} payments are not settled after ${settleTimeoutMs} ms`);
    // Payments that came in while the last batch settled wait in a new one.
    if (batches.open) await client.batches.flush();
    await delay(pollMs);
  }
  const [overview, books, opened] = await Promise.all([
    client.overview.show(),
    client.ledger.reconcile(),
    countProposals(client),
  ]);
  return {
    payments: overview.payments.total,
    payers: overview.payments.payers,
    payees: overview.payments.payees,
    batches: overview.batches.settled,
    settledOnChain: overview.payments.settled,
    gasPerPayment: overview.batches.gasPerPayment,
    proposalsOpened: opened,
    proposalsExecuted: overview.proposals.executed,
    carbonGrams: Number(overview.carbon.co2Micrograms) / 1_000_000,
    atpCharged: overview.energy.charged.amount,
    atpDischarged: overview.energy.discharged.amount,
    ledgerBalanced: books.ledgerBalanced,
    // Nobody but the demo pays here, so nothing may be over.
    chainMatchesLedger: books.chainMatchesLedger && books.surplus.amount === "0",
  };
}

async function countProposals(client: ReturnType<typeof createClient>): Promise<number> {
  let count = 0;
  let cursor: string | null = null;
  do {
    const page: { items: unknown[]; next: string | null } = await client.treasury.proposals({
      limit: 200,
      ...(cursor && { cursor }),
    });
    count += page.items.length;
    cursor = page.next;
  } while (cursor);
  return count;
}
