import { join } from "node:path";
import { parseArgs } from "node:util";
import { createPublicClient, http } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { addresses as deployed } from "#addresses";
import { type Agent, createAgent } from "#offchain/sdk/agent.ts";
import { createClient } from "#offchain/sdk/client.ts";
import { signRequests } from "#offchain/sdk/http/request.ts";
import { type RetryOptions, untilAnswered } from "#offchain/sdk/http/retry.ts";
import { fileStates } from "#offchain/sdk/states.ts";
import { demoAccount, demoMnemonic, developmentAccount, developmentChainIds } from "./accounts.ts";
import { allotterIndex, cast } from "./cast.ts";
import { type Progress, runEconomy } from "./economy.ts";
import { approveAll } from "./owners.ts";
import { openSociety, type PowerOptions, societyOf } from "./power.ts";
import { setUpLocalChain } from "./setup.ts";
import { watchSolvency } from "./watch.ts";

const usage = `node offchain/demo/main.ts [options]

Eight agents that buy work from each other over the public API, one JSON line of progress at a time.

  --api URL       the service             (http://127.0.0.1:4020)
  --rpc URL       the chain               (http://127.0.0.1:8545)
  --seed N        decides everything      (1)
  --rate N        payments per second, 0 = as fast as it goes (20; 0 with --once)
  --payments N    stop after N in all     (none; 2000 with --once)
  --direct        a channel to each partner, instead of one cleared deposit for all payees
  --data DIR      mnemonic and state      (data/demo)
  --once          stop after the payments and print a summary
  --approve       on the local chain: sign and execute proposals as two of its owners
`;

/** A killed service is given this long to come back. */
const patienceMs = 600_000;
const progressEveryMs = 500;
const approveEveryMs = 2_000;
const checkSolvencyEveryMs = 30_000;

const { values } = parseArgs({
  options: {
    api: { type: "string", default: "http://127.0.0.1:4020" },
    rpc: { type: "string", default: "http://127.0.0.1:8545" },
    seed: { type: "string", default: "1" },
    rate: { type: "string" },
    payments: { type: "string" },
    direct: { type: "boolean", default: false },
    data: { type: "string", default: "data/demo" },
    once: { type: "boolean", default: false },
    approve: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

if (values.help) console.log(usage);
else await main();

async function main(): Promise<void> {
  const stopping = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"])
    process.once(name, () => stopping.abort(new Error(`got ${name}`)));
  try {
    await play(stopping.signal);
  } catch (error) {
    if (!stopping.signal.aborted) {
      say({ event: "failed", message: error instanceof Error ? error.message : String(error) });
      process.exitCode = 1;
    }
  }
}

async function play(signal: AbortSignal): Promise<void> {
  const { seed, rate, payments } = numbers();
  const retry = { deadlineMs: patienceMs, signal };
  const chain = createPublicClient({ transport: http(values.rpc, { retryCount: 10 }) });
  const [chainId, genesis] = await Promise.all([chain.getChainId(), chain.getBlock({ blockNumber: 0n })]);
  // A local chain that was started anew has forgotten every channel: its life has its own folder, keys and channels.
  const life = `${(genesis.hash ?? "0x").slice(2, 14)}${chainId}`;
  const folder = join(values.data, `${chainId}-${life}`);
  const agents = await hire(chainId, folder, retry);
  const reader = createClient({ url: values.api, chain: chainId });
  say({ event: "waiting", api: values.api });
  await untilAnswered(() => reader.overview.show(), retry);
  const power = await settleIn(agents, chainId, life, signal);
  say({ event: "started", agents: agents.map(({ address }) => address), life, seed, rate, payments });
  const owners = values.approve ? approving(reader, signal) : null;
  const watching = watch(agents, signal);
  const states = fileStates(folder);
  const onProgress = throttled();
  const progress = await runEconomy({
    agents,
    states,
    seed,
    life,
    settlement: values.direct ? "direct" : "cleared",
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
async function hire(chainId: number, folder: string, retry: RetryOptions): Promise<Agent[]> {
  const contracts = contractsOn(chainId);
  const mnemonic = await demoMnemonic(values.data);
  return cast.map((_, index) =>
    createAgent({
      ...contracts,
      account: demoAccount(mnemonic, index),
      url: values.api,
      chainId,
      states: fileStates(join(folder, String(index))),
      retry,
    }),
  );
}

/** Money and budgets on the local chain, names at the service, and power for the work. Safe to repeat. */
async function settleIn(
  agents: readonly Agent[],
  chainId: number,
  life: string,
  signal: AbortSignal,
): Promise<PowerOptions> {
  const isLocal = developmentChainIds.includes(chainId);
  const addresses = agents.map(({ address }) => address);
  if (isLocal)
    await setUpLocalChain({
      rpcUrl: values.rpc,
      chainId,
      ...contractsOn(chainId),
      agents: addresses,
    });
  await Promise.all(
    agents.map((agent, index) => agent.register(cast[index]?.name ?? "", cast[index]?.role ?? "")),
  );
  const owner = agents[allotterIndex];
  if (!owner) throw new RangeError("the cast has no planner");
  const key = process.env.BURSAR_OPERATOR_KEY as `0x${string}` | undefined;
  const local = isLocal ? developmentAccount("operator") : null;
  const operator = key ? privateKeyToAccount(key) : local;
  const power: PowerOptions = {
    owner: owner.client,
    ownerAddress: owner.address,
    operator: operator && createClient({ url: values.api, authorize: signRequests(operator, chainId) }),
    life,
    society: societyOf(chainId),
    now: Date.now,
    signal,
  };
  await openSociety(power);
  return power;
}

function numbers(): { seed: number; rate: number; payments: number | null } {
  const whole = (name: "seed" | "rate" | "payments", fallback: string): number => {
    const number = Number(values[name] ?? fallback);
    if (!Number.isSafeInteger(number) || number < 0)
      throw new RangeError(`--${name} must be a whole number, got ${values[name]}`);
    return number;
  };
  const isCounted = values.once || values.payments !== undefined;
  return {
    seed: whole("seed", "1"),
    rate: whole("rate", values.once ? "0" : "20"),
    payments: isCounted ? whole("payments", "2000") : null,
  };
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
