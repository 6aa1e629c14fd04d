"use client";
import { type Hex, TransactionReceiptNotFoundError } from "viem";
import { getTransaction, getTransactionCount, getTransactionReceipt } from "viem/actions";
import { type Config, useConfig } from "wagmi";
import { useWebConfig } from "@/lib/session.tsx";
import { follow, type News, type Seen } from "./following.ts";

/** Follows transactions on the Treasury's chain, by the page's own node and not by the service. */
export function useFollowing() {
  const config = useConfig();
  const { chainId } = useWebConfig();
  return (
    hash: Hex,
    options: { isInBlock: boolean; tell: (news: News) => void; isOver: () => boolean },
  ): Promise<void> => {
    const { isInBlock, tell, isOver } = options;
    return follow({ look: looking(config.getClient({ chainId }), hash), tell, isOver, pause }, { isInBlock });
  };
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

function looking(client: ReturnType<Config["getClient"]>, hash: Hex): () => Promise<Seen> {
  let sent: { from: Hex; nonce: number } | null = null;
  return async () => {
    try {
      const { status } = await getTransactionReceipt(client, { hash });
      return status === "success" ? "block" : "reverted";
    } catch (error) {
      if (!(error instanceof TransactionReceiptNotFoundError)) return "silent";
    }
    // Only while the node knows it, it tells whose it is: another one with its nonce takes its place.
    sent ??= await getTransaction(client, { hash }).catch(() => null);
    if (!sent) return "none";
    const used = await getTransactionCount(client, { address: sent.from }).catch(() => 0);
    return used > sent.nonce ? "replaced" : "none";
  };
}
