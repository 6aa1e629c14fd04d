import {
  type Account,
  type Address,
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

/** On the local chain: money for the agents from a development account, and a budget for each by the owners' quorum. Safe to repeat. */
export async function setUpLocalChain({
  rpcUrl,
  chainId,
  usdc,
  treasury,
  agents,
}: SetupOptions): Promise<void> {
  const account = developmentAccount("faucet");
  const faucet = createWalletClient({
    account,
    chain: localChain(chainId),
    transport: http(rpcUrl),
  }).extend(publicActions);
  for (const agent of agents) {
    const balance = await faucet.readContract({
      address: usdc,
      abi: testUsdcAbi,
      functionName: "balanceOf",
      args: [agent],
    });
    if (balance >= leastFunds) continue;
    const hash = await faucet.writeContract({
      address: usdc,
      abi: testUsdcAbi,
      functionName: "transfer",
      args: [agent, funds - balance],
    });
    await mined(faucet, hash);
  }
  const calls = [];
  for (const agent of agents) {
    const [, isActive] = await faucet.readContract({
      address: treasury,
      abi: treasuryAbi,
      functionName: "budgetOf",
      args: [agent, usdc],
    });
    if (!isActive) calls.push({ to: treasury, value: 0n, data: budgetCall(agent, usdc) });
  }
  if (calls.length === 0) return;
  const nonce = randomNonce();
  const deadline = BigInt(Math.floor(Date.now() / 1000) + 3600);
  const id = await faucet.readContract({
    address: treasury,
    abi: treasuryAbi,
    functionName: "hashProposal",
    args: [calls, nonce, deadline],
  });
  const hash = await faucet.writeContract({
    address: treasury,
    abi: treasuryAbi,
    functionName: "execute",
    args: [calls, nonce, deadline, await quorum(id)],
  });
  await mined(faucet, hash);
}

/** The demo's budget: small payments at once, larger ones by the owners, nothing beyond the last line. */
function budgetCall(spender: Address, token: Address): Hex {
  const terms = {
    perTransaction: dollars(1_000),
    approvalAbove: dollars(approvalAboveUsdc),
    hourly: dollars(200),
    daily: dollars(500),
    weekly: dollars(2_000),
    monthly: dollars(5_000),
    validUntil: Math.floor(Date.now() / 1000) + budgetValidSeconds,
    recipientsOnly: false,
  };
  return encodeFunctionData({ abi: treasuryAbi, functionName: "setBudget", args: [spender, token, terms] });
}

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
