import { type Client, type Hex, isAddress } from "viem";
import { getContractEvents, readContract } from "viem/actions";
import { treasuryAbi } from "#contracts";
import type { Call, Proposal } from "@/lib/model.ts";

/** What owners have stopped, by the chain's own word: an owner does so alone, and no proposal is ended by it. */
export interface Stops {
  isPaused: boolean;
  frozen: readonly string[];
  /** Whose budget was taken away, or lowered to nothing, in one of the tokens that the proposal is about. */
  removed: readonly string[];
  /** Whom a spender may not pay, because the budget asks for a list on which they are not. */
  unlisted: readonly Payment[];
}

export interface Payment {
  spender: string;
  payee: string;
}

/** Whom a proposal is about. Addresses are in lower case, as everywhere in this file. */
export interface Parties {
  /** Whom it spends for, and who asked for it. */
  spenders: readonly string[];
  payees: readonly string[];
  budgets: readonly { spender: string; token: string }[];
  payments: readonly Payment[];
}

/** The Treasury's functions that stop somebody, or lift a stop: that there is one is what they are about. */
const aboutStops = new Set([
  "freeze",
  "unfreeze",
  "pause",
  "unpause",
  "removeBudget",
  "lowerBudget",
  "denyRecipients",
]);

/** What functions call whoever gets the money. */
const payeeNames = new Set(["to", "recipient", "receiver", "payee", "beneficiary"]);

/** Whom the calls are about; null if they do nothing but stop somebody, or lift a stop. */
export function partiesOf({ calls, proposer }: Pick<Proposal, "calls" | "proposer">): Parties | null {
  const spending = calls.filter(({ decoded }) => !aboutStops.has(decoded?.function ?? ""));
  if (spending.length === 0) return null;
  const each = spending.map((call) => ({
    spenders: [...argumentsOf(call, "spender"), proposer].map(lower),
    payees: payeesOf(call).map(lower),
    tokens: argumentsOf(call, "token").map(lower),
  }));
  return {
    spenders: unique(each.flatMap(({ spenders }) => spenders)),
    payees: unique(each.flatMap(({ payees }) => payees)),
    budgets: uniquePairs(
      each.flatMap(({ spenders, tokens }) =>
        spenders.flatMap((spender) => tokens.map((token) => ({ spender, token }))),
      ),
    ),
    payments: uniquePairs(
      each.flatMap(({ spenders, payees }) =>
        spenders.flatMap((spender) => payees.map((payee) => ({ spender, payee }))),
      ),
    ),
  };
}

const lower = (address: string) => address.toLowerCase();
const unique = (addresses: readonly string[]) => [...new Set(addresses)].filter(isAsked);
const uniquePairs = <Pair extends object>(pairs: readonly Pair[]): Pair[] =>
  [...new Map(pairs.map((pair) => [Object.values(pair).join(), pair])).values()].filter((pair) =>
    Object.values(pair).every(isAsked),
  );
/** What only has an address's place is asked about nowhere. */
const isAsked = (address: string) => isAddress(address, { strict: false });

const argumentsOf = ({ decoded }: Pick<Call, "decoded">, wanted: string): string[] =>
  decoded?.args.filter(({ name }) => name === wanted).map(({ value }) => value) ?? [];

/** Whom a call pays: by its coin, and by what its arguments say, also inside of tuples. */
function payeesOf({ to, value, decoded }: Pick<Call, "to" | "value" | "decoded">): string[] {
  const named = decoded?.args.flatMap((arg) => payeesIn(arg.name, parsed(arg.value))) ?? [];
  return BigInt(value) > 0n ? [to, ...named] : named;
}

function payeesIn(name: string, value: unknown): string[] {
  if (typeof value === "string") return payeeNames.has(name) ? [value] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => payeesIn(Array.isArray(value) ? name : key, inner));
}

/** Tuples and lists are written as JSON. */
function parsed(value: string): unknown {
  try {
    return /^[[{]/.test(value) ? JSON.parse(value) : value;
  } catch {
    return value;
  }
}

/**
 * Asks the chain itself: the service reads freezes together with budgets, and keeps none of somebody who has none. Rejects
 * if anything of it is not known, for what is not known is not free.
 */
export async function readStops(
  client: Client,
  treasury: string,
  { spenders, payees, budgets, payments }: Parties,
): Promise<Stops> {
  const contract = { address: treasury as Hex, abi: treasuryAbi } as const;
  const [isPaused, frozen, held] = await Promise.all([
    readContract(client, { ...contract, functionName: "isPaused" }),
    whichOf(unique([...spenders, ...payees]), (account) =>
      readContract(client, { ...contract, functionName: "isFrozen", args: [account as Hex] }),
    ),
    Promise.all(
      budgets.map(async ({ spender, token }) => {
        const args = [spender as Hex, token as Hex] as const;
        const [terms, isActive] = await readContract(client, { ...contract, functionName: "budgetOf", args });
        return { spender, terms, isActive };
      }),
    ),
  ]);
  const removed = held.filter(({ terms, isActive }) => (isActive ? allowsNothing(terms) : wasEverSet(terms)));
  const restricted = held.filter(({ terms, isActive }) => isActive && terms.recipientsOnly);
  const unlisted = await whichOf(
    payments.filter(({ spender }) => restricted.some((one) => one.spender === spender)),
    async ({ spender, payee }) => !(await isListed(client, contract, { spender, payee })),
  );
  return {
    isPaused,
    frozen,
    removed: unique(removed.map(({ spender }) => spender)),
    unlisted,
  };
}

/**
 * Whom an owner has denied, also where the budget asks for no list. Only an event tells them from those who were never on
 * it, and not every node tells events of all blocks: asked for by itself, so that the rest is known without it.
 */
export function readDenied(
  client: Client,
  treasury: string,
  { payments }: Pick<Parties, "payments">,
): Promise<Payment[]> {
  const contract = { address: treasury as Hex, abi: treasuryAbi } as const;
  return whichOf(payments, async ({ spender, payee }) => {
    const events = await getContractEvents(client, {
      ...contract,
      eventName: "RecipientDenied",
      args: { spender: spender as Hex, recipient: payee as Hex },
      fromBlock: 0n,
    });
    return events.length > 0 && !(await isListed(client, contract, { spender, payee }));
  });
}

type Contract = { readonly address: Hex; readonly abi: typeof treasuryAbi };

type Terms = Readonly<Record<"perTransaction" | "hourly" | "daily" | "weekly" | "monthly", bigint>> & {
  readonly validUntil: number;
};

/** Of one that was removed its last terms are still told: who never had one has none that could have been taken away. */
const wasEverSet = ({ validUntil, perTransaction }: Terms) => validUntil > 0 || perTransaction > 0n;

/** An owner alone may lower a budget to nothing, which is as good as removing it. */
const allowsNothing = ({ perTransaction, hourly, daily, weekly, monthly }: Terms) =>
  [perTransaction, hourly, daily, weekly, monthly].includes(0n);

async function whichOf<Asked>(
  all: readonly Asked[],
  ask: (one: Asked) => Promise<boolean>,
): Promise<Asked[]> {
  const answers = await Promise.all(all.map(ask));
  return all.filter((_, at) => answers[at]);
}

const isListed = (client: Client, contract: Contract, { spender, payee }: Payment): Promise<boolean> =>
  readContract(client, {
    ...contract,
    functionName: "isRecipientAllowed",
    args: [spender as Hex, payee as Hex],
  });
