import type { Hex } from "viem";
import type { ChainView, TransactionRequest, Transactions } from "#offchain/platform/chain/port.ts";

/**
 * Sends a call to the chain; gives its transaction's hash once it is mined and its events are in the store. `authorise` is
 * asked first, unless the call stands already.
 */
export type Send = (request: TransactionRequest, authorise?: () => Promise<void>) => Promise<Hex>;

export function openSending(sender: Transactions, view: Pick<ChainView, "waitForTransaction">): Send {
  return async (request, authorise) => {
    const id = await sender.relay(request, authorise);
    const { hash } = await sender.wait(id);
    if (!hash) throw new Error(`transaction ${id} is mined without a hash`);
    await view.waitForTransaction(hash);
    return hash;
  };
}
