import {
  type Address,
  type Hex,
  keccak256,
  type LocalAccount,
  numberToHex,
  type RpcTransactionReceipt,
} from "viem";
import type { ChainClient } from "../client/client.ts";
import { quantityOf } from "../client/provider.ts";
import type { TransactionRequest } from "../port.ts";
import type { Attempt } from "./transactionStore.ts";

export type Call = Required<Pick<TransactionRequest, "to" | "data" | "value">>;

/** What a signed transaction promises beside its call. */
export type Terms = Pick<Attempt, "nonce" | "gas" | "maxFeePerGas" | "maxPriorityFeePerGas">;

export type Fees = Pick<Terms, "maxFeePerGas" | "maxPriorityFeePerGas">;

/** Asks the provider about one key's transactions, signs them and hands them over; remembers nothing. */
export class Wire {
  readonly #client: ChainClient;
  readonly #account: LocalAccount;
  readonly #maxFeePerGas: bigint;

  /** @param maxFeePerGas wei per gas, never to be exceeded */
  constructor(client: ChainClient, account: LocalAccount, maxFeePerGas: bigint) {
    this.#client = client;
    this.#account = account;
    this.#maxFeePerGas = maxFeePerGas;
  }

  #quantity(said: unknown): bigint {
    return quantityOf(this.#client.config.chainId, said);
  }

  get address(): Address {
    return this.#account.address;
  }

  /** The genesis block's hash, the head, and how many transactions of the key the chain has; the count is asked for first. */
  async state(): Promise<{ genesisHash: Hex | null; head: bigint; nextNonce: number }> {
    const { reader } = this.#client;
    const [nextNonce, head, genesis] = await Promise.all([
      this.nextNonce(),
      reader.request({ method: "eth_blockNumber" }),
      reader.request({ method: "eth_getBlockByNumber", params: ["0x0", false] }),
    ]);
    return { genesisHash: genesis?.hash ?? null, head: this.#quantity(head), nextNonce };
  }

  /** What the key has in the native coin, wei. */
  balance(): Promise<bigint> {
    return this.#client.reader.getBalance({ address: this.address });
  }

  async nextNonce(): Promise<number> {
    const { reader } = this.#client;
    const count = await reader.request({
      method: "eth_getTransactionCount",
      params: [this.address, "latest"],
    });
    return Number(this.#quantity(count));
  }

  /**
   * The call's gas on the state of `block`.
   * @param gasMax with no more than this: foreign code in a call of our own must not keep the node busy
   * @throws the provider's error, with the revert's data if it reverts
   */
  async estimateGas(
    { to, data, value }: Call,
    block: "latest" | "pending" | bigint,
    gasMax: bigint,
  ): Promise<bigint> {
    const gas = numberToHex(gasMax);
    const call = { from: this.address, to, data, value: numberToHex(value), gas };
    const tag = typeof block === "bigint" ? numberToHex(block) : block;
    const { reader } = this.#client;
    return this.#quantity(
      await reader.request({ method: "eth_estimateGas", params: [call, tag] }, { retryCount: 0 }),
    );
  }

  /** What a transaction must offer now, within the limit (EIP-1559). */
  async fees(): Promise<Fees> {
    const { maxFeePerGas, maxPriorityFeePerGas } = await this.#client.reader.estimateFeesPerGas();
    const limited = (fee: bigint) => (fee < this.#maxFeePerGas ? fee : this.#maxFeePerGas);
    return { maxFeePerGas: limited(maxFeePerGas), maxPriorityFeePerGas: limited(maxPriorityFeePerGas) };
  }

  async sign({ to, data, value }: Call, terms: Terms, now: number): Promise<Attempt> {
    const { chainId } = this.#client.config;
    const raw = await this.#account.signTransaction({ type: "eip1559", chainId, to, data, value, ...terms });
    return { ...terms, raw, hash: keccak256(raw), signedAt: now, sentAt: null };
  }

  /** @throws the provider's refusal, which does not mean that it did not take it */
  async broadcast({ raw }: Attempt): Promise<void> {
    await this.#client.reader.request({ method: "eth_sendRawTransaction", params: [raw] }, { retryCount: 0 });
  }

  receipt(hash: Hex): Promise<RpcTransactionReceipt | null> {
    return this.#client.reader.request({ method: "eth_getTransactionReceipt", params: [hash] });
  }

  /** Whether the provider has the transaction, mined or waiting. */
  async isKnown(hash: Hex): Promise<boolean> {
    return (
      (await this.#client.reader.request({ method: "eth_getTransactionByHash", params: [hash] })) !== null
    );
  }
}
