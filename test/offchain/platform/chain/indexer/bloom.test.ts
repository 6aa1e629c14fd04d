import { bytesToHex, type Hex, hexToBytes, keccak256, stringToHex } from "viem";
import { describe, expect, test } from "vitest";
import { bloomPositions, mayHoldLogs } from "#offchain/platform/chain/indexer/bloom.ts";

/** A bloom that holds these values. */
function bloomOf(values: readonly Hex[]): Hex {
  const bytes = new Uint8Array(256);
  for (const bit of values.flatMap(bloomPositions)) {
    const at = 255 - (bit >> 3);
    bytes[at] = (bytes[at] ?? 0) | (1 << (bit & 7));
  }
  return bytesToHex(bytes);
}

const address = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const other = "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512";
const topic = keccak256(stringToHex("Transfer(address,address,uint256)"));
const bits = (...values: Hex[]) => values.map(bloomPositions);

describe("a block's bloom", () => {
  test("shows the log of a wanted address and topic", () => {
    const bloom = bloomOf([address, topic]);
    expect(mayHoldLogs(bloom, bits(other, address), bits(topic))).toBe(true);
  });

  test("rules out a block without the address, or without the topic", () => {
    expect(mayHoldLogs(bloomOf([other, topic]), bits(address), bits(topic))).toBe(false);
    expect(mayHoldLogs(bloomOf([address]), bits(address), bits(topic))).toBe(false);
    expect(mayHoldLogs(bytesToHex(hexToBytes(bloomOf([]))), bits(address), bits(topic))).toBe(false);
  });
});
