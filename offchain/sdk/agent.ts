import { keccak256, stringToHex } from "viem";
import { parseAmount } from "#offchain/core/unit.ts";
import { channelVerbs } from "./agent/channels.ts";
import { type AgentOptions, aDayFromNow, openSession, type Session } from "./agent/session.ts";
import {
  checkSolvency,
  type KnownRoot,
  type SolvencyCheck,
  type SolvencyQuestion,
} from "./agent/solvencyCheck.ts";
import type { Client } from "./client.ts";
import { assertAddresses } from "./paying/address.ts";
import { type PayingFetchOptions, payingFetch } from "./payingFetch.ts";
import { openReferences } from "./treasury/references.ts";
import { signSpend } from "./treasury/treasury.ts";

export type { RetryOptions } from "./http/retry.ts";

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

/** An agent at work: it registers, opens channels, pays, asks its Treasury, works for others. Every call may be repeated safely. */
export type Agent = ReturnType<typeof createAgent>;

/** @param options.states must be durable: it is what keeps a restarted agent from promising the same money twice. */
export function createAgent(options: AgentOptions) {
  const session = openSession(options);
  const { account, chainId, usdc, states } = options;
  return {
    address: account.address,
    /** Every action of the service, signed as this agent. */
    client: session.client,

    /** Registers the agent, or changes its name and role. */
    register: (name: string, role: string) =>
      session.ask(() => session.client.agents.register({ address: account.address, name, role })),

    ...channelVerbs(session),
    ...treasuryVerbs(session),

    /**
     * A `fetch` that pays what servers ask by x402, from this agent's wallet, never more than `maxPrice` for one request.
     * Without a budget of its own it asks nobody; see `ledgerBudget`.
     */
    paying: (terms: Pick<PayingFetchOptions, "maxPrice" | "budget" | "channels">) =>
      payingFetch(options.fetch ?? globalThis.fetch, {
        account,
        chainId,
        usdc,
        states,
        retry: session.retry,
        ...terms,
      }),

    ...trustVerbs(session),

    /** Has a worker's energy reserved, the work done and accepted; gives the completed ticket, whose id belongs on the payment. */
    async work({ allotter, run, ...request }: WorkRequest) {
      const ticket = await session.ask(() =>
        allotter.energy.allocate({ ...request, requester: account.address }),
      );
      const durationMs = await run();
      return session.ask(() => session.client.energy.complete({ ticketId: ticket.id, durationMs }));
    },
  };
}

function treasuryVerbs(session: Session) {
  const { account, chainId, usdc, states, treasury: own } = session.options;
  const nextReference = openReferences(states, account.address);
  return {
    /**
     * Asks the Treasury to pay. Inside the budget it is paid at once, and above the budget's approval line it becomes a
     * proposal to the owners: `outcome` says which. Beyond a limit it is refused: BUDGET_EXCEEDED, whose `resetsAt` says
     * from when on there is room, or POLICY_DENIED, which only the owners can change. The same key is
     * the same spend, sent again while its answer is unknown; a refused one leaves its key free for a corrected one.
     * @throws BursarError as the Treasury refused it; IDEMPOTENCY_CONFLICT, before anything is sent, for another payee or
     * amount under a used key
     */
    async spend({ key, to, amount, treasury = own }: AskRequest) {
      assertAddresses({ to, treasury });
      const isOwn = treasury === own;
      const units = parseAmount(amount, "USDC");
      return session.once({
        name: `spend-${isOwn ? "" : `${treasury}-`}${keccak256(stringToHex(`bursar spend ${account.address} ${key}`))}`,
        key,
        facts: { to, amount: units.toString() },
        async sign() {
          const reference = await nextReference(treasury);
          const spend = {
            token: usdc,
            to,
            amount: units,
            reference,
            nonce: BigInt(reference),
            validBefore: aDayFromNow(session),
          };
          return signSpend(account, { address: treasury, chainId }, spend);
        },
        send: (signed) => session.client.treasury.spend({ ...signed, treasury }),
      });
    },
  };
}

function trustVerbs(session: Session) {
  const { account, states } = session.options;
  return {
    /**
     * Whether the service counts what it owes to this agent, and holds what it owes in all. The root is remembered; at the
     * next check the newer ones must continue it, or the service has told somebody another story.
     * @param least what the agent knows that it is owed, e.g. by its receipts; a written amount
     */
    async solvency(unit: SolvencyQuestion["unit"] = "USDC", least?: string): Promise<SolvencyCheck> {
      const name = `solvency-${unit}`;
      const known = (await states.load(name)) as KnownRoot | null;
      const question = { owner: account.address, unit, operator: await session.operator(), least, known };
      const check = await session.ask(() =>
        checkSolvency({ anyone: session.anyone, owner: session.client }, { ...question, now: session.now() }),
      );
      // A forked root replaces nothing: the one that it should have continued is the evidence.
      if (!check.problems.includes("forked")) await states.save(name, check.known);
      return check;
    },
  };
}
