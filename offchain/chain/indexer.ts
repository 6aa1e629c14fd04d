import { setTimeout as delay } from "node:timers/promises";
import type { Hash } from "viem";
import type { ChainStatus, ChainView, IndexedTransaction } from "#offchain/actions/chain/port.ts";
import type { Clock } from "#offchain/domain/clock.ts";
import { BursarError } from "#offchain/domain/error.ts";
import {
  advance,
  CheckpointMoved,
  currentEpoch,
  type Epoch,
  journal,
  rollback,
  type StoredEvent,
  startEpoch,
} from "#offchain/store/chain.ts";
import type { Sql, Tx } from "#offchain/store/database.ts";
import type { ChainClient } from "./client.ts";
import { Dispatcher } from "./dispatch.ts";
import type { Handler } from "./event.ts";
import { type RangeLimits, RangeSizer } from "./ranges.ts";
import { Signal } from "./signal.ts";
import { type BlockRange, follows, type Header, LogSource, ViewShifted } from "./source.ts";

export interface IndexerLimits extends RangeLimits {
  /** Blocks below the head in which a reorg is expected: journaled in full. */
  readonly finalityBlocks: number;
  /** Ranges fetched ahead of the one that is being stored. */
  readonly prefetchRanges: number;
  /** How long a head below the checkpoint is taken for a lagging provider before it is taken for a reorg. */
  readonly shrinkToleranceMs: number;
  /** Journal blocks compared per step while the fork point is looked for. */
  readonly journalPage: number;
  readonly firstRetryMs: number;
  readonly maxRetryMs: number;
  /** Default patience of `waitForBlock` and `waitForTransaction`. */
  readonly waitTimeoutMs: number;
}

export const indexerLimits: IndexerLimits = {
  targetLogs: 10_000,
  firstBlocks: 200,
  maxBlocks: 10_000,
  finalityBlocks: 64,
  prefetchRanges: 3,
  shrinkToleranceMs: 15_000,
  journalPage: 64,
  firstRetryMs: 100,
  maxRetryMs: 5_000,
  waitTimeoutMs: 30_000,
};

/** Told of every step, for logs and metrics; must not throw. */
export interface IndexerObserver {
  committed?(step: {
    epoch: bigint;
    from: number;
    to: number;
    head: number;
    events: number;
    tookMs: number;
  }): void;
  rolledBack?(step: { epoch: bigint; from: number; to: number; blocks: number; events: number }): void;
  epochStarted?(step: { old: bigint | null; new: bigint; genesisHash: Hash }): void;
  failed?(error: unknown): void;
}

/** Told inside the transaction that ends one life of the chain and starts the next. */
export type EpochListener = (tx: Tx, oldEpoch: Epoch, newEpoch: Epoch) => Promise<void>;

export interface IndexerOptions {
  readonly client: ChainClient;
  readonly sql: Sql;
  readonly clock: Clock;
  readonly handlers: readonly Handler[];
  readonly onNewEpoch?: readonly EpochListener[];
  /** The first block worth reading: where the contracts were deployed. */
  readonly fromBlock?: number;
  readonly limits?: Partial<IndexerLimits>;
  readonly observer?: IndexerObserver;
}

/** How long a transaction's receipt rests between two looks, when no block arrives meanwhile. */
const receiptPollMs = 250;

/**
 * Follows a chain into the store. Data, effects and checkpoint move in one transaction, so a kill at any moment costs
 * nothing; a reorg rolls back exactly to the fork point; another genesis is another epoch.
 */
export class Indexer implements ChainView {
  readonly #options: IndexerOptions;
  readonly #limits: IndexerLimits;
  readonly #dispatcher: Dispatcher;
  readonly #source: LogSource;
  readonly #sizer: RangeSizer;
  readonly #wake = new Signal();
  readonly #waiters = new Set<() => void>();

  #epoch: Epoch | null = null;
  #head = -1;
  #atHeadAt: number;
  #shrunkSince: number | null = null;
  #problem: string | null = null;
  #stopping = false;
  #loop: Promise<void> | null = null;
  #stopHeads: (() => void) | null = null;

  constructor(options: IndexerOptions) {
    this.#options = options;
    this.#limits = { ...indexerLimits, ...options.limits };
    this.#dispatcher = new Dispatcher(options.handlers);
    this.#source = new LogSource(options.client.reader, this.#dispatcher.filter);
    this.#sizer = new RangeSizer(this.#limits);
    this.#atHeadAt = options.clock.now();
  }

  /**
   * Starts following. An unreachable provider is waited for; a wrong one is refused.
   * @throws BursarError NETWORK_MISMATCH: the provider serves another chain id
   * @throws BursarError CHAIN_REINDEX_NEEDED: the watched contracts or events are not those of the stored epoch
   */
  async start(): Promise<void> {
    await this.#attempt(() => this.#open());
    this.#stopHeads = this.#options.client.watchHeads(() => this.#wake.notify());
    this.#loop = this.#follow();
  }

  /** Stops after the step in hand; what is committed stays. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#stopHeads?.();
    this.#wake.notify();
    await this.#loop;
    this.#notifyWaiters();
  }

  /** Looks at the chain now instead of at the next head. */
  wake(): void {
    this.#wake.notify();
  }

  status(): ChainStatus {
    const indexedTo = this.#epoch?.indexedTo ?? -1;
    const lagBlocks = Math.max(0, this.#head - indexedTo);
    return {
      chainId: this.#options.client.config.chainId,
      epoch: this.#epoch?.id ?? 0n,
      state: this.#state(lagBlocks),
      head: BigInt(this.#head),
      indexedTo: BigInt(indexedTo),
      finalTo: BigInt(Math.max(-1, this.#head - this.#limits.finalityBlocks)),
      lagBlocks,
      lagMs: lagBlocks === 0 && !this.#problem ? 0 : this.#options.clock.now() - this.#atHeadAt,
      problem: this.#problem,
    };
  }

  async waitForBlock(block: bigint, timeoutMs = this.#limits.waitTimeoutMs): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (BigInt(this.#epoch?.indexedTo ?? -1) < block) await this.#nextStep(deadline, `block ${block}`);
  }

  async waitForTransaction(hash: Hash, timeoutMs = this.#limits.waitTimeoutMs): Promise<IndexedTransaction> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const receipt = await this.#options.client.reader.request({
        method: "eth_getTransactionReceipt",
        params: [hash],
      });
      const blockNumber = receipt && BigInt(receipt.blockNumber);
      if (blockNumber !== null && BigInt(this.#epoch?.indexedTo ?? -1) >= blockNumber)
        return { hash, blockNumber, success: receipt?.status === "0x1" };
      await this.#nextStep(deadline, `transaction ${hash}`, receiptPollMs);
    }
  }

  #state(lagBlocks: number): ChainStatus["state"] {
    if (this.#stopping) return "stopped";
    if (this.#problem) return "degraded";
    if (!this.#epoch) return "starting";
    return lagBlocks > this.#limits.finalityBlocks ? "backfilling" : "live";
  }

  async #follow(): Promise<void> {
    while (!this.#stopping) {
      const caughtUp = await this.#attempt(() => this.#pass());
      if (caughtUp && !this.#stopping) await this.#wake.wait();
    }
  }

  /** Runs a step until it succeeds; a refusal by configuration is passed on, a failing provider is waited for. */
  async #attempt<T>(step: () => Promise<T>): Promise<T | null> {
    for (
      let retryMs = this.#limits.firstRetryMs;
      !this.#stopping;
      retryMs = Math.min(retryMs * 2, this.#limits.maxRetryMs)
    ) {
      try {
        const result = await step();
        this.#problem = null;
        return result;
      } catch (error) {
        if (error instanceof BursarError && isConfiguration(error)) throw error;
        if (error instanceof CheckpointMoved) await this.#reload();
        else if (!(error instanceof ViewShifted)) {
          this.#problem = error instanceof Error ? error.message : String(error);
          this.#options.observer?.failed?.(error);
        }
        await delay(retryMs);
      }
    }
    return null;
  }

  async #open(): Promise<void> {
    const { chainId } = this.#options.client.config;
    const served = await this.#source.chainId();
    if (served !== chainId)
      throw new BursarError("NETWORK_MISMATCH", `the provider serves chain ${served}, not ${chainId}`, {
        facts: { got: served, wanted: chainId },
      });
    const genesis = await this.#required(0);
    this.#epoch = await currentEpoch(this.#options.sql, chainId);
    if (this.#epoch?.genesisHash !== genesis.hash) return this.#startEpoch(genesis);
    if (this.#epoch.filterHash !== this.#dispatcher.filterHash)
      throw new BursarError(
        "CHAIN_REINDEX_NEEDED",
        "the watched contracts or events changed since this epoch began",
        {
          facts: { chainId, epoch: this.#epoch.id, indexedTo: this.#epoch.indexedTo },
        },
      );
  }

  async #reload(): Promise<void> {
    this.#epoch = await currentEpoch(this.#options.sql, this.#options.client.config.chainId);
  }

  /** Goes from the checkpoint to the head. @returns whether it got there */
  async #pass(): Promise<boolean> {
    const epoch = this.#epoch;
    if (!epoch) throw new Error("the indexer is not open");
    const [head, tip] = await Promise.all([
      this.#source.header("latest"),
      epoch.indexedHash ? this.#source.header(epoch.indexedTo) : null,
    ]);
    if (!head) throw new ViewShifted("the provider shows no head");
    this.#head = head.number;
    if (epoch.indexedHash && tip?.hash !== epoch.indexedHash) return this.#mismatch(epoch, tip);
    this.#shrunkSince = null;
    await this.#catchUp(epoch, head);
    this.#atHeadAt = this.#options.clock.now();
    this.#notifyWaiters();
    return true;
  }

  async #catchUp(epoch: Epoch, head: Header): Promise<void> {
    const unsafeFrom = head.number - this.#limits.finalityBlocks + 1;
    const fetching: Promise<BlockRange>[] = [];
    let next = epoch.indexedTo + 1;
    while (!this.#stopping && (fetching.length > 0 || next <= head.number)) {
      while (fetching.length < this.#limits.prefetchRanges && next <= head.number) {
        const to = Math.min(next + this.#sizer.blocks - 1, head.number);
        fetching.push(this.#fetch(next, to, unsafeFrom));
        next = to + 1;
      }
      const range = await fetching.shift();
      if (range) await this.#commit(range, unsafeFrom);
    }
  }

  #fetch(from: number, to: number, unsafeFrom: number): Promise<BlockRange> {
    const range = this.#source.range(from, to, unsafeFrom).then(
      (found) => {
        this.#sizer.succeeded(to - from + 1, found.logs.length);
        return found;
      },
      (error: unknown) => {
        if (!(error instanceof ViewShifted)) this.#sizer.failed();
        throw error;
      },
    );
    // Ranges fetched ahead are dropped when an earlier one fails; their own failure is then nobody's.
    range.catch(() => undefined);
    return range;
  }

  async #commit(range: BlockRange, unsafeFrom: number): Promise<void> {
    const epoch = this.#epoch;
    const first = range.headers[0];
    const last = range.headers.at(-1);
    if (!epoch || !first || !last) throw new Error("a range without headers");
    if (first.number === epoch.indexedTo + 1 && epoch.indexedHash && !follows(first, epoch.indexedHash))
      throw new ViewShifted(`block ${first.number} does not follow the checkpoint`);

    const startedAt = performance.now();
    const events = this.#eventsOf(range);
    this.#epoch = await this.#options.sql.begin(async (tx) => {
      const advanced = await advance(tx, epoch, {
        to: range.to,
        toHash: last.hash,
        blocks: range.headers,
        events,
        finalTo: unsafeFrom - 1,
      });
      await this.#dispatcher.apply(tx, advanced, events);
      return advanced;
    });
    this.#notifyWaiters();
    this.#options.observer?.committed?.({
      epoch: epoch.id,
      from: range.from,
      to: range.to,
      head: this.#head,
      events: events.length,
      tookMs: performance.now() - startedAt,
    });
  }

  #eventsOf({ logs, headers }: BlockRange): StoredEvent[] {
    const times = new Map(headers.map(({ number, blockAt }) => [number, blockAt]));
    return logs
      .filter((log) => this.#dispatcher.wants(log))
      .map((log) => ({ ...log, blockAt: times.get(log.blockNumber) ?? 0 }));
  }

  /** The checkpoint is not on the provider's chain: another life of it, a reorg, or a provider that lags behind. */
  async #mismatch(epoch: Epoch, tip: Header | null): Promise<boolean> {
    const genesis = await this.#required(0);
    if (genesis.hash !== epoch.genesisHash) {
      await this.#startEpoch(genesis);
      return false;
    }
    if (!tip && !this.#shrunkLongEnough()) return true;
    await this.#rollback(epoch);
    return false;
  }

  #shrunkLongEnough(): boolean {
    const now = this.#options.clock.now();
    this.#shrunkSince ??= now;
    return now - this.#shrunkSince >= this.#limits.shrinkToleranceMs;
  }

  async #rollback(epoch: Epoch): Promise<void> {
    const ancestor = await this.#ancestor(epoch);
    const result = await this.#options.sql.begin((tx) =>
      rollback(tx, epoch, ancestor, (events) => this.#dispatcher.retract(tx, epoch, events)),
    );
    this.#epoch = result.epoch;
    this.#shrunkSince = null;
    this.#options.observer?.rolledBack?.({
      epoch: epoch.id,
      from: epoch.indexedTo,
      to: ancestor.number,
      blocks: result.blocks,
      events: result.events,
    });
  }

  /** The newest block of the journal that the chain still has. The journal keeps every block with an event, so nothing below it needs taking back. */
  async #ancestor(epoch: Epoch): Promise<{ number: number; hash: Hash | null }> {
    let before = epoch.indexedTo + 1;
    for (;;) {
      const page = await journal(this.#options.sql, epoch.id, before, this.#limits.journalPage);
      const headers = await this.#source.headers(page.map(({ number }) => number));
      const found = page.find(({ hash }, index) => headers[index]?.hash === hash);
      if (found) return found;
      const oldest = page.at(-1);
      if (!oldest) return { number: epoch.fromBlock - 1, hash: null };
      before = oldest.number;
    }
  }

  async #startEpoch(genesis: Header): Promise<void> {
    const old = this.#epoch;
    const epoch = await this.#options.sql.begin(async (tx) => {
      const started = await startEpoch(
        tx,
        {
          chainId: this.#options.client.config.chainId,
          genesisHash: genesis.hash,
          fromBlock: this.#options.fromBlock ?? 0,
          filterHash: this.#dispatcher.filterHash,
        },
        this.#options.clock.now(),
      );
      if (old) for (const listener of this.#options.onNewEpoch ?? []) await listener(tx, old, started);
      return started;
    });
    this.#epoch = epoch;
    this.#shrunkSince = null;
    this.#options.observer?.epochStarted?.({
      old: old?.id ?? null,
      new: epoch.id,
      genesisHash: genesis.hash,
    });
  }

  async #required(block: number): Promise<Header> {
    const header = await this.#source.header(block);
    if (!header) throw new ViewShifted(`the provider does not know block ${block}`);
    return header;
  }

  #notifyWaiters(): void {
    for (const waiter of this.#waiters) waiter();
    this.#waiters.clear();
  }

  async #nextStep(deadline: number, what: string, pollMs = Number.POSITIVE_INFINITY): Promise<void> {
    const leftMs = deadline - Date.now();
    if (leftMs <= 0 || this.#stopping)
      throw new BursarError("CHAIN_UNAVAILABLE", `${what} is not indexed yet`, {
        facts: { indexedTo: this.#epoch?.indexedTo, head: this.#head, problem: this.#problem },
      });
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, Math.min(leftMs, pollMs));
      const waiters = this.#waiters;
      function done() {
        clearTimeout(timer);
        waiters.delete(done);
        resolve();
      }
      waiters.add(done);
    });
  }
}

function isConfiguration({ code }: BursarError): boolean {
  return code === "NETWORK_MISMATCH" || code === "CHAIN_REINDEX_NEEDED";
}
