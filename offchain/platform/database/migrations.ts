import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";

/** The migrations of one owner: a part of the platform, or a feature. */
export interface MigrationFolder {
  readonly owner: string;
  /** Holds `NNNN_name.sql`, applied in the order of their numbers. */
  readonly folder: URL;
}

/** What a schema is made of. */
export interface Migrations {
  readonly folders: readonly MigrationFolder[];
  /**
   * The names of the migrations in the order in which they were added. A new database replays it, so that each finds
   * the schema that it was written for, whosever tables it changes. Those that are not named come after these.
   */
  readonly order: readonly string[];
}

/** Of a database without tables of Bursar's. */
export const noMigrations: Migrations = { folders: [], order: [] };

/** One migration. Its name in the database is `<owner>/<file>`. */
export interface Migration {
  readonly name: string;
  readonly text: string;
  /** SHA-256 of the text, hexadecimal. */
  readonly checksum: string;
}

/** Why a database cannot be brought up to date. */
export type MigrationFault =
  /** A migration that was applied is not the one that the code carries. */
  | "changed"
  /** The database was made before migrations belonged to features. */
  | "unreleased";

/** The database cannot be brought up to date; the message says what to do. */
export class MigrationError extends Error {
  override readonly name = "MigrationError";
  readonly fault: MigrationFault;

  constructor(fault: MigrationFault, message: string) {
    super(message);
    this.fault = fault;
  }
}

/**
 * Every migration of these folders in the order in which it is applied: the listed ones first, then the others, the
 * folders in the given order and the files of each in the order of their numbers.
 */
export async function readMigrations({ folders, order }: Migrations): Promise<Migration[]> {
  const all: Migration[] = [];
  for (const { owner, folder } of folders) {
    const files = (await readdir(folder)).filter((name) => name.endsWith(".sql")).toSorted();
    for (const file of files) {
      const text = await readFile(new URL(file, folder), "utf8");
      all.push({
        name: `${owner}/${file}`,
        text,
        checksum: createHash("sha256").update(text).digest("hex"),
      });
    }
  }
  const places = new Map(order.map((name, place) => [name, place]));
  const placeOf = ({ name }: Migration) => places.get(name) ?? order.length;
  return all.toSorted((one, other) => placeOf(one) - placeOf(other));
}

/**
 * Until they belonged to features, migrations were named without an owner, such as 0001_ledger.sql.
 * @throws MigrationError
 */
export function assertReleased(names: readonly string[]): void {
  const old = names.find((name) => !name.includes("/"));
  if (old === undefined) return;
  throw new MigrationError(
    "unreleased",
    `this database was made by a version of Bursar from before its first release (migration ${old}), and cannot be carried over: ` +
      "move or delete the data folder, or give DATABASE_URL an empty database, and start again",
  );
}
