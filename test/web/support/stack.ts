import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startStack as startAll } from "../../../scripts/stack/stack.ts";

export interface Stack {
  webUrl: string;
  apiUrl: string;
  rpcUrl: string;
  stop(): Promise<void>;
}

const root = fileURLToPath(new URL("../../..", import.meta.url));

/**
 * Starts the whole of Bursar as `npm start` does, on free ports with a fresh database, and the demo economy, so that
 * there is something to see and to decide. With BURSAR_TEST_STACK (JSON of the three addresses) one that already
 * runs is used instead.
 */
export async function startStack(): Promise<Stack> {
  const running = process.env.BURSAR_TEST_STACK;
  if (running) return { ...(JSON.parse(running) as Omit<Stack, "stop">), stop: async () => {} };
  const dataDir = await mkdtemp(join(root, "data/web-test-"));
  const stack = await startAll({ dataDir, build: "default" });
  const { webUrl, apiUrl, rpcUrl } = stack;
  if (!webUrl) throw new Error("the stack was started without its dashboard");
  const demo = spawn(
    process.execPath,
    [
      join(root, "offchain/agents/main.ts"),
      ...["--api", apiUrl, "--rpc", rpcUrl, "--data", dataDir, "--seed", "1", "--rate", "20"],
    ],
    { stdio: "ignore" },
  );
  return {
    webUrl,
    apiUrl,
    rpcUrl,
    async stop() {
      if (demo.exitCode === null && demo.kill("SIGINT")) await once(demo, "exit");
      await stack.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
