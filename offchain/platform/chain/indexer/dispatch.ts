import { type Address, checksumAddress, type Hex, keccak256, stringToHex } from "viem";
import type { Tx } from "../../database/database.ts";
import { type EventDecoder, eventDecoder, eventTopic } from "../contracts/decoder.ts";
import type { ChainEvent, Handler } from "../event.ts";
import type { ChainRun, StoredEvent } from "./checkpoint.ts";
import type { LogFilter } from "./source.ts";
import { type Watch, type Watched, watchId } from "./watchStore.ts";

/** One event of one contract, and everything that wants it. */
interface Binding {
  /** Checksummed. */
  address: Address;
  key: Hex;
  contract: string;
  name: string;
  decode: EventDecoder;
  handlers: Handler[];
}

/** Neighbouring events of one binding. */
interface Stretch {
  binding: Binding;
  events: ChainEvent[];
}

/** `address` is lower case. */
type Located = { address: Hex; topics: readonly Hex[] };

const keyOf = (address: string, topic: Hex | undefined): Hex =>
  `${address.toLowerCase() as Hex}${topic?.slice(2)}`;

const nameOf = ({ owner, source }: Handler): string => owner ?? source.name;

/** What these handlers watch. @throws Error when two of one owner watch the same: how far each is could not be told apart */
export function watchedBy(handlers: readonly Handler[]): Watched[] {
  const found = new Map<string, Watched>();
  for (const handler of handlers) {
    const topic = eventTopic(handler.event);
    for (const address of handler.source.addresses) {
      const { fromBlock } = handler.source;
      const watched = { handler: nameOf(handler), key: keyOf(address, topic), fromBlock };
      if (found.has(watchId(watched)))
        throw new Error(`${watched.handler} has two handlers of ${handler.event.name} of ${address}`);
      found.set(watchId(watched), watched);
    }
  }
  return [...found.values()];
}

/** Knows which handlers an event belongs to, decodes it for them, and keeps the chain's order. */
export class Dispatcher {
  readonly filter: LogFilter;
  /** What is wanted: an address and a first topic, one after the other, lower case; sorted. */
  readonly keys: readonly Hex[];
  /** Changes when the watched addresses or topics change. */
  readonly filterHash: Hex;
  /** By lower-case address and first topic. */
  readonly #bindings = new Map<Hex, Map<Hex | undefined, Binding>>();
  #last: { address: Hex; topic: Hex | undefined; binding: Binding | undefined } | undefined;

  constructor(handlers: readonly Handler[]) {
    for (const handler of handlers) this.#bind(handler);
    this.keys = [...this.#bindings]
      .flatMap(([address, events]) => [...events.keys()].map((topic) => keyOf(address, topic)))
      .toSorted();
    this.filter = {
      addresses: [...new Set(this.keys.map((key) => key.slice(0, 42) as Hex))],
      topics: [...new Set(this.keys.map((key): Hex => `0x${key.slice(42)}`))],
    };
    this.filterHash = keccak256(
      stringToHex(this.keys.map((key) => `${key.slice(0, 42)}0x${key.slice(42)}`).join()),
    );
  }

  /** Whether the log is one that was asked for: a filter asks for all topics of all addresses. */
  wants(log: Located): boolean {
    return this.#bindingOf(log) !== undefined;
  }

  /** The address and topic of a log that is wanted. */
  keyOf(log: Located): Hex | undefined {
    return this.#bindingOf(log)?.key;
  }

  async apply(tx: Tx, chainRun: ChainRun, events: readonly StoredEvent[]): Promise<void> {
    for (const { binding, events: run } of this.#stretches(chainRun, events)) {
      for (const handler of binding.handlers) {
        if (handler.applyMany) await handler.applyMany(tx, run);
        else for (const event of run) await handler.apply(tx, event);
      }
    }
  }

  /**
   * Takes events back, newest first, each from its handlers in reverse order, as far as these have had them.
   * @param watches how far each handler is
   */
  async retract(
    tx: Tx,
    chainRun: ChainRun,
    events: readonly StoredEvent[],
    watches: readonly Watch[],
  ): Promise<void> {
    const appliedTo = new Map(watches.map((watch) => [watchId(watch), watch.indexedTo ?? Infinity]));
    for (const { binding, events: run } of this.#stretches(chainRun, events)) {
      for (const handler of binding.handlers.toReversed()) {
        const to = appliedTo.get(watchId({ handler: nameOf(handler), key: binding.key })) ?? -1;
        for (const event of run) if (event.blockNumber <= to) await handler.retract(tx, event);
      }
    }
  }

  #bindingOf({ address, topics: [topic] }: Located): Binding | undefined {
    // Neighbours are mostly of one kind, and comparing two strings is cheaper than hashing them.
    const last = this.#last;
    if (last?.topic === topic && last?.address === address) return last.binding;
    const binding = this.#bindings.get(address)?.get(topic);
    this.#last = { address, topic, binding };
    return binding;
  }

  #bind(handler: Handler): void {
    const topic = eventTopic(handler.event);
    for (const address of handler.source.addresses) {
      const key = address.toLowerCase() as Hex;
      const events = this.#bindings.get(key) ?? new Map<Hex | undefined, Binding>();
      this.#bindings.set(key, events);
      const bound = events.get(topic);
      if (bound) bound.handlers.push(handler);
      else
        events.set(topic, {
          address: checksumAddress(key),
          key: keyOf(key, topic),
          contract: handler.source.name,
          name: handler.event.name,
          decode: eventDecoder(handler.event),
          handlers: [handler],
        });
    }
  }

  *#stretches(chainRun: ChainRun, events: readonly StoredEvent[]): Generator<Stretch> {
    let run: Stretch | undefined;
    for (const stored of events) {
      const binding = this.#bindingOf(stored);
      // An event stored for a handler that no longer exists stays stored and has no effect.
      if (!binding) continue;
      if (run?.binding !== binding) {
        if (run) yield run;
        run = { binding, events: [] };
      }
      run.events.push(toChainEvent(chainRun, binding, stored));
    }
    if (run) yield run;
  }
}

function toChainEvent(chainRun: ChainRun, binding: Binding, stored: StoredEvent): ChainEvent {
  return {
    chainId: chainRun.chainId,
    runId: chainRun.id,
    blockNumber: BigInt(stored.blockNumber),
    blockHash: stored.blockHash,
    blockAt: stored.blockAt,
    transactionHash: stored.transactionHash,
    transactionIndex: stored.transactionIndex,
    logIndex: stored.logIndex,
    address: binding.address,
    contract: binding.contract,
    name: binding.name,
    args: binding.decode(stored),
  };
}
