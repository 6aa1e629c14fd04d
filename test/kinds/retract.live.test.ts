import type { AbiParameter } from "viem";
import { expect, test } from "vitest";
import { treasuryHandlers } from "#offchain/features/treasury/events.ts";
import type { ChainEvent, Handler } from "#offchain/platform/chain/event.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { type Books, bookedChainId, eachWithBooks, hex } from "../offchain/support/books.ts";
import { chance } from "../offchain/support/chance.ts";

/**
 * Every handler of these, also one that is added tomorrow: what `retract` leaves is what was there before `apply`,
 * whatever had happened to the same things. The arguments are made from the event's own inputs, of few values, so that
 * events meet each other's rows.
 */
const treasuries = [`0x${"a1".repeat(20)}`, `0x${"a2".repeat(20)}`] as const;
const handlers = treasuryHandlers(treasuries);
const random = chance();
const pick = <Item>(items: readonly Item[]): Item => items[random.below(items.length)] as Item;

let books: Books;
eachWithBooks((opened) => {
  books = opened;
});

/** Which two values these are: others where what has happened to the first ones is in the way. */
let values = 0;

/** One of two values of a type, such as `uint256` or `tuple[]`. */
function sampleValue(input: AbiParameter): unknown {
  const { type } = input;
  if (type.endsWith("[]")) return [sampleValue({ ...input, type: type.slice(0, -2) })];
  if (type === "tuple" && "components" in input)
    return Object.fromEntries(input.components.map((part) => [part.name, sampleValue(part)]));
  const which = random.below(2) + 1 + 2 * values;
  const bytesOf = (size: number) =>
    `0x${which
      .toString(16)
      .padStart(4, "0")
      .repeat(size / 2)}`;
  if (type === "address") return bytesOf(20);
  if (type === "bool") return which % 2 === 1;
  const fixed = /^bytes(\d+)$/.exec(type)?.[1];
  if (fixed) return bytesOf(Number(fixed));
  if (type === "bytes") return bytesOf(2);
  if (/^u?int/.test(type)) return BigInt(which);
  throw new Error(`give the test a value of type ${type}`);
}

function eventOf({ source, event }: Handler): ChainEvent {
  return {
    chainId: bookedChainId,
    runId: books.runId,
    blockNumber: 1n,
    blockHash: hex(32),
    blockAt: books.now + random.below(1_000),
    transactionHash: hex(32),
    transactionIndex: 0,
    logIndex: random.below(4),
    address: pick(source.addresses),
    contract: source.name,
    name: event.name,
    args: Object.fromEntries(event.inputs.map((input) => [input.name, sampleValue(input)])),
  };
}

/** What each table holds, but for the numbers that PostgreSQL gives out. */
async function dumpOf(sql: Sql): Promise<Record<string, string>> {
  const tables = await sql<{ name: string; rows: string }[]>`
    SELECT table_name AS name, query_to_xml(
      format('SELECT (to_jsonb(t) - ''id'')::text AS row FROM %I t ORDER BY 1', table_name), false, true, '')::text AS rows
    FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'`;
  return Object.fromEntries(tables.map(({ name, rows }) => [name, rows]));
}

const differ = (before: object, after: object) => JSON.stringify(before) !== JSON.stringify(after);

test.each(handlers.map((handler) => [`${handler.source.name} ${handler.event.name}`, handler] as const))(
  "%s taken back leaves what was there",
  async (_, handler) => {
    let effects = 0;
    // What an event does may hang on another one of its transaction: then that has to come about.
    for (let round = 0; round < 12 || (effects === 0 && round < 600); round += 1) {
      values = Math.max(0, round - 12);
      const companion = pick(handlers);
      const event = eventOf(handler);
      const { transactionHash, address } = event;
      const earlier = { ...eventOf(companion), transactionHash, address, logIndex: event.logIndex + 4 };
      const before = await dumpOf(books.sql);
      await books.begin((tx) => companion.apply(tx, earlier));
      const between = await dumpOf(books.sql);
      await books.begin((tx) => handler.apply(tx, event));
      if (differ(between, await dumpOf(books.sql))) effects += 1;
      await books.begin((tx) => handler.retract(tx, event));
      await books.begin((tx) => companion.retract(tx, earlier));
      expect(await dumpOf(books.sql), `round ${round}`).toEqual(before);
      // What the next round finds: this event stays, and others have happened.
      for (const earlier of [handler, pick(handlers), pick(handlers)]) {
        const told = earlier === handler ? event : eventOf(earlier);
        await books.begin((tx) => earlier.apply(tx, told));
      }
    }
    expect(effects, "the event does something").toBeGreaterThan(0);
  },
);

test("a reorganisation takes back any run of events, newest first, and signatures that were handed in stay, with what they sign", async () => {
  values = 0;
  for (const owner of [1, 2])
    for (const id of [1, 2])
      await books.sql`
        INSERT INTO proposal_signature (run_id, proposal_id, owner, signature, signed_at)
        VALUES (${books.runId}, decode(repeat(${`000${id}`}, 16), 'hex'), decode(repeat(${`000${owner}`}, 10), 'hex'), 'signed', 1)`;
  const before = await dumpOf(books.sql);
  const run = Array.from({ length: 60 }, () => {
    const handler = pick(handlers);
    return { handler, event: eventOf(handler) };
  });
  for (const { handler, event } of run) await books.begin((tx) => handler.apply(tx, event));
  expect(differ(before, await dumpOf(books.sql))).toBe(true);
  for (const { handler, event } of run.toReversed()) await books.begin((tx) => handler.retract(tx, event));
  // Signatures need no opening: what was signed is kept, as what the chain has not opened.
  const open = await books.sql`SELECT FROM proposal WHERE run_id = ${books.runId} AND NOT is_taken_back`;
  expect(open).toHaveLength(0);
  await books.sql`DELETE FROM proposal WHERE run_id = ${books.runId}`;
  expect(await dumpOf(books.sql)).toEqual(before);
});
