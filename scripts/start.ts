// Starts the whole of Bursar on this machine: a local chain, the contracts, the service with its database, the
// dashboard, and a demo economy of eight agents. `npm start -- --help` says more.
import { join, resolve } from "node:path";
import { readCommand } from "#offchain/platform/commandLine.ts";
import { claimDataFolder, DataFolderUnusable } from "./stack/dataFolder.ts";
import { checkOnce, type OnceSummary } from "./stack/once.ts";
import { NotReady, type Program, startProgram } from "./stack/process.ts";
import { Teller } from "./stack/progress.ts";
import { type Stack, startStack, wantedPorts } from "./stack/stack.ts";

const root = join(import.meta.dirname, "..");

const help = `npm start -- [options]

Starts a local chain, deploys the contracts, starts the service, the dashboard and a demo economy. The API's address is
printed when it answers; the dashboard's follows, the first time after it was built.

  --once              run the demo until its work is settled, check the books against the chain, stop
  --json              with --once: print one JSON object as the last line
  --chains <n>        local chains that the one service follows, 1 or 2; the demo trades on each (default 1)
  --no-demo           no demo economy
  --no-web            no dashboard
  --payments <n>      payments of the demo with --once (default 2000)
  --rate <n>          payments per second of the demo; 0: as fast as it goes (default 20; with --once 0)
  --seed <n>          the demo does the same for the same seed (default 1)
  --data <folder>     database, keys and logs (default data/)
  --chain-port, --api-port, --web-port <n>   ports to try first (${wantedPorts.chain}, ${wantedPorts.api}, ${wantedPorts.web})
  --help              this text

Ctrl-C stops everything. The next start goes on with the same database and a new chain: what was on the old one, money and
budgets too, is gone, and the ledger writes it off.`;

const values = readCommand(help, {
  once: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
  chains: { type: "string", default: "1" },
  "no-demo": { type: "boolean", default: false },
  "no-web": { type: "boolean", default: false },
  payments: { type: "string", default: "2000" },
  rate: { type: "string" },
  seed: { type: "string", default: "1" },
  data: { type: "string", default: join(root, "data") },
  "chain-port": { type: "string", default: String(wantedPorts.chain) },
  "api-port": { type: "string", default: String(wantedPorts.api) },
  "web-port": { type: "string", default: String(wantedPorts.web) },
});

process.exitCode = await main();

async function main(): Promise<number> {
  const options = readOptions();
  if (options === null) return 2;
  const progress = new Teller(process.stderr);
  const stopping = new AbortController();
  const interrupted = new Promise<"interrupted">((done) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
      process.once(signal, () => {
        stopping.abort();
        done("interrupted");
      });
  });
  try {
    await claimDataFolder(options.dataDir);
    const starting = startStack({ ...options, progress, signal: stopping.signal });
    const stack = await Promise.race([starting, interrupted]);
    if (stack !== "interrupted") return await run(stack, options, progress, interrupted);
    progress.say("stopping what was started");
    await starting.then((late) => late.stop()).catch(() => {});
    return 130;
  } catch (error) {
    if (!(error instanceof NotReady || error instanceof DataFolderUnusable)) throw error;
    console.error(error.message);
    if (error instanceof NotReady) console.error(`All logs are in ${join(options.dataDir, "logs")}`);
    return 1;
  }
}

type Options = NonNullable<ReturnType<typeof readOptions>>;

/** What is done with a stack that answers, until it is stopped. */
async function run(
  stack: Stack,
  options: Options,
  progress: Teller,
  interrupted: Promise<"interrupted">,
): Promise<number> {
  const demos = options.isDemoWanted ? stack.chains.map((chain) => startDemo(stack, chain, options)) : [];
  try {
    if (options.isOnce) {
      const summary = await Promise.race([checkOnce({ stack, demos, progress }), interrupted]);
      return summary === "interrupted" ? 130 : report(summary);
    }
    progress.beside(() => console.log(`API        ${stack.apiUrl}/docs`));
    const failed = stack.failed.then(({ name }) => name);
    const early = await Promise.race([interrupted, failed, stack.webReady]);
    if (early === undefined)
      progress.beside(() => {
        console.log(`Dashboard  ${stack.webUrl ?? "not started"}`);
        console.log("Stop       Ctrl-C");
      });
    const ended = early ?? (await Promise.race([interrupted, failed]));
    if (ended === "interrupted") return 0;
    console.error(`${ended} ended by itself; its log is in ${join(options.dataDir, "logs")}`);
    return 1;
  } finally {
    progress.say("stopping");
    await Promise.all(demos.map((demo) => demo.stop()));
    await stack.stop();
  }
}

function readOptions() {
  const faults: string[] = [];
  const whole = (name: string, text: string, most: number): number => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value <= most))
      faults.push(`--${name} must be a whole number from 0 to ${most}, not ${JSON.stringify(text)}`);
    return value;
  };
  const options = {
    isOnce: values.once,
    isDemoWanted: !values["no-demo"],
    chains: values.chains === "2" ? (2 as const) : (1 as const),
    isWebWanted: !values["no-web"] && !values.once,
    payments: whole("payments", values.payments, 1_000_000),
    rate: whole("rate", values.rate ?? (values.once ? "0" : "20"), 100_000),
    seed: whole("seed", values.seed, 999_999_999),
    dataDir: resolve(values.data),
    ports: {
      chain: whole("chain-port", values["chain-port"], 65_535),
      api: whole("api-port", values["api-port"], 65_535),
      web: whole("web-port", values["web-port"], 65_535),
    },
  };
  if (values.chains !== "1" && values.chains !== "2")
    faults.push(`--chains must be 1 or 2, not ${JSON.stringify(values.chains)}`);
  if (values.once && values["no-demo"])
    faults.push("--once is a run of the demo, so it cannot go with --no-demo");
  for (const fault of faults) console.error(fault);
  return faults.length > 0 ? null : options;
}

/** The demo economy of one chain: the same agents, with money of their own on it. */
function startDemo(
  stack: Stack,
  { chainId, rpcUrl }: Stack["chains"][number],
  { payments, rate, ...options }: Options,
): Program {
  const [first] = stack.chains;
  const share = (all: number) => String(Math.ceil(all / stack.chains.length));
  const args = [
    join(root, "offchain/demo/main.ts"),
    ...["--api", stack.apiUrl, "--rpc", rpcUrl, "--data", stack.dataDir],
    ...["--seed", String(options.seed), "--rate", share(rate)],
    ...(options.isOnce ? ["--payments", share(payments), "--once", "--approve"] : []),
  ];
  return startProgram({
    name: chainId === first?.chainId ? "demo economy" : `demo economy of chain ${chainId}`,
    command: process.execPath,
    args,
    logFile: join(stack.dataDir, "logs", chainId === first?.chainId ? "demo.log" : `demo-${chainId}.log`),
    onLine: () => {},
  });
}

function report(summary: OnceSummary): number {
  if (values.json) console.log(JSON.stringify(summary));
  else console.table(summary);
  return summary.ledgerBalanced && summary.chainMatchesLedger ? 0 : 1;
}
