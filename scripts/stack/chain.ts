import { join } from "node:path";
import { developmentChainIds } from "#offchain/core/localChain.ts";
import { tail } from "./logs.ts";
import { type Program, untilReady } from "./process.ts";
import type { Programs } from "./programs.ts";
import type { Progress } from "./progress.ts";

const root = join(import.meta.dirname, "../..");
const readyTimeoutMs = 60_000;

export const [chainId, secondChainId] = developmentChainIds;

/** A local chain that runs. */
export interface LocalChain {
  readonly chainId: number;
  readonly rpcUrl: string;
  readonly program: Program;
}

/** The arguments by which Node starts a fresh local chain. */
export const chainNode = (port: number, id: number): string[] => [
  join(root, "scripts/stack/chainNode.ts"),
  "--port",
  String(port),
  "--chain-id",
  String(id),
];

/** Starts a fresh local chain; resolves when it answers. */
export async function startChain(programs: Programs, port: number, id: number): Promise<LocalChain> {
  const rpcUrl = `http://127.0.0.1:${port}`;
  const program = programs.start({
    name: id === chainId ? "the chain" : `the chain ${id}`,
    command: process.execPath,
    args: chainNode(port, id),
  });
  await untilReady(program, () => isChainUp(rpcUrl, id), { timeoutMs: readyTimeoutMs });
  return { chainId: id, rpcUrl, program };
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
      args: [join(root, "scripts/contracts/deploy.ts"), "--rpc-url", rpcUrl],
      env: { HARDHAT_IGNITION_CONFIRM_DEPLOYMENT: "false" },
      logFile,
      onLine: (line) => {
        if (/^(compiling|built) /.test(line)) progress.say(line);
      },
    },
    () => tail(logFile),
  );
}

async function isChainUp(rpcUrl: string, id: number): Promise<boolean> {
  const response = await fetch(rpcUrl, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_chainId", params: [] }),
  });
  const { result } = (await response.json()) as { result?: string };
  return Number(result) === id;
}
