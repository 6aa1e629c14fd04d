import { type Abi, decodeFunctionData, encodeFunctionData, erc20Abi, getAbiItem, type Hex } from "viem";
import { addresses } from "#addresses";
import { scopesAbi, testUsdcAbi, treasuryAbi } from "#contracts";
import type { Call } from "@/lib/model.ts";
import { isSameAddress } from "@/lib/names.ts";

/** A call's function and arguments. */
export interface Decoded {
  name: string;
  inputs: readonly { name: string; type: string }[];
  args: readonly unknown[];
}

/** Null if the data is not exactly a call of a function of the ABI: bytes that follow would be left out. */
export function decode(abi: Abi, data: Hex): Decoded | null {
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

/** ERC-20's functions, with the two sets of names that tokens give their arguments. */
const tokenAbis: readonly Abi[] = [
  erc20Abi,
  (testUsdcAbi as Abi).filter(
    (item) =>
      item.type === "function" &&
      erc20Abi.some(({ type, name }) => type === "function" && name === item.name),
  ),
];

export const ofTreasury = ({ data }: Pick<Call, "data">): Decoded | null =>
  decode(treasuryAbi as Abi, data as Hex);

const scopesPlaces = Object.values(addresses).flatMap((deployed) =>
  Object.entries(deployed).flatMap(([name, place]) => (name === "Scopes" ? [place as string] : [])),
);

/** Null if it calls another contract than the one where owners say what agents may call. */
export const ofScopes = ({ to, data }: Pick<Call, "to" | "data">): Decoded | null =>
  scopesPlaces.some((place) => isSameAddress(place, to)) ? decode(scopesAbi as Abi, data as Hex) : null;

/** Once for each set of names; none if it is no call of ERC-20. */
export const ofToken = ({ data }: Pick<Call, "data">): Decoded[] =>
  tokenAbis.flatMap((abi) => decode(abi, data as Hex) ?? []);

/** Of the sets of names, the one that the service uses: it chooses among them, and brings none of its own. */
export const namedAsSaid = (decoded: readonly Decoded[], { decoded: said }: Call): Decoded | undefined =>
  decoded.find(({ inputs }) => inputs.every(({ name }, at) => said?.args[at]?.name === name)) ?? decoded[0];

/** An argument as it stands in a sentence: a text among them is its proposer's own, and quoted. */
export const written = (value: unknown): string =>
  typeof value === "string" && /^0x[0-9a-fA-F]*$/.test(value)
    ? value
    : typeof value === "object" || typeof value === "string"
      ? spelt(JSON.stringify(value, (_, inner) => (typeof inner === "bigint" ? inner.toString() : inner)))
      : String(value);

/** With what cannot be seen in it spelt out. */
const spelt = (text: string): string =>
  text.replace(
    /(?! )[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]/gu,
    (hidden) => `\\u{${(hidden.codePointAt(0) ?? 0).toString(16)}}`,
  );
