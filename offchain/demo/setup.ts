import {
  type Account,
  type Address,
  type ContractFunctionArgs,
  createWalletClient,
  encodeFunctionData,
  type Hex,
  http,
  type PublicClient,
  publicActions,
} from "viem";
import { testUsdcAbi, treasuryAbi } from "#contracts";
import { localChain } from "#offchain/core/localChain.ts";
import { parseAmount } from "#offchain/core/unit.ts";
import { developmentAccount, randomNonce } from "./accounts.ts";
import { approvalAboveUsdc } from "./plan.ts";

export interface SetupOptions {
  rpcUrl: string;
  chainId: number;
  usdc: Address;
  treasury: Address;
  agents: readonly Address[];
}

const dollars = (amount: number) => parseAmount(String(amount), "USDC");
/** Below the first an agent is given money, up to the second. */
const leastFunds = dollars(100);
const funds = dollars(500);
const budgetValidSeconds = 365 * 86_400;

/** Signs as the development faucet, and reads. */
export const faucetOn = (rpcUrl: string, chainId: number) =>
  createWalletClient({
    account: developmentAccount("faucet"),
    chain: localChain(chainId),
    transport: http(rpcUrl),
  }).extend(publicActions);

type Faucet = ReturnType<typeof faucetOn>;

/** On the local chain: money for the agents from a development account, and a budget for each by the owners' quorum. Safe to repeat. */
export async function setUpLocalChain({
  rpcUrl,
  chainId,
  usdc,
  treasury,
  agents,
}: SetupOptions): Promise<void> {
  const faucet = faucetOn(rpcUrl, chainId);
  for (const agent of agents) await fund(faucet, usdc, agent, { below: leastFunds, upTo: funds });
  const budgets = [];
  for (const agent of agents)
    if (!(await budgetOf(faucet, { usdc, treasury }, agent))) budgets.push({ agent, terms: demoBudget() });
  await setBudgets(faucet, { usdc, treasury }, budgets);
}

/** Gives an agent that has less than `below` as much as it lacks to `upTo`; tells how much that was. */
export async function fund(
  faucet: Faucet,
  usdc: Address,
  agent: Address,
  { below, upTo }: { below: bigint; upTo: bigint },
): Promise<bigint> {
  const token = { address: usdc, abi: testUsdcAbi } as const;
  const balance = await faucet.readContract({ ...token, functionName: "balanceOf", args: [agent] });
  if (balance >= below) return 0n;
  const given = upTo - balance;
  await mined(
    faucet,
    await faucet.writeContract({ ...token, functionName: "transfer", args: [agent, given] }),
  );
  return given;
}

interface Places {
  usdc: Address;
  treasury: Address;
}

/** As the contract takes it; amounts in base units. */
export type BudgetTerms = Extract<
  ContractFunctionArgs<typeof treasuryAbi, "nonpayable", "setBudget">[2],
  object
>;

/** An agent's budget in USDC, or null if it has none. */
export async function budgetOf(
  faucet: Faucet,
  { usdc, treasury }: Places,
  agent: Address,
): Promise<BudgetTerms | null> {
  const treasuryContract = { address: treasury, abi: treasuryAbi } as const;
  const [terms, isActive] = await faucet.readContract({
    ...treasuryContract,
    functionName: "budgetOf",
    args: [agent, usdc],
  });
  return isActive ? terms : null;
}

/** Sets budgets in USDC by one proposal, which the development accounts sign as the Treasury's owners. */
export async function setBudgets(
  faucet: Faucet,
  { usdc, treasury }: Places,
  budgets: readonly { agent: Address; terms: BudgetTerms }[],
): Promise<void> {
  if (budgets.length === 0) return;
  const contract = { address: treasury, abi: treasuryAbi } as const;
  const calls = budgets.map(({ agent, terms }) => ({
    to: treasury,
    value: 0n,
    data: encodeFunctionData({ abi: treasuryAbi, functionName: "setBudget", args: [agent, usdc, terms] }),
  }));
  const nonce = randomNonce();
  const deadline = BigInt(Math.floor(Date.now() / 1000) + 3600);
  const id = await faucet.readContract({
    ...contract,
    functionName: "hashProposal",
    args: [calls, nonce, deadline],
  });
  const hash = await faucet.writeContract({
    ...contract,
    functionName: "execute",
    args: [calls, nonce, deadline, await quorum(id)],
  });
  await mined(faucet, hash);
}

/** Epoch seconds. */
export const budgetEnd = (): number => Math.floor(Date.now() / 1000) + budgetValidSeconds;

/** The demo's budget: small payments at once, larger ones by the owners, nothing beyond the last line. */
const demoBudget = (): BudgetTerms => ({
  perTransaction: dollars(1_000),
  approvalAbove: dollars(approvalAboveUsdc),
  hourly: dollars(200),
  daily: dollars(500),
  weekly: dollars(2_000),
  monthly: dollars(5_000),
  validUntil: budgetEnd(),
  recipientsOnly: false,
});

/** Both owners' signatures over a proposal's id, ascending by owner as the Treasury takes them. */
async function quorum(hash: Hex): Promise<Hex[]> {
  const owners = [developmentAccount("owner1"), developmentAccount("owner2")].sort((one, other) =>
    ascending(one, other),
  );
  return Promise.all(owners.map((owner) => owner.sign({ hash })));
}

const ascending = (one: Account, other: Account) =>
  one.address.toLowerCase() < other.address.toLowerCase() ? -1 : 1;

async function mined(client: Pick<PublicClient, "waitForTransactionReceipt">, hash: Hex): Promise<void> {
  const { status } = await client.waitForTransactionReceipt({ hash, pollingInterval: 50 });
  if (status !== "success") throw new Error(`the demo's set-up transaction ${hash} was reverted`);
}
