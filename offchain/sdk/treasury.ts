import type { z } from "zod";
import type { spend } from "#offchain/features/treasury/actions/spend.ts";
import type { Signer } from "./channel.ts";

/** A spend as it is sent to the service. */
export type SignedSpend = z.input<typeof spend.input>;

/** What an agent asks of its Treasury. `amount` in base units, `validBefore` in epoch seconds. */
export interface SpendRequest {
  token: `0x${string}`;
  to: `0x${string}`;
  amount: bigint;
  /** Idempotency key on the chain: a reference pays, or proposes, once per agent. */
  reference: `0x${string}`;
  nonce: bigint;
  validBefore: bigint;
}

const spendTypes = {
  Spend: [
    { name: "agent", type: "address" },
    { name: "token", type: "address" },
    { name: "to", type: "address" },
    { name: "amount", type: "uint256" },
    { name: "reference", type: "bytes32" },
    { name: "nonce", type: "uint256" },
    { name: "validBefore", type: "uint256" },
  ],
} as const;

/** Signs a `Spend` for the Treasury contract, which decides by the agent's budget; anyone may relay it. */
export async function signSpend(
  signer: Signer,
  treasury: { address: `0x${string}`; chainId: number },
  request: SpendRequest,
): Promise<SignedSpend> {
  const { chainId, address: verifyingContract } = treasury;
  const signature = await signer.signTypedData({
    domain: { name: "Bursar Treasury", version: "1", chainId, verifyingContract },
    types: spendTypes,
    primaryType: "Spend",
    message: { agent: signer.address, ...request },
  });
  const { amount, nonce, validBefore, ...rest } = request;
  return {
    agent: signer.address,
    ...rest,
    amount: amount.toString(),
    nonce: nonce.toString(),
    validBefore: validBefore.toString(),
    signature,
  };
}
