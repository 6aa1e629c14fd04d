import fc from "fast-check";
import {
  type AbiEvent,
  decodeEventLog,
  encodeAbiParameters,
  encodeEventTopics,
  type Hex,
  parseAbiItem,
  toEventSelector,
} from "viem";
import { describe, expect, test } from "vitest";
import { eventDecoder } from "#offchain/platform/chain/contracts/decoder.ts";

const hexOf = (bytes: number) =>
  fc
    .uint8Array({ minLength: bytes, maxLength: bytes })
    .map((value): Hex => `0x${Buffer.from(value).toString("hex")}`);

const unsigned = (bits: number) => fc.bigInt({ min: 0n, max: 2n ** BigInt(bits) - 1n });
const signed = (bits: number) =>
  fc.bigInt({ min: -(2n ** BigInt(bits - 1)), max: 2n ** BigInt(bits - 1) - 1n });

/** Every static type that an event of ours may carry, and any value of it. */
const staticValues: Record<string, fc.Arbitrary<unknown>> = {
  address: hexOf(20),
  bool: fc.boolean(),
  bytes1: hexOf(1),
  bytes4: hexOf(4),
  bytes32: hexOf(32),
  uint8: unsigned(8).map(Number),
  uint40: unsigned(40).map(Number),
  uint48: unsigned(48).map(Number),
  uint56: unsigned(56),
  uint128: unsigned(128),
  uint256: unsigned(256),
  int16: signed(16).map(Number),
  int56: signed(56),
  int128: signed(128),
  int256: signed(256),
};

interface Input {
  type: string;
  indexed: boolean;
  value: unknown;
}

/** A random event of up to three indexed and any other inputs, with a value for each. */
const anyInputs: fc.Arbitrary<Input[]> = fc
  .array(
    fc
      .tuple(fc.constantFrom(...Object.keys(staticValues)), fc.boolean())
      .chain(([type, indexed]) =>
        (staticValues[type] ?? fc.constant(0)).map((value) => ({ type, indexed, value })),
      ),
    { maxLength: 8 },
  )
  .map((inputs) => {
    let topics = 0;
    return inputs.map((input) => ({ ...input, indexed: input.indexed && ++topics <= 3 }));
  });

function encoded(inputs: readonly Input[]): { event: AbiEvent; topics: [Hex, ...Hex[]]; data: Hex } {
  const named = inputs.map(({ type, indexed }, index) => ({ type, indexed, name: `value${index}` }));
  const event: AbiEvent = { type: "event", name: "Any", inputs: named };
  const plain = inputs.filter(({ indexed }) => !indexed);
  const topics = inputs
    .filter(({ indexed }) => indexed)
    .map(({ type, value }) => encodeAbiParameters([{ type }], [value]));
  const data = encodeAbiParameters(
    plain.map(({ type }) => ({ type })),
    plain.map(({ value }) => value),
  );
  return { event, topics: [toEventSelector(event), ...topics], data };
}

describe("an event decoder", () => {
  test("reads every static type as viem does", () => {
    fc.assert(
      fc.property(anyInputs, (inputs) => {
        const { event, topics, data } = encoded(inputs);
        const { args } = decodeEventLog({ abi: [event], topics, data });
        expect(eventDecoder(event)({ topics, data })).toEqual(args ?? {});
      }),
      { numRuns: 500 },
    );
  });

  test("reads dynamic types and structs", () => {
    const event = parseAbiItem(
      "event Noted(bytes32 indexed id, string note, (address who, uint256[] amounts) entry)",
    );
    const entry = { who: "0x5FbDB2315678afecb367f032d93F642f64180aa3", amounts: [1n, 2n] } as const;
    const topics = encodeEventTopics({ abi: [event], args: { id: `0x${"ab".repeat(32)}` } }) as [
      Hex,
      ...Hex[],
    ];
    const data = encodeAbiParameters(event.inputs.slice(1), ["hello", entry]);
    expect(eventDecoder(event)({ topics, data })).toEqual({
      id: `0x${"ab".repeat(32)}`,
      note: "hello",
      entry,
    });
  });

  test("gives the hash of an indexed value that is too long for a topic", () => {
    const event = parseAbiItem("event Named(string indexed name, uint256 size)");
    const topics = encodeEventTopics({ abi: [event], args: { name: "alice" } }) as [Hex, ...Hex[]];
    const data = encodeAbiParameters([{ type: "uint256" }], [7n]);
    expect(eventDecoder(event)({ topics, data })).toEqual({ name: topics[1], size: 7n });
  });

  test("refuses a log that is shorter than the event", () => {
    const event = parseAbiItem("event Paid(uint256 amount)");
    expect(() => eventDecoder(event)({ topics: [toEventSelector(event)], data: "0x" })).toThrow();
  });
});
