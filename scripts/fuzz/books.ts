import { setTimeout as pause } from "node:timers/promises";
import type { Sql } from "#offchain/platform/database/database.ts";

/** By table: a digest of each row. */
export type Books = ReadonlyMap<string, ReadonlySet<string>>;

/** Everything that the database holds, in few words. */
export async function booksOf(sql: Sql): Promise<Books> {
  const tables = await sql<{ name: string }[]>`
    SELECT table_name AS name FROM information_schema.tables
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY table_name`;
  const books = new Map<string, Set<string>>();
  for (const { name } of tables) {
    const rows = await sql<{ digest: string }[]>`SELECT md5(t::text) AS digest FROM ${sql(name)} AS t`;
    books.set(name, new Set(rows.map(({ digest }) => digest)));
  }
  return books;
}

/** Requests are remembered for as long as they could be sent again, and then forgotten, whatever is asked meanwhile. */
const forgetful: ReadonlySet<string> = new Set(["seen_request"]);

const without = (rows: ReadonlySet<string>, others: ReadonlySet<string> = new Set()): number =>
  [...rows].filter((row) => !others.has(row)).length;

export const changedTables = (before: Books, after: Books): string[] =>
  [...after].flatMap(([name, rows]) => {
    const added = without(rows, before.get(name));
    const removed = forgetful.has(name) ? 0 : without(before.get(name) ?? new Set(), rows);
    return added + removed > 0 ? [name] : [];
  });

const restMs = 3_000;
const patienceMs = 120_000;

/**
 * Waits until what was begun is done.
 * @returns the tables that change also while nobody asks for anything
 */
export async function untilQuiet(sql: Sql): Promise<ReadonlySet<string>> {
  const deadline = performance.now() + patienceMs;
  const seen: string[][] = [];
  let before = await booksOf(sql);
  while (performance.now() < deadline) {
    await pause(restMs);
    const after = await booksOf(sql);
    seen.push(changedTables(before, after));
    before = after;
    const [previous, last] = seen.slice(-2);
    if (last?.length === 0) return new Set();
    // What changes in each rest changes by itself, such as a lease that is renewed.
    if (seen.length >= 4 && previous?.join() === last?.join()) return new Set(last);
  }
  throw new Error(`the service did not come to rest: ${seen.at(-1)?.join(", ")} still change`);
}
