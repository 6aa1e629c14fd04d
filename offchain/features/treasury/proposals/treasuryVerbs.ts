import { zeroAddress } from "viem";
import { hoursInWords, isEndless, noLimit } from "../rules.ts";
import { momentInWords } from "./amounts.ts";
import type { Telling, Verb } from "./telling.ts";

/** Terms of a budget as the contract takes them (ITreasury.BudgetTerms). */
interface BudgetTerms {
  readonly perTransaction: bigint;
  readonly approvalAbove: bigint;
  readonly hourly: bigint;
  readonly daily: bigint;
  readonly weekly: bigint;
  readonly monthly: bigint;
  /** Epoch seconds. */
  readonly validUntil: number;
  readonly recipientsOnly: boolean;
}

const windows = [
  ["hourly", "an hour"],
  ["daily", "a day"],
  ["weekly", "a week"],
  ["monthly", "a month"],
] as const;

/** Every term, also those that limit nothing: what is not told would be taken for a limit. */
function termsInWords(token: unknown, terms: BudgetTerms, telling: Telling): string {
  const { perTransaction, approvalAbove, validUntil, recipientsOnly } = terms;
  const limited = windows.filter(([name]) => terms[name] < noLimit);
  const unlimited = windows.map(([name]) => name).filter((name) => terms[name] >= noLimit);
  if (limited.length === 0) telling.warn("unlimitedBudget");
  if (isEndless(validUntil)) telling.warn("noExpiry");
  if (unlimited.length > 0 || perTransaction >= noLimit || approvalAbove >= noLimit)
    telling.warn("missingLimit");
  const limits = limited.map(([name, what]) => `${telling.money(token, terms[name])} ${what}`);
  const last = unlimited.at(-1);
  const others = unlimited.slice(0, -1).join(", ");
  if (last) limits.push(`no ${others && `${others} or `}${last} limit`);
  return [
    `in ${telling.token(token)}: ${limits.join(", ")}`,
    perTransaction >= noLimit
      ? "no limit for one payment"
      : `${telling.money(token, perTransaction)} at most for one payment`,
    approvalAbove >= noLimit
      ? "no payment needs the owners' approval"
      : `payments above ${telling.money(token, approvalAbove)} need the owners' approval`,
    recipientsOnly ? "to allowed recipients only" : "to any recipient",
    isEndless(validUntil) ? "without an end" : `until ${momentInWords(validUntil)}`,
  ].join(", ");
}

/** Verbs that change who decides. */
const ofOwners: Readonly<Record<string, Verb>> = {
  addOwner: ({ owner }, { party }) => `Add ${party(owner)} as an owner`,
  removeOwner: ({ owner }, { party }) => `Remove the owner ${party(owner)}`,
  replaceOwner: ({ owner, successor }, { party }) =>
    `Replace the owner ${party(owner)} by ${party(successor)}`,
  setThreshold: ({ threshold_ }) => `Require ${threshold_} owners to approve`,
};

/** Verbs that let spend again what was stopped. */
const ofStops: Readonly<Record<string, Verb>> = {
  unfreeze: ({ spender }, { party }) => `Let ${party(spender)} spend again`,
  unpause: () => "Let agents spend again",
};

const others: Readonly<Record<string, Verb>> = {
  disburse: ({ spender, token, to, amount }, { party, money }) =>
    `Pay ${money(token, amount)} to ${party(to)} for ${party(spender)}`,
  setBudget: ({ spender, token, terms }, telling) =>
    `Give ${telling.party(spender)} a budget ${termsInWords(token, terms as BudgetTerms, telling)}`,
  lowerBudget: ({ spender, token, terms }, telling) =>
    `Lower the budget of ${telling.party(spender)} ${termsInWords(token, terms as BudgetTerms, telling)}`,
  removeBudget: ({ spender, token }, telling) =>
    `Take away the budget of ${telling.party(spender)} in ${telling.token(token)}`,
  setDelay({ spender, token, delay }, telling) {
    const who = `payments of ${telling.party(spender)} in ${telling.token(token)} above its approval line`;
    if (delay === 0n) return `Let ${who} wait for the owners' approval`;
    telling.warn("paysUnapproved");
    return `Let ${who} be made ${hoursInWords(delay as bigint)} after it asked for them without the owners' approval, unless one of them rejects them`;
  },
  setGroup: ({ spender, group }, { party }) =>
    group === zeroAddress
      ? `Take ${party(spender)} out of its group`
      : `Let what ${party(spender)} spends count for the budgets of ${party(group)} too`,
  migrate({ successor, tokens }, { party, warn }) {
    warn("movesEverything");
    return `Move all that this Treasury holds of ${each(tokens, (token) => (token === zeroAddress ? "the chain's coin" : party(token)))} to the Treasury ${party(successor)}, and let no agent spend anything any more`;
  },
  allowRecipients: ({ spender, recipients }, { party }) =>
    `Let ${party(spender)} pay ${each(recipients, party)}`,
  denyRecipients: ({ spender, recipients }, { party }) =>
    `Let ${party(spender)} no longer pay ${each(recipients, party)}`,
  freeze: ({ spender }, { party }) => `Freeze ${party(spender)}`,
  pause: () => "Let no agent spend anything any more",
  cancelProposal: ({ nonce }) => `Reject the proposal of nonce ${nonce} for good`,
  setCollector({ collector, settlement }, { party, warn }) {
    if (settlement === zeroAddress)
      return `Let the collector ${party(collector)} collect no deposits any more`;
    warn("trustsCollector");
    return `Let the collector ${party(collector)} take deposits into payment channels of ${party(settlement)}`;
  },
  authorizeHash({ hash, validBefore }, { warn }) {
    warn("blankSignature");
    const end = Number(validBefore as bigint);
    const until = isEndless(end) ? "without an end" : `until ${momentInWords(end)}`;
    return `Sign the hash ${hash} in the Treasury's name, ${until}, whatever it stands for`;
  },
  revokeHash: ({ hash }) => `Take back the Treasury's signature under the hash ${hash}`,
};

function each(addresses: unknown, inWords: Telling["party"]): string {
  const named = (addresses as readonly string[]).map(inWords);
  return named.length === 0 ? "nobody" : named.join(" and ");
}

/** What a Treasury's functions do, in words; the others are told by their names and arguments. */
export function treasuryVerb(name: string): Verb | null {
  const ownersVerb = own(ofOwners, name);
  if (ownersVerb) return warned(ownersVerb, "changesOwners");
  const liftingVerb = own(ofStops, name);
  return liftingVerb ? warned(liftingVerb, "liftsStop") : (own(others, name) ?? null);
}

const own = (verbs: Readonly<Record<string, Verb>>, name: string): Verb | undefined =>
  Object.hasOwn(verbs, name) ? verbs[name] : undefined;

const warned =
  (verb: Verb, code: "changesOwners" | "liftsStop"): Verb =>
  (args, telling) => {
    telling.warn(code);
    return verb(args, telling);
  };
