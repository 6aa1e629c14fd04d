import type { Address, Hex } from "viem";
import type { ChainReader } from "#offchain/platform/chain/client/client.ts";
import { isAuthorizationUsed, transferByNonce } from "../contract.ts";
import type { Authorization } from "../messages.ts";
import type { Payment } from "./payment.ts";

/** Blocks that are asked for at once: what every provider gives of so narrow a filter. */
const stepBlocks = 500n;
/** How far back it is looked: at two seconds a block, eleven hours. */
const stepsMax = 40;

/** Refusals of an authorization that may have been used for this very payment, since what is signed anybody may send. */
export const mayHaveArrived: ReadonlySet<string> = new Set([
  "invalid_exact_evm_nonce_already_used",
  "invalid_exact_evm_payload_authorization_valid_before",
]);

/**
 * The transaction by which exactly this payment arrived, whoever sent it: the same payer, payee, amount and nonce. Null: none.
 * @param at the newest block that is looked at; null: the chain's head
 * @throws when the chain does not answer
 */
export async function arrivalOf(
  { client, usdc }: { client: ChainReader; usdc: Address },
  payment: Payment,
  at: bigint | null,
): Promise<Hex | null> {
  if (payment.kind !== "exact") return null;
  const { authorization } = payment.payload.payload as { authorization: Authorization };
  const { from, to, nonce } = authorization;
  const transfer = { from, to, nonce, value: BigInt(authorization.value) };
  let toBlock = at ?? (await client.getBlockNumber());
  if (!(await isAuthorizationUsed(client, usdc, transfer, toBlock))) return null;
  for (let step = 0; step < stepsMax && toBlock >= 0n; step += 1) {
    const fromBlock = toBlock < stepBlocks ? 0n : toBlock - stepBlocks + 1n;
    const found = await transferByNonce(client, usdc, transfer, { fromBlock, toBlock });
    if (found) return found === "other" ? null : found;
    const { timestamp } = await client.getBlock({ blockNumber: fromBlock });
    if (timestamp < BigInt(authorization.validAfter)) return null;
    toBlock = fromBlock - 1n;
  }
  return null;
}
