import { setTimeout as delay } from "node:timers/promises";
import {
  type Abi,
  type Address,
  BaseError,
  type Hex,
  keccak256,
  type LocalAccount,
  numberToHex,
  type RpcTransactionReceipt,
} from "viem";
import type {
  SentTransaction,
  TransactionId,
  TransactionRequest,
  Transactions,
} from "#offchain/actions/chain/port.ts";
import type { Clock } from "#offchain/domain/clock.ts";
import { BursarError } from "#offchain/domain/error.ts";
import { currentEpoch, type Epoch } from "#offchain/store/chain.ts";
import type { Sql, Tx } from "#offchain/store/database.ts";
import {
  type Attempt,
  attemptsOf,
  enqueueTransaction,
  findTransaction,
  loseTransactions,
  type Mined,
  markFailed,
  markFinal,
  markMined,
  markReplaced,
  markSent,
  noteError,
  openTransactions,
  prepareAgain,
  type QueuedTransaction,
  reopenDropped,
  type StoredError,
  signAgain,
  signNext,
  transactionChannel,
} from "#offchain/store/transaction.ts";
import type { ChainClient } from "./client.ts";
import type { EpochListener } from "./indexer.ts";
import { RevertDecoder } from "./revert.ts";
import { Signal } from "./signal.ts";

export interface SenderLimits {
  /** Transactions that wait for a block at once. */
  readonly maxInFlight: number;
  /** Open transactions looked at in one pass. */
  readonly maxOpen: number;
  /** How long a broadcast transaction may stay out of a block before its fee is raised. */
  readonly stuckAfterMs: number;
  /** How long the provider may not know a broadcast transaction before it is broadcast again. */
  readonly rebroadcastAfterMs: number;
  /** Never pay more than this, wei per gas. */
  readonly maxFeePerGas: bigint;
  /** Gas limit over the estimate. */
  readonly gasLimitBps: bigint;
  /** Raise of both fees for a replacement; nodes ask for at least 1,000. */
  readonly bumpBps: bigint;
  /** Blocks after which a mined transaction is final. */
  readonly finalityBlocks: bigint;
  readonly pollIntervalMs: number;
  /** Default patience of `wait`. */
  readonly waitTimeoutMs: number;
}

export const senderLimits: SenderLimits = {
  maxInFlight: 16,
  maxOpen: 500,
  stuckAfterMs: 30_000,
  rebroadcastAfterMs: 5_000,
  maxFeePerGas: 500_000_000_000n,
  gasLimitBps: 12_500n,
  bumpBps: 1_250n,
  finalityBlocks: 64n,
  pollIntervalMs: 1_000,
  waitTimeoutMs: 60_000,
};

/** Told of every step, for logs and metrics; must not throw. */
export interface SenderObserver {
  sent?(step: {
    id: bigint;
    purpose: string;
    nonce: number;
    hash: Hex;
    maxFeePerGas: bigint;
    bumped: boolean;
  }): void;
  mined?(step: {
    id: bigint;
    purpose: string;
    hash: Hex;
    success: boolean;
    gasUsed: bigint;
    gasPrice: bigint;
  }): void;
  failed?(error: unknown): void;
}

export interface SenderOptions {
  readonly client: ChainClient;
  readonly sql: Sql;
  readonly clock: Clock;
  /** The key; it stays in memory. */
  readonly account: LocalAccount;
  /** By contract name: whose errors a revert may carry. */
  readonly abis: Readonly<Record<string, Abi>>;
  readonly limits?: Partial<SenderLimits>;
  readonly observer?: SenderObserver;
}

const bps = 10_000n;
/** How long `wait` rests between two looks, when another instance does the sending. */
const waitPollMs = 500;

/** Ends the transactions of a chain that was restarted; for the indexer's `onNewEpoch`. */
export const loseUnmined =
  (clock: Clock): EpochListener =>
  (tx, oldEpoch) =>
    loseTransactions(tx, oldEpoch.id, clock.now());

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
  readonly #waiters = new Set<() => void>();
  #checkedAt = -1n;
  #stopping = false;
  #loop: Promise<void> | null = null;
  #stopListening: (() => Promise<void>) | null = null;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#limits = { ...senderLimits, ...options.limits };
    this.#reverts = new RevertDecoder(options.abis);
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
    this.#notifyWaiters();
  }

  async enqueue(request: TransactionRequest): Promise<TransactionId> {
    return this.enqueueTx(this.#options.sql, request);
  }

  /** As `enqueue`, inside the caller's transaction: the request stands or falls with it. */
  enqueueTx(tx: Sql | Tx, request: TransactionRequest): Promise<TransactionId> {
    const { client, clock } = this.#options;
    const sender = { chainId: client.config.chainId, address: this.sender };
    return enqueueTransaction(tx, sender, request, clock.now());
  }

  async simulate(request: Pick<TransactionRequest, "to" | "data" | "value">): Promise<void> {
    try {
      await this.#estimate(request, "latest");
    } catch (error) {
      throw this.#reverts.explain(error) ?? error;
    }
  }

  find(id: TransactionId): Promise<SentTransaction | null> {
    return findTransaction(this.#options.sql, id);
  }

  async wait(id: TransactionId, timeoutMs = this.#limits.waitTimeoutMs): Promise<SentTransaction> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const transaction = await findTransaction(this.#options.sql, id);
      if (!transaction)
        throw new BursarError("TRANSACTION_UNKNOWN", `no transaction ${id}`, { facts: { id } });
      const outcome = outcomeOf(transaction);
      if (outcome instanceof BursarError) throw outcome;
      if (outcome) return outcome;
      const leftMs = deadline - performance.now();
      if (leftMs <= 0 || this.#stopping)
        throw new BursarError("CHAIN_UNAVAILABLE", `transaction ${id} is not mined yet`, {
          facts: { id, state: transaction.state, problem: transaction.error?.message },
        });
      await this.#nextStep(Math.min(leftMs, waitPollMs));
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
    const epoch = await currentEpoch(sql, client.config.chainId);
    if (!epoch) return false;
    const chain = await this.#chainState(epoch);
    // Another chain answers than the one that the queue is for: the indexer will start its epoch.
    if (!chain) return false;
    const dropped = await reopenDropped(sql, epoch.id, this.sender, chain.nextNonce, clock.now());
    const open = await openTransactions(sql, epoch.id, this.sender, this.#limits.maxOpen);
    await this.#confirm(open, chain.head, dropped > 0);

    let broadcast = false;
    let inFlight = 0;
    for (const transaction of open) {
      if (this.#stopping) return false;
      if (transaction.state === "mined") continue;
      if (transaction.state !== "prepared") {
        inFlight += 1;
        broadcast = (await this.#track(transaction, chain)) || broadcast;
      } else if (inFlight < this.#limits.maxInFlight) {
        const sent = await this.#send(transaction, inFlight > 0);
        // First in, first out: what cannot be simulated yet holds back what was asked for later.
        if (sent === "later") break;
        if (sent === "sent") {
          inFlight += 1;
          broadcast = true;
        }
      }
    }
    this.#notifyWaiters();
    return broadcast;
  }

  async #chainState(epoch: Epoch): Promise<{ head: bigint; nextNonce: number } | null> {
    const { reader } = this.#options.client;
    const [genesis, head, nextNonce] = await Promise.all([
      reader.request({ method: "eth_getBlockByNumber", params: ["0x0", false] }),
      reader.request({ method: "eth_blockNumber" }),
      this.#nextNonce(),
    ]);
    return genesis?.hash === epoch.genesisHash ? { head: BigInt(head), nextNonce } : null;
  }

  /** Follows what is mined until no reorg can move it. */
  async #confirm(open: readonly QueuedTransaction[], head: bigint, force: boolean): Promise<void> {
    if (head === this.#checkedAt && !force) return;
    const { sql, clock } = this.#options;
    const mined = open.filter(({ state }) => state === "mined");
    const receipts = await Promise.all(mined.map(({ hash }) => (hash ? this.#receipt(hash) : null)));
    const settled: bigint[] = [];
    for (const [index, transaction] of mined.entries()) {
      const receipt = receipts[index];
      // A dropped one is reopened by its nonce, not here: the provider may only be behind.
      if (!receipt) continue;
      const isFinal = head >= BigInt(receipt.blockNumber) + this.#limits.finalityBlocks;
      if (receipt.blockHash !== transaction.blockHash)
        await markMined(sql, transaction.id, await this.#minedBy(transaction, receipt), isFinal, clock.now());
      else if (isFinal) settled.push(transaction.id);
    }
    if (settled.length > 0) await markFinal(sql, settled, clock.now());
    this.#checkedAt = head;
  }

  /** Looks after a transaction that is signed, and maybe broadcast. @returns whether it was broadcast */
  async #track(transaction: QueuedTransaction, chain: { head: bigint; nextNonce: number }): Promise<boolean> {
    const { sql, clock } = this.#options;
    const attempts = await attemptsOf(sql, transaction.id);
    const receipts = await Promise.all(attempts.map(({ hash }) => this.#receipt(hash)));
    const receipt = receipts.find((found) => found !== null);
    if (receipt) {
      await this.#settle(transaction, receipt, chain.head);
      return false;
    }
    if (transaction.state === "replaced") return this.#resumeReplaced(transaction, chain);
    const latest = attempts.find(({ nonce }) => nonce === transaction.nonce);
    if (!latest) throw new Error(`transaction ${transaction.id} has a nonce but no attempt`);
    // The count was read before the receipts, so a nonce that is used without a receipt is used by somebody else.
    if (latest.nonce < chain.nextNonce) {
      await markReplaced(sql, transaction.id, chain.head, clock.now());
      return false;
    }
    const waitedMs = clock.now() - (latest.sentAt ?? 0);
    if (latest.sentAt === null) return this.#broadcast(transaction, latest, false);
    if (waitedMs >= this.#limits.stuckAfterMs) return this.#bump(transaction, latest);
    if (waitedMs >= this.#limits.rebroadcastAfterMs && !(await this.#isKnown(latest.hash)))
      return this.#broadcast(transaction, latest, false);
    return false;
  }

  /** A foreign transaction took the nonce. Once it is final none of ours can be mined, and the call is signed anew. */
  async #resumeReplaced(
    transaction: QueuedTransaction,
    chain: { head: bigint; nextNonce: number },
  ): Promise<boolean> {
    const { sql, clock } = this.#options;
    const noticedAt = transaction.blockNumber ?? chain.head;
    if (chain.nextNonce > (transaction.nonce ?? 0) && chain.head >= noticedAt + this.#limits.finalityBlocks)
      await prepareAgain(sql, transaction.id, clock.now());
    return false;
  }

  async #settle(transaction: QueuedTransaction, receipt: RpcTransactionReceipt, head: bigint): Promise<void> {
    const { sql, clock, observer } = this.#options;
    const mined = await this.#minedBy(transaction, receipt);
    const isFinal = head >= mined.blockNumber + this.#limits.finalityBlocks;
    await markMined(sql, transaction.id, mined, isFinal, clock.now());
    observer?.mined?.({ id: transaction.id, purpose: transaction.purpose, ...mined });
  }

  /** Simulates, signs, stores and broadcasts. `later`: it can only be judged when what is in flight is mined. */
  async #send(
    transaction: QueuedTransaction,
    hasPredecessors: boolean,
  ): Promise<"sent" | "later" | "dropped"> {
    const { sql, clock, client } = this.#options;
    let gas: bigint;
    try {
      gas = await this.#estimate(transaction, "pending");
    } catch (error) {
      if (hasPredecessors) return "later";
      const revert = this.#reverts.explain(error);
      if (revert) {
        await markFailed(sql, transaction.id, stored(revert), clock.now());
        return "dropped";
      }
      await noteError(sql, transaction.id, unavailable(error), clock.now());
      throw error;
    }
    const fees = await this.#fees();
    const nextNonce = await this.#nextNonce();
    const chain = { chainId: client.config.chainId, nextNonce };
    const attempt = await signNext(
      sql,
      transaction,
      chain,
      (nonce) => this.#sign(transaction, { nonce, gas: (gas * this.#limits.gasLimitBps) / bps, ...fees }),
      clock.now(),
    );
    if (!attempt) return "dropped";
    await this.#broadcast({ ...transaction, nonce: attempt.nonce }, attempt, false);
    return "sent";
  }

  /** Raises the fee of a stuck transaction under the same nonce, up to the limit. */
  async #bump(transaction: QueuedTransaction, latest: Attempt): Promise<boolean> {
    const market = await this.#fees();
    const raised = (fee: bigint) => (fee * (bps + this.#limits.bumpBps)) / bps + 1n;
    const maxFeePerGas = max(raised(latest.maxFeePerGas), market.maxFeePerGas);
    const maxPriorityFeePerGas = max(raised(latest.maxPriorityFeePerGas), market.maxPriorityFeePerGas);
    if (maxFeePerGas > this.#limits.maxFeePerGas) return false;
    const { nonce, gas } = latest;
    const attempt = await this.#sign(transaction, { nonce, gas, maxFeePerGas, maxPriorityFeePerGas });
    const kept = await signAgain(this.#options.sql, transaction, latest, attempt);
    return kept ? this.#broadcast(transaction, kept, true) : false;
  }

  async #sign(
    transaction: QueuedTransaction,
    terms: Pick<Attempt, "nonce" | "gas" | "maxFeePerGas" | "maxPriorityFeePerGas">,
  ): Promise<Attempt> {
    const { account, client, clock } = this.#options;
    const raw = await account.signTransaction({
      type: "eip1559",
      chainId: client.config.chainId,
      to: transaction.to,
      data: transaction.data,
      value: transaction.value,
      ...terms,
    });
    return { ...terms, raw, hash: keccak256(raw), signedAt: clock.now(), sentAt: null };
  }

  /** Hands an attempt to the provider. A refusal changes nothing: the next pass looks at what the chain made of it. */
  async #broadcast(transaction: QueuedTransaction, attempt: Attempt, bumped: boolean): Promise<boolean> {
    const { sql, clock, client, observer } = this.#options;
    try {
      await client.reader.request(
        { method: "eth_sendRawTransaction", params: [attempt.raw] },
        { retryCount: 0 },
      );
    } catch (error) {
      // A development node reports the revert of a transaction that it has mined; others report what they know already.
      await noteError(
        sql,
        transaction.id,
        stored(this.#reverts.explain(error) ?? unavailable(error)),
        clock.now(),
      );
    }
    await markSent(sql, transaction.id, attempt.hash, clock.now());
    observer?.sent?.({
      id: transaction.id,
      purpose: transaction.purpose,
      nonce: attempt.nonce,
      hash: attempt.hash,
      maxFeePerGas: attempt.maxFeePerGas,
      bumped,
    });
    return true;
  }

  async #minedBy(transaction: QueuedTransaction, receipt: RpcTransactionReceipt): Promise<Mined> {
    const success = receipt.status === "0x1";
    return {
      hash: receipt.transactionHash,
      success,
      blockNumber: BigInt(receipt.blockNumber),
      blockHash: receipt.blockHash,
      gasUsed: BigInt(receipt.gasUsed),
      gasPrice: BigInt(receipt.effectiveGasPrice),
      error: success ? null : await this.#whyReverted(transaction, BigInt(receipt.blockNumber)),
    };
  }

  /** A receipt does not say why; the same call on the block before usually does. */
  async #whyReverted(transaction: QueuedTransaction, block: bigint): Promise<StoredError> {
    try {
      await this.#estimate(transaction, numberToHex(block - 1n));
    } catch (error) {
      const revert = this.#reverts.explain(error);
      if (revert) return stored(revert);
    }
    return (
      transaction.error ?? {
        code: "TRANSACTION_REVERTED",
        message: `transaction ${transaction.id} reverted`,
        facts: { contract: "unknown", error: "none", args: "{}" },
      }
    );
  }

  async #estimate(
    call: Pick<TransactionRequest, "to" | "data" | "value">,
    block: "latest" | "pending" | Hex,
  ) {
    const gas = await this.#options.client.reader.request(
      {
        method: "eth_estimateGas",
        params: [
          { from: this.sender, to: call.to, data: call.data, value: numberToHex(call.value ?? 0n) },
          block,
        ],
      },
      { retryCount: 0 },
    );
    return BigInt(gas);
  }

  async #fees(): Promise<{ maxFeePerGas: bigint; maxPriorityFeePerGas: bigint }> {
    const { maxFeePerGas, maxPriorityFeePerGas } = await this.#options.client.reader.estimateFeesPerGas();
    const limit = this.#limits.maxFeePerGas;
    return { maxFeePerGas: min(maxFeePerGas, limit), maxPriorityFeePerGas: min(maxPriorityFeePerGas, limit) };
  }

  async #nextNonce(): Promise<number> {
    const { reader } = this.#options.client;
    return Number(
      await reader.request({ method: "eth_getTransactionCount", params: [this.sender, "latest"] }),
    );
  }

  #receipt(hash: Hex): Promise<RpcTransactionReceipt | null> {
    return this.#options.client.reader.request({ method: "eth_getTransactionReceipt", params: [hash] });
  }

  async #isKnown(hash: Hex): Promise<boolean> {
    const found = await this.#options.client.reader.request({
      method: "eth_getTransactionByHash",
      params: [hash],
    });
    return found !== null;
  }

  #notifyWaiters(): void {
    for (const waiter of this.#waiters) waiter();
    this.#waiters.clear();
  }

  async #nextStep(timeoutMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const waiters = this.#waiters;
      const timer = setTimeout(done, timeoutMs);
      function done() {
        clearTimeout(timer);
        waiters.delete(done);
        resolve();
      }
      waiters.add(done);
    });
  }
}

/** What a waiter is told: the transaction, why it never will be, or null while it is open. */
function outcomeOf(transaction: QueuedTransaction): SentTransaction | BursarError | null {
  const { id, state, success, error } = transaction;
  if (state === "mined" && success) return transaction;
  if ((state === "mined" || state === "failed") && error)
    return new BursarError(error.code, error.message, { facts: { ...error.facts, id } });
  if (state === "epoch_lost")
    return new BursarError("TRANSACTION_LOST", `transaction ${id} was for a chain that was restarted`, {
      facts: { id },
    });
  return null;
}

const stored = ({ code, message, facts }: BursarError): StoredError => ({ code, message, facts });

function unavailable(error: unknown): BursarError {
  const said = error instanceof BaseError ? error.details || error.shortMessage : String(error);
  return new BursarError("CHAIN_UNAVAILABLE", said, { cause: error });
}

const max = (one: bigint, other: bigint): bigint => (one > other ? one : other);
const min = (one: bigint, other: bigint): bigint => (one < other ? one : other);
