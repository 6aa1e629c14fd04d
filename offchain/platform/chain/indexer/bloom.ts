import type { Hex } from "viem";
import { hexToBytes, keccak256 } from "viem";

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
