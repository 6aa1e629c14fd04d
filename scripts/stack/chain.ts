import { join } from "node:path";
import { tail } from "./logs.ts";
import { untilReady } from "./process.ts";
import type { Programs } from "./programs.ts";
import type { Progress } from "./progress.ts";

const root = join(import.meta.dirname, "../..");
const readyTimeoutMs = 60_000;

export const chainId = 31337;

/** Starts a fresh local chain; resolves when it answers. */
export async function startChain(programs: Programs, port: number): Promise<void> {
  const chain = programs.start({
    name: "the chain",
    command: process.execPath,
    args: [
      join(root, "node_modules/hardhat/dist/src/cli.js"),
      "node",
      ...["--port", String(port), "--hostname", "127.0.0.1"],
    ],
  });
  await untilReady(chain, () => isChainUp(`http://127.0.0.1:${port}`), { timeoutMs: readyTimeoutMs });
}

/** In a process of its own: the compiler's warnings and Hardhat's state stay out of ours. */
export async function deployContracts(
  programs: Programs,
  options: { rpcUrl: string; logFile: string; progress: Progress },
): Promise<void> {
  const { rpcUrl, logFile, progress } = options;
  await programs.run(
    {
      name: "the deployment of the contracts",
      command: process.execPath,
      args: [join(root, "scripts/deploy.ts"), "--rpc-url", rpcUrl],
      env: { HARDHAT_IGNITION_CONFIRM_DEPLOYMENT: "false" },
      logFile,
      onLine: (line) => {
        if (/^(compiling|built) /.test(line)) progress.say(line);
      },
    },
    () => tail(logFile),
  );
}

async function isChainUp(rpcUrl: string): Promise<boolean> {
  const response = await fetch(rpcUrl, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_chainId", params: [] }),
  });
  const { result } = (await response.json()) as { result?: string };
  return Number(result) === chainId;
}
