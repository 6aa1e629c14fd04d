import { keccak256, stringToHex } from "viem";
import { BursarError } from "#offchain/core/error.ts";
import { pause } from "#offchain/core/pause.ts";
import { parseAmount } from "#offchain/core/unit.ts";
import {
  type ChannelTerms,
  channelId,
  type SignedDeposit,
  type Signer,
  signDeposit,
  type TokenDomain,
} from "./channel.ts";
import { type Client, createClient } from "./client.ts";
import { type ChannelState, PayingChannel } from "./payingChannel.ts";
import { type PayingFetchOptions, payingFetch } from "./payingFetch.ts";
import { openPaymentStream, type PaymentStream, type PaymentStreamOptions } from "./paymentStream.ts";
import { signRequests } from "./request.ts";
import { type RetryOptions, untilAnswered } from "./retry.ts";
import { checkSolvency, type KnownRoot, type SolvencyCheck, type SolvencyQuestion } from "./solvencyCheck.ts";
import type { States } from "./states.ts";
import { type SignedSpend, signSpend } from "./treasury.ts";

export interface AgentOptions {
  /** A viem account that can sign, e.g. `privateKeyToAccount(key)`. */
  account: Signer;
  /** The service's address, e.g. `http://127.0.0.1:4020`. */
  url: string;
  /** The chain that the agent is at work on; the service follows it. */
  chainId: number;
  usdc: `0x${string}`;
  treasury: `0x${string}`;
  /** The Clearing contract, to which cleared channels lead. */
  clearing: `0x${string}`;
  /** What the agent remembers of its channels and spends on this chain; see {@link fileStates}. */
  states: States;
  retry?: RetryOptions;
  /** Epoch ms. */
  now?: () => number;
  fetch?: typeof globalThis.fetch;
}

export interface OpenRequest {
  /** Whom the channel pays, and nobody else; without one it is cleared: each payment names its payee. */
  payee?: `0x${string}`;
  /** Written amount in USDC, e.g. "5". */
  deposit: string;
  /** Tells several channels to the same payee apart. */
  label?: string;
  /** Takes the vouchers; without it each is a request of its own. Channels may share one. */
  stream?: PaymentStream;
}

export interface AskRequest {
  /** Idempotency key of the agent's own. */
  key: string;
  to: `0x${string}`;
  /** Written amount in USDC. */
  amount: string;
  /** Another Treasury than the agent's own. */
  treasury?: `0x${string}`;
}

export interface WorkRequest {
  /** Idempotency key of the agent's own. */
  key: string;
  /** Who gives the energy out: the client of the society's owner. */
  allotter: Pick<Client, "energy">;
  society: string;
  worker: `0x${string}`;
  computeType: Parameters<Client["energy"]["allocate"]>[0]["computeType"];
  region: Parameters<Client["energy"]["allocate"]>[0]["region"];
  durationMs: number;
  description?: string;
  /** Does the work; gives how long its declared hardware took, ms. */
  run: () => Promise<number> | number;
}

const withdrawDelaySeconds = 86_400;
const depositValidSeconds = 86_400n;
const spendValidSeconds = 86_400n;
const openPollMs = 100;
const openTimeoutMs = 60_000;

/** An agent at work: it registers, opens channels, pays, asks its Treasury, works for others. Every call may be repeated safely. */
export type Agent = ReturnType<typeof createAgent>;

/** @param options.states must be durable: it is what keeps a restarted agent from promising the same money twice. */
export function createAgent(options: AgentOptions) {
  const { account, url, chainId, usdc, clearing, states, retry = {}, now = Date.now } = options;
  const authorize = signRequests(account, chainId, now);
  const client = createClient({
    url,
    chain: chainId,
    authorize,
    ...(options.fetch && { fetch: options.fetch }),
  });
  const ask = <Answer>(call: () => Promise<Answer>) => untilAnswered(call, retry);
  const token: TokenDomain = { address: usdc, name: "USD Coin", version: "2" };
  const epochSeconds = () => BigInt(Math.floor(now() / 1000));
  let operator: Promise<`0x${string}`> | null = null;

  const trusted = (): Promise<`0x${string}`> => {
    operator ??= operatorOf(client, retry);
    return operator;
  };

  async function termsTo(receiver: `0x${string}`, label: string): Promise<ChannelTerms> {
    return {
      payer: account.address,
      payerAuthorizer: account.address,
      receiver,
      receiverAuthorizer: await trusted(),
      token: usdc,
      withdrawDelay: withdrawDelaySeconds,
      salt: keccak256(stringToHex(`bursar channel ${label}`)),
    };
  }

  /** A signed thing that must leave the same every time: signed once, remembered, then sent. */
  async function once<Signed>(name: string, sign: () => Promise<Signed>): Promise<Signed> {
    const known = (await states.load(name)) as Signed | null;
    if (known) return known;
    const signed = await sign();
    await states.save(name, signed);
    return signed;
  }

  async function deposit(config: ChannelTerms, amount: string, count: number): Promise<void> {
    const id = channelId(config, chainId);
    const signed = await once<SignedDeposit>(`deposit-${id}-${count}`, () =>
      signDeposit(account, chainId, token, {
        channelId: id,
        amount: parseAmount(amount, "USDC"),
        validAfter: 0n,
        validBefore: epochSeconds() + depositValidSeconds,
        salt: BigInt(count),
      }),
    );
    const before = await shown(id);
    const { transactionId } = await ask(() => client.channels.open({ config, deposit: signed }));
    await funded(id, parseAmount(before?.deposit.amount ?? "0", "USDC"), transactionId);
  }

  const shown = (id: `0x${string}`) =>
    ask(() => client.channels.show({ channelId: id })).catch((error: unknown) => {
      if (error instanceof BursarError && error.code === "CHANNEL_UNKNOWN") return null;
      throw error;
    });

  /** Waits until the chain has the deposit. */
  async function funded(id: `0x${string}`, before: bigint, transactionId: string | null): Promise<void> {
    for (const givenUpAt = performance.now() + openTimeoutMs; performance.now() < givenUpAt; ) {
      const channel = await shown(id);
      if (channel?.state === "open" && parseAmount(channel.deposit.amount, "USDC") > before) return;
      await pause(openPollMs, retry.signal);
    }
    throw new BursarError("CHANNEL_UNFUNDED", `the deposit of channel ${id} has not arrived on the chain`, {
      facts: { channelId: id, transactionId, timeoutMs: openTimeoutMs },
    });
  }

  return {
    address: account.address,
    /** Every action of the service, signed as this agent. */
    client,

    /** Registers the agent, or changes its name and role. */
    register: (name: string, role: string) =>
      ask(() => client.agents.register({ address: account.address, name, role })),

    /**
     * Opens a channel, or takes up the one that is open; `deposit` is signed over by ERC-3009, the service pays the gas.
     * With a payee it is direct: the contract pays him, and nobody is trusted. Without one it is cleared: one deposit
     * pays any agent, whom the operator credits, and owes by its signed receipt until Clearing pays.
     */
    async openChannel({
      payee = clearing,
      deposit: amount,
      label = "1",
      stream,
    }: OpenRequest): Promise<PayingChannel> {
      const config = await termsTo(payee, label);
      const id = channelId(config, chainId);
      const channel = await shown(id);
      if (channel?.state !== "open" || parseAmount(channel.deposit.amount, "USDC") === 0n)
        await deposit(config, amount, 1);
      return new PayingChannel({
        client: stream
          ? { channels: client.channels, payments: { ...client.payments, pay: stream.pay } }
          : client,
        signer: account,
        chainId,
        channelId: id,
        state: (await states.load(`channel-${id}`)) as ChannelState | null,
        save: (state) => states.save(`channel-${id}`, state),
        retry,
      });
    },

    /** One connection for the vouchers of many channels, or for many vouchers at once. */
    openStream: (terms: Omit<PaymentStreamOptions, "url" | "chain"> = {}) =>
      openPaymentStream({ authorize, ...terms, url, chain: chainId }),

    /** Adds to a channel's deposit; `count` numbers the deposits of the channel, the first one being 1. */
    async topUp(
      { payee = clearing, deposit: amount, label = "1" }: OpenRequest,
      count: number,
    ): Promise<void> {
      await deposit(await termsTo(payee, label), amount, count);
    },

    /**
     * Asks the Treasury to pay: at once inside the agent's budget, as a proposal to the owners above it.
     * @throws BursarError as the Treasury refused it
     */
    async spend({ key, to, amount, treasury = options.treasury }: AskRequest) {
      const reference = keccak256(stringToHex(`bursar spend ${account.address} ${key}`));
      const isOwn = treasury === options.treasury;
      const signed = await once<SignedSpend>(`spend-${isOwn ? "" : `${treasury}-`}${reference}`, () =>
        signSpend(
          account,
          { address: treasury, chainId },
          {
            token: usdc,
            to,
            amount: parseAmount(amount, "USDC"),
            reference,
            nonce: BigInt(reference),
            validBefore: epochSeconds() + spendValidSeconds,
          },
        ),
      );
      return ask(() => client.treasury.spend({ ...signed, treasury }));
    },

    /**
     * A `fetch` that pays what servers ask by x402, from this agent's wallet, never more than `maxPrice` for one request.
     * Without a budget of its own it asks nobody; see `ledgerBudget`.
     */
    paying: (terms: Pick<PayingFetchOptions, "maxPrice" | "budget" | "channels">) =>
      payingFetch(options.fetch ?? globalThis.fetch, { account, chainId, usdc, states, retry, ...terms }),

    /**
     * Whether the service counts what it owes to this agent, and holds what it owes in all. The root is remembered; at the
     * next check the newer ones must continue it, or the service has told somebody another story.
     * @param least what the agent knows that it is owed, e.g. by its receipts; a written amount
     */
    async solvency(unit: SolvencyQuestion["unit"] = "USDC", least?: string): Promise<SolvencyCheck> {
      const name = `solvency-${unit}`;
      const known = (await states.load(name)) as KnownRoot | null;
      const anyone = createClient({ url, chain: chainId, ...(options.fetch && { fetch: options.fetch }) });
      const question = { owner: account.address, unit, operator: await trusted(), least, known };
      const check = await ask(() => checkSolvency({ anyone, owner: client }, { ...question, now: now() }));
      // A forked root replaces nothing: the one that it should have continued is the evidence.
      if (!check.problems.includes("forked")) await states.save(name, check.known);
      return check;
    },

    /** Has a worker's energy reserved, the work done and accepted; gives the completed ticket, whose id belongs on the payment. */
    async work({ allotter, run, ...request }: WorkRequest) {
      const ticket = await ask(() => allotter.energy.allocate({ ...request, requester: account.address }));
      const durationMs = await run();
      return ask(() => client.energy.complete({ ticketId: ticket.id, durationMs }));
    },
  };
}

async function operatorOf(client: Client, retry: RetryOptions): Promise<`0x${string}`> {
  const { items } = await untilAnswered(() => client.wallets.list(), retry);
  const wallet = items.find(({ kind }) => kind === "operator");
  if (wallet) return wallet.address;
  throw new BursarError("CHAIN_UNAVAILABLE", "the service names no operator that could claim a channel");
}
