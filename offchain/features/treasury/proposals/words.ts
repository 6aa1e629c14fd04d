import { type Address, zeroAddress } from "viem";
import { decodeCall } from "#offchain/platform/chain/contracts/calls.ts";
import type { KnownContract, KnownContracts } from "#offchain/platform/chain/contracts/known.ts";
import type { Tokens } from "#offchain/platform/chain/contracts/tokens.ts";
import type { ProposalMessage } from "../messages.ts";
import { beyondAnyBalance, noLimit, scopeVerbs } from "../rules.ts";
import type { ProposalView } from "../service.ts";
import { amountInWords } from "./amounts.ts";
import { type Names, partyInWords } from "./naming.ts";
import { type Arguments, openTelling, type Telling, type Verb } from "./telling.ts";
import { treasuryVerb } from "./treasuryVerbs.ts";

type CallView = ProposalView["calls"][number];
type Call = ProposalMessage["calls"][number];

/** What calls are told from. */
export interface Surroundings {
  /** Whose proposal it is. */
  readonly treasury: Address;
  /** All that are followed on its chain, lower case. */
  readonly treasuries: ReadonlySet<string>;
  /** Of its chain: elsewhere another contract may stand at an address. */
  readonly known: KnownContracts;
  readonly tokens: Tokens;
  readonly names: Names;
}

/** Whose functions a call's data is read as. */
type Target =
  | { readonly kind: "own" | "otherTreasury" | "contract"; readonly contract: KnownContract }
  | { readonly kind: "unknown" };

/** One call, decoded and put into words: every effect is told, or it is said that it is not. */
export function describeCall(call: Call, surroundings: Surroundings): CallView {
  const { tokens } = surroundings;
  const target = targetOf(call, surroundings);
  const party = (address: string) => addressInWords(address, surroundings);
  const telling = openTelling(tokens, party);
  if (call.value > 0n) telling.warn("nativeValue");
  if (target.kind === "otherTreasury") telling.warn("otherTreasury");
  const told = tell(call, target, telling);
  const coin = amountInWords(tokens, zeroAddress, call.value);
  const isPlain = call.data === "0x";
  const words = isPlain
    ? `Send ${coin} to ${party(call.to)}`
    : `${told.words}${call.value > 0n ? `, and send ${coin} to ${party(call.to)} with it` : ""}`;
  return {
    to: call.to,
    target: party(call.to),
    value: call.value.toString(),
    coin: tokens.amountOf(zeroAddress, call.value),
    data: call.data,
    words,
    warnings: [...telling.warnings],
    decoded: told.decoded,
  };
}

/** An address in a sentence: Treasuries by what they are to the proposal, all others by their names. */
function addressInWords(address: string, { treasury, treasuries, names }: Surroundings): string {
  const name = names(address);
  if (address.toLowerCase() === treasury.toLowerCase()) return "this Treasury";
  if (treasuries.has(address.toLowerCase()))
    return partyInWords(address, { own: "another Treasury", chosen: null });
  return partyInWords(address, name);
}

function targetOf({ to }: Call, { treasury, treasuries, known }: Surroundings): Target {
  const key = to.toLowerCase();
  const contract = known.get(key);
  if (!contract) return { kind: "unknown" };
  if (key === treasury.toLowerCase()) return { kind: "own", contract };
  return { kind: treasuries.has(key) ? "otherTreasury" : "contract", contract };
}

function tell(call: Call, target: Target, telling: Telling): { words: string; decoded: CallView["decoded"] } {
  if (call.data === "0x") return { words: "", decoded: null };
  const at = telling.party(call.to);
  const decoded = target.kind === "unknown" ? null : decodeCall(target.contract.abi, call.data);
  if (target.kind === "unknown" || !decoded) {
    if (target.kind === "unknown") telling.warn("unknownContract");
    telling.warn("unreadableData");
    return {
      words: `Call ${at} with data that Bursar cannot read: what it does is not told here`,
      decoded: null,
    };
  }
  const { name, inputs, args } = decoded;
  const verb = verbOf(target, name, call.to);
  const words = verb ? verb(args, telling) : plainly(name, inputs, args, at, telling);
  return {
    words: target.kind === "otherTreasury" && verb ? `In ${at}: ${words}` : words,
    decoded: {
      contract: target.contract.name,
      function: name,
      args: inputs.map((input) => ({ ...input, value: written(args[input.name]) })),
    },
  };
}

/** A function's name says nothing by itself: other contracts have functions of the same name. */
function verbOf(target: Exclude<Target, { kind: "unknown" }>, name: string, to: Address): Verb | null {
  if (target.kind !== "contract") return treasuryVerb(name);
  if (target.contract.token) return tokenVerb(name, to);
  return target.contract.name === scopesName ? scopesVerb(name) : null;
}

const scopesName = "Scopes";

function scopesVerb(name: string): Verb | null {
  const verb = Object.hasOwn(scopeVerbs, name) ? scopeVerbs[name] : undefined;
  if (!verb) return null;
  return (args, telling) => {
    if (name === "allowCall") telling.warn("allowsCalls");
    return verb(args, telling);
  };
}

/** By the places of the arguments: tokens have names of their own for them. */
function tokenVerb(name: string, token: Address): Verb | null {
  switch (name) {
    case "transfer":
      return (args, { party, money }) => {
        const [to, value] = Object.values(args);
        return `Pay ${money(token, value)} to ${party(to)}`;
      };
    case "transferFrom":
      return (args, { party, money }) => {
        const [from, to, value] = Object.values(args);
        return `Move ${money(token, value)} from ${party(from)} to ${party(to)}`;
      };
    case "approve":
      return (args, telling) => {
        const [spender, value] = Object.values(args);
        const amount = value as bigint;
        if (amount >= beyondAnyBalance) telling.warn("unlimitedApproval");
        return amount >= noLimit
          ? `Let ${telling.party(spender)} take ${telling.token(token)} from this Treasury without limit`
          : `Let ${telling.party(spender)} take up to ${telling.money(token, amount)} from this Treasury`;
      };
    default:
      return null;
  }
}

/** A function whose effect is not known here: as it is, and that it is so. */
function plainly(
  name: string,
  inputs: readonly { readonly name: string; readonly type: string }[],
  args: Arguments,
  at: string,
  telling: Telling,
): string {
  telling.warn("notExplained");
  const given = inputs.map(({ name: key, type }) => {
    const value = type === "address" ? telling.party(args[key]) : written(args[key]);
    return `${key} ${value}`;
  });
  const withThem = given.length > 0 ? ` with ${given.join(", ")}` : "";
  return `Call ${name} of ${at}${withThem}; what that does is not told here`;
}

/** Texts among the arguments are the proposer's own: quoted, with what cannot be seen in them spelt out. */
const written = (value: unknown): string =>
  typeof value === "string" && /^0x[0-9a-fA-F]*$/.test(value)
    ? value
    : typeof value === "object" || typeof value === "string"
      ? JSON.stringify(value, (_, inner) => (typeof inner === "bigint" ? inner.toString() : inner)).replace(
          /(?! )[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]/gu,
          (hidden) => `\\u{${(hidden.codePointAt(0) ?? 0).toString(16)}}`,
        )
      : String(value);
