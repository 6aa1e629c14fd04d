import type { Hex } from "viem";
import type { ChainView, TransactionRequest, Transactions } from "#offchain/platform/chain/port.ts";

/**
 * Sends a call to the chain; gives its transaction's hash once it is mined and its events are in the store. One that
 * reverted fails once the events before it are there too. `authorise` is asked first, unless the call stands already.
 */
export type Send = (request: TransactionRequest, authorise?: () => Promise<void>) => Promise<Hex>;

export function openSending(sender: Transactions, view: Pick<ChainView, "waitForTransaction">): Send {
  return async (request, authorise) => {
    const id = await sender.relay(request, authorise);
    const { hash } = await sender.wait(id).catch(async (error: unknown) => {
      const failed = await sender.find(id);
      if (failed?.state === "mined" && failed.hash) await view.waitForTransaction(failed.hash);
      throw error;
    });
    if (!hash) throw new Error(`transaction ${id} is mined without a hash`);
    await view.waitForTransaction(hash);
    return hash;
  };
}
