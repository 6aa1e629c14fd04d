import { formatUnits, getAddress, zeroAddress } from "viem";
import { hoursInWords, isEndless, noLimit, scopeVerbs } from "#offchain/features/treasury/rules.ts";
import { plural } from "@/lib/format.ts";

/**
 * The sentences of the functions that owners decide about, made by this page from the signed bytes alone. They are
 * worded as the service words them, with addresses where it has names: what differs is then a lie of one of the two.
 */

/** What amounts of a token are written in. */
export interface TokenUnit {
  readonly symbol: string;
  readonly decimals: number;
}

/** What a sentence is made with. */
export interface Speech {
  party(address: unknown): string;
  money(token: unknown, base: unknown): string;
  token(address: unknown): string;
}

type Arguments = Readonly<Record<string, unknown>>;
type Verb = (args: Arguments, speech: Speech) => string;

/** @param unitOf null for a token that is written in base units */
export const openSpeech = (treasury: string, unitOf: (token: string) => TokenUnit | null): Speech => {
  const token = (address: unknown) =>
    unitOf(String(address))?.symbol ?? `the token ${getAddress(String(address))}, ${callSentences.unknown}`;
  return {
    token,
    party: (address) =>
      String(address).toLowerCase() === treasury.toLowerCase()
        ? callSentences.own
        : getAddress(String(address)),
    money(address, base) {
      const unit = unitOf(String(address));
      return unit
        ? `${formatUnits(base as bigint, unit.decimals)} ${unit.symbol}`
        : `${base} base units of ${token(address)}`;
    },
  };
};

function end(seconds: number): string {
  if (isEndless(seconds)) return "without an end";
  const [day, time] = new Date(seconds * 1_000).toISOString().split("T");
  return `until ${day} ${time?.replace(".000Z", "")} UTC`;
}

const windows = { hourly: "an hour", daily: "a day", weekly: "a week", monthly: "a month" } as const;
type Limit = keyof typeof windows | "perTransaction" | "approvalAbove";
type Terms = Readonly<Record<Limit, bigint>> & { validUntil: number; recipientsOnly: boolean };

function termsOf({ token, terms: written }: Arguments, { money, token: name }: Speech): string {
  const terms = written as Terms;
  const each = Object.entries(windows) as [keyof typeof windows, string][];
  const limits = each
    .filter(([window]) => terms[window] < noLimit)
    .map(([window, what]) => `${money(token, terms[window])} ${what}`);
  const missing = each.map(([window]) => window).filter((window) => terms[window] >= noLimit);
  const others = missing.slice(0, -1).join(", ");
  if (missing.length > 0) limits.push(`no ${others && `${others} or `}${missing.at(-1)} limit`);
  return [
    `in ${name(token)}: ${limits.join(", ")}`,
    terms.perTransaction >= noLimit
      ? "no limit for one payment"
      : `${money(token, terms.perTransaction)} at most for one payment`,
    terms.approvalAbove >= noLimit
      ? "no payment needs the owners' approval"
      : `payments above ${money(token, terms.approvalAbove)} need the owners' approval`,
    terms.recipientsOnly ? "to allowed recipients only" : "to any recipient",
    end(terms.validUntil),
  ].join(", ");
}

const each = (addresses: unknown, inWords: Speech["party"]): string =>
  (addresses as readonly string[]).map(inWords).join(" and ") || "nobody";

const treasuryVerbs: Readonly<Record<string, Verb>> = {
  disburse: ({ spender, token, to, amount }, { party, money }) =>
    `Pay ${money(token, amount)} to ${party(to)} for ${party(spender)}`,
  setBudget: (args, speech) => `Give ${speech.party(args.spender)} a budget ${termsOf(args, speech)}`,
  lowerBudget: (args, speech) => `Lower the budget of ${speech.party(args.spender)} ${termsOf(args, speech)}`,
  removeBudget: ({ spender, token }, speech) =>
    `Take away the budget of ${speech.party(spender)} in ${speech.token(token)}`,
  setDelay({ spender, token, delay }, { party, token: name }) {
    const who = `payments of ${party(spender)} in ${name(token)} above its approval line`;
    return delay === 0n
      ? `Let ${who} wait for the owners' approval`
      : `Let ${who} be made ${hoursInWords(delay as bigint)} after it asked for them without the owners' approval, unless one of them rejects them`;
  },
  setGroup: ({ spender, group }, { party }) =>
    group === zeroAddress
      ? `Take ${party(spender)} out of its group`
      : `Let what ${party(spender)} spends count for the budgets of ${party(group)} too`,
  migrate: ({ successor, tokens }, { party }) =>
    `Move all that this Treasury holds of ${each(tokens, (token) => (token === zeroAddress ? "the chain's coin" : party(token)))} to the Treasury ${party(successor)}, and let no agent spend anything any more`,
  allowRecipients: ({ spender, recipients }, speech) =>
    `Let ${speech.party(spender)} pay ${each(recipients, speech.party)}`,
  denyRecipients: ({ spender, recipients }, speech) =>
    `Let ${speech.party(spender)} no longer pay ${each(recipients, speech.party)}`,
  freeze: ({ spender }, { party }) => `Freeze ${party(spender)}`,
  unfreeze: ({ spender }, { party }) => `Let ${party(spender)} spend again`,
  pause: () => "Let no agent spend anything any more",
  unpause: () => "Let agents spend again",
  addOwner: ({ owner }, { party }) => `Add ${party(owner)} as an owner`,
  removeOwner: ({ owner }, { party }) => `Remove the owner ${party(owner)}`,
  replaceOwner: ({ owner, successor }, { party }) =>
    `Replace the owner ${party(owner)} by ${party(successor)}`,
  setThreshold: ({ threshold_ }) => `Require ${threshold_} owners to approve`,
  cancelProposal: ({ nonce }) => `Reject the proposal of nonce ${nonce} for good`,
  setCollector: ({ collector, settlement }, { party }) =>
    settlement === zeroAddress
      ? `Let the collector ${party(collector)} collect no deposits any more`
      : `Let the collector ${party(collector)} take deposits into payment channels of ${party(settlement)}`,
  authorizeHash: ({ hash, validBefore }) =>
    `Sign the hash ${hash} in the Treasury's name, ${end(Number(validBefore))}, whatever it stands for`,
  revokeHash: ({ hash }) => `Take back the Treasury's signature under the hash ${hash}`,
};

/** Of a Treasury's function; null where this page has no sentence for it. */
export const treasurySentence = (name: string, args: Arguments, speech: Speech): string | null =>
  (Object.hasOwn(treasuryVerbs, name) && treasuryVerbs[name]?.(args, speech)) || null;

/** Of a function by which owners say what agents may call; null for its others. */
export const scopesSentence = (name: string, args: Arguments, speech: Speech): string | null =>
  (Object.hasOwn(scopeVerbs, name) && scopeVerbs[name]?.(args, speech)) || null;

/** Of a function of ERC-20, by the names that its arguments have there. */
export function tokenSentence(
  name: string,
  args: readonly unknown[],
  token: string,
  { party, money, token: unit }: Speech,
): string | null {
  const [first, second, third] = args;
  switch (name) {
    case "transfer":
      return `Pay ${money(token, second)} to ${party(first)}`;
    case "transferFrom":
      return `Move ${money(token, third)} from ${party(first)} to ${party(second)}`;
    case "approve":
      return (second as bigint) >= noLimit
        ? `Let ${party(first)} take ${unit(token)} from this Treasury without limit`
        : `Let ${party(first)} take up to ${money(token, second)} from this Treasury`;
    default:
      return null;
  }
}

/** Of calls as such, whatever their functions. */
export const callSentences = {
  own: "this Treasury",
  /** What a Treasury's contract is called. */
  contract: "Treasury",
  /** What the contract is called where owners say what agents may call. */
  scopes: "Scopes",
  /** Of a token that the service is not configured with. */
  unknown: "which Bursar does not know",
  nothing: "nothing",
  /** As Solidity has them. */
  decoded: (contract: string, name: string, given: readonly string[]) =>
    `${contract}.${name}(${given.join(", ")})`,
  argument: ({ name, type }: { name: string; type: string }, value: string) => `${type} ${name} ${value}`,
  count: (given: number) => plural(given, "argument"),
  sent: (coin: string, target: string) => `Send ${coin} to ${target}`,
  withCoin: (words: string, coin: string, target: string) =>
    `${words}, and send ${coin} to ${target} with it`,
  unreadable: (target: string) =>
    `Call ${target} with data that Bursar cannot read: what it does is not told here`,
  elsewhere: (target: string, words: string) => `In ${target}: ${words}`,
  /** Function and arguments as they are, and that nothing is said of what they bring about. */
  plain: (name: string, target: string, given: readonly string[]) =>
    `Call ${name} of ${target}${given.length > 0 ? ` with ${given.join(", ")}` : ""}; what that does is not told here`,
} as const;
