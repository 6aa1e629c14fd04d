import postgres from "postgres";
import { assertReleased, MigrationError, type MigrationFolder, readMigrations } from "./migrations.ts";

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
  /** What the schema is made of, in this order. */
  migrations: readonly MigrationFolder[];
}

/** Opens the pool after the schema is brought up to date. @throws MigrationError */
export async function openDatabase(options: DatabaseOptions): Promise<Sql> {
  // A pool opened before a change of schema would keep plans that no longer fit, so it is opened after.
  const single = connect(options, 1);
  try {
    await migrate(single, options.migrations);
  } finally {
    await single.end({ timeout: 5 });
  }
  return connect(options, options.maxConnections ?? 16);
}

function connect({ connection }: Pick<DatabaseOptions, "connection">, max: number): Sql {
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

/** Any number that no other user of the database takes for its own advisory lock. */
const migrationLock = 0x62757273;

/** Applies every migration once, in order, all in one transaction. @throws MigrationError */
async function migrate(sql: Sql, folders: readonly MigrationFolder[]): Promise<void> {
  const wanted = await readMigrations(folders);
  await sql.begin(async (tx) => {
    await tx`SELECT pg_advisory_xact_lock(${migrationLock})`;
    await tx`CREATE TABLE IF NOT EXISTS migration (name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`;
    const rows = await tx<{ name: string; checksum: string }[]>`SELECT name, checksum FROM migration`;
    const applied = new Map(rows.map(({ name, checksum }) => [name, checksum]));
    assertReleased([...applied.keys()]);
    for (const { name, text, checksum } of wanted) {
      const before = applied.get(name);
      if (before === checksum) continue;
      if (before !== undefined)
        throw new MigrationError(
          "changed",
          `migration ${name} has changed since it was applied: never edit a migration, add one`,
        );
      await tx.unsafe(text);
      await tx`INSERT INTO migration (name, checksum) VALUES (${name}, ${checksum})`;
    }
  });
}
