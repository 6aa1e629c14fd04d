import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { redisProgram } from "../../../scripts/stack/redis.ts";

/** A real Redis on a unix socket, without persistence: what it loses when it dies is part of the tests. */
export interface TestRedis {
  readonly url: string;
  /** Ends it as a power cut does. */
  kill(): Promise<void>;
  /** Starts it again, empty. */
  start(): Promise<void>;
  /** Stops answering, and goes on with `resume`. */
  pause(): void;
  resume(): void;
  stop(): Promise<void>;
}

export async function startTestRedis(): Promise<TestRedis> {
  // A socket's path is short by law, so it lies in the system's own folder for such things.
  const folder = await mkdtemp(join(tmpdir(), "bursar-redis-"));
  const socket = join(folder, "redis.sock");
  let child: ChildProcess | null = null;

  async function start(): Promise<void> {
    const options = [
      "--port",
      "0",
      "--unixsocket",
      socket,
      "--save",
      "",
      "--appendonly",
      "no",
      "--dir",
      folder,
    ];
    child = spawn(redisProgram, options, { stdio: ["ignore", "ignore", "inherit"] });
    const missing = once(child, "error").then(([error]) => {
      throw error;
    });
    const client = new Redis({ path: socket, retryStrategy: () => 20, maxRetriesPerRequest: null });
    client.on("error", () => {});
    try {
      await Promise.race([client.ping(), missing]);
    } finally {
      client.disconnect();
    }
  }

  async function kill(): Promise<void> {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }

  await start();
  return {
    url: `unix://${socket}`,
    start,
    kill,
    pause: () => void child?.kill("SIGSTOP"),
    resume: () => void child?.kill("SIGCONT"),
    async stop() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
