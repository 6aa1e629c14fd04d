import {
  type Address,
  createWalletClient,
  http,
  type PrivateKeyAccount,
  publicActions,
  type WriteContractParameters,
} from "viem";
import { batchSettlementAbi } from "#contracts";
import { BursarError } from "#offchain/core/error.ts";
import { hardhat } from "#offchain/core/localChain.ts";
import { formatAmount, parseAmount } from "#offchain/core/unit.ts";
import type { Random } from "#offchain/demo/random.ts";
import { type Agent, createAgent } from "#offchain/sdk/agent.ts";
import { isPassing, untilAnswered } from "#offchain/sdk/http/retry.ts";
import type { ChannelTerms } from "#offchain/sdk/paying/channel.ts";
import type { PayingChannel } from "#offchain/sdk/paying/payingChannel.ts";
import type { States } from "#offchain/sdk/states.ts";
import { chainId, contracts } from "./wallets.ts";

/** A payment that the service has acknowledged. Base units. */
export interface Acknowledged {
  paymentId: string;
  key: string;
  amount: bigint;
}

/** One channel as its payer knows it. Base units. */
export interface Purse {
  readonly label: string;
  readonly payee: SoakAgent;
  channel: PayingChannel;
  terms: ChannelTerms;
  /** What the payer believes is in it: never more than is. */
  deposited: bigint;
  promised: bigint;
  deposits: number;
  /** Its payer has begun to withdraw, or the payee has given everything back: it is not used again. */
  isOver: boolean;
  readonly acknowledged: Acknowledged[];
}

/** What is told of a deed: `done`, or the code of a refusal, or `unanswered`. */
export type Tell = (deed: string, outcome: string) => void;

/** Deposits under way among all agents: a local chain mines them one by one, and a queue before it helps nobody. */
export interface Deposits {
  underWay: number;
}

export interface SoakAgentOptions {
  deposits: Deposits;
  account: PrivateKeyAccount;
  apiUrl: string;
  rpcUrl: string;
  fetch: typeof fetch;
  random: Random;
  tell: Tell;
}

const depositsMax = 10;
const openingDeposit = 1_000_000n;
const topUpDeposit = 500_000n;
const pursesMax = 6;
const retry = { deadlineMs: 20_000 };
const minedTimeoutMs = 5_000;
/** Base units of one payment or transfer. */
const amountMax = 20_000;

/**
 * An agent that does something at random, one deed at a time, and keeps its own books. A deed that was begun and not
 * answered is finished before the next one: it may have been carried out.
 */
export class SoakAgent {
  readonly address: Address;
  readonly sdk: Agent;
  readonly purses: Purse[] = [];
  /** Ledger transfers that were acknowledged. */
  readonly given: { to: Address; amount: bigint; key: string }[] = [];
  readonly #options: SoakAgentOptions;
  readonly #random: Random;
  readonly #wallet;
  #unfinished: { name: string; run: () => Promise<void> } | null = null;
  #count = 0;

  constructor(options: SoakAgentOptions) {
    this.#options = options;
    this.#random = options.random;
    this.address = options.account.address;
    this.sdk = createAgent({
      account: options.account,
      url: options.apiUrl,
      chainId,
      usdc: contracts.TestUSDC,
      treasury: contracts.Treasury,
      clearing: contracts.Clearing,
      states: memoryStates(),
      retry,
      fetch: options.fetch,
    });
    this.#wallet = createWalletClient({
      account: options.account,
      chain: hardhat,
      transport: http(options.rpcUrl, { timeout: 60_000 }),
      pollingInterval: 50,
    }).extend(publicActions);
  }

  get hasUnfinished(): boolean {
    return this.#unfinished !== null;
  }

  /** Does one thing, or finishes what is open. */
  async act(others: readonly SoakAgent[]): Promise<void> {
    const deed = this.#unfinished ?? this.#choose(others);
    this.#unfinished = deed;
    try {
      await deed.run();
      this.#options.tell(deed.name, "done");
    } catch (error) {
      if (isPassing(error) || (error instanceof BursarError && error.code === "CHANNEL_UNFUNDED"))
        return this.#options.tell(deed.name, "unanswered");
      this.#options.tell(deed.name, error instanceof BursarError ? error.code : (error as Error).name);
    }
    this.#unfinished = null;
  }

  /** Finishes what is open; nothing new. */
  async finish(): Promise<void> {
    if (this.#unfinished) await this.act([]);
  }

  #choose(others: readonly SoakAgent[]): { name: string; run: () => Promise<void> } {
    const roll = this.#random.below(100);
    const own = others.indexOf(this);
    const other = others[(own + 1 + this.#random.below(others.length - 1)) % others.length] ?? this;
    const purse = this.#pick(this.purses.filter(({ isOver }) => !isOver));
    const mayDeposit = this.#options.deposits.underWay < depositsMax;
    const mayOpen = mayDeposit && this.purses.length < pursesMax;
    if (roll < 20 || (!purse && !mayOpen)) return this.#transfer(other);
    if (!purse || (roll < 25 && mayOpen)) return this.#open(other);
    if (roll < 27) return this.#refund(purse);
    if (roll < 28) return this.#close(purse);
    if (roll < 29) return this.#withdraw(purse);
    const amount = BigInt(1 + this.#random.below(amountMax));
    if (purse.promised + amount > purse.deposited)
      return mayDeposit ? this.#topUp(purse) : this.#transfer(other);
    return this.#pay(purse, amount);
  }

  #pick<Item>(items: readonly Item[]): Item | undefined {
    return items.length === 0 ? undefined : items[this.#random.below(items.length)];
  }

  #key(): string {
    this.#count += 1;
    return `soak-${this.address}-${this.#count}`;
  }

  #pay(purse: Purse, amount: bigint) {
    const key = this.#key();
    const run = async () => {
      const { paymentId } = await purse.channel.pay({ key, amount: formatAmount(amount, "USDC") });
      purse.promised += amount;
      purse.acknowledged.push({ paymentId, key, amount });
    };
    return { name: "pay", run };
  }

  #transfer(other: SoakAgent) {
    const [key, amount] = [this.#key(), BigInt(1 + this.#random.below(amountMax))];
    const run = async () => {
      const body = { key, to: other.address, unit: "USDC" as const, amount: formatAmount(amount, "USDC") };
      await untilAnswered(() => this.sdk.client.ledger.transfer(body), retry);
      this.given.push({ to: other.address, amount, key });
    };
    return { name: "transfer", run };
  }

  #open(payee: SoakAgent) {
    const label = `${this.purses.length + 1}`;
    const run = async () => {
      const deposit = formatAmount(openingDeposit, "USDC");
      const channel = await this.#depositing(() =>
        this.sdk.openChannel({ payee: payee.address, deposit, label }),
      );
      const { config } = await untilAnswered(
        () => this.sdk.client.channels.show({ channelId: channel.channelId }),
        retry,
      );
      this.purses.push({
        label,
        payee,
        channel,
        terms: config as ChannelTerms,
        deposited: openingDeposit,
        promised: 0n,
        deposits: 1,
        isOver: false,
        acknowledged: [],
      });
    };
    return { name: "open", run };
  }

  #topUp(purse: Purse) {
    const count = purse.deposits + 1;
    const run = async () => {
      const deposit = formatAmount(topUpDeposit, "USDC");
      const to = { payee: purse.payee.address, deposit, label: purse.label };
      await this.#depositing(() => this.sdk.topUp(to, count));
      purse.deposited += topUpDeposit;
      purse.deposits = count;
    };
    return { name: "top up", run };
  }

  async #depositing<Result>(run: () => Promise<Result>): Promise<Result> {
    this.#options.deposits.underWay += 1;
    try {
      return await run();
    } finally {
      this.#options.deposits.underWay -= 1;
    }
  }

  /** The payee gives back some of what is promised to nobody. */
  #refund(purse: Purse) {
    const run = async () => {
      const amount = (purse.deposited - purse.promised) / 4n;
      if (amount === 0n) return;
      // Believed gone before it is: it must never be promised twice.
      purse.deposited -= amount;
      await purse.payee.#onChain("refund", [purse.terms, amount]);
    };
    return { name: "refund", run };
  }

  /** Both are done with it: the payee gives everything back. */
  #close(purse: Purse) {
    const run = async () => {
      purse.isOver = true;
      const amount = purse.deposited - purse.promised;
      if (amount > 0n) await purse.payee.#onChain("refund", [purse.terms, amount]);
    };
    return { name: "close", run };
  }

  /** The payer leaves without asking; what it promised must be claimed before the delay is over. */
  #withdraw(purse: Purse) {
    const run = async () => {
      purse.isOver = true;
      const amount = purse.deposited - purse.promised;
      if (amount > 0n) await this.#onChain("initiateWithdraw", [purse.terms, amount]);
    };
    return { name: "withdraw", run };
  }

  /** Ends the withdrawals whose delay is over. @returns how many */
  async endWithdrawals(): Promise<number> {
    let count = 0;
    for (const { channel, terms, isOver } of this.purses) {
      if (!isOver) continue;
      const [, initiatedAt] = await this.#wallet.readContract({
        address: contracts.BatchSettlement,
        abi: batchSettlementAbi,
        functionName: "pendingWithdrawals",
        args: [channel.channelId],
      });
      if (initiatedAt === 0) continue;
      await this.#onChain("finalizeWithdraw", [terms]);
      count += 1;
    }
    return count;
  }

  /** The agent's own transaction, straight to the chain. A reorganisation may drop it for good: nobody sends it again. */
  async #onChain(functionName: "refund" | "initiateWithdraw" | "finalizeWithdraw", args: unknown[]) {
    const hash = await this.#wallet.writeContract({
      address: contracts.BatchSettlement,
      abi: batchSettlementAbi,
      functionName,
      args,
    } as unknown as WriteContractParameters);
    await this.#wallet.waitForTransactionReceipt({ hash, timeout: minedTimeoutMs });
  }

  /** What its ledger account holds, as the service says. */
  async ledgerBalance(): Promise<bigint> {
    const { items } = await untilAnswered(() => this.sdk.client.ledger.balance({ unit: "USDC" }), retry);
    return parseAmount(items[0]?.balance.amount ?? "0", "USDC");
  }
}

function memoryStates(): States {
  const states = new Map<string, string>();
  return {
    load: async (name) => JSON.parse(states.get(name) ?? "null"),
    save: async (name, state) => void states.set(name, JSON.stringify(state)),
  };
}
