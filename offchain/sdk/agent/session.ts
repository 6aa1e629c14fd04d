import { BursarError } from "#offchain/core/error.ts";
import { type Client, createClient } from "../client.ts";
import { signRequests } from "../http/request.ts";
import { isRefusal, type RetryOptions, untilAnswered } from "../http/retry.ts";
import { assertSame } from "../http/same.ts";
import { assertAddresses } from "../paying/address.ts";
import type { Signer } from "../paying/channel.ts";
import type { States } from "../states.ts";

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

/** What all that an agent does stands on: its account, its client, and what it remembers. */
export interface Session {
  readonly options: AgentOptions;
  /** Signed as this agent. */
  readonly client: Client;
  /** As anybody may ask. */
  readonly anyone: Client;
  /** Signs a request of this agent. */
  readonly authorize: ReturnType<typeof signRequests>;
  readonly retry: RetryOptions;
  /** Asks again until there is an answer. */
  ask<Answer>(call: () => Promise<Answer>): Promise<Answer>;
  /** Epoch ms. */
  now(): number;
  /** The service's operator, asked once. */
  operator(): Promise<`0x${string}`>;
  /**
   * Sends what is signed once under a name: the same until there is an answer, also after a restart. A refusal frees the
   * name: nothing happened, and a corrected request may follow.
   * @throws BursarError IDEMPOTENCY_CONFLICT before anything is sent, if other facts were signed under the name
   */
  once<Signed extends object, Answer>(request: Once<Signed, Answer>): Promise<Answer>;
}

interface Once<Signed, Answer> {
  name: string;
  /** What a person calls it by. */
  key: string;
  /** What is asked, of that which is signed. */
  facts: Partial<Signed>;
  sign: () => Promise<Signed>;
  send: (signed: Signed) => Promise<Answer>;
}

export function openSession(options: AgentOptions): Session {
  const { account, url, chainId, states, retry = {}, now = Date.now } = options;
  assertAddresses({ usdc: options.usdc, treasury: options.treasury, clearing: options.clearing });
  const reach = { url, chain: chainId, ...(options.fetch && { fetch: options.fetch }) };
  const authorize = signRequests(account, chainId, now);
  const client = createClient({ ...reach, authorize });
  let operator: Promise<`0x${string}`> | null = null;
  return {
    options,
    client,
    anyone: createClient(reach),
    authorize,
    retry,
    ask: (call) => untilAnswered(call, retry),
    now,
    operator() {
      operator ??= operatorOf(client, retry);
      return operator;
    },
    once: sendingOnce(states, retry),
  };
}

function sendingOnce(states: States, retry: RetryOptions): Session["once"] {
  const lines = new Map<string, Promise<unknown>>();
  async function send<Signed extends object, Answer>(request: Once<Signed, Answer>): Promise<Answer> {
    const { name, key, facts } = request;
    let signed = (await states.load(name)) as Signed | null;
    if (signed) assertSame(key, signed, facts);
    else {
      signed = await request.sign();
      await states.save(name, signed, true);
    }
    const sent = signed;
    try {
      return await untilAnswered(() => request.send(sent), retry);
    } catch (error) {
      if (isRefusal(error)) await states.save(name, null);
      throw error;
    }
  }
  // One after another under one name, or two requests at once would both be signed.
  return (request) => {
    const earlier = lines.get(request.name) ?? Promise.resolve();
    const turn = earlier.catch(() => {}).then(() => send(request));
    lines.set(request.name, turn);
    const leave = () => lines.get(request.name) === turn && lines.delete(request.name);
    turn.then(leave, leave);
    return turn;
  };
}

/** Until when what is signed now may be used, epoch seconds. */
export const aDayFromNow = ({ now }: Pick<Session, "now">): bigint =>
  BigInt(Math.floor(now() / 1000)) + 86_400n;

async function operatorOf(client: Client, retry: RetryOptions): Promise<`0x${string}`> {
  const { items } = await untilAnswered(() => client.wallets.list(), retry);
  const wallet = items.find(({ kind }) => kind === "operator");
  if (wallet) return wallet.address;
  throw new BursarError("CHAIN_UNAVAILABLE", "the service names no operator that could claim a channel");
}
