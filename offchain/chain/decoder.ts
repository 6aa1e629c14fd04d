import type { AbiEvent, AbiParameter, Hex } from "viem";
import { checksumAddress, decodeEventLog, toEventSelector } from "viem";

/** Topics and data of one log, as the provider wrote them. */
export interface EncodedEvent {
  topics: readonly Hex[];
  data: Hex;
}

/** Turns a log of one event into its arguments by name, as viem's `decodeEventLog` would. */
export type EventDecoder = (encoded: EncodedEvent) => Record<string, unknown> | readonly unknown[];

type WordDecoder = (word: string) => unknown;

/** Hex digits of one ABI word. */
const wordLength = 64;

/** Up to 48 bits viem gives a `number`, above it a `bigint`. */
const largestNumberBits = 48;

/** The decoder of a static type's 32-byte word (64 hex digits, no prefix), or null for a dynamic or nested type. */
function wordDecoder(type: string): WordDecoder | null {
  if (type === "address") return (word) => checksumAddress(`0x${word.slice(24)}`);
  if (type === "bool") return (word) => word.endsWith("1");
  const bytes = /^bytes(\d+)$/.exec(type)?.[1];
  if (bytes) return (word) => `0x${word.slice(0, Number(bytes) * 2)}`;
  const integer = /^(u?)int(\d*)$/.exec(type);
  if (!integer) return null;
  const bits = Number(integer[2] || 256);
  const signed = integer[1] === "";
  const read = (word: string) => (signed ? BigInt.asIntN(bits, BigInt(`0x${word}`)) : BigInt(`0x${word}`));
  return bits <= largestNumberBits ? (word) => Number(read(word)) : read;
}

/** An indexed value of a dynamic type is only its hash: the topic itself. */
function topicDecoder(parameter: AbiParameter): WordDecoder {
  return wordDecoder(parameter.type) ?? ((word) => `0x${word}`);
}

/**
 * A decoder written for one event. Events with only static types and named arguments are cut word by word, which is
 * some fifty times faster than a general decoder; any other goes to viem.
 */
export function eventDecoder(event: AbiEvent): EventDecoder {
  const indexed = event.inputs.filter((input) => input.indexed);
  const plain = event.inputs.filter((input) => !input.indexed);
  const plainDecoders = plain.map((input) => wordDecoder(input.type));
  const named = event.inputs.every((input) => input.name);
  if (!named || plainDecoders.some((decoder) => decoder === null)) return viemDecoder(event);

  const topicDecoders = indexed.map(topicDecoder);
  const dataLength = 2 + plain.length * wordLength;
  const fallback = viemDecoder(event);
  return ({ topics, data }) => {
    // A log that is not shaped as the ABI says gets the general decoder's error.
    if (topics.length !== indexed.length + 1 || data.length < dataLength) return fallback({ topics, data });
    const args: Record<string, unknown> = {};
    for (const [index, input] of indexed.entries())
      args[input.name ?? ""] = topicDecoders[index]?.((topics[index + 1] ?? "").slice(2));
    for (const [index, input] of plain.entries()) {
      const start = 2 + index * wordLength;
      args[input.name ?? ""] = plainDecoders[index]?.(data.slice(start, start + wordLength));
    }
    return args;
  };
}

function viemDecoder(event: AbiEvent): EventDecoder {
  return ({ topics, data }) => {
    const { args } = decodeEventLog({ abi: [event], topics: topics as [Hex, ...Hex[]], data });
    return args ?? {};
  };
}

/** The first topic of an event's logs. */
export const eventTopic = (event: AbiEvent): Hex => toEventSelector(event);
