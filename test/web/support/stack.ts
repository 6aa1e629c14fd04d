import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { addresses } from "#addresses";
import { demoAccount } from "#offchain/demo/accounts.ts";
import { type Agent, createAgent } from "#offchain/sdk/agent.ts";
import { fileStates } from "#offchain/sdk/states.ts";
import { startProgram } from "../../../scripts/stack/process.ts";
import { type Stack as Running, startStack as startAll } from "../../../scripts/stack/stack.ts";
import { eventually } from "./browser.ts";

export interface Stack extends Omit<Running, "webUrl"> {
  webUrl: string;
  /** Has an agent of the demo ask the Treasury for more than its line; resolves when the proposal is open. */
  ask(to: `0x${string}`, amount: string): Promise<{ proposalId: `0x${string}` }>;
}

const root = fileURLToPath(new URL("../../..", import.meta.url));
const chainId = 31337;

/**
 * Starts the whole of Bursar as `npm start` does, on free ports with a fresh database, and the demo economy, so that
 * there is something to see and to decide.
 */
export async function startStack(): Promise<Stack> {
  await mkdir(join(root, "data"), { recursive: true });
  const dataDir = await mkdtemp(join(root, "data/web-test-"));
  // Above those of the service's tests, which run beside.
  const base = 31_600 + Math.floor(Math.random() * 900);
  const stack = await startAll({
    dataDir,
    ports: { chain: base, api: base + 100, web: base + 200 },
    env: { BURSAR_LOG_LEVEL: "warn" },
  });
  const { webUrl, apiUrl, rpcUrl } = stack;
  if (!webUrl) throw new Error("the stack was started without its dashboard");
  await stack.webReady.catch(async (error: unknown) => {
    await stack.stop();
    throw error;
  });
  const demo = startProgram({
    name: "demo economy",
    command: process.execPath,
    args: [
      join(root, "offchain/demo/main.ts"),
      ...["--api", apiUrl, "--rpc", rpcUrl, "--data", dataDir, "--seed", "1", "--rate", "3"],
    ],
  });
  let asked = 0;
  return {
    ...stack,
    webUrl,
    async ask(to, amount) {
      const agent = await spender(stack);
      asked += 1;
      const { proposalId } = await agent.spend({ key: `test-${asked}`, to, amount });
      if (!proposalId) throw new Error(`${amount} USDC were paid at once: no proposal was opened`);
      return { proposalId: proposalId as `0x${string}` };
    },
    async stop() {
      await demo.stop();
      await stack.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** The demo's first agent, once its owners have given it a budget. */
async function spender({ apiUrl, dataDir }: Running): Promise<Agent> {
  const mnemonic = await eventually("the demo has made its mnemonic", () =>
    readFile(join(dataDir, "mnemonic"), "utf8").then(
      (text) => text.trim() || null,
      () => null,
    ),
  );
  const account = demoAccount(mnemonic, 0);
  const { Treasury, TestUSDC } = addresses[chainId];
  const agent = createAgent({
    account,
    url: apiUrl,
    chainId,
    usdc: TestUSDC,
    treasury: Treasury,
    states: fileStates(join(dataDir, "asking")),
  });
  await eventually("the agent has a budget", async () => {
    const { items } = await agent.client.treasury.budgets();
    return items.find(({ spender }) => spender === account.address) ?? null;
  });
  return agent;
}
