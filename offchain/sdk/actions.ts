import type { LocalAccount } from "viem";
import { type Client, type ClientOptions, createClient } from "./client.ts";
import { signRequests } from "./http/request.ts";

/** What of a viem client is used: who signs, and for which chain. */
interface Extended {
  account?: unknown;
  chain?: { id: number } | undefined;
}

/**
 * The verbs of a Bursar service for viem's `client.extend`: `client.bursar.payments.list()`. What needs a signature is
 * signed by the client's account, which must be a local one; without an account only what anybody may ask works.
 */
export const bursarActions =
  (options: Pick<ClientOptions, "url" | "fetch">) =>
  ({ account, chain }: Extended): { bursar: Client } => {
    const isSigner = (one: unknown): one is LocalAccount =>
      typeof one === "object" && one !== null && "signTypedData" in one;
    return {
      bursar: createClient({
        ...options,
        ...(chain && { chain: chain.id }),
        ...(chain && isSigner(account) && { authorize: signRequests(account, chain.id) }),
      }),
    };
  };
