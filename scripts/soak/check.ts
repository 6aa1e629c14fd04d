import { type Address, erc20Abi } from "viem";
import { batchSettlementAbi } from "#contracts";
import { parseAmount } from "#offchain/core/unit.ts";
import { verifyJournal } from "#offchain/features/ledger/store/verify.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import type { Client } from "#offchain/sdk/client.ts";
import type { Purse, SoakAgent } from "./agent.ts";
import type { BentChain } from "./faults.ts";
import { contracts, startFunds } from "./wallets.ts";

/** What does not agree, in one sentence with both figures. */
export class Difference extends Error {
  override readonly name = "Difference";
}

export interface CheckOptions {
  client: Client;
  chain: BentChain;
  sql: Sql;
  agents: readonly SoakAgent[];
  /** What each agent was issued on the ledger at the start, base units. */
  issued: bigint;
}

/** What was found to agree. Amounts are base units of USDC. */
export interface Agreement {
  payments: number;
  paid: string;
  channels: number;
  transfers: number;
  ledgerEntries: number;
}

const pageSize = 200;

function same(got: unknown, wanted: unknown, what: string): void {
  if (got !== wanted) throw new Difference(`${what}: got ${got}, wanted ${wanted}`);
}

/**
 * Compares what the agents know with the receipts, the chain and the ledger, to the base unit.
 * @throws Difference naming the first thing that does not agree
 */
export async function checkAll(options: CheckOptions): Promise<Agreement> {
  const paid = await checkReceipts(options);
  await checkChain(options);
  const transfers = await checkLedger(options);
  const books = await options.client.ledger.reconcile();
  same(books.ledgerBalanced, true, "the ledger balances");
  same(
    books.chainMatchesLedger && books.surplus.amount === "0",
    true,
    `the chain matches the ledger (${JSON.stringify({ held: books.held, differences: books.differences.slice(0, 3) })})`,
  );
  const { broken, entries } = await verifyJournal(options.sql);
  same(broken, null, `the ledger's hash chain is whole (${broken?.why})`);
  const purses = options.agents.flatMap((agent) => agent.purses);
  const payments = purses.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0);
  return {
    payments,
    paid: paid.toString(),
    channels: purses.length,
    transfers,
    ledgerEntries: Number(entries),
  };
}

/** Every acknowledged payment has its receipt, settled and of its amount, and there is no receipt beside. */
async function checkReceipts({ client, agents }: CheckOptions): Promise<bigint> {
  let sum = 0n;
  for (const agent of agents) {
    const known = new Map(
      agent.purses.flatMap(({ acknowledged }) => acknowledged.map((payment) => [payment.paymentId, payment])),
    );
    let [cursor, count]: [string | null, number] = [null, 0];
    do {
      const page: Awaited<ReturnType<typeof client.payments.list>> = await client.payments.list({
        payer: agent.address,
        limit: pageSize,
        ...(cursor && { cursor }),
      });
      for (const receipt of page.items) {
        const payment = known.get(receipt.paymentId);
        const what = `receipt ${receipt.paymentId} of ${agent.address}`;
        same(receipt.key, payment?.key, `${what}: its key`);
        same(parseAmount(receipt.amount.amount, "USDC"), payment?.amount, `${what}: its amount`);
        same(receipt.state, "settled", `${what}: its state (batch ${receipt.batchId})`);
        same(receipt.transactionHash !== null, true, `${what}: it names the transaction that claimed it`);
        sum += payment?.amount ?? 0n;
        count += 1;
      }
      cursor = page.next;
    } while (cursor);
    same(count, known.size, `receipts of ${agent.address}`);
  }
  return sum;
}

/** Every voucher is claimed on the chain, every payee paid out, and nobody has more or less than that makes. */
async function checkChain({ chain, agents }: CheckOptions): Promise<void> {
  const wanted = new Map<Address, bigint>(agents.map(({ address }) => [address, startFunds]));
  const add = (address: Address, amount: bigint) => wanted.set(address, (wanted.get(address) ?? 0n) + amount);
  let held = 0n;
  for (const agent of agents)
    for (const purse of agent.purses) {
      const [balance, claimed] = await onChain(chain, purse);
      const paid = purse.acknowledged.reduce((sum, { amount }) => sum + amount, 0n);
      same(claimed, paid, `channel ${purse.channel.channelId}: claimed on the chain`);
      held += balance - claimed;
      add(agent.address, -balance);
      add(purse.payee.address, claimed);
    }
  same(await balanceOf(chain, contracts.BatchSettlement), held, "USDC that the settlement contract holds");
  for (const [address, amount] of wanted)
    same(await balanceOf(chain, address), amount, `USDC of ${address} on the chain`);
}

const onChain = (chain: BentChain, { channel }: Purse) =>
  chain.readContract({
    address: contracts.BatchSettlement,
    abi: batchSettlementAbi,
    functionName: "channels",
    args: [channel.channelId],
  });

const balanceOf = (chain: BentChain, address: Address) =>
  chain.readContract({
    address: contracts.TestUSDC,
    abi: erc20Abi,
    functionName: "balanceOf",
    args: [address],
  });

/** Everybody's ledger account holds what was issued, less what it gave, plus what it was given. */
async function checkLedger({ agents, issued }: CheckOptions): Promise<number> {
  const wanted = new Map(agents.map(({ address }) => [address, issued]));
  let transfers = 0;
  for (const agent of agents)
    for (const { to, amount } of agent.given) {
      wanted.set(agent.address, (wanted.get(agent.address) ?? 0n) - amount);
      wanted.set(to, (wanted.get(to) ?? 0n) + amount);
      transfers += 1;
    }
  for (const agent of agents)
    same(await agent.ledgerBalance(), wanted.get(agent.address), `ledger account of ${agent.address}`);
  return transfers;
}
