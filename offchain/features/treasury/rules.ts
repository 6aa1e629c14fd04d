import { type Hex, hexToBytes, zeroAddress } from "viem";
import { momentOf } from "#offchain/core/clock.ts";
import { BursarError } from "#offchain/core/error.ts";

/** A limit of a budget that is none: `type(uint128).max`. No token has as many base units. */
export const noLimit = 2n ** 128n - 1n;

/** From here on an approval lets more be taken than any Treasury will hold. */
export const beyondAnyBalance = 2n ** 96n - 1n;

/** Years above 9999 are as good as none. */
const farSecond = Date.UTC(10_000, 0) / 1_000;

export const isEndless = (seconds: number): boolean => seconds >= farSecond;

/** A delay of the contract, which is of whole hours. */
export const hoursInWords = (seconds: bigint): string => {
  const hours = seconds / 3_600n;
  return hours === 1n ? "1 hour" : `${hours} hours`;
};

/** Those that were not removed. */
export const standingBudgets = <Budget>(
  held: readonly { readonly budget: Budget; readonly isRemoved: boolean }[],
): Budget[] => held.flatMap(({ budget, isRemoved }) => (isRemoved ? [] : [budget]));

/** What a proposal's state follows from, beside the clock. */
export interface ProposalFacts {
  /** As the chain's events tell it. */
  readonly state: "open" | "executed" | "superseded" | "cancelled" | "lost";
  /** The last second in which it may be executed, since the epoch. */
  readonly deadlineS: bigint;
  /** How many owners decided when it was opened, which is part of what they approve. */
  readonly threshold: number;
  readonly approvals: readonly { readonly owner: string }[];
}

export interface Membership {
  readonly owners: readonly `0x${string}`[];
  /** How many owners decide together. */
  readonly threshold: number;
}

/** Only the approvals of those who are owners now count: who has left decides nothing any more. */
export const countingApprovals = <Approval extends { readonly owner: string }>(
  approvals: readonly Approval[],
  owners: readonly string[],
): Approval[] => approvals.filter(({ owner }) => owners.includes(owner));

/** Whether owners may still approve. */
export const isApprovable = (proposal: ProposalFacts, membership: Membership, now: number): boolean =>
  ["open", "ready"].includes(stateOf(proposal, membership, now));

/**
 * `ready`: enough owners have approved. `expired`: nobody executed it in time. `outdated`: another number of owners decides
 * by now, and what was approved under the old one counts nothing.
 */
export function stateOf(
  proposal: ProposalFacts,
  { owners, threshold }: Membership,
  now: number,
): ProposalFacts["state"] | "ready" | "expired" | "outdated" {
  if (proposal.state !== "open") return proposal.state;
  if (now > momentOf(proposal.deadlineS)) return "expired";
  if (proposal.threshold !== threshold) return "outdated";
  return countingApprovals(proposal.approvals, owners).length >= threshold ? "ready" : "open";
}

/** An owner's approval as `execute` takes it. */
export interface Consent {
  readonly owner: string;
  readonly consent: `0x${string}`;
}

/** Bytes of a key's signature: only a contract's, which stands behind its address, is longer. */
const keySignatureBytes = 65;
const isOfContract = ({ consent }: Consent): boolean => consent.length > 2 + 2 * keySignatureBytes;

/**
 * As many approvals as decide, ascending by owner, as `execute` takes them. One that is invalid makes it revert, and a
 * contract may change its mind: its approval is taken when others do not suffice.
 * @param sender the owner who sends the execution, if it is to count by that: its address is its approval
 */
export function quorumOf(
  consents: readonly Consent[],
  threshold: number,
  sender?: `0x${string}`,
): `0x${string}`[] {
  const others = consents.filter(({ owner }) => owner.toLowerCase() !== sender?.toLowerCase());
  return [...(sender ? [{ owner: sender, consent: sender }] : []), ...others]
    .toSorted((one, other) => Number(isOfContract(one)) - Number(isOfContract(other)))
    .slice(0, threshold)
    .toSorted((one, other) => (BigInt(one.owner) < BigInt(other.owner) ? -1 : 1))
    .map(({ consent }) => consent);
}

export const proposalUnknown = (proposalId: string) =>
  new BursarError("PROPOSAL_UNKNOWN", `no proposal ${proposalId} is known here`, { facts: { proposalId } });

/** An argument of a call, and what it must be: IScopes.Rule. */
interface Rule {
  readonly path: Hex;
  readonly test: number;
  readonly values: readonly Hex[];
}

/** How addresses and tokens are told in a sentence. */
interface ScopeTelling {
  party(address: unknown): string;
  token(address: unknown): string;
}

type ScopeArguments = Readonly<Record<string, unknown>>;

/** The sentences about what agents may call, for the service and for the page that checks it. */
export const scopeVerbs: Readonly<Record<string, (args: ScopeArguments, telling: ScopeTelling) => string>> = {
  allowCall({ spender, target, selector, token, puller, rules }, telling) {
    const call = `Let ${telling.party(spender)} call the function ${selector} of ${telling.party(target)}`;
    const isTarget = puller === zeroAddress || puller === target;
    const taking =
      token === zeroAddress
        ? "which may take no token"
        : `${isTarget ? "which" : `for which ${telling.party(puller)}`} may take ${telling.token(token)} within its budget`;
    const asked = (rules as readonly Rule[]).map((rule) => ruleInWords(rule, telling)).join(" and ");
    return `${call}, ${taking}, ${asked === "" ? "with any arguments" : `where ${asked}`}`;
  },
  forbidCall: ({ treasury, spender, target, selector }, { party }) =>
    `Let ${party(spender)} no longer call the function ${selector} of ${party(target)} for ${party(treasury)}`,
};

const [oneOf, atMost] = [0, 1];

function ruleInWords({ path, test, values }: Rule, { party }: ScopeTelling): string {
  const argument = `argument ${[...hexToBytes(path)].map((word) => word + 1).join(".")}`;
  if (test === atMost) return `${argument} is at most ${BigInt(values[0] ?? "0x0")}`;
  if (test !== oneOf) return `${argument} is this Treasury's address`;
  const said = values.map((value) => wordInWords(value, party));
  return `${argument} is ${said.length === 1 ? "" : "one of "}${said.join(", ")}`;
}

/** An argument may be of any type: what is as large as addresses are is told as one, and what is larger as bytes. */
function wordInWords(word: Hex, party: ScopeTelling["party"]): string {
  const value = BigInt(word);
  if (value < 2n ** 96n) return value.toString();
  return value < 2n ** 160n ? party(`0x${word.slice(-40)}`) : word;
}
