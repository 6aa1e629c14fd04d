import { encodeAbiParameters, type Hex, parseAbi } from "viem";
import { describe, expect, test } from "vitest";
import { eventTopic } from "#offchain/platform/chain/contracts/decoder.ts";
import { type Handler, on, ownedBy } from "#offchain/platform/chain/event.ts";
import type { ChainRun, StoredEvent } from "#offchain/platform/chain/indexer/checkpoint.ts";
import { Dispatcher, watchedBy } from "#offchain/platform/chain/indexer/dispatch.ts";
import type { Tx } from "#offchain/platform/database/database.ts";

const abi = parseAbi(["event Opened(uint256 id)", "event Closed(uint256 id)"]);
const address = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const hash: Hex = `0x${"11".repeat(32)}`;
const source = { name: "Shop", abi, addresses: [address] as const };
const chainRun = { id: 3n, chainId: 31337 } as ChainRun;
// No handler of these tests touches the database.
const tx = null as unknown as Tx;

/** A handler that writes down what it is told. */
function noting(name: "Opened" | "Closed", notes: string[], as: string, runs = false): Handler {
  return on(source, name, {
    apply: async (_, { args }) => void notes.push(`${as}+${args.id}`),
    retract: async (_, { args }) => void notes.push(`${as}-${args.id}`),
    ...(runs && {
      applyMany: async (_: Tx, events: readonly { args: { id: bigint } }[]) =>
        void notes.push(`${as}[${events.map(({ args }) => args.id)}]`),
    }),
  });
}

function events(...names: ("Opened" | "Closed")[]): StoredEvent[] {
  return names.map((name, index) => ({
    blockNumber: 1,
    blockHash: hash,
    blockAt: 1_000,
    logIndex: index,
    transactionIndex: 0,
    transactionHash: hash,
    address: address.toLowerCase() as Hex,
    topics: [eventTopic(noting(name, [], "").event)],
    data: encodeAbiParameters([{ type: "uint256" }], [BigInt(index)]),
  }));
}

describe("dispatching events", () => {
  test("keeps the chain's order across handlers", async () => {
    const notes: string[] = [];
    const dispatcher = new Dispatcher([noting("Closed", notes, "c"), noting("Opened", notes, "o")]);
    await dispatcher.apply(tx, chainRun, events("Opened", "Closed", "Opened"));
    expect(notes).toEqual(["o+0", "c+1", "o+2"]);
  });

  test("hands neighbouring events of a kind over as one run", async () => {
    const notes: string[] = [];
    const dispatcher = new Dispatcher([noting("Opened", notes, "o", true), noting("Closed", notes, "c")]);
    await dispatcher.apply(tx, chainRun, events("Opened", "Opened", "Closed", "Opened"));
    expect(notes).toEqual(["o[0,1]", "c+2", "o[3]"]);
  });

  test("takes back in reverse, from the handlers in reverse", async () => {
    const notes: string[] = [];
    const dispatcher = new Dispatcher([noting("Opened", notes, "first"), noting("Opened", notes, "second")]);
    const watches = dispatcher.keys.map((key) => ({ handler: "Shop", key, indexedTo: null }));
    await dispatcher.retract(tx, chainRun, events("Opened", "Opened").toReversed(), watches);
    expect(notes).toEqual(["second-1", "second-0", "first-1", "first-0"]);
  });

  test("takes back from a handler only what it has had", async () => {
    const notes: string[] = [];
    const late = { ...noting("Opened", notes, "late"), owner: "late" };
    const dispatcher = new Dispatcher([noting("Opened", notes, "live"), late]);
    const [one, two] = events("Opened", "Opened");
    if (!one || !two) throw new Error("two events are wanted");
    const watches = dispatcher.keys.flatMap((key) => [
      { handler: "Shop", key, indexedTo: null },
      { handler: "late", key, indexedTo: 5 },
    ]);
    const blocks = [
      { ...two, blockNumber: 6 },
      { ...one, blockNumber: 5 },
    ];
    await dispatcher.retract(tx, chainRun, blocks, watches);
    expect(notes).toEqual(["late-0", "live-1", "live-0"]);
  });

  test("refuses two handlers of one owner for one event, for how far each is could not be told apart", () => {
    const twice = [noting("Opened", [], "one"), noting("Opened", [], "two")];
    expect(() => watchedBy(twice)).toThrow("two handlers of Opened");
    expect(watchedBy(ownedBy("other", twice.slice(1)).concat(twice.slice(0, 1)))).toHaveLength(2);
  });

  test("wants only what a handler wants", () => {
    const dispatcher = new Dispatcher([noting("Opened", [], "o")]);
    const [opened, closed] = events("Opened", "Closed");
    expect([opened, closed].map((event) => event && dispatcher.wants(event))).toEqual([true, false]);
  });

  test("has another filter hash when another event is wanted, and not when only the order differs", () => {
    const [one, two] = [noting("Opened", [], "o"), noting("Closed", [], "c")];
    const hashOf = (...handlers: Handler[]) => new Dispatcher(handlers).filterHash;
    expect(hashOf(one, two)).toBe(hashOf(two, one));
    expect(hashOf(one)).not.toBe(hashOf(one, two));
  });
});
