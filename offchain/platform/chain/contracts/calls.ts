import { type Abi, decodeFunctionData, encodeFunctionData, getAbiItem, type Hex } from "viem";

/** A call's function and arguments, by its ABI. */
export interface DecodedCall {
  readonly name: string;
  readonly inputs: readonly { readonly name: string; readonly type: string }[];
  /** By the names of `inputs`. */
  readonly args: Readonly<Record<string, unknown>>;
}

/**
 * Reads calldata by an ABI; null if it is of no function there, or is not exactly what its function and arguments encode
 * to: bytes that follow, or stand where they are not looked for, would be left out of what is read.
 */
export function decodeCall(abi: Abi, data: Hex): DecodedCall | null {
  try {
    const { functionName, args = [] } = decodeFunctionData({ abi, data });
    const item = getAbiItem({ abi, name: data.slice(0, 10) });
    if (item?.type !== "function") return null;
    if (encodeFunctionData({ abi: [item], functionName, args: [...args] }) !== data.toLowerCase())
      return null;
    const inputs = item.inputs.map(({ name, type }, at) => ({ name: name || `${at}`, type }));
    return {
      name: functionName,
      inputs,
      args: Object.fromEntries(inputs.map(({ name }, at) => [name, args[at]])),
    };
  } catch {
    // A selector that the ABI does not have, or arguments that are cut off: it cannot be read.
    return null;
  }
}
