import type { Hash } from "viem";
import { BursarError } from "#offchain/core/error.ts";
import { hurrySignal } from "../../requestContext.ts";
import type { ChainReader } from "../client/client.ts";
import { quantityOf } from "../client/provider.ts";
import type { IndexedTransaction } from "../port.ts";
import type { Steps } from "../steps.ts";

/** How long a transaction's receipt rests between two looks, when no block arrives meanwhile. */
const receiptPollMs = 250;

/** Where an indexer stands. */
export interface Standing {
  /** Undefined before the chain is met. */
  readonly indexedTo: number | undefined;
  readonly head: number;
  readonly problem: string | null;
  readonly isStopped: boolean;
}

/** Waits for what an indexer is to do, within the caller's patience. */
export class Waiting {
  readonly #steps: Steps;
  readonly #standing: () => Standing;

  constructor(steps: Steps, standing: () => Standing) {
    this.#steps = steps;
    this.#standing = standing;
  }

  async block(block: bigint, timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!this.#isIndexed(block)) await this.step(deadline, `block ${block}`);
  }

  async transaction(reader: ChainReader, hash: Hash, timeoutMs: number): Promise<IndexedTransaction> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const receipt = await reader.request({ method: "eth_getTransactionReceipt", params: [hash] });
      const blockNumber = receipt && quantityOf(reader.chain.id, receipt.blockNumber);
      if (blockNumber !== null && this.#isIndexed(blockNumber))
        return { hash, blockNumber, success: receipt?.status === "0x1" };
      await this.step(deadline, `transaction ${hash}`, receiptPollMs);
    }
  }

  /** The next step that the indexer makes. @throws BursarError CHAIN_UNAVAILABLE after the deadline */
  async step(deadline: number, what: string, pollMs = Number.POSITIVE_INFINITY): Promise<void> {
    const leftMs = deadline - performance.now();
    const { indexedTo, head, problem, isStopped } = this.#standing();
    const hurry = hurrySignal();
    if (leftMs <= 0 || isStopped || hurry?.aborted)
      throw new BursarError("CHAIN_UNAVAILABLE", `${what} is not indexed yet`, {
        facts: { indexedTo, head, problem },
      });
    await this.#steps.next(Math.min(leftMs, pollMs), hurry);
  }

  #isIndexed(block: bigint): boolean {
    return BigInt(this.#standing().indexedTo ?? -1) >= block;
  }
}
