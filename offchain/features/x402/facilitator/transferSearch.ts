import type { Address, Hex } from "viem";
import type { ChainReader } from "#offchain/platform/chain/client/client.ts";
import { FairQueue } from "#offchain/platform/fairQueue.ts";
import { requestedFrom } from "#offchain/platform/requestContext.ts";
import { isAuthorizationUsed, transferByNonce } from "../contract.ts";
import type { Authorization } from "../messages.ts";
import type { Payment } from "./payment.ts";

/** Blocks that are asked for at once: what every provider gives of so narrow a filter. */
const stepBlocks = 500n;
/** How far back it is looked: at two seconds a block, eleven hours. */
const stepsMax = 40;

/** What a reorganisation may have put where nothing was. */
const marginBlocks = 64n;
const rememberedMax = 10_000;

/** Looks for payments that somebody else has sent: one of an address at a time, and no block twice. */
export class TransferSearch {
  readonly #options: { readonly client: ChainReader; readonly usdc: Address };
  readonly #queue = new FairQueue({
    what: "payments to be looked for",
    atOnce: 4,
    atOnceOfOne: 1,
    waitingMax: 64,
  });
  /** By payer and nonce: the block up to which nothing was found. */
  readonly #nothingTo = new Map<string, bigint>();

  constructor(options: { readonly client: ChainReader; readonly usdc: Address }) {
    this.#options = options;
  }

  /**
   * The transaction by which exactly this payment arrived, whoever sent it: the same payer, payee, amount and nonce.
   * Null: none.
   * @param at the newest block that is looked at; null: the chain's head
   * @throws when the chain does not answer; BursarError OVERLOADED when too many are looked for
   */
  async find(payment: Payment, at: bigint | null): Promise<Hex | null> {
    if (payment.kind !== "exact") return null;
    const { authorization } = payment.payload.payload as { authorization: Authorization };
    return this.#queue.run(requestedFrom(), () => this.#search(authorization, at));
  }

  async #search(authorization: Authorization, at: bigint | null): Promise<Hex | null> {
    const { client, usdc } = this.#options;
    const { from, to, nonce } = authorization;
    const transfer = { from, to, nonce, value: BigInt(authorization.value) };
    // Asked of the head, since nodes forget the state of blocks soon, and their logs never.
    if (!(await isAuthorizationUsed(client, usdc, transfer))) return null;
    const key = `${from} ${nonce} ${to} ${authorization.value}`.toLowerCase();
    const known = this.#nothingTo.get(key) ?? -1n;
    const lowest = known > marginBlocks ? known - marginBlocks : 0n;
    const newest = at ?? (await client.getBlockNumber());
    let toBlock = newest;
    for (let step = 0; step < stepsMax && toBlock >= lowest; step += 1) {
      const fromBlock = toBlock < lowest + stepBlocks ? lowest : toBlock - stepBlocks + 1n;
      const found = await transferByNonce(client, usdc, transfer, { fromBlock, toBlock });
      if (found === "other") break;
      if (found) return found;
      const { timestamp } = await client.getBlock({ blockNumber: fromBlock });
      if (timestamp < BigInt(authorization.validAfter)) break;
      toBlock = fromBlock - 1n;
    }
    if (this.#nothingTo.size >= rememberedMax) this.#nothingTo.clear();
    this.#nothingTo.set(key, newest > known ? newest : known);
    return null;
  }
}
