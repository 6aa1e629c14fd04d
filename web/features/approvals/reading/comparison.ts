import { formatEther, getAddress, zeroAddress } from "viem";
import { momentOf } from "#offchain/core/clock.ts";
import type { Call, Proposal } from "@/lib/model.ts";
import { isSameAddress } from "@/lib/names.ts";
import { absoluteText } from "@/lib/time.ts";
import { isIdentifier, plainAsSaid, withoutNames } from "./claims.ts";
import { type Decoded, namedAsSaid, ofScopes, ofToken, ofTreasury, written } from "./decoding.ts";
import { warningsOf } from "./warnings.ts";
import {
  callSentences,
  openSpeech,
  scopesSentence,
  type TokenUnit,
  tokenSentence,
  treasurySentence,
} from "./words.ts";

/** Of each token, by its address in lower case, what its contract calls itself; null where it does not say. */
export type TokenUnits = ReadonlyMap<string, TokenUnit | null>;

type Warning = Call["warnings"][number];

/** What the service says of a call against what its bytes say, or a warning that they deserve and it leaves out. */
type Fault = { said: string; is: string } | { lacks: Warning };

/** Which call, from 1; 0: the proposal's own sentence, or its deadline. */
export type Difference = { call: number } & Fault;

/** What this page found when it read the signed bytes itself. */
export interface Comparison {
  differences: readonly Difference[];
  /** Calls whose function, token, amounts and recipients are what is said of them, from 1. */
  read: readonly number[];
  /** Calls whose data this page cannot read: only their target and coin are compared. */
  unread: readonly number[];
  /** Tokens whose amounts were read, by their addresses. */
  tokens: readonly string[];
  /** Contracts whose calls were read as those of another Treasury, by their addresses. */
  treasuries: readonly string[];
}

/** Addresses of the tokens whose amounts the calls are about, in lower case. */
export function tokensOf({ calls, treasury }: Pick<Proposal, "calls" | "treasury">): string[] {
  const found = calls.flatMap((call) => {
    const decoded = ofScopes(call) ?? ofTreasury(call);
    const at = decoded?.inputs.findIndex(({ name, type }) => name === "token" && type === "address") ?? -1;
    if (at >= 0) return [String(decoded?.args[at])];
    return !isSameAddress(call.to, treasury) && ofToken(call).length > 0 ? [call.to] : [];
  });
  return [...new Set(found.map((token) => token.toLowerCase()))].filter((token) => token !== zeroAddress);
}

/** Compares everything that a person reads of a proposal with what its signed bytes say. */
export function compareProposal(
  proposal: Pick<Proposal, "calls" | "treasury" | "words" | "deadline" | "deadlineS">,
  units: TokenUnits,
  coin: string,
): Comparison {
  const { calls, treasury } = proposal;
  const read: number[] = [];
  const unread: number[] = [];
  const differences: Difference[] = [];
  const treasuries = new Set<string>();
  for (const [index, call] of calls.entries()) {
    const found = readCall(call, { treasury, units, coin });
    (found.isRead ? read : unread).push(index + 1);
    if (found.isElsewhere) treasuries.add(getAddress(call.to));
    differences.push(...found.faults.map((one) => ({ ...one, call: index + 1 })));
  }
  const joined = calls.map(({ words }) => words).join("; ");
  if (proposal.words !== joined) differences.push({ call: 0, said: proposal.words, is: joined });
  const ends = momentOf(BigInt(proposal.deadlineS));
  if (proposal.deadline !== ends)
    differences.push({ call: 0, said: absoluteText(proposal.deadline), is: absoluteText(ends) });
  return { differences, read, unread, tokens: tokensOf(proposal), treasuries: [...treasuries] };
}

interface Place {
  treasury: string;
  units: TokenUnits;
  coin: string;
}

interface Found {
  isRead: boolean;
  /** It was read as a call of another Treasury. */
  isElsewhere?: boolean;
  faults: Fault[];
}

function readCall(call: Call, { treasury, units, coin }: Place): Found {
  const isOwn = isSameAddress(call.to, treasury);
  const target = isOwn ? callSentences.own : getAddress(call.to);
  const sent = `${formatEther(BigInt(call.value))} ${coin}`;
  const faults = [
    ...unless(withoutNames(call.target), target),
    ...unless(`${call.coin.amount} ${call.coin.unit}`, sent),
    ...(call.value === "0" ? [] : lacking(call, ["nativeValue"])),
  ];
  const said = withoutNames(call.words);
  if (call.data === "0x") {
    faults.push(...unless(said, callSentences.sent(sent, target)), ...unless(toldOf(call), ""));
    return { isRead: true, faults };
  }
  const withCoin = (words: string) =>
    call.value === "0" ? words : callSentences.withCoin(words, sent, target);
  const isElsewhere = !isOwn && said.startsWith(callSentences.elsewhere(target, ""));
  const tokens = isOwn || isElsewhere ? [] : ofToken(call);
  const scoped = ofScopes(call);
  const decoded = scoped ?? namedAsSaid(tokens, call) ?? ofTreasury(call);
  // Words that tell nothing cannot be wrong.
  const tellsNothing = said === withCoin(callSentences.unreadable(target)) && !call.decoded;
  if (!decoded || (tellsNothing && !isOwn))
    return { isRead: false, faults: [...faults, ...unreadFaults(call, { treasury, target, withCoin })] };
  const isToken = tokens.length > 0;
  const isScopes = scoped !== null;
  const told = sentencesOf(decoded, call, { treasury, units, coin, target, isOwn, isToken, isScopes });
  const plain = withCoin(told.plain);
  // Not every contract with a function of ERC-20 is a token.
  const [first = plain, ...others] = told.sentences.map(withCoin);
  faults.push(
    ...unless(said, first, ...others, ...(isToken ? [plain] : [])),
    ...argumentFaults(decoded, call, { isToken, isScopes }),
    ...lacking(call, warningsOf(decoded, { isToken, isScopes, isElsewhere, isPlain: said === plain })),
    ...(said.includes(callSentences.unknown) ? lacking(call, ["unknownToken"]) : []),
  );
  return { isRead: true, isElsewhere, faults };
}

/** Of a call that this page cannot read, or that is said to be unreadable: nothing else may be told of it. */
function unreadFaults(
  call: Call,
  { treasury, target, withCoin }: { treasury: string; target: string; withCoin: (words: string) => string },
): Fault[] {
  const said = withoutNames(call.words);
  const unreadable = withCoin(callSentences.unreadable(target));
  if (!call.decoded) return [...unless(said, unreadable), ...lacking(call, ["unreadableData"])];
  const plain = plainAsSaid(call, treasury, target);
  if (plain === null) return [{ said: toldOf(call), is: unreadable }];
  return [...unless(said, withoutNames(withCoin(plain))), ...lacking(call, ["notExplained"])];
}

/** @param is how it may be told, the first of them preferably */
const unless = (said: string, ...is: [string, ...string[]]): Fault[] =>
  is.includes(said) ? [] : [{ said, is: is[0] }];

const lacking = ({ warnings }: Call, due: readonly Warning[]): Fault[] =>
  due.filter((code) => !warnings.includes(code)).map((lacks) => ({ lacks }));

/** What the service says that it decoded. */
const toldOf = ({ decoded }: Call): string =>
  decoded
    ? callSentences.decoded(
        decoded.contract,
        decoded.function,
        decoded.args.map((one) => callSentences.argument(one, one.value)),
      )
    : "";

/** How the call may honestly be told: the amounts in their token's unit, or in base units; and by its arguments. */
function sentencesOf(
  decoded: Decoded,
  call: Call,
  place: Place & { target: string; isOwn: boolean; isToken: boolean; isScopes: boolean },
): { sentences: string[]; plain: string } {
  const { treasury, target, isOwn, isToken, isScopes, units, coin } = place;
  const native = { symbol: coin, decimals: 18 };
  const named = Object.fromEntries(decoded.inputs.map(({ name }, at) => [name, decoded.args[at]]));
  const told = (speech: ReturnType<typeof openSpeech>) => {
    if (isScopes) return scopesSentence(decoded.name, named, speech);
    if (isToken) return tokenSentence(decoded.name, decoded.args, call.to, speech);
    const words = treasurySentence(decoded.name, named, speech);
    return words && !isOwn ? callSentences.elsewhere(target, words) : words;
  };
  const speech = openSpeech(treasury, (token) =>
    token === zeroAddress ? native : (units.get(token.toLowerCase()) ?? null),
  );
  const inBase = openSpeech(treasury, (token) => (token === zeroAddress ? native : null));
  const given = decoded.inputs.map(({ type, name }, at) => {
    const value = type === "address" ? speech.party(decoded.args[at]) : written(decoded.args[at]);
    return `${name} ${value}`;
  });
  return {
    sentences: [told(speech), told(inBase)].filter((words) => words !== null),
    plain: callSentences.plain(decoded.name, target, given),
  };
}

/** What the service shows of the function and of each argument, in their order, against what the bytes have. */
function argumentFaults(
  { name, inputs, args }: Decoded,
  { decoded }: Call,
  { isToken, isScopes }: { isToken: boolean; isScopes: boolean },
): Fault[] {
  const shown = decoded?.args ?? [];
  const contract = decoded?.contract ?? callSentences.nothing;
  return [
    // What a token's contract is called is a name, which nothing in the data tells.
    ...(isToken && isIdentifier(contract)
      ? []
      : unless(contract, isScopes ? callSentences.scopes : callSentences.contract)),
    ...unless(decoded?.function ?? callSentences.nothing, name),
    ...unless(callSentences.count(shown.length), callSentences.count(inputs.length)),
    ...inputs.flatMap((input, at) => {
      const one = shown[at];
      return unless(
        one ? callSentences.argument(one, one.value) : callSentences.nothing,
        callSentences.argument(input, written(args[at])),
      );
    }),
  ];
}
