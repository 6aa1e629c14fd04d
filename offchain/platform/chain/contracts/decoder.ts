import type { AbiEvent, AbiParameter, Address, Hex } from "viem";
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

/** Addresses whose checksum is known, by their digits: a checksum is a hash, and the same few addresses come again. */
const knownAddresses = new Map<string, Address>();
const mostKnownAddresses = 20_000;

function checksummed(digits: string): Address {
  const known = knownAddresses.get(digits);
  if (known !== undefined) return known;
  if (knownAddresses.size >= mostKnownAddresses) knownAddresses.clear();
  const address = checksumAddress(`0x${digits}`);
  knownAddresses.set(digits, address);
  return address;
}

/** The decoder of a static type's 32-byte word (64 hex digits, no prefix), or null for a dynamic or nested type. */
function wordDecoder(type: string): WordDecoder | null {
  if (type === "address") return (word) => checksummed(word.slice(24));
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
  const named = event.inputs.every((input) => input.name);
  if (!named || plain.some((input) => wordDecoder(input.type) === null)) return viemDecoder(event);

  const cuts = [
    ...indexed.map((input, at) => ({ name: input.name ?? "", at: at + 1, read: topicDecoder(input) })),
    ...plain.map((input, at) => ({
      name: input.name ?? "",
      start: 2 + at * wordLength,
      read: wordDecoder(input.type) ?? topicDecoder(input),
    })),
  ];
  const dataLength = 2 + plain.length * wordLength;
  const fallback = viemDecoder(event);
  return ({ topics, data }) => {
    // A log that is not shaped as the ABI says gets the general decoder's error.
    if (topics.length !== indexed.length + 1 || data.length < dataLength) return fallback({ topics, data });
    const args: Record<string, unknown> = {};
    for (const cut of cuts)
      args[cut.name] = cut.read(
        "at" in cut ? (topics[cut.at] ?? "").slice(2) : data.slice(cut.start, cut.start + wordLength),
      );
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
