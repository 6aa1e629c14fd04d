import { type Abi, getAddress, type Hex, isAddress } from "viem";
import { addresses } from "#addresses";
import { nameFault, nameLengthMax } from "#offchain/features/agents/rules.ts";
import type { Call } from "@/lib/model.ts";
import { isSameAddress } from "@/lib/names.ts";
import { decode, written } from "./decoding.ts";
import { callSentences } from "./words.ts";

/** Words of the service that this page cannot make itself: none passes that is not of a strict form. */

/** What the service calls contracts whose name is not what it calls them by. */
const shortNames: Readonly<Record<string, string>> = {
  TestUSDC: "USDC",
  Erc3009DepositCollector: "DepositCollector",
};
const contracts = new Set(
  Object.values(addresses).flatMap((deployed) =>
    Object.keys(deployed).map((contract) => shortNames[contract] ?? contract),
  ),
);

/** As agents may be called; a name that runs from right to left is set apart by two characters that none has itself. */
function isAgentName(quoted: string): boolean {
  const name = quoted.replace(/^\u2068(.*)\u2069$/su, "$1");
  return name.length <= nameLengthMax && nameFault(name) === null;
}

/**
 * A sentence of the service with every name taken out: only the address that stands behind it is compared. An agent's
 * own name stands in quotation marks, and is one that an agent may have; those of the service are these few. What only
 * looks like a name stays where it is.
 */
export const withoutNames = (words: string): string =>
  words.replace(
    /(?:"([^"]*)"|another Treasury|the (?:operator|Treasury|payment channels|([A-Z][A-Za-z0-9]*) contract)) \((0x[0-9a-fA-F]{40})(, self-chosen name)?\)/g,
    (all, quoted: string | undefined, contract: string | undefined, address: string, isChosen?: string) => {
      const isName =
        quoted === undefined
          ? !isChosen && (contract === undefined || contracts.has(contract))
          : isChosen && isAgentName(quoted);
      return isName ? address : all;
    },
  );

/** Of a function, a contract or an argument: as Solidity takes it, and too short to tell a story in. */
const identifier = /^[A-Za-z_$][A-Za-z0-9_$]{0,39}$/;
export const isIdentifier = (name: string): boolean => identifier.test(name);

const elementary = /^(?:address|bool|string|tuple|bytes(?:[1-9]|[12]\d|3[0-2])?|u?int\d{1,3})(?:\[\d*\])*$/;

/** Whether a value is written as values of its type are. */
function isOfType(type: string, value: string): boolean {
  if (/\]$|^tuple$/.test(type)) return /^[[{].*[\]}]$/s.test(value);
  if (type === "string") return /^".*"$|^0x[0-9a-f]*$/is.test(value);
  if (type === "address") return isAddress(value);
  if (type === "bool") return value === "true" || value === "false";
  return (type.startsWith("bytes") ? /^0x[0-9a-f]*$/i : /^-?\d{1,78}$/).test(value);
}

/**
 * The plain sentence about a call of a contract that this page does not know, from what the service says that it
 * decoded. Null if that is not of the strict form, or not what the data says as far as its types tell: those of a
 * tuple's fields are not among what the service gives.
 */
export function plainAsSaid(call: Call, treasury: string, target: string): string | null {
  const { data, decoded } = call;
  if (!decoded) return null;
  const { contract, function: name, args } = decoded;
  const isStrict =
    [contract, name].every(isIdentifier) &&
    args.every(
      (one, at) =>
        (isIdentifier(one.name) || one.name === `${at}`) &&
        elementary.test(one.type) &&
        isOfType(one.type, one.value),
    );
  if (!isStrict) return null;
  if (!args.some(({ type }) => type.startsWith("tuple"))) {
    const inputs = args.map((one) => ({ name: one.name, type: one.type }));
    const item = { type: "function", name, inputs, outputs: [], stateMutability: "nonpayable" };
    const found = decode([item] as Abi, data as Hex);
    if (!found || found.args.some((value, at) => written(value) !== args[at]?.value)) return null;
  }
  const given = args.map(({ name: key, type, value }) => {
    if (type !== "address") return `${key} ${value}`;
    return `${key} ${isSameAddress(value, treasury) ? callSentences.own : getAddress(value)}`;
  });
  return callSentences.plain(name, target, given);
}
