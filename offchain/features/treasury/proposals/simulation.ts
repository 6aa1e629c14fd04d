import type { Address, PublicClient } from "viem";
import { formatAmount } from "#offchain/core/unit.ts";
import type { RevertDecoder } from "#offchain/platform/chain/contracts/revert.ts";
import { type TreasuryCall, type TreasuryContract, usdcPaymentIn } from "../contract.ts";
import type { SimulationView } from "../service.ts";
import type { Named } from "./naming.ts";

export interface SimulationOptions {
  readonly client: Pick<PublicClient, "getBlockNumber">;
  readonly contract: TreasuryContract;
  readonly usdc: Address;
  readonly reverts: Pick<RevertDecoder, "explain">;
  readonly named: Named;
}

/**
 * Runs each call of a proposal from the Treasury's address against the newest block, and reads which USDC balances it
 * would change. Each call is run by itself: a call that needs an earlier one's effect is reported as failing.
 */
export async function simulate(
  calls: readonly TreasuryCall[],
  options: SimulationOptions,
): Promise<SimulationView> {
  const { client, contract, usdc, named } = options;
  const blockNumber = await client.getBlockNumber();
  const reason = await failure(calls, options, blockNumber);
  const moved = reason === null ? usdcMoved(calls, contract.address, usdc) : new Map<Address, bigint>();
  const balances = await Promise.all(
    [...moved].map(async ([account, delta]) => {
      const before = await contract.usdcOf(account, blockNumber);
      return { account, before, after: before + delta };
    }),
  );
  const balanceChanges = await named((nameOf) =>
    balances.map(({ account, before, after }) => {
      const name = nameOf(account);
      return {
        account,
        accountName: name === account ? null : name,
        before: { amount: formatAmount(before, "USDC"), unit: "USDC" as const },
        after: { amount: formatAmount(after, "USDC"), unit: "USDC" as const },
      };
    }),
  );
  return { succeeds: reason === null, reason, balanceChanges, atBlock: blockNumber.toString() };
}

async function failure(
  calls: readonly TreasuryCall[],
  { contract, reverts }: SimulationOptions,
  blockNumber: bigint,
): Promise<string | null> {
  for (const call of calls) {
    try {
      await contract.tryCall(call, blockNumber);
    } catch (error) {
      const revert = reverts.explain(error);
      if (!revert) throw error;
      return revert.message;
    }
  }
  return null;
}

/** USDC that the calls move, by account, from what the calls say; zero changes are left out. */
function usdcMoved(calls: readonly TreasuryCall[], treasury: Address, usdc: Address): Map<Address, bigint> {
  const moved = new Map<Address, bigint>();
  const move = (account: Address, amount: bigint) => moved.set(account, (moved.get(account) ?? 0n) + amount);
  for (const call of calls) {
    const payment = usdcPaymentIn(call, { treasury, usdc });
    if (!payment) continue;
    move(treasury, -payment.amount);
    move(payment.to, payment.amount);
  }
  return new Map([...moved].filter(([, amount]) => amount !== 0n));
}
