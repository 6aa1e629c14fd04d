import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import postgres from "postgres";

/** Whole numbers that JavaScript's number cannot hold come back as bigint: int8 and numeric. */
const types = {
  bigint: {
    to: 20,
    from: [20],
    serialize: (value: bigint) => value.toString(),
    parse: (text: string) => BigInt(text),
  },
  numeric: {
    to: 1700,
    from: [1700],
    serialize: (value: bigint) => value.toString(),
    // The schema's numerics are base units with scale 0; one with decimals is a query of our own, kept as text.
    parse: (text: string) => (text.includes(".") ? text : BigInt(text)) as bigint,
  },
};

type Types = { bigint: bigint; numeric: bigint };

/** The pool: queries run on any connection. */
export type Sql = postgres.Sql<Types>;
/** One open transaction. */
export type Tx = postgres.TransactionSql<Types>;

export interface DatabaseOptions {
  /** Where it is: a URL, or the embedded server's socket. */
  connection: string | { host: string; port: number; database: string; username: string };
  maxConnections?: number;
  /** Further folders of migrations, each of one feature. */
  migrations?: readonly URL[];
}

/** Opens the pool after the schema is brought up to date. @throws MigrationError */
export async function openDatabase(options: DatabaseOptions): Promise<Sql> {
  // A pool opened before a change of schema would keep plans that no longer fit, so it is opened after.
  const single = connect(options, 1);
  try {
    await migrate(single, [folder, ...(options.migrations ?? [])]);
  } finally {
    await single.end({ timeout: 5 });
  }
  return connect(options, options.maxConnections ?? 16);
}

function connect({ connection }: DatabaseOptions, max: number): Sql {
  const common = { max, types, onnotice: () => {}, idle_timeout: 0, connect_timeout: 10 };
  const sql =
    typeof connection === "string" ? postgres(connection, common) : postgres({ ...connection, ...common });
  return withLostTransactionsStopped(sql);
}

type Work = (tx: Tx) => unknown;

/**
 * When a transaction's connection breaks, postgres.js rejects `begin` and lets the work go on: once the connection is up
 * again, what is left of it, and its COMMIT or ROLLBACK, would run in the middle of whatever transaction has the
 * connection then. Here a lost transaction sends nothing more.
 */
function withLostTransactionsStopped(sql: Sql): Sql {
  const begin = sql.begin.bind(sql) as (options: string, work: Work) => Promise<unknown>;
  const safely = async (options: string, work: Work): Promise<unknown> => {
    let isOver = false;
    const never = new Promise<never>(() => {});
    const watched: Work = async (tx) => {
      const guarded = new Proxy(tx, {
        apply(target, self, args) {
          if (isOver) throw new Error("the transaction was lost with its connection");
          return Reflect.apply(target, self, args);
        },
      });
      try {
        const result = await work(guarded);
        return isOver ? never : result;
      } catch (error) {
        // What is neither fulfilled nor rejected gets no COMMIT and no ROLLBACK; the caller has its answer already.
        if (isOver) return never;
        throw error;
      }
    };
    try {
      return await begin(options, watched);
    } finally {
      isOver = true;
    }
  };
  const replaced = (first: string | Work, second?: Work) =>
    typeof first === "string" ? safely(first, second as Work) : safely("", first);
  return Object.assign(sql, { begin: replaced as Sql["begin"] });
}

/** A migration that was applied is not the one that the code carries. */
export class MigrationError extends Error {
  override readonly name = "MigrationError";
}

const folder = new URL("./migrations/", import.meta.url);

/** Any number that no other user of the database takes for its own advisory lock. */
const migrationLock = 0x62757273;

/** A folder's `NNNN_name.sql` in order. A name is used once in the whole database. */
async function migrationsIn(from: URL): Promise<{ name: string; at: URL }[]> {
  const names = (await readdir(from)).filter((name) => name.endsWith(".sql")).toSorted();
  return names.map((name) => ({ name, at: new URL(name, from) }));
}

/** Applies the migrations folder by folder, each once, all in one transaction. */
async function migrate(sql: Sql, folders: readonly URL[]): Promise<void> {
  const files = (await Promise.all(folders.map(migrationsIn))).flat();
  await sql.begin(async (tx) => {
    await tx`SELECT pg_advisory_xact_lock(${migrationLock})`;
    await tx`CREATE TABLE IF NOT EXISTS migration (name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`;
    const applied = new Map(
      (await tx<{ name: string; checksum: string }[]>`SELECT name, checksum FROM migration`).map(
        ({ name, checksum }) => [name, checksum],
      ),
    );
    for (const { name, at } of files) {
      const text = await readFile(at, "utf8");
      const checksum = createHash("sha256").update(text).digest("hex");
      const before = applied.get(name);
      if (before === checksum) continue;
      if (before !== undefined)
        throw new MigrationError(`migration ${name} has changed since it was applied; add a new one instead`);
      await tx.unsafe(text);
      await tx`INSERT INTO migration (name, checksum) VALUES (${name}, ${checksum})`;
    }
  });
}
