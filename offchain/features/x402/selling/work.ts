import { AsyncLocalStorage } from "node:async_hooks";
import type { ChannelStorage } from "@x402/evm/batch-settlement/server";
import type { SoldChannel } from "../store/channels.ts";

/** What the official server does for one payment. */
interface Work {
  /** The payment's key. */
  readonly payment: `0x${string}`;
  fault: unknown;
  isCharged: boolean;
}

/**
 * The official server goes on when a channel's record cannot be read or written, or was taken by another request, and
 * answers as if nothing were amiss. Here is kept what happened to the records in each of its works; and each record says by
 * which payment it was charged last.
 */
export function followWork(storage: ChannelStorage) {
  const works = new AsyncLocalStorage<Work>();

  async function watch<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      const work = works.getStore();
      if (work) work.fault ??= error;
      throw error;
    }
  }

  function charging(
    before: SoldChannel | undefined,
    after: SoldChannel | undefined,
  ): SoldChannel | undefined {
    if (!after || after === before) return after;
    const { chargedBy = before?.chargedBy, closing = before?.closing } = after;
    const kept = { ...after, ...(chargedBy && { chargedBy }), ...(closing && { closing }) };
    const rise = BigInt(after.chargedCumulativeAmount) - BigInt(before?.chargedCumulativeAmount ?? 0);
    const work = works.getStore();
    if (!before || rise <= 0n || !work) return kept;
    work.isCharged = true;
    return { ...kept, chargedBy: work.payment };
  }

  const channels: ChannelStorage = {
    get: (channelId) => watch(() => storage.get(channelId)),
    list: () => watch(() => storage.list()),
    updateChannel: (channelId, update) =>
      watch(() => storage.updateChannel(channelId, (current) => charging(current, update(current)))),
  };

  /** @returns what the work came to, and whether the payment's channel was charged in it. @throws what befell the records */
  async function during<T>(
    payment: `0x${string}`,
    run: () => Promise<T>,
  ): Promise<{ outcome: T; isCharged: boolean }> {
    const work: Work = { payment, fault: null, isCharged: false };
    const [done] = await Promise.allSettled([works.run(work, run)]);
    if (work.fault !== null) throw work.fault;
    if (done.status === "rejected") throw done.reason;
    return { outcome: done.value, isCharged: work.isCharged };
  }

  return { channels, during };
}
