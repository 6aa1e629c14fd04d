import type { z } from "zod";
import { type SpendMessage, spendToSign } from "#offchain/features/treasury/messages.ts";
import type { signedSpend } from "#offchain/features/treasury/schema.ts";
import type { Signer } from "../paying/channel.ts";

/** A spend as it is sent to the service. */
export type SignedSpend = z.input<typeof signedSpend>;

/** What an agent asks of its Treasury. `amount` in base units, `validBefore` in epoch seconds. */
export type SpendRequest = Omit<SpendMessage, "agent">;

/** Signs a `Spend` for the Treasury contract, which decides by the agent's budget; anyone may relay it. */
export async function signSpend(
  signer: Signer,
  treasury: { address: `0x${string}`; chainId: number },
  request: SpendRequest,
): Promise<SignedSpend> {
  const message = { agent: signer.address, ...request };
  const signature = await signer.signTypedData(spendToSign(message, treasury));
  const { amount, nonce, validBefore, ...rest } = message;
  return {
    ...rest,
    amount: amount.toString(),
    nonce: nonce.toString(),
    validBefore: validBefore.toString(),
    signature,
  };
}
