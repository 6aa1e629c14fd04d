import {
  type Abi,
  decodeFunctionData,
  encodeFunctionData,
  erc20Abi,
  formatEther,
  getAbiItem,
  getAddress,
  type Hex,
  zeroAddress,
} from "viem";
import { treasuryAbi } from "#contracts";
import { momentOf } from "#offchain/core/clock.ts";
import type { Call, Proposal } from "@/lib/model.ts";
import { isSameAddress } from "@/lib/names.ts";
import { absoluteText } from "@/lib/time.ts";
import {
  callSentences,
  isPlain,
  openSpeech,
  type TokenUnit,
  tokenSentence,
  treasurySentence,
} from "./words.ts";

/** Of each token, by its address in lower case, what its contract calls itself; null where it does not say. */
export type TokenUnits = ReadonlyMap<string, TokenUnit | null>;

/** What the service says of a call against what its bytes say. */
export interface Difference {
  /** Which call, from 1; 0: the proposal's own sentence, or its deadline. */
  call: number;
  said: string;
  is: string;
}

/** What this page found when it read the signed bytes itself. */
export interface Reading {
  differences: readonly Difference[];
  /** Calls whose function, token, amounts and recipients are what is said of them, from 1. */
  read: readonly number[];
  /** Calls whose data this page cannot read: only their target and coin are compared. */
  unread: readonly number[];
  /** Tokens whose amounts were read, by their addresses. */
  tokens: readonly string[];
}

interface Decoded {
  name: string;
  args: readonly unknown[];
  inputs: readonly { name: string; type: string }[];
}

/** Null if the data is not exactly a call of a function of the ABI: bytes that follow would be left out. */
function decode(abi: Abi, data: Hex): Decoded | null {
  try {
    const { functionName, args = [] } = decodeFunctionData({ abi, data });
    const item = getAbiItem({ abi, name: data.slice(0, 10) });
    if (item?.type !== "function") return null;
    if (encodeFunctionData({ abi: [item], functionName, args: [...args] }) !== data.toLowerCase())
      return null;
    return {
      name: functionName,
      args,
      inputs: item.inputs.map(({ name, type }, at) => ({ name: name || `${at}`, type })),
    };
  } catch {
    return null;
  }
}

const ofTreasury = ({ data }: Pick<Call, "data">) => decode(treasuryAbi as Abi, data as Hex);
const ofToken = ({ data }: Pick<Call, "data">) => decode(erc20Abi as Abi, data as Hex);

/** Addresses of the tokens whose amounts the calls are about, in lower case. */
export function tokensOf({ calls, treasury }: Pick<Proposal, "calls" | "treasury">): string[] {
  const found = calls.flatMap((call) => {
    const decoded = ofTreasury(call);
    const at = decoded?.inputs.findIndex(({ name, type }) => name === "token" && type === "address") ?? -1;
    if (at >= 0) return [String(decoded?.args[at])];
    return !isSameAddress(call.to, treasury) && ofToken(call) ? [call.to] : [];
  });
  return [...new Set(found.map((token) => token.toLowerCase()))].filter((token) => token !== zeroAddress);
}

/** Compares everything that a person reads of a proposal with what its signed bytes say. */
export function readProposal(
  proposal: Pick<Proposal, "calls" | "treasury" | "words" | "deadline" | "deadlineS">,
  units: TokenUnits,
  coin: string,
): Reading {
  const { calls, treasury } = proposal;
  const read: number[] = [];
  const unread: number[] = [];
  const differences: Difference[] = [];
  for (const [index, call] of calls.entries()) {
    const found = readCall(call, treasury, units, coin);
    (found.isRead ? read : unread).push(index + 1);
    differences.push(...found.differences.map((one) => ({ ...one, call: index + 1 })));
  }
  const joined = calls.map(({ words }) => words).join("; ");
  if (proposal.words !== joined) differences.push({ call: 0, said: proposal.words, is: joined });
  const ends = momentOf(BigInt(proposal.deadlineS));
  if (proposal.deadline !== ends)
    differences.push({ call: 0, said: absoluteText(proposal.deadline), is: absoluteText(ends) });
  return { differences, read, unread, tokens: tokensOf(proposal) };
}

type Found = { isRead: boolean; differences: Omit<Difference, "call">[] };

function readCall(call: Call, treasury: string, units: TokenUnits, coin: string): Found {
  const differences: Found["differences"] = [];
  const expect = (said: string, ...is: [string, ...string[]]) => {
    if (!is.includes(said)) differences.push({ said, is: is[0] });
  };
  const isOwn = isSameAddress(call.to, treasury);
  const target = isOwn ? callSentences.own : getAddress(call.to);
  expect(withoutNames(call.target), target);
  const sent = `${formatEther(BigInt(call.value))} ${coin}`;
  expect(`${call.coin.amount} ${call.coin.unit}`, sent);
  const withCoin = (words: string) =>
    call.value === "0" ? words : callSentences.withCoin(words, sent, target);
  const unreadable = withCoin(callSentences.unreadable(target));
  const said = withoutNames(call.words);
  const decoded =
    isOwn || said.startsWith(callSentences.elsewhere(target, ""))
      ? ofTreasury(call)
      : (ofToken(call) ?? ofTreasury(call));
  if (call.data === "0x") {
    expect(said, callSentences.sent(sent, target));
    expect(call.decoded?.function ?? "", "");
    return { isRead: true, differences };
  }
  // Words that tell nothing cannot be wrong; whose data this page cannot read may tell nothing else.
  const tellsNothing = said === unreadable && !call.decoded && !(isOwn && decoded);
  const isUntold = !decoded && call.decoded !== null && isPlain(said, call.decoded.function, target);
  if (tellsNothing || isUntold) return { isRead: false, differences };
  if (!decoded) {
    expect(said, unreadable);
    return { isRead: false, differences };
  }
  expect(
    said,
    ...(sentencesOf(call, decoded, { treasury, target, isOwn, units, coin }).map(withCoin) as [string]),
  );
  for (const [is, shown] of argumentsOf(decoded, call)) expect(shown, is);
  return { isRead: true, differences };
}

interface Place {
  treasury: string;
  target: string;
  isOwn: boolean;
  units: TokenUnits;
  coin: string;
}

/** How the call may honestly be told: the amounts in their token's unit, or in base units. */
function sentencesOf(
  call: Call,
  decoded: Decoded,
  { treasury, target, isOwn, units, coin }: Place,
): string[] {
  const native = { symbol: coin, decimals: 18 };
  const named = Object.fromEntries(decoded.inputs.map(({ name }, at) => [name, decoded.args[at]]));
  const isToken = !isOwn && ofToken(call)?.name === decoded.name;
  const told = (speech: ReturnType<typeof openSpeech>) => {
    if (isToken) return tokenSentence(decoded.name, decoded.args, call.to, speech);
    const words = treasurySentence(decoded.name, named, speech);
    return words && !isOwn ? callSentences.elsewhere(target, words) : words;
  };
  const ofUnit = (token: string) =>
    token === zeroAddress ? native : (units.get(token.toLowerCase()) ?? null);
  const inUnits = told(openSpeech(treasury, ofUnit));
  const inBase = told(openSpeech(treasury, (token) => (token === zeroAddress ? native : null)));
  const speech = openSpeech(treasury, ofUnit);
  const given = decoded.inputs.map(({ type, name }, at) => {
    const value = type === "address" ? speech.party(decoded.args[at]) : written(decoded.args[at]);
    // ERC-20's contracts give their arguments names of their own.
    return `${isToken ? call.decoded?.args[at]?.name : name} ${value}`;
  });
  const plain = callSentences.plain(decoded.name, target, given);
  if (!inUnits || !inBase) return [plain];
  // Not every contract with a function of ERC-20 is a token.
  return isToken ? [inUnits, inBase, plain] : [inUnits, inBase];
}

/** Each decoded argument as the bytes have it, and as the service shows it; all of them, in their order. */
function argumentsOf({ name, inputs, args }: Decoded, call: Call): [string, string][] {
  const shown = call.decoded?.args ?? [];
  const isOfTreasury = ofTreasury(call) !== null;
  return [
    [name, call.decoded?.function ?? "nothing"],
    [`${inputs.length} arguments`, `${shown.length} arguments`],
    ...inputs.map((input, at): [string, string] => {
      // ERC-20's contracts give their arguments names of their own.
      const name = isOfTreasury ? input.name : (shown[at]?.name ?? "");
      const is = `${name} ${written(args[at])}`;
      const said = shown[at] ? `${shown[at].name} ${shown[at].value}` : "nothing";
      return [is, said.toLowerCase() === is.toLowerCase() ? is : said];
    }),
  ];
}

const written = (value: unknown): string =>
  typeof value === "object"
    ? JSON.stringify(value, (_, inner) => (typeof inner === "bigint" ? inner.toString() : inner))
    : String(value);

/**
 * A sentence of the service with every name taken out: only the address that stands behind it is compared. An agent's
 * own name stands in quotation marks and has none itself; those of the service are these few.
 */
const withoutNames = (words: string): string =>
  words.replace(
    /(?:"[^"]*"|another Treasury|the (?:operator|Treasury|payment channels|[A-Z][A-Za-z0-9]* contract)) \((0x[0-9a-fA-F]{40})(?:, self-chosen name)?\)/g,
    "$1",
  );
