import { join } from "node:path";
import { createPublicClient, http } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { addresses as deployed } from "#addresses";
import { isDevelopmentChain } from "#offchain/core/localChain.ts";
import { type Agent, createAgent } from "#offchain/sdk/agent.ts";
import { createClient } from "#offchain/sdk/client.ts";
import { signRequests } from "#offchain/sdk/http/request.ts";
import { type RetryOptions, untilAnswered } from "#offchain/sdk/http/retry.ts";
import { fileStates } from "#offchain/sdk/states.ts";
import { demoAccount, demoMnemonic, developmentAccount } from "./accounts.ts";
import { allotterIndex, cast } from "./cast.ts";
import { type Progress, runEconomy } from "./economy.ts";
import { type Options, readOptions } from "./options.ts";
import { approveAll } from "./owners.ts";
import { openSociety, type PowerOptions, societyOf } from "./power.ts";
import { setUpLocalChain } from "./setup.ts";
import { watchSolvency } from "./watch.ts";

/** A killed service is given this long to come back. */
const patienceMs = 600_000;
const progressEveryMs = 500;
const approveEveryMs = 2_000;
const checkSolvencyEveryMs = 30_000;

await main();

async function main(): Promise<void> {
  const stopping = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"])
    process.once(name, () => stopping.abort(new Error(`got ${name}`)));
  try {
    await play(readOptions(process.argv.slice(2), process.env), stopping.signal);
  } catch (error) {
    if (!stopping.signal.aborted) {
      say({ event: "failed", message: error instanceof Error ? error.message : String(error) });
      process.exitCode = 1;
    }
  }
}

async function play(options: Options, signal: AbortSignal): Promise<void> {
  const { api, rpc, data, seed, rate, payments } = options;
  const retry = { deadlineMs: patienceMs, signal };
  const chain = createPublicClient({ transport: http(rpc, { retryCount: 10 }) });
  const [chainId, genesis] = await Promise.all([chain.getChainId(), chain.getBlock({ blockNumber: 0n })]);
  // A local chain that was started anew has forgotten every channel: its life has its own folder, keys and channels.
  const life = `${(genesis.hash ?? "0x").slice(2, 14)}${chainId}`;
  const folder = join(data, `${chainId}-${life}`);
  const agents = await hire(options, chainId, folder, retry);
  const reader = createClient({ url: api, chain: chainId });
  say({ event: "waiting", api });
  await untilAnswered(() => reader.overview.show(), retry);
  const power = await moveIn(options, agents, chainId, life, signal);
  say({ event: "started", agents: agents.map(({ address }) => address), life, seed, rate, payments });
  const owners = options.isApproving ? approving(reader, signal) : null;
  const watching = watch(agents, signal);
  const states = fileStates(folder);
  const onProgress = throttled();
  const progress = await runEconomy({
    agents,
    states,
    seed,
    life,
    settlement: options.isDirect ? "direct" : "cleared",
    rate,
    payments,
    power,
    signal,
    onProgress,
  }).finally(() => watching.stop());
  const proposalsExecuted = (await owners?.finish()) ?? 0;
  say({ event: signal.aborted ? "stopped" : "finished", ...progress, proposalsExecuted });
}

function contractsOn(chainId: number) {
  const contracts = deployed[chainId as keyof typeof deployed];
  if (!contracts) throw new Error(`no contracts are known on chain ${chainId}`);
  return { usdc: contracts.TestUSDC, treasury: contracts.Treasury, clearing: contracts.Clearing };
}

/** The cast, each with an account of the demo's own mnemonic and a memory of its own. */
async function hire(
  { api, data }: Options,
  chainId: number,
  folder: string,
  retry: RetryOptions,
): Promise<Agent[]> {
  const contracts = contractsOn(chainId);
  const mnemonic = await demoMnemonic(data);
  return cast.map((_, index) =>
    createAgent({
      ...contracts,
      account: demoAccount(mnemonic, index),
      url: api,
      chainId,
      states: fileStates(join(folder, String(index))),
      retry,
    }),
  );
}

/** Money and budgets on the local chain, names at the service, and power for the work. Safe to repeat. */
async function moveIn(
  { api, rpc, operatorKey }: Options,
  agents: readonly Agent[],
  chainId: number,
  life: string,
  signal: AbortSignal,
): Promise<PowerOptions> {
  const isLocal = isDevelopmentChain(chainId);
  const addresses = agents.map(({ address }) => address);
  if (isLocal)
    await setUpLocalChain({
      rpcUrl: rpc,
      chainId,
      ...contractsOn(chainId),
      agents: addresses,
    });
  await Promise.all(
    agents.map((agent, index) => agent.register(cast[index]?.name ?? "", cast[index]?.role ?? "")),
  );
  const owner = agents[allotterIndex];
  if (!owner) throw new RangeError("the cast has no planner");
  const local = isLocal ? developmentAccount("operator") : null;
  const operator = operatorKey ? privateKeyToAccount(operatorKey) : local;
  const power: PowerOptions = {
    owner: owner.client,
    ownerAddress: owner.address,
    operator: operator && createClient({ url: api, authorize: signRequests(operator, chainId) }),
    life,
    society: societyOf(chainId),
    now: Date.now,
    signal,
  };
  await openSociety(power);
  return power;
}

/** Signs as the local chain's owners while the economy runs, and once more at its end. */
function approving(client: ReturnType<typeof createClient>, signal: AbortSignal) {
  const owners = [developmentAccount("owner1"), developmentAccount("owner2")];
  const retry = { deadlineMs: patienceMs, signal };
  let executed = 0;
  let running: Promise<void> = Promise.resolve();
  const look = () => {
    running = running.then(async () => {
      executed += (await approveAll(client, owners, retry)).length;
    });
    return running;
  };
  const timer = setInterval(() => void look().catch(() => clearInterval(timer)), approveEveryMs);
  return {
    async finish() {
      clearInterval(timer);
      await look();
      return executed;
    },
  };
}

/** The agents look after their own money meanwhile. */
function watch(agents: readonly Agent[], signal: AbortSignal) {
  const done = new AbortController();
  const watching = watchSolvency({
    agents,
    everyMs: checkSolvencyEveryMs,
    signal: AbortSignal.any([signal, done.signal]),
    onProblem: (finding) => say({ event: "solvency", ...finding }),
  });
  return {
    stop() {
      done.abort();
      return watching;
    },
  };
}

function throttled(): (progress: Progress) => void {
  let saidAt = 0;
  return (progress) => {
    if (performance.now() - saidAt < progressEveryMs) return;
    saidAt = performance.now();
    say({ event: "progress", ...progress });
  };
}

function say(line: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
