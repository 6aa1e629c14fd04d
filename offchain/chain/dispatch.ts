import { checksumAddress, type Hex, keccak256, stringToHex } from "viem";
import type { Epoch, StoredEvent } from "#offchain/store/chain.ts";
import type { Tx } from "#offchain/store/database.ts";
import { type EventDecoder, eventDecoder, eventTopic } from "./decoder.ts";
import type { ChainEvent, Handler } from "./event.ts";
import type { LogFilter } from "./source.ts";

/** One event of one contract, and everything that wants it. */
interface Binding {
  contract: string;
  name: string;
  decode: EventDecoder;
  handlers: Handler[];
}

/** Neighbouring events of one binding. */
interface Run {
  binding: Binding;
  events: ChainEvent[];
}

type Located = { address: Hex; topics: readonly Hex[] };

/** Knows which handlers an event belongs to, decodes it for them, and keeps the chain's order. */
export class Dispatcher {
  readonly filter: LogFilter;
  /** Changes when the watched addresses or topics change. */
  readonly filterHash: Hex;
  readonly #bindings = new Map<string, Binding>();

  constructor(handlers: readonly Handler[]) {
    for (const handler of handlers) this.#bind(handler);
    const keys = [...this.#bindings.keys()].toSorted();
    this.filter = {
      addresses: [...new Set(keys.map((key) => key.slice(0, 42) as Hex))],
      topics: [...new Set(keys.map((key) => key.slice(42) as Hex))],
    };
    this.filterHash = keccak256(stringToHex(keys.join()));
  }

  /** Whether the log is one that was asked for: a filter asks for all topics of all addresses. */
  wants(log: Located): boolean {
    return this.#bindings.has(keyOf(log));
  }

  async apply(tx: Tx, epoch: Epoch, events: readonly StoredEvent[]): Promise<void> {
    for (const { binding, events: run } of this.#runs(epoch, events)) {
      for (const handler of binding.handlers) {
        if (handler.applyRun) await handler.applyRun(tx, run);
        else for (const event of run) await handler.apply(tx, event);
      }
    }
  }

  /** Takes events back, newest first, each from its handlers in reverse order. */
  async retract(tx: Tx, epoch: Epoch, events: readonly StoredEvent[]): Promise<void> {
    for (const { binding, events: run } of this.#runs(epoch, events)) {
      for (const handler of binding.handlers.toReversed())
        for (const event of run) await handler.retract(tx, event);
    }
  }

  #bind(handler: Handler): void {
    for (const address of handler.source.addresses) {
      const key = keyOf({ address, topics: [eventTopic(handler.event)] });
      const bound = this.#bindings.get(key);
      if (bound) bound.handlers.push(handler);
      else
        this.#bindings.set(key, {
          contract: handler.source.name,
          name: handler.event.name,
          decode: eventDecoder(handler.event),
          handlers: [handler],
        });
    }
  }

  *#runs(epoch: Epoch, events: readonly StoredEvent[]): Generator<Run> {
    let run: Run | undefined;
    for (const stored of events) {
      const binding = this.#bindings.get(keyOf(stored));
      // An event stored for a handler that no longer exists stays stored and has no effect.
      if (!binding) continue;
      if (run?.binding !== binding) {
        if (run) yield run;
        run = { binding, events: [] };
      }
      run.events.push(toChainEvent(epoch, binding, stored));
    }
    if (run) yield run;
  }
}

function toChainEvent(epoch: Epoch, binding: Binding, stored: StoredEvent): ChainEvent {
  return {
    chainId: epoch.chainId,
    epoch: epoch.id,
    blockNumber: BigInt(stored.blockNumber),
    blockHash: stored.blockHash,
    blockAt: stored.blockAt,
    transactionHash: stored.transactionHash,
    transactionIndex: stored.transactionIndex,
    logIndex: stored.logIndex,
    address: checksumAddress(stored.address),
    contract: binding.contract,
    name: binding.name,
    args: binding.decode(stored),
  };
}

const keyOf = ({ address, topics }: Located): string => `${address.toLowerCase()}${topics[0] ?? ""}`;
