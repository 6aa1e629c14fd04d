import { setTimeout as delay } from "node:timers/promises";
import type { Hash } from "viem";
import { BursarError } from "#offchain/core/error.ts";
import { backoffMs } from "#offchain/core/pause.ts";
import { isYounger } from "../../age.ts";
import type { Handler } from "../event.ts";
import type { ChainStatus, ChainView, IndexedTransaction } from "../port.ts";
import { runNow } from "../runNow.ts";
import { Signal } from "../signal.ts";
import { Steps } from "../steps.ts";
import { advance, type ChainRun, CheckpointMoved, currentRun, rollback, startRun } from "./checkpoint.ts";
import { Dispatcher, watchedBy } from "./dispatch.ts";
import { LateReader } from "./late.ts";
import { fixedIndexerLimits, type IndexerLimits, type IndexerOptions } from "./options.ts";
import { Pace } from "./pace.ts";
import { assertBelieved, forkPoint } from "./reorg.ts";
import { type BlockRange, follows, type Header, isConfiguration, LogSource, ViewShifted } from "./source.ts";
import { Waiting } from "./waiting.ts";
import { Watching } from "./watching.ts";
import { watchesOf } from "./watchStore.ts";

/** A view that shifts once or twice is a reorg at work; one that keeps shifting is a provider that contradicts itself. */
const toleratedShifts = 4;

/**
 * Follows a chain into the store. Data, effects and checkpoint move in one transaction, so a kill at any moment costs
 * nothing; a reorg rolls back exactly to the fork point; another genesis is another chain run.
 */
export class Indexer implements ChainView {
  readonly #options: IndexerOptions;
  readonly #limits: IndexerLimits;
  #handlers: readonly Handler[];
  /** Handlers that come in before the next pass. */
  #added: Handler[] = [];
  #dispatcher: Dispatcher;
  #source: LogSource;
  #watching: Watching;
  readonly #late: LateReader;
  readonly #wake = new Signal();
  readonly #steps = new Steps();
  readonly #waiting = new Waiting(this.#steps, () => ({
    indexedTo: this.#chainRun?.indexedTo,
    head: this.#head,
    problem: this.#problem,
    isStopped: this.#stopped.signal.aborted,
  }));
  readonly #pace = new Pace();
  readonly #stopped = new AbortController();

  #chainRun: ChainRun | null = null;
  /** Another instance moved the checkpoint. */
  #isStale = false;
  #head = -1;
  #atHeadAt: number;
  #committedAt = 0;
  #shrunkSince: number | null = null;
  #problem: string | null = null;
  #loop: Promise<void> | null = null;
  #stopHeads: (() => void) | null = null;

  constructor(options: IndexerOptions) {
    this.#options = options;
    this.#limits = { ...fixedIndexerLimits, ...options.limits };
    this.#handlers = options.handlers;
    this.#dispatcher = new Dispatcher(options.handlers);
    this.#source = new LogSource(options.client.rpc, this.#dispatcher.filter);
    this.#watching = new Watching(options.handlers, options.client.rpc, this.#limits);
    this.#late = new LateReader(options.sql, () => this.#wake.notify());
    this.#atHeadAt = options.clock.now();
  }

  /**
   * Starts following. A provider that is down is tried again and again; a wrong one is refused.
   * @throws BursarError NETWORK_MISMATCH: the provider serves another chain id
   * @throws BursarError CHAIN_REINDEX_NEEDED: the stored chain run watched contracts or events that nobody handles now
   */
  async start(): Promise<void> {
    try {
      await this.#open();
    } catch (error) {
      if (isConfiguration(error)) throw error;
      this.#degrade(error);
    }
    this.#stopHeads = this.#options.client.watchHeads(() => this.#wake.notify());
    this.#loop = this.#follow();
  }

  /** Stops after the step in hand; what is committed stays. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#stopHeads?.();
    this.#wake.notify();
    await this.#loop;
    this.#steps.notify();
  }

  /** Looks at the chain now instead of at the next head. */
  wake(): void {
    this.#wake.notify();
  }

  /**
   * Watches more events, from their source's first block on; resolves once they are read up to the others.
   * @throws BursarError CHAIN_UNAVAILABLE after `timeoutMs`; they are read all the same
   */
  async watch(handlers: readonly Handler[], timeoutMs = this.#limits.waitTimeoutMs): Promise<void> {
    watchedBy([...this.#handlers, ...this.#added, ...handlers]);
    this.#added.push(...handlers);
    this.#wake.notify();
    const deadline = performance.now() + timeoutMs;
    while (this.#added.length > 0 || this.#isStale || this.#watching.late)
      await this.#waiting.step(deadline, "the past of events that were added");
  }

  status(): ChainStatus {
    const [pace, clock] = [this.#pace, this.#options.clock];
    const [firstBlock, head] = [this.#chainRun?.fromBlock ?? 0, this.#head];
    const indexedTo = this.#chainRun?.indexedTo ?? -1;
    const lagBlocks = Math.max(0, this.#head - indexedTo);
    return {
      chainId: this.#options.client.config.chainId,
      runId: this.#chainRun?.id ?? 0n,
      state: this.#state(lagBlocks),
      head: BigInt(this.#head),
      indexedTo: BigInt(indexedTo),
      // Of what is indexed: beyond that, and while a reorganisation is being undone, nothing is known to be final.
      finalTo: BigInt(Math.max(-1, Math.min(this.#head, indexedTo) - this.#limits.finalityBlocks)),
      lagBlocks,
      lagMs: lagBlocks === 0 && !this.#problem ? 0 : this.#options.clock.now() - this.#atHeadAt,
      // Reckoned when it is read: every payment asks for the chain run alone.
      get progress() {
        return pace.progress({ firstBlock, indexedTo, head }, clock.now());
      },
      problem: this.#problem,
    };
  }

  runNow(): bigint {
    return runNow({ runId: this.#chainRun?.id ?? 0n, chainId: this.#options.client.config.chainId });
  }

  waitForBlock(block: bigint, timeoutMs = this.#limits.waitTimeoutMs): Promise<void> {
    return this.#waiting.block(block, timeoutMs);
  }

  waitForTransaction(hash: Hash, timeoutMs = this.#limits.waitTimeoutMs): Promise<IndexedTransaction> {
    return this.#waiting.transaction(this.#options.client.reader, hash, timeoutMs);
  }

  #state(lagBlocks: number): ChainStatus["state"] {
    if (this.#stopped.signal.aborted) return "stopped";
    if (this.#problem) return "degraded";
    if (!this.#chainRun) return "starting";
    return lagBlocks > this.#limits.finalityBlocks ? "backfilling" : "live";
  }

  async #follow(): Promise<void> {
    for (let failures = 0; !this.#stopped.signal.aborted; ) {
      try {
        const caughtUp = await this.#pass();
        failures = 0;
        this.#problem = null;
        if (caughtUp && !this.#stopped.signal.aborted) await this.#wake.wait();
      } catch (error) {
        if (error instanceof CheckpointMoved) this.#isStale = true;
        else if (!(error instanceof ViewShifted) || failures >= toleratedShifts) this.#degrade(error);
        failures += 1;
        const { firstRetryMs: firstMs, maxRetryMs: longestMs } = this.#limits;
        await this.#pause(backoffMs(failures, { firstMs, longestMs }));
      }
    }
  }

  #degrade(error: unknown): void {
    this.#problem = error instanceof Error ? error.message : String(error);
    this.#options.observer?.failed?.(error);
  }

  /** Rests, but not when the indexer is to stop. */
  async #pause(timeMs: number): Promise<void> {
    await delay(timeMs, undefined, { signal: this.#stopped.signal }).catch(() => undefined);
  }

  async #open(): Promise<void> {
    const { chainId } = this.#options.client.config;
    const served = await this.#source.chainId();
    if (served !== chainId)
      throw new BursarError("NETWORK_MISMATCH", `the provider serves chain ${served}, not ${chainId}`, {
        facts: { got: served, wanted: chainId },
      });
    const genesis = await this.#required(0);
    this.#chainRun = await currentRun(this.#options.sql, chainId);
    if (this.#chainRun?.genesisHash !== genesis.hash) {
      if (this.#chainRun) assertBelieved(this.#chainRun, genesis, this.#limits.believedGenesis);
      return this.#startRun(genesis);
    }
    this.#late.forget();
    await this.#watching.open(this.#options.sql, this.#chainRun);
  }

  /** Between two passes nothing is under way that was begun with the former handlers. */
  #takeAdded(): void {
    const { rpc } = this.#options.client;
    this.#handlers = [...this.#handlers, ...this.#added];
    this.#added = [];
    this.#dispatcher = new Dispatcher(this.#handlers);
    this.#source = new LogSource(rpc, this.#dispatcher.filter);
    this.#watching = new Watching(this.#handlers, rpc, this.#limits);
    this.#late.forget();
    // The stored watches are read again, and what is not among them is read from the first block.
    this.#isStale = true;
  }

  /** Goes from the checkpoint to the head. @returns whether it got there */
  async #pass(): Promise<boolean> {
    if (this.#added.length > 0) this.#takeAdded();
    const chainRun = this.#chainRun;
    if (!chainRun || this.#isStale) {
      await this.#open();
      this.#isStale = false;
      this.#steps.notify();
      return false;
    }
    const [head, tip] = await Promise.all([
      this.#source.header("latest"),
      // Before the first block is indexed the chain's beginning is all that can be compared.
      this.#source.header(chainRun.indexedHash ? chainRun.indexedTo : 0),
    ]);
    if (!head) throw new ViewShifted("the provider shows no head");
    this.#head = head.number;
    if (tip?.hash !== (chainRun.indexedHash ?? chainRun.genesisHash))
      return this.#mismatch(chainRun, tip, head);
    this.#shrunkSince = null;
    await this.#catchUp(chainRun, head);
    this.#atHeadAt = this.#options.clock.now();
    this.#steps.notify();
    this.#options.observer?.caughtUp?.();
    return this.#readLate(head);
  }

  /**
   * One range of what was added later; then the head is looked at again, so that the rest stays live meanwhile.
   * @returns whether there is nothing more to do now
   */
  async #readLate(head: Header): Promise<boolean> {
    const chainRun = this.#chainRun;
    const { late } = this.#watching;
    if (!late || !chainRun?.indexedHash) return true;
    const read = await this.#late.step(late, chainRun, head.number - this.#limits.finalityBlocks + 1);
    if (!read) return true;
    this.#chainRun = read.chainRun;
    this.#watching.resume(await watchesOf(this.#options.sql, chainRun.id));
    this.#options.observer?.late?.({
      runId: chainRun.id,
      to: read.to,
      head: head.number,
      events: read.events,
    });
    this.#steps.notify();
    return !this.#watching.late;
  }

  async #catchUp(chainRun: ChainRun, head: Header): Promise<void> {
    const unsafeFrom = head.number - this.#limits.finalityBlocks + 1;
    this.#committedAt = performance.now();
    for await (const range of this.#watching.live.ahead.ranges(
      chainRun.indexedTo + 1,
      head.number,
      unsafeFrom,
    )) {
      await this.#commit(range, unsafeFrom);
      if (this.#stopped.signal.aborted) return;
    }
  }

  async #commit(range: BlockRange, unsafeFrom: number): Promise<void> {
    const chainRun = this.#chainRun;
    const first = range.headers[0];
    const last = range.headers.at(-1);
    if (!chainRun || !first || !last) throw new Error("a range without headers");
    if (
      first.number === chainRun.indexedTo + 1 &&
      chainRun.indexedHash &&
      !follows(first, chainRun.indexedHash)
    )
      throw new ViewShifted(`block ${first.number} does not follow the checkpoint`);

    const startedAt = performance.now();
    const { dispatcher } = this.#watching.live;
    const events = range.logs.filter((log) => dispatcher.wants(log));
    this.#chainRun = await this.#options.sql.begin(async (tx) => {
      const advanced = await advance(tx, chainRun, {
        to: range.to,
        toHash: last.hash,
        blocks: range.headers,
        events,
        finalTo: unsafeFrom - 1,
      });
      await dispatcher.apply(tx, advanced, events);
      return advanced;
    });
    const now = performance.now();
    this.#pace.stepped(
      { blocks: range.to - range.from + 1, events: events.length, tookMs: now - this.#committedAt },
      this.#options.clock.now(),
    );
    this.#committedAt = now;
    this.#steps.notify();
    this.#options.observer?.committed?.({
      runId: chainRun.id,
      from: range.from,
      to: range.to,
      head: this.#head,
      events: events.length,
      tookMs: now - startedAt,
    });
  }

  /** The checkpoint is not on the provider's chain: another life of it, a reorg, or a provider that lags behind. */
  async #mismatch(chainRun: ChainRun, tip: Header | null, head: Header): Promise<boolean> {
    const genesis = await this.#required(0);
    if (genesis.hash !== chainRun.genesisHash) {
      // A new chain run writes the old one off: one odd answer must not be enough.
      if ((await this.#required(0)).hash !== genesis.hash)
        throw new ViewShifted("the provider shows two beginnings");
      assertBelieved(chainRun, genesis, this.#limits.believedGenesis);
      await this.#startRun(genesis);
      return false;
    }
    if (!tip && head.number >= chainRun.indexedTo)
      throw new ViewShifted(
        `the provider is at block ${head.number} and does not know ${chainRun.indexedTo}`,
      );
    if (!tip && !this.#shrunkLongEnough()) return true;
    await this.#rollback(chainRun);
    return false;
  }

  #shrunkLongEnough(): boolean {
    const now = this.#options.clock.now();
    this.#shrunkSince ??= now;
    return !isYounger(this.#shrunkSince, this.#limits.shrinkToleranceMs, now);
  }

  async #rollback(chainRun: ChainRun): Promise<void> {
    const ancestor = await forkPoint(this.#options.sql, this.#source, chainRun, this.#limits.journalPage);
    const result = await this.#options.sql.begin((tx) =>
      rollback(tx, chainRun, ancestor, async (events) =>
        this.#dispatcher.retract(tx, chainRun, events, await watchesOf(tx, chainRun.id)),
      ),
    );
    this.#chainRun = result.chainRun;
    this.#shrunkSince = null;
    this.#late.forget();
    this.#watching.resume(await watchesOf(this.#options.sql, chainRun.id));
    this.#options.observer?.rolledBack?.({
      runId: chainRun.id,
      from: chainRun.indexedTo,
      to: ancestor.number,
      blocks: result.blocks,
      events: result.events,
    });
  }

  async #startRun(genesis: Header): Promise<void> {
    const old = this.#chainRun;
    const chainRun = await this.#options.sql.begin(async (tx) => {
      const started = await startRun(
        tx,
        {
          chainId: this.#options.client.config.chainId,
          genesisHash: genesis.hash,
          fromBlock: this.#limits.startBlock,
          filterHash: this.#dispatcher.filterHash,
        },
        this.#options.clock.now(),
      );
      await this.#watching.begin(tx, started.id);
      if (old) for (const listener of this.#options.onNewRun ?? []) await listener(tx, old, started);
      return started;
    });
    this.#chainRun = chainRun;
    this.#late.forget();
    await this.#watching.open(this.#options.sql, chainRun);
    this.#shrunkSince = null;
    this.#options.observer?.runStarted?.({
      old: old?.id ?? null,
      new: chainRun.id,
      genesisHash: genesis.hash,
    });
  }

  async #required(block: number): Promise<Header> {
    const header = await this.#source.header(block);
    if (!header) throw new ViewShifted(`the provider does not know block ${block}`);
    return header;
  }
}
