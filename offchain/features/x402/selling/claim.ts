import type { FacilitatorClient } from "@x402/core/server";
import { BatchSettlementEvmScheme } from "@x402/evm/batch-settlement/server";
import type { Shop } from "../service.ts";

/**
 * Gas of one claim among many, at most: some 20,400 were measured for a payer with a key, the rest is for a payer that
 * is a contract. A hundred, the most of one transaction, stay far below 2^24.
 */
export const gasPerClaim = 40_000n;

/**
 * Brings to the chain what the channels' newest vouchers have earned, and has it paid out. Begun anew after a crash it
 * claims the same once: a channel's claimed sum only grows, and the facilitator answers a repeated claim from its record.
 * @returns how many channels were claimed, and the transaction that paid out
 */
export async function claimSales(shop: Shop): Promise<{ claims: number; settled: string | null }> {
  const { facilitator, network, payTo, token } = shop;
  const scheme = new BatchSettlementEvmScheme(payTo, {
    storage: shop.channels,
    receiverAuthorizerSigner: shop.authorizer,
  });
  const client = {
    settle: (paymentPayload: unknown, paymentRequirements: unknown) =>
      facilitator.settle({ x402Version: 2, paymentPayload, paymentRequirements }),
  } as unknown as FacilitatorClient;
  const manager = scheme.createChannelManager(client, network, token.address);
  const claims = await manager.claim();
  // Asked also when nothing was claimed now: an earlier run may have died after its claim.
  const settled = await manager.settle().catch(unlessNothing);
  return {
    claims: claims.reduce((sum, { vouchers }) => sum + vouchers, 0),
    settled: settled?.transaction ?? null,
  };
}

function unlessNothing(error: unknown): null {
  if (error instanceof Error && error.message.includes("nothing_to_settle")) return null;
  throw error;
}
