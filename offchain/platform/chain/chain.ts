import type { Abi, Hex } from "viem";
import type { Clock } from "#offchain/core/clock.ts";
import type { Sql } from "../database/database.ts";
import type { HealthCheck } from "../observe/health.ts";
import type { Log } from "../observe/log.ts";
import { ProgressTeller } from "../observe/progress.ts";
import { type ChainClient, connectChain } from "./client/client.ts";
import { type Contracts, contractsOn } from "./contracts/contracts.ts";
import {
  abisOf,
  type DeclaredContract,
  type KnownContract,
  type KnownContracts,
  knownContracts,
} from "./contracts/known.ts";
import type { NativeCoin } from "./contracts/tokens.ts";
import type { Handler } from "./event.ts";
import { Indexer } from "./indexer/indexer.ts";
import {
  type IndexerObserver,
  type IndexerSettings,
  indexerLimitsOf,
  type RunListener,
} from "./indexer/options.ts";
import type { ChainMetrics } from "./metrics.ts";
import type { ChainView } from "./port.ts";
import type { SenderObserver } from "./sender/delivery.ts";
import { senderHealth } from "./sender/health.ts";
import { type SenderSettings, senderLimitsOf } from "./sender/limits.ts";
import { loseUnmined, Sender } from "./sender/sender.ts";
import { openTransactions } from "./sender/transactionStore.ts";
import type { Signer } from "./signatures/signer.ts";

/** Told of each of our transactions once its outcome is final. */
export type FinalListener = NonNullable<SenderObserver["final"]>;

/** One chain: the connection to it, what is known of it, and our transactions on it. */
export interface Chain {
  readonly chainId: number;
  /** A local chain of the development network: its tokens are worth nothing, and it may be restarted on purpose. */
  readonly isDevelopment: boolean;
  /** What its gas is paid in. */
  readonly nativeCoin: NativeCoin;
  readonly contracts: Contracts;
  readonly client: ChainClient;
  readonly view: ChainView;
  readonly sender: Sender;
  readonly operator: Signer;
  /** By contract name: whose errors a revert may carry. */
  readonly abis: Readonly<Record<string, Abi>>;
  /** The contracts that events and calls are read by; those that are watched later come in. */
  readonly known: KnownContracts;
  /**
   * Watches more events while the chain is followed; resolves once their past is in the store.
   * @throws BursarError CHAIN_UNAVAILABLE when that takes too long; they are watched all the same
   */
  watch(handlers: readonly Handler[]): Promise<void>;
  /** For jobs, which wait: the current run of the chain; null before the chain is met. Requests ask `view.runNow`. */
  runId(): bigint | null;
  onFinal(listener: FinalListener): void;
}

export interface ChainOptions {
  readonly chainId: number;
  readonly rpcUrl: string;
  readonly nativeCoin: NativeCoin & { readonly name: string };
  readonly isDevelopment: boolean;
  readonly operator: Signer;
  readonly sql: Sql;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: ChainMetrics;
  /** By all features. */
  readonly declared: readonly DeclaredContract[];
  readonly limits: IndexerSettings & {
    readonly pollIntervalMs: number;
    readonly rpcTimeoutMs: number;
    readonly indexerLagMaxBlocks: number;
    readonly acceptGenesis?: Hex | undefined;
  };
  readonly sending: SenderSettings;
}

/** Opens one chain. Nothing is followed or sent before `start`: the features say first what its events do. */
export class OpenedChain implements Chain {
  readonly chainId: number;
  readonly isDevelopment: boolean;
  readonly nativeCoin: NativeCoin;
  readonly contracts: Contracts;
  readonly abis: Readonly<Record<string, Abi>>;
  readonly client: ChainClient;
  readonly sender: Sender;
  readonly operator: Signer;
  readonly view: ChainView;
  readonly known: Map<string, KnownContract>;
  readonly #options: ChainOptions;
  readonly #final: FinalListener[] = [];
  readonly #teller: ProgressTeller;
  #indexer: Indexer;

  constructor(options: ChainOptions) {
    const { chainId, rpcUrl, limits, clock, log } = options;
    this.nativeCoin = options.nativeCoin;
    this.#options = options;
    this.chainId = chainId;
    this.isDevelopment = options.isDevelopment;
    this.contracts = contractsOn(chainId);
    this.abis = abisOf(options.declared);
    this.known = knownContracts(options.declared, this.contracts);
    this.operator = options.operator;
    this.client = connectChain({
      chainId,
      rpcUrl,
      nativeCoin: options.nativeCoin,
      pollIntervalMs: limits.pollIntervalMs,
      requestTimeoutMs: limits.rpcTimeoutMs,
    });
    this.sender = this.#openSender();
    this.#teller = new ProgressTeller({ log, clock, terminal: process.stderr });
    this.#indexer = this.#openIndexer([], []);
    this.view = {
      status: () => this.#indexer.status(),
      runNow: () => this.#indexer.runNow(),
      waitForBlock: (block, timeoutMs) => this.#indexer.waitForBlock(block, timeoutMs),
      waitForTransaction: (hash, timeoutMs) => this.#indexer.waitForTransaction(hash, timeoutMs),
    };
  }

  runId(): bigint | null {
    return this.view.status().runId || null;
  }

  onFinal(listener: FinalListener): void {
    this.#final.push(listener);
  }

  watch(handlers: readonly Handler[]): Promise<void> {
    this.#know(handlers);
    return this.#indexer.watch(handlers);
  }

  #know(handlers: readonly Handler[]): void {
    for (const { source } of handlers)
      for (const address of source.addresses) {
        const key = address.toLowerCase();
        if (!this.known.has(key)) this.known.set(key, { name: source.name, abi: source.abi });
      }
  }

  /** @throws BursarError NETWORK_MISMATCH, CHAIN_REINDEX_NEEDED; a provider that is down is tried again and again */
  async start(handlers: readonly Handler[], onNewRun: readonly RunListener[]): Promise<void> {
    this.#know(handlers);
    this.#indexer = this.#openIndexer(handlers, onNewRun);
    await this.#indexer.start();
    await this.sender.start();
  }

  async stop(): Promise<void> {
    await this.sender.stop();
    await this.#indexer.stop();
  }

  /** Its parts of `/health`. */
  checks(): Record<"chain" | "indexer" | "sender", HealthCheck> {
    const { sql, clock, limits, sending, metrics } = this.#options;
    return {
      chain: async () => ({ detail: { head: (await this.client.reader.getBlockNumber()).toString() } }),
      indexer: async () => {
        const { state, indexedTo, lagBlocks, problem } = this.view.status();
        const isLate = lagBlocks > limits.indexerLagMaxBlocks || state === "degraded";
        return {
          status: isLate ? "degraded" : "ok",
          detail: { state, indexedTo: indexedTo.toString(), lagBlocks, problem },
        };
      },
      sender: async () => {
        const [{ open, sentSince }, balance] = await Promise.all([
          openTransactions(sql, this.chainId),
          // That the provider is away is the chain's own check to tell.
          this.client.reader.getBalance({ address: this.operator.address }).catch(() => null),
        ]);
        metrics.queuedTransactions.set(this.#label, open);
        return senderHealth({
          operator: this.operator.address,
          open,
          queueMax: sending.queueMax,
          sentSince,
          balance,
          balanceMin: senderLimitsOf(sending, limits).balanceMin,
          now: clock.now(),
        });
      },
    };
  }

  get #label() {
    return { chain: String(this.chainId) };
  }

  #openSender(): Sender {
    const { sql, clock, log, sending, limits, metrics } = this.#options;
    return new Sender({
      client: this.client,
      sql,
      clock,
      account: this.operator.account,
      abis: this.abis,
      limits: senderLimitsOf(sending, limits),
      observer: {
        final: (step) => {
          metrics.transactions.inc({ ...this.#label, outcome: step.success ? "mined" : "reverted" });
          for (const listener of this.#final) listener(step);
        },
        refused: (step) => log.warn(step, "the provider refuses a transaction; it is offered again"),
        failed: (error) => log.warn({ err: error }, "sending failed; it goes on"),
      },
    });
  }

  #openIndexer(handlers: readonly Handler[], onNewRun: readonly RunListener[]): Indexer {
    const { sql, clock, limits } = this.#options;
    return new Indexer({
      client: this.client,
      sql,
      clock,
      handlers,
      // A local chain is put back and begun anew on purpose: believed at once. Elsewhere a shorter one is a lagging node.
      limits: {
        ...indexerLimitsOf(limits),
        believedGenesis: limits.acceptGenesis ?? null,
        ...(this.isDevelopment && { shrinkToleranceMs: 0, believedGenesis: "any" }),
      },
      onNewRun: [...onNewRun, loseUnmined(clock)],
      observer: this.#observer(),
    });
  }

  #observer(): IndexerObserver {
    const { log, metrics } = this.#options;
    const label = this.#label;
    const showProgress = () => {
      const status = this.view.status();
      metrics.progressRatio.set(label, status.progress.share);
      metrics.eventsPerSecond.set(label, status.progress.eventsPerSecond);
      metrics.etaSeconds.set(label, (status.progress.etaMs ?? Number.NaN) / 1_000);
      this.#teller.tell(status);
    };
    return {
      committed: ({ to, head, events }) => {
        metrics.headBlock.set(label, head);
        metrics.indexedBlock.set(label, to);
        metrics.lagBlocks.set(label, head - to);
        metrics.indexedEvents.inc(label, events);
        showProgress();
      },
      caughtUp: showProgress,
      rolledBack: (step) => {
        metrics.reorganisations.inc(label);
        log.warn(step, "the chain was reorganised; its events are taken back");
      },
      runStarted: (step) =>
        log.info(
          step,
          step.old === null
            ? "following the chain"
            : "the chain is new: the old one's channels are written off",
        ),
      failed: (error) => log.warn({ err: error }, "indexing failed; it goes on"),
    };
  }
}
