import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { BaseError, createTestClient, http, NonceTooLowError, publicActions, walletActions } from "viem";
import { type HDAccount, mnemonicToAccount } from "viem/accounts";
import { addresses } from "#addresses";
import { hardhat } from "#offchain/core/localChain.ts";
import { type Agent, createAgent } from "#offchain/sdk/agent.ts";
import { type Client, createClient } from "#offchain/sdk/client.ts";
import { signRequests } from "#offchain/sdk/http/request.ts";
import { fileStates } from "#offchain/sdk/states.ts";
import type { LocalChainId } from "../../../scripts/contracts/deploy.ts";
import { freePort } from "../../../scripts/stack/port.ts";
import { type Program, startProgram, untilReady } from "../../../scripts/stack/process.ts";
import { type Stack, startStack } from "../../../scripts/stack/stack.ts";
import { layDataFolder } from "./dataFolder.ts";
import { deployAgain } from "./deployment.ts";
import { testPort } from "./port.ts";

export const chainId = 31337;
export const contracts = addresses[chainId];

const root = join(import.meta.dirname, "../../..");

/** Hardhat's public development accounts: 0 operates, 1 to 3 own the Treasury, 4 to 9 hold USDC and play agents. */
export const account = (index: number): HDAccount =>
  mnemonicToAccount("test test test test test test test test test test test junk", { addressIndex: index });

/**
 * The local chain of a stack, with its time, blocks and tokens in our hands; nothing is cached. An account signs that does
 * nothing else: the operator's would take the nonces of what the service is sending.
 */
export const testChain = ({ rpcUrl }: Pick<Stack, "rpcUrl">) =>
  createTestClient({
    mode: "hardhat",
    chain: hardhat,
    account: account(10),
    transport: http(rpcUrl),
    cacheTime: 0,
    pollingInterval: 20,
  })
    .extend(publicActions)
    .extend(walletActions);

/** The whole service on a chain, database and folder of its own. */
export interface TestStack extends Stack {
  /** Everything, unsigned. */
  readonly client: Client;
  readonly operator: Client;
  /** At work on the default chain, or on the one that is named. */
  agent(index: number, chain?: LocalChainId): Agent;
}

/**
 * @param options.dataDir goes on with the database that an earlier stack left; `isKept` leaves it when this one stops.
 * @param options.port of the chain; the others follow it
 */
export async function startTestStack(
  env: Record<string, string> = {},
  options: { dataDir?: string; isKept?: boolean; chains?: 1 | 2; port?: number } = {},
): Promise<TestStack> {
  await mkdir(join(root, "data"), { recursive: true });
  const dataDir = options.dataDir ?? (await mkdtemp(join(root, "data/test-")));
  if (!options.dataDir) await layDataFolder(join(dataDir, "postgres"));
  const base = options.port ?? (await testPort());
  const stack = await startStack({
    dataDir,
    isWebWanted: false,
    ...(options.chains && { chains: options.chains }),
    ports: { chain: base, api: base + 100, web: base + 200 },
    deploy: deployAgain,
    // Tests compare books and chain after each step.
    env: { BURSAR_LOG_LEVEL: "warn", BURSAR_RECONCILE_EVERY_MS: "10", ...env },
  });
  return {
    ...stack,
    client: createClient({ url: stack.apiUrl }),
    operator: createClient({ url: stack.apiUrl, authorize: signRequests(account(0), chainId) }),
    agent: (index, chain = chainId) =>
      createAgent({
        account: account(index),
        url: stack.apiUrl,
        chainId: chain,
        usdc: addresses[chain].TestUSDC,
        treasury: addresses[chain].Treasury,
        clearing: addresses[chain].Clearing,
        states: fileStates(join(dataDir, `agent-${index}-${chain}`)),
      }),
    async stop() {
      await stack.stop();
      if (!options.isKept) await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** A second service beside the stack's own, on the same chain and database; `url` is where it answers. */
export async function startSecondService(
  stack: Stack,
  env: Record<string, string> = {},
): Promise<Program & { url: string }> {
  const port = await freePort(Number(new URL(stack.apiUrl).port) + 1);
  const url = `http://127.0.0.1:${port}`;
  const program = startProgram({
    name: "second service",
    command: process.execPath,
    args: [join(root, "offchain/main.ts")],
    env: {
      ...env,
      BURSAR_LOG_LEVEL: "warn",
      BURSAR_PORT: String(port),
      BURSAR_RPC_URL: stack.rpcUrl,
      // One folder, one database: whoever comes second uses the server that runs.
      BURSAR_DATA_DIR: stack.dataDir,
    },
    logFile: join(stack.dataDir, "logs/second.log"),
  });
  await untilReady(program, async () => (await fetch(`${url}/ready`)).ok, { timeoutMs: 60_000 });
  return { ...program, url };
}

/** Sends by the account that the service sends by as well: once more, where a transaction of the service's was first. */
export async function besideTheService(send: () => Promise<`0x${string}`>): Promise<`0x${string}`> {
  for (let tries = 1; ; tries += 1)
    try {
      return await send();
    } catch (error) {
      const wasLate = error instanceof BaseError && error.walk((cause) => cause instanceof NonceTooLowError);
      if (!wasLate || tries === 10) throw error;
    }
}

/** Resolves once the service has read the chain up to this block. */
export async function indexedTo({ client }: Pick<TestStack, "client">, block: bigint): Promise<void> {
  await until(
    () => client.overview.show(),
    ({ chain }) => BigInt(chain.indexedTo) >= block,
  );
}

/** Asks until the answer is as wanted; fails with the last answer after `timeoutMs`. */
export async function until<Answer>(
  ask: () => Promise<Answer>,
  isWanted: (answer: Answer) => boolean,
  timeoutMs = 60_000,
): Promise<Answer> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (isWanted(answer)) return answer;
    if (performance.now() > deadline) throw new Error(`still not as wanted: ${JSON.stringify(answer)}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}
