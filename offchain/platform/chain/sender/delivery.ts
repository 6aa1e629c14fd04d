import { type Hex, type RpcTransactionReceipt, size } from "viem";
import type { Clock } from "#offchain/core/clock.ts";
import { BursarError } from "#offchain/core/error.ts";
import type { Sql } from "../../database/database.ts";
import { faultOf } from "../client/provider.ts";
import { needsTooMuchGas, type RevertDecoder } from "../contracts/revert.ts";
import { markFinal } from "./finalityStore.ts";
import type { SenderLimits } from "./limits.ts";
import {
  type Attempt,
  attemptsOf,
  type Mined,
  markFailed,
  markMined,
  markReplaced,
  markSent,
  noteError,
  prepareAgain,
  type QueuedTransaction,
  type StoredError,
  signAgain,
  signNext,
} from "./transactionStore.ts";
import type { Wire } from "./wire.ts";

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
  /** It is in a block that no reorganisation is expected to take back: told once, by one instance. */
  final?(step: {
    id: bigint;
    purpose: string;
    hash: Hex;
    success: boolean;
    gasUsed: bigint;
    gasPrice: bigint;
  }): void;
  /** The provider did not take a signed transaction. */
  refused?(step: { id: bigint; purpose: string; nonce: number; problem: string }): void;
  failed?(error: unknown): void;
}

const bps = 10_000n;

/** What the chain showed at the start of a pass. */
export interface ChainPosition {
  head: bigint;
  /** How many transactions of the key are in blocks. */
  nextNonce: number;
}

export interface DeliveryOptions {
  readonly chainId: number;
  readonly sql: Sql;
  readonly clock: Clock;
  readonly wire: Wire;
  readonly reverts: RevertDecoder;
  readonly limits: SenderLimits;
  readonly observer?: SenderObserver | undefined;
}

/** Takes one transaction a step further: every step is stored, so that it may be the last one of this process. */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #limits: SenderLimits;
  readonly #wire: Wire;
  readonly #reverts: RevertDecoder;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#limits = options.limits;
    this.#wire = options.wire;
    this.#reverts = options.reverts;
  }

  /** Follows what is mined until no reorg can move it. */
  async confirm(mined: readonly QueuedTransaction[], head: bigint): Promise<void> {
    const { sql, clock, observer } = this.#options;
    const receipts = await Promise.all(mined.map(({ hash }) => (hash ? this.#wire.receipt(hash) : null)));
    const settled: (QueuedTransaction & Outcome)[] = [];
    for (const [index, transaction] of mined.entries()) {
      const receipt = receipts[index];
      // A dropped one is reopened by its nonce, not here: the provider may only be behind.
      if (!receipt) continue;
      const isFinal = head >= BigInt(receipt.blockNumber) + this.#limits.finalityBlocks;
      if (receipt.blockHash !== transaction.blockHash) await this.#recordMined(transaction, receipt, head);
      else if (isFinal) settled.push({ ...transaction, ...outcomeOf(receipt) });
    }
    if (settled.length === 0) return;
    const ids = settled.map(({ id }) => id);
    const marked = await markFinal(sql, ids, clock.now());
    for (const transaction of settled) if (marked.has(transaction.id)) observer?.final?.(transaction);
  }

  /** Looks after a transaction that is signed, and maybe broadcast. @returns whether it was broadcast */
  async track(transaction: QueuedTransaction, chain: ChainPosition): Promise<boolean> {
    const { sql, clock } = this.#options;
    const attempts = await attemptsOf(sql, transaction.id);
    const receipts = await Promise.all(attempts.map(({ hash }) => this.#wire.receipt(hash)));
    const receipt = receipts.find((found) => found !== null);
    if (receipt) {
      await this.#recordMined(transaction, receipt, chain.head);
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
    if (waitedMs < Math.min(this.#limits.rebroadcastAfterMs, this.#limits.stuckAfterMs)) return false;
    // What the node does not have holds up every nonce after it. Raising its fee again and again would help nothing:
    // it is offered anew, at the market's fee if that has risen.
    if (!(await this.#wire.isKnown(latest.hash)))
      return (await this.#bump(transaction, latest, 0n)) || this.#broadcast(transaction, latest, false);
    return waitedMs >= this.#limits.stuckAfterMs && this.#bump(transaction, latest, this.#limits.bumpBps);
  }

  /** A foreign transaction took the nonce. Once it is final none of ours can be mined, and the call is signed anew. */
  async #resumeReplaced(transaction: QueuedTransaction, chain: ChainPosition): Promise<boolean> {
    const { sql, clock } = this.#options;
    const noticedAt = transaction.blockNumber ?? chain.head;
    if (chain.nextNonce > (transaction.nonce ?? 0) && chain.head >= noticedAt + this.#limits.finalityBlocks)
      await prepareAgain(sql, transaction.id, clock.now());
    return false;
  }

  async #recordMined(
    transaction: QueuedTransaction,
    receipt: RpcTransactionReceipt,
    head: bigint,
  ): Promise<void> {
    const { sql, clock, observer } = this.#options;
    const mined = await this.#minedBy(transaction, receipt);
    const isFinal = head >= mined.blockNumber + this.#limits.finalityBlocks;
    const isNews = await markMined(sql, transaction.id, mined, isFinal, clock.now());
    if (isFinal && isNews) observer?.final?.({ id: transaction.id, purpose: transaction.purpose, ...mined });
  }

  /** Simulates, signs, stores and broadcasts. `later`: it can only be judged when what is in flight is mined. */
  async send(
    transaction: QueuedTransaction,
    hasPredecessors: boolean,
  ): Promise<"sent" | "later" | "dropped"> {
    const { sql, clock, chainId } = this.#options;
    const oversize = tooLarge(transaction.data, this.#limits.callBytesMax);
    if (oversize) return this.#drop(transaction, oversize);
    const gasMax = this.#gasMaxOf(transaction);
    let gas: bigint;
    try {
      gas = await this.#wire.estimateGas(transaction, "pending", gasMax);
    } catch (error) {
      if (hasPredecessors) return "later";
      const fault = needsTooMuchGas(error) ? tooExpensive(null, gasMax) : this.#reverts.explain(error);
      if (fault) return this.#drop(transaction, fault);
      await noteError(sql, transaction.id, unavailable(error), clock.now());
      throw error;
    }
    if (gas > gasMax) return this.#drop(transaction, tooExpensive(gas, gasMax));
    const fees = await this.#wire.fees();
    const nextNonce = await this.#wire.nextNonce();
    const chain = { chainId, nextNonce };
    const attempt = await signNext(
      sql,
      transaction,
      chain,
      (nonce) =>
        this.#wire.sign(
          transaction,
          { nonce, gas: min((gas * this.#limits.gasLimitBps) / bps, gasMax), ...fees },
          clock.now(),
        ),
      clock.now(),
    );
    if (!attempt) return "dropped";
    await this.#broadcast({ ...transaction, nonce: attempt.nonce }, attempt, false);
    return "sent";
  }

  /** It is never sent, and takes no nonce: what comes after it goes on. */
  async #drop({ id }: QueuedTransaction, fault: BursarError): Promise<"dropped"> {
    await markFailed(this.#options.sql, id, stored(fault), this.#options.clock.now());
    return "dropped";
  }

  #gasMaxOf({ gasMax }: QueuedTransaction): bigint {
    const { transactionGasMax } = this.#limits;
    return min(gasMax ?? transactionGasMax, transactionGasMax);
  }

  /**
   * Raises the fee under the same nonce: to the market's, and by `byBps` at least, up to the limit.
   * @returns whether there was anything to raise
   */
  async #bump(transaction: QueuedTransaction, latest: Attempt, byBps: bigint): Promise<boolean> {
    const market = await this.#wire.fees();
    const raised = (fee: bigint) => (byBps === 0n ? fee : (fee * (bps + byBps)) / bps + 1n);
    const maxFeePerGas = max(raised(latest.maxFeePerGas), market.maxFeePerGas);
    const maxPriorityFeePerGas = max(raised(latest.maxPriorityFeePerGas), market.maxPriorityFeePerGas);
    if (maxFeePerGas > this.#limits.maxFeePerGas || maxFeePerGas === latest.maxFeePerGas) return false;
    const { nonce, gas } = latest;
    const { sql, clock } = this.#options;
    const terms = { nonce, gas, maxFeePerGas, maxPriorityFeePerGas };
    const kept = await signAgain(
      sql,
      transaction,
      latest,
      await this.#wire.sign(transaction, terms, clock.now()),
    );
    return kept ? this.#broadcast(transaction, kept, true) : false;
  }

  /** Hands an attempt to the provider. After a refusal the next pass looks at whether the node has it all the same. */
  async #broadcast(transaction: QueuedTransaction, attempt: Attempt, bumped: boolean): Promise<boolean> {
    const { sql, clock, observer } = this.#options;
    try {
      await this.#wire.broadcast(attempt);
    } catch (error) {
      // A development node reports the revert of a transaction that it has mined; others report what they know already.
      const reason = this.#reverts.explain(error) ?? unavailable(error);
      await noteError(sql, transaction.id, stored(reason), clock.now());
      const { id, purpose } = transaction;
      observer?.refused?.({ id, purpose, nonce: attempt.nonce, problem: reason.message });
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
    const outcome = outcomeOf(receipt);
    return {
      ...outcome,
      blockNumber: BigInt(receipt.blockNumber),
      blockHash: receipt.blockHash,
      error: outcome.success ? null : await this.#whyReverted(transaction, BigInt(receipt.blockNumber)),
    };
  }

  /** A receipt does not say why; the same call on the block before usually does. */
  async #whyReverted(transaction: QueuedTransaction, block: bigint): Promise<StoredError> {
    try {
      await this.#wire.estimateGas(transaction, block - 1n, this.#gasMaxOf(transaction));
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
}

type Outcome = Pick<Mined, "hash" | "success" | "gasUsed" | "gasPrice">;

const outcomeOf = (receipt: RpcTransactionReceipt): Outcome => ({
  hash: receipt.transactionHash,
  success: receipt.status === "0x1",
  gasUsed: BigInt(receipt.gasUsed),
  gasPrice: BigInt(receipt.effectiveGasPrice),
});

/** @param gas null: the provider says only that it is more than any call may need */
export const tooExpensive = (gas: bigint | null, gasMax: bigint): BursarError =>
  new BursarError(
    "TRANSACTION_TOO_EXPENSIVE",
    `the call needs ${gas ?? "too much"} gas; ${gasMax} are paid for`,
    { facts: { gas, gasMax } },
  );

/** Why a call does not fit in a transaction; null: it does. */
export function tooLarge(data: Hex, limit: number): BursarError | null {
  const bytes = size(data);
  if (bytes <= limit) return null;
  return new BursarError(
    "TRANSACTION_TOO_LARGE",
    `the call has ${bytes} bytes; a transaction takes ${limit}`,
    { facts: { bytes, limit } },
  );
}

const stored = ({ code, message, facts }: BursarError): StoredError => ({ code, message, facts });

function unavailable(error: unknown): BursarError {
  if (error instanceof BursarError) return error;
  return new BursarError("CHAIN_UNAVAILABLE", `the provider ${faultOf(error)}`, { cause: error });
}

const min = (one: bigint, other: bigint): bigint => (one < other ? one : other);
const max = (one: bigint, other: bigint): bigint => (one > other ? one : other);
