import type { Credit } from "#offchain/features/clearing/service.ts";

/** A block of the chain as it was when something was read at it. */
export interface BlockRead {
  readonly blockNumber: bigint;
  readonly blockHash: `0x${string}`;
}

/**
 * What Clearing has paid its payees, kept for as long as it cannot have changed: a payee is paid no more than is in epochs
 * for it, unless it has demanded, and what was paid stays paid. So a snapshot asks the chain for those alone who may have been
 * paid more than they are known to have; whoever is in no epoch yet, and whoever was paid all, costs it nothing.
 */
export class PaidCredits {
  #runId: bigint | null = null;
  /** Of a block that no reorganisation takes back, by lower-case address. */
  readonly #final = new Map<string, bigint>();
  #unsettled: { readonly at: BlockRead; readonly paid: ReadonlyMap<string, bigint> }[] = [];

  /** Who is to be asked for. Another run of the chain has paid nobody yet. */
  toAsk({ runId, credited }: { runId: bigint; credited: ReadonlyMap<string, Credit> }): string[] {
    if (runId !== this.#runId) {
      this.#runId = runId;
      this.#final.clear();
      this.#unsettled = [];
    }
    return [...credited].flatMap(([payee, { payable }]) =>
      payable > (this.#final.get(payee) ?? 0n) ? [payee] : [],
    );
  }

  /** With what was read for them, what everybody was paid. */
  with(read: ReadonlyMap<string, bigint>): ReadonlyMap<string, bigint> {
    return new Map([...this.#final, ...read]);
  }

  /** Notes what was read at a block. */
  note({ blockNumber, blockHash }: BlockRead, paid: ReadonlyMap<string, bigint>): void {
    if (paid.size === 0) return;
    this.#unsettled = this.#unsettled.filter((known) => known.at.blockHash !== blockHash);
    this.#unsettled.push({ at: { blockNumber, blockHash }, paid });
  }

  /**
   * Keeps for good what was read at blocks that are final by now, and forgets what was read on a fork.
   * @param hashOf the chain's own block of a number, or null while that is not known
   */
  async settle(finalTo: bigint, hashOf: (block: bigint) => Promise<`0x${string}` | null>): Promise<void> {
    const due = this.#unsettled.filter(({ at }) => at.blockNumber <= finalTo);
    for (const reading of due) {
      const hash = await hashOf(reading.at.blockNumber);
      if (hash === null) continue;
      this.#unsettled = this.#unsettled.filter((each) => each !== reading);
      if (hash !== reading.at.blockHash) continue;
      for (const [payee, paid] of reading.paid)
        if (paid > (this.#final.get(payee) ?? 0n)) this.#final.set(payee, paid);
    }
  }
}
