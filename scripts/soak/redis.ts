import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { redisProgram } from "../stack/redis.ts";

/** A Redis without persistence, on a unix socket; it may be killed and started again, empty. */
export interface SoakRedis {
  readonly url: string;
  kill(): Promise<void>;
  start(): void;
  stop(): Promise<void>;
}

/** Null where Redis is not installed. */
export async function startRedis(): Promise<SoakRedis | null> {
  const isInstalled = await access(redisProgram).then(
    () => true,
    () => false,
  );
  if (!isInstalled) return null;
  // A socket's path is short by law, so it lies in the system's own folder for such things.
  const folder = await mkdtemp(join(tmpdir(), "bursar-soak-"));
  const socket = join(folder, "redis.sock");
  const args = ["--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no", "--dir", folder];
  let child: ChildProcess;
  const start = () => {
    child = spawn(redisProgram, args, { stdio: "ignore" });
  };
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  };
  start();
  return {
    url: `unix://${socket}`,
    start,
    kill,
    async stop() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
