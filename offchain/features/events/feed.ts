import { type AbiEvent, getAddress, type Hex } from "viem";
import { BursarError } from "#offchain/core/error.ts";
import { type EventDecoder, eventDecoder, eventTopic } from "#offchain/platform/chain/contracts/decoder.ts";
import type { KnownContract, KnownContracts } from "#offchain/platform/chain/contracts/known.ts";
import { type FeedEntry, feedPage, feedStart } from "#offchain/platform/chain/indexer/feedStore.ts";
import type { ChainView } from "#offchain/platform/chain/port.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { readCursor, writtenCursor } from "./schema.ts";
import type { Events, FeedItem, FeedPage, FeedQuery } from "./service.ts";

interface FeedContract {
  name: string;
  events: ReadonlyMap<Hex, KnownEvent>;
}

interface KnownEvent {
  name: string;
  decode: EventDecoder;
}

/** The feed of what the indexer stores, with every event decoded by its contract's own ABI. */
export function openEvents(options: {
  sql: Sql;
  view: Pick<ChainView, "status" | "runNow" | "waitForBlock">;
  /** Contracts by lower-case address. */
  known: KnownContracts;
}): Events {
  const { sql, view } = options;
  const contractsNow = contractsOf(options.known);

  async function read(query: FeedQuery): Promise<FeedPage> {
    const runId = view.runNow();
    const { finalTo } = view.status();
    const after = query.cursor === null ? feedStart : readCursor(query.cursor, runId);
    const { entries, end } = await feedPage(sql, {
      runId,
      after,
      limit: query.limit,
      finalTo: Number(finalTo),
      ...filterOf(query, contractsNow()),
      isOfAll: query.contract === undefined && query.event === undefined,
    });
    const items = entries.map((entry) => toItem(entry, runId));
    return {
      items,
      cursor: writtenCursor(runId, end),
      confirmedTo: (finalTo < 0n ? 0n : finalTo).toString(),
    };
  }

  function toItem({ cursor, change, status, event }: FeedEntry, runId: bigint): FeedItem {
    const contract = contractsNow().get(event.address.toLowerCase());
    const known = contract?.events.get(event.topics[0] as Hex);
    return {
      cursor: writtenCursor(runId, cursor),
      change,
      status,
      contract: contract?.name ?? event.address,
      address: event.address,
      event: known?.name ?? (event.topics[0] as Hex),
      args: plain(known?.decode(event) ?? {}) as Record<string, unknown>,
      blockNumber: String(event.blockNumber),
      blockHash: event.blockHash,
      blockAt: event.blockAt,
      transactionHash: event.transactionHash,
      logIndex: event.logIndex,
    };
  }

  return {
    async page(query) {
      // Looked at first: what is indexed meanwhile is not waited for.
      const { indexedTo } = view.status();
      const found = await read(query);
      if (found.items.length > 0 || query.waitMs === 0) return found;
      try {
        await view.waitForBlock(indexedTo + 1n, query.waitMs);
      } catch (error) {
        if (error instanceof BursarError && error.code === "CHAIN_UNAVAILABLE") return found;
        throw error;
      }
      return read({ ...query, cursor: found.cursor });
    },
  };
}

/** What the feed reads of each known contract. Contracts may come in while the service runs. */
function contractsOf(known: KnownContracts): () => ReadonlyMap<string, FeedContract> {
  const contracts = new Map<string, FeedContract>();
  return () => {
    for (const [address, contract] of known)
      if (!contracts.has(address)) contracts.set(address, contractOf(contract));
    return contracts;
  };
}

/** @throws BursarError VALIDATION_INVALID_INPUT: contract or event is not known */
function filterOf({ contract, event }: FeedQuery, contracts: ReadonlyMap<string, FeedContract>) {
  const named = [...contracts].filter(([, { name }]) => contract === undefined || name === contract);
  if (named.length === 0) throw unknown("contract", contract, new Set(namesOf(contracts)));
  const topics = named.flatMap(([, { events }]) =>
    [...events].flatMap(([topic, { name }]) => (event === undefined || name === event ? [topic] : [])),
  );
  if (topics.length === 0)
    throw unknown(
      "event",
      event,
      new Set(named.flatMap(([, { events }]) => [...events.values()].map(({ name }) => name))),
    );
  return { addresses: named.map(([address]) => getAddress(address)), topics: [...new Set(topics)] };
}

function contractOf({ name, abi }: KnownContract): FeedContract {
  const events = abi.filter((item): item is AbiEvent => item.type === "event");
  return {
    name,
    events: new Map<Hex, KnownEvent>(
      events.map((event) => [eventTopic(event), { name: event.name, decode: eventDecoder(event) }]),
    ),
  };
}

const namesOf = (contracts: ReadonlyMap<string, { name: string }>) =>
  [...contracts.values()].map(({ name }) => name);

function unknown(field: string, got: string | undefined, names: ReadonlySet<string>): BursarError {
  return new BursarError("VALIDATION_INVALID_INPUT", `${field}: ${got} is not known here`, {
    fields: [{ field, message: `must be one of ${[...names].join(", ")}`, value: got }],
  });
}

/** As JSON can carry it: integers in decimal digits. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]));
}
