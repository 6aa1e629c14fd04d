import { setTimeout as delay } from "node:timers/promises";
import type { Abi, Address, LocalAccount } from "viem";
import type { Clock } from "#offchain/core/clock.ts";
import { BursarError } from "#offchain/core/error.ts";
import type { Sql, Tx } from "../../database/database.ts";
import { FairQueue } from "../../fairQueue.ts";
import { requestedFrom } from "../../requestContext.ts";
import type { ChainClient } from "../client/client.ts";
import { requestPatienceMs } from "../client/provider.ts";
import { needsTooMuchGas, RevertDecoder } from "../contracts/revert.ts";
import { currentRun } from "../indexer/checkpoint.ts";
import type { RunListener } from "../indexer/options.ts";
import type { SentTransaction, TransactionId, TransactionRequest, Transactions } from "../port.ts";
import { Signal } from "../signal.ts";
import { Steps } from "../steps.ts";
import { type ChainPosition, Delivery, type SenderObserver, tooExpensive, tooLarge } from "./delivery.ts";
import { reopenDropped } from "./finalityStore.ts";
import { keyState } from "./keyStore.ts";
import { fixedSenderLimits, type SenderLimits, type SetSenderLimits } from "./limits.ts";
import { Line } from "./line.ts";
import {
  enqueueTransaction,
  findTransaction,
  loseTransactions,
  minedTransactions,
  type QueuedTransaction,
  transactionChannel,
  unminedTransactions,
} from "./transactionStore.ts";
import { Wire } from "./wire.ts";

export interface SenderOptions {
  readonly client: ChainClient;
  readonly sql: Sql;
  readonly clock: Clock;
  /** The key; it stays in memory. */
  readonly account: LocalAccount;
  /** By contract name: whose errors a revert may carry. */
  readonly abis: Readonly<Record<string, Abi>>;
  readonly limits: SetSenderLimits & Partial<SenderLimits>;
  readonly observer?: SenderObserver;
}

/** How long `wait` rests between two looks, when another instance does the sending. */
const waitPollMs = 500;

/** Ends the transactions of a chain that was restarted; for the indexer's `onNewRun`. */
export const loseUnmined =
  (clock: Clock): RunListener =>
  (tx, oldRun) =>
    loseTransactions(tx, oldRun.id, clock.now());

/**
 * Sends the transactions of one key. What may have been broadcast is always stored first, so a kill at any moment
 * leaves nothing sent twice and nothing forgotten.
 */
export class Sender implements Transactions {
  readonly sender: Address;
  readonly #options: SenderOptions;
  readonly #limits: SenderLimits;
  readonly #reverts: RevertDecoder;
  readonly #wake = new Signal();
  readonly #steps = new Steps();
  readonly #wire: Wire;
  readonly #delivery: Delivery;
  readonly #judging: FairQueue;
  readonly #line: Line;
  #confirmedAt = -1n;
  #stopping = false;
  #loop: Promise<void> | null = null;
  #stopListening: (() => Promise<void>) | null = null;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#limits = { ...fixedSenderLimits, ...options.limits };
    this.#reverts = new RevertDecoder(options.abis);
    this.#wire = new Wire(options.client, options.account, this.#limits.maxFeePerGas);
    this.#delivery = new Delivery({
      chainId: options.client.config.chainId,
      sql: options.sql,
      clock: options.clock,
      wire: this.#wire,
      reverts: this.#reverts,
      limits: this.#limits,
      observer: options.observer,
    });
    this.#judging = new FairQueue({
      what: "calls to be simulated",
      atOnce: this.#limits.maxJudged,
      atOnceOfOne: Math.max(1, this.#limits.maxJudged >> 2),
      waitingMax: this.#limits.maxToJudge,
    });
    this.#line = new Line(this.#delivery, this.#limits, options.clock);
    this.sender = options.account.address;
  }

  async start(): Promise<void> {
    const { client, sql } = this.#options;
    const own = this.sender.toLowerCase();
    const announcements = await sql.listen(transactionChannel, (address) => {
      if (address === own) this.#wake.notify();
    });
    const stopHeads = client.watchHeads(() => this.#wake.notify());
    this.#stopListening = async () => {
      stopHeads();
      await announcements.unlisten();
    };
    this.#loop = this.#run();
  }

  /** Stops after the step in hand; what is open goes on at the next start. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wake.notify();
    await this.#stopListening?.();
    await this.#loop;
    this.#steps.notify();
  }

  enqueue(request: TransactionRequest): Promise<TransactionId> {
    return this.#options.sql.begin((tx) => this.enqueueTx(tx, request));
  }

  enqueueTx(tx: Sql | Tx, request: TransactionRequest): Promise<TransactionId> {
    return enqueueTransaction(tx, this.#by, this.#bounded(request), this.#options.clock.now());
  }

  async admit(request: TransactionRequest, authorise?: () => Promise<void>): Promise<void> {
    if ((await keyState(this.#options.sql, this.#by, request.key)) === "standing") return;
    await authorise?.();
    // The service's own waits for no caller, and is what the coin is kept for.
    if (!request.isRelayed) return this.simulate(request);
    await this.#judging.run(requestedFrom(), async () => {
      await Promise.all([this.#assertFunded(), this.simulate(this.#bounded(request))]);
    });
  }

  /** Claims and challenges' answers must go out whatever callers ask for: the rest of the coin is theirs. */
  async #assertFunded(): Promise<void> {
    const balance = await this.#wire.balance();
    if (balance < this.#limits.balanceMin)
      throw new BursarError("OVERLOADED", "the operator has too little left for gas to send callers' calls", {
        facts: { limit: this.#limits.balanceMin },
      });
  }

  async relay(request: TransactionRequest, authorise?: () => Promise<void>): Promise<TransactionId> {
    const relayed = { ...request, isRelayed: true };
    await this.admit(relayed, authorise);
    return this.enqueue(relayed);
  }

  /** With what a caller's call may cost, where the request says nothing else. */
  #bounded(request: TransactionRequest): TransactionRequest {
    return request.isRelayed ? { gasMax: this.#limits.relayedGasMax, ...request } : request;
  }

  get #by() {
    const { maxRelayed } = this.#limits;
    return { chainId: this.#options.client.config.chainId, address: this.sender, maxRelayed };
  }

  async simulate(request: Pick<TransactionRequest, "to" | "data" | "value" | "gasMax">): Promise<void> {
    const oversize = tooLarge(request.data, this.#limits.callBytesMax);
    if (oversize) throw oversize;
    const gasMax = request.gasMax ?? this.#limits.transactionGasMax;
    const gas = await this.#wire
      // Untrusted code may run in it: it is given no more than would be paid for.
      .estimateGas({ ...request, value: request.value ?? 0n }, "latest", gasMax)
      .catch((error: unknown) => {
        if (needsTooMuchGas(error)) throw tooExpensive(null, gasMax);
        throw this.#reverts.explain(error) ?? error;
      });
    if (gas > gasMax) throw tooExpensive(gas, gasMax);
  }

  find(id: TransactionId): Promise<SentTransaction | null> {
    return findTransaction(this.#options.sql, id);
  }

  async wait(id: TransactionId, timeoutMs = this.#limits.waitTimeoutMs): Promise<SentTransaction> {
    const startedAt = performance.now();
    for (;;) {
      const transaction = await findTransaction(this.#options.sql, id);
      if (!transaction)
        throw new BursarError("TRANSACTION_UNKNOWN", `no transaction ${id}`, { facts: { id } });
      const outcome = outcomeOf(transaction);
      if (outcome instanceof BursarError) throw outcome;
      if (outcome) return outcome;
      const waitedMs = performance.now() - startedAt;
      // It is stored and will be sent; who waits for it is told while the chain is away.
      const isAway = Math.min(waitedMs, this.#options.client.silentMs()) >= requestPatienceMs;
      const leftMs = timeoutMs - waitedMs;
      if (leftMs <= 0 || isAway || this.#stopping) throw notMinedYet(transaction);
      await this.#steps.next(Math.min(leftMs, waitPollMs));
    }
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      try {
        const busy = await this.#pass();
        if (!busy) await this.#wake.wait(this.#limits.pollIntervalMs);
      } catch (error) {
        this.#options.observer?.failed?.(error);
        await delay(this.#limits.pollIntervalMs);
      }
    }
  }

  /** Looks after everything that is open. @returns whether something was broadcast, so that a second look pays */
  async #pass(): Promise<boolean> {
    const { client, sql, clock } = this.#options;
    const chainRun = await currentRun(sql, client.config.chainId);
    if (!chainRun) return false;
    const chain = await this.#wire.state();
    // Another chain answers than the one that the queue is for: the indexer will start its chain run.
    if (chain.genesisHash !== chainRun.genesisHash) return false;
    await reopenDropped(sql, chainRun.id, this.sender, chain, clock.now());
    await this.#confirm(chainRun.id, chain.head);
    const broadcast = await this.#deliver(chainRun.id, chain);
    this.#steps.notify();
    return broadcast;
  }

  /** Nothing about a mined transaction changes without a new block. */
  async #confirm(runId: bigint, head: bigint): Promise<void> {
    if (head === this.#confirmedAt) return;
    const mined = await minedTransactions(this.#options.sql, runId, this.sender, this.#limits.maxOpen);
    await this.#delivery.confirm(mined, head);
    this.#confirmedAt = head;
  }

  async #deliver(runId: bigint, chain: ChainPosition): Promise<boolean> {
    const open = await unminedTransactions(this.#options.sql, runId, this.sender, this.#limits.maxOpen);
    return this.#line.advance(open, chain, () => this.#stopping);
  }
}

/** Why it takes so long, where that is known: the operator has no money for gas, say. */
function notMinedYet({ id, state, error }: QueuedTransaction): BursarError {
  const problem = error?.message;
  return new BursarError(
    "CHAIN_UNAVAILABLE",
    `transaction ${id} is not mined yet${problem ? `: ${problem}` : ""}`,
    { facts: { id, state, problem } },
  );
}

/** What a waiter is told: the transaction, why it never will be, or null while it is open. */
function outcomeOf(transaction: QueuedTransaction): SentTransaction | BursarError | null {
  const { id, state, success, error } = transaction;
  if (state === "mined" && success) return transaction;
  if ((state === "mined" || state === "failed") && error)
    return new BursarError(error.code, error.message, { facts: { ...error.facts, id } });
  if (state === "run_lost")
    return new BursarError("TRANSACTION_LOST", `transaction ${id} was for a chain that was restarted`, {
      facts: { id },
    });
  return null;
}
