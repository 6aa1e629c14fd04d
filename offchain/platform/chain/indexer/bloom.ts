import type { Hex } from "viem";
import { bytesToHex, hexToBytes, keccak256 } from "viem";

/** Bits of a block's log bloom (Ethereum Yellow Paper §4.3.1). */
const bloomBits = 2048;

/** The three bits that a value sets: the low 11 bits of the first three byte pairs of its hash. */
export function bloomPositions(value: Hex): readonly number[] {
  const hash = keccak256(value, "bytes");
  return [0, 2, 4].map((at) => (((hash[at] ?? 0) << 8) | (hash[at + 1] ?? 0)) % bloomBits);
}

/**
 * Whether a block's bloom may hold a log of one of these addresses with one of these topics.
 * `false` is certain; `true` may be a coincidence.
 */
export function mayHoldLogs(
  bloom: Hex,
  addresses: readonly (readonly number[])[],
  topics: readonly (readonly number[])[],
): boolean {
  const bytes = hexToBytes(bloom);
  const isSet = (bit: number) => (((bytes[bytes.length - 1 - (bit >> 3)] ?? 0) >> (bit & 7)) & 1) === 1;
  const anyOf = (values: readonly (readonly number[])[]) => values.some((bits) => bits.every(isSet));
  return anyOf(addresses) && anyOf(topics);
}

/** The bloom of a block that holds just these logs. */
export function bloomOf(logs: readonly { readonly address: Hex; readonly topics: readonly Hex[] }[]): Hex {
  const bytes = new Uint8Array(bloomBits / 8);
  for (const bit of logs.flatMap(({ address, topics }) => [address, ...topics].flatMap(bloomPositions))) {
    const at = bytes.length - 1 - (bit >> 3);
    bytes[at] = (bytes[at] ?? 0) | (1 << (bit & 7));
  }
  return bytesToHex(bytes);
}

/** Whether the bloom is so thinly set that what it may hold is hardly ever a coincidence: a third of the bits at most. */
export function isThin(bloom: Hex): boolean {
  const set = hexToBytes(bloom).reduce((sum, byte) => sum + byte.toString(2).replaceAll("0", "").length, 0);
  return set <= bloomBits / 3;
}
