import { spawn } from "node:child_process";
import { totalmem } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { answers, assertOurs, type Connection } from "./connection.ts";
import { serverPid } from "./folders.ts";
import { asServerUser, isAlive, PostgresStartError } from "./system.ts";

/** A server at work: a child of this process, or another process's that was adopted. */
export interface Server {
  readonly isAdopted: boolean;
  lastWords(): string;
  /** Whether it has ended, or never began. */
  isOver(): boolean;
  /** Resolves once it has ended. */
  ended(): Promise<void>;
  /** A "fast" shutdown: disconnects clients, writes a checkpoint. */
  stop(): Promise<void>;
}

/** What is served, by which program, and where it answers. */
export interface ServerFolder {
  readonly dataDir: string;
  readonly connection: Connection;
  /** The program `postgres`. */
  program(): Promise<string>;
}

const startTimeoutMs = 30_000;
/** A server that was killed reads its log again before it answers, which takes its time. */
const recoveryTimeoutMs = 15 * 60_000;
/** Between looks at a server that is no child of ours: nobody tells us when it ends. */
const watchEveryMs = 200;

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
 * The server of the folder: the one that answers already, or a new one. Of several processes that start one at the same
 * time PostgreSQL's own lock file lets one through, and the others adopt what that one has started.
 * @throws PostgresStartError
 */
export async function serveOrAdopt(place: ServerFolder): Promise<Server> {
  const deadline = Date.now() + startTimeoutMs;
  for (;;) {
    const running = await adopted(place);
    if (running) return running;
    const child = serve(await place.program(), place);
    try {
      await ready(child, place.connection);
      return child;
    } catch (error) {
      // One that does not answer would hold the folder against the next.
      await child.stop();
      if (Date.now() > deadline || !isTaken(child.lastWords())) throw error;
      await delay(100);
    }
  }
}

/** Another process has just begun to serve the folder; or helpers of a server that was killed outlive it for a moment. */
const isTaken = (words: string) => words.includes("shared memory block") || words.includes("postmaster.pid");

/**
 * The server that is running, once it answers; null when there is none. One that is being killed may hold the folder for
 * a moment, one that starts is waited for.
 * @throws PostgresStartError
 */
async function adopted({
  dataDir,
  connection,
}: Pick<ServerFolder, "dataDir" | "connection">): Promise<Server | null> {
  const deadline = Date.now() + startTimeoutMs;
  for (;;) {
    if (await answers(connection)) {
      await assertOurs(connection, dataDir);
      const pid = await serverPid(dataDir);
      if (pid !== null) return watched(pid);
    }
    const pid = await serverPid(dataDir);
    if (pid === null || !isAlive(pid)) return null;
    if (Date.now() > deadline)
      throw new PostgresStartError(
        `process ${pid} holds ${dataDir} and does not answer; stop it and start again`,
      );
    await delay(50);
  }
}

function watched(pid: number): Server {
  const isOver = () => !isAlive(pid);
  return {
    isAdopted: true,
    lastWords: () => "",
    isOver,
    async ended() {
      while (!isOver()) await delay(watchEveryMs, undefined, { ref: false });
    },
    async stop() {
      if (isOver()) return;
      process.kill(pid, "SIGINT");
      while (!isOver()) await delay(20);
    },
  };
}

function serve(program: string, { dataDir, connection: { host, port } }: ServerFolder): Server {
  const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const child = spawn(program, ["-D", dataDir, "-k", host, "-p", String(port), ...flags], {
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
  const isOver = () => hasFailed || child.exitCode !== null || child.signalCode !== null;
  const ended = () =>
    new Promise<void>((done) => {
      if (isOver()) done();
      else child.once("exit", () => done());
    });
  return {
    isAdopted: false,
    lastWords: () => words.trim(),
    isOver,
    ended,
    async stop() {
      if (isOver()) return;
      const gone = ended();
      child.ref();
      child.kill("SIGINT");
      await gone;
    },
  };
}

async function ready({ isOver, lastWords }: Server, connection: Connection): Promise<void> {
  const deadline = Date.now() + recoveryTimeoutMs;
  while (!(await answers(connection))) {
    if (isOver() || Date.now() > deadline)
      throw new PostgresStartError(`PostgreSQL did not start: ${lastWords() || "no answer"}`);
    await delay(20);
  }
}
