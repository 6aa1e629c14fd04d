import { type Address, decodeFunctionData, erc20Abi, type PublicClient } from "viem";
import { testUsdcAbi, treasuryAbi } from "#contracts";
import { formatAmount } from "#offchain/core/unit.ts";
import type { RevertDecoder } from "#offchain/platform/chain/revert.ts";
import type { SimulationView } from "./service.ts";
import type { StoredProposal } from "./store.ts";
import type { Names } from "./words.ts";

export interface SimulationOptions {
  client: PublicClient;
  proposal: StoredProposal;
  treasury: Address;
  usdc: Address;
  reverts: RevertDecoder;
  nameOf: Names;
}

/**
 * Runs each call of a proposal from the Treasury's address against the newest block, and reads which USDC balances it
 * would change. Each call is run by itself: a call that needs an earlier one's effect is reported as failing.
 */
export async function simulate(options: SimulationOptions): Promise<SimulationView> {
  const { client, proposal, treasury, usdc, nameOf } = options;
  const blockNumber = await client.getBlockNumber();
  const reason = await failure(options, blockNumber);
  const moved = reason === null ? usdcMoved(proposal, treasury, usdc) : new Map<Address, bigint>();
  const balanceChanges = await Promise.all(
    [...moved].map(async ([account, delta]) => {
      const before = await client.readContract({
        address: usdc,
        abi: erc20Abi,
        functionName: "balanceOf",
        args: [account],
        blockNumber,
      });
      const name = nameOf(account);
      return {
        account,
        accountName: name === account ? null : name,
        before: { amount: formatAmount(before, "USDC"), unit: "USDC" as const },
        after: { amount: formatAmount(before + delta, "USDC"), unit: "USDC" as const },
      };
    }),
  );
  return { succeeds: reason === null, reason, balanceChanges, atBlock: blockNumber.toString() };
}

async function failure(
  { client, proposal, treasury, reverts }: SimulationOptions,
  blockNumber: bigint,
): Promise<string | null> {
  for (const { to, value, data } of proposal.calls) {
    try {
      await client.call({ account: treasury, to, value, data, blockNumber });
    } catch (error) {
      const revert = reverts.explain(error);
      if (!revert) throw error;
      return revert.message;
    }
  }
  return null;
}

/** USDC that the calls move, by account, from what the calls say; zero changes are left out. */
function usdcMoved(proposal: StoredProposal, treasury: Address, usdc: Address): Map<Address, bigint> {
  const moved = new Map<Address, bigint>();
  const move = (account: Address, amount: bigint) => moved.set(account, (moved.get(account) ?? 0n) + amount);
  for (const payment of proposal.calls.map((call) => paymentOf(call, treasury, usdc))) {
    if (!payment) continue;
    move(treasury, -payment.amount);
    move(payment.to, payment.amount);
  }
  return new Map([...moved].filter(([, amount]) => amount !== 0n));
}

function paymentOf(
  call: StoredProposal["calls"][number],
  treasury: Address,
  usdc: Address,
): { to: Address; amount: bigint } | null {
  if (call.to === treasury) {
    const { functionName, args } = decodeFunctionData({ abi: treasuryAbi, data: call.data });
    if (functionName !== "disburse") return null;
    const [, token, to, amount] = args;
    return token === usdc ? { to, amount } : null;
  }
  if (call.to !== usdc) return null;
  const { functionName, args } = decodeFunctionData({ abi: testUsdcAbi, data: call.data });
  return functionName === "transfer" ? { to: args[0], amount: args[1] } : null;
}
