import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import { comparedRows, origins } from "./tables.ts";
import { pagesOf } from "./take.ts";

/** A row that is not the same in both databases, as JSON; null: there is none. */
export interface Difference {
  readonly table: string;
  readonly key: string;
  readonly rebuilt: string | null;
  readonly running: string | null;
}

export interface Comparison {
  readonly tables: number;
  readonly rows: number;
  readonly differences: number;
}

interface Row {
  readonly key: string;
  readonly row: string;
}

/** Compares all tables for which equality is meant, row by row, each database as of one moment. */
export function compareDatabases(
  rebuilt: Sql,
  running: Sql,
  told: (difference: Difference) => void,
): Promise<Comparison> {
  const asOfOneMoment = "ISOLATION LEVEL REPEATABLE READ READ ONLY";
  return rebuilt.begin(asOfOneMoment, (one) =>
    running.begin(asOfOneMoment, async (other) => {
      const sum = { tables: 0, rows: 0, differences: 0 };
      for (const [table, origin] of Object.entries(origins)) {
        const query = comparedRows(table, origin);
        if (query === null) continue;
        sum.tables += 1;
        for await (const [mine, theirs] of pairs(rowsOf(one, query), rowsOf(other, query))) {
          sum.rows += 1;
          if (mine?.row === theirs?.row) continue;
          sum.differences += 1;
          const key = mine?.key ?? theirs?.key ?? "";
          told({ table, key, rebuilt: mine?.row ?? null, running: theirs?.row ?? null });
        }
      }
      return sum;
    }),
  );
}

async function* rowsOf(tx: Tx, query: string): AsyncGenerator<Row> {
  const ordered = `SELECT key, row::jsonb::text AS row FROM (${query}) compared ORDER BY key COLLATE "C", row::jsonb::text COLLATE "C"`;
  for await (const page of pagesOf<Row>(tx, ordered)) yield* page;
}

/** Rows of one key beside each other; null where one side has none. Both come in the order of their keys' bytes. */
async function* pairs(
  mine: AsyncGenerator<Row>,
  theirs: AsyncGenerator<Row>,
): AsyncGenerator<[Row | null, Row | null]> {
  const next = async (rows: AsyncGenerator<Row>) => {
    const { value, done } = await rows.next();
    return done ? null : (value as Row);
  };
  let [one, other] = [await next(mine), await next(theirs)];
  while (one || other) {
    const order = one && other ? Buffer.compare(Buffer.from(one.key), Buffer.from(other.key)) : one ? -1 : 1;
    yield [order <= 0 ? one : null, order >= 0 ? other : null];
    if (order <= 0) one = await next(mine);
    if (order >= 0) other = await next(theirs);
  }
}
