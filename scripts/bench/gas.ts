// Gas of what users call, through real transactions, beside its peers.   npm run bench:gas [-- --json --check --write]
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { channelGas } from "./channels.ts";
import { connect } from "./connection.ts";
import { safeGas } from "./safe.ts";
import { serviceGas } from "./services.ts";
import { settlementGas } from "./settlement.ts";
import { societyGas } from "./society.ts";
import { treasuryGas } from "./treasury.ts";

const snapshotPath = join(import.meta.dirname, "../../test/contracts/gas.json");
/** A byte of a signature costs less when it is zero, so the figures of one build differ by some gas between runs. */
const tolerance = 0.001;

const help = `npm run bench:gas [-- options]

Deploys the contracts (via-IR build) on a fresh chain and prints the gas of whole transactions: base fee of 21,000,
calldata and refunds included. Micropayments are measured twice: a batch made by hand, and the same payments taken in
by the running service (a chain and a database of its own, some 40 s) and settled by its own jobs.

  --json    one JSON object as the last line
  --check   fails when a figure is not the one in test/contracts/gas.json
  --write   writes that file`;

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    check: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

async function main(): Promise<void> {
  const treasury = await treasuryGas(await connect());
  const channels = await channelGas(await connect());
  const services = await serviceGas(await connect());
  const society = await societyGas(await connect());
  const peers = await safeGas(await connect());
  const service = await settlementGas();
  const report = {
    microPayment: {
      cleared: channels.cleared,
      direct: channels.direct,
      directToOnePayee: channels.directToOnePayee,
      erc20Transfer: channels.erc20Transfer,
      eip3009Transfer: channels.eip3009Transfer,
      service,
    },
    treasury: {
      quorumPayment: Number(treasury["quorum of 2, two signatures"]),
      fastPath: Number(treasury["pay, a day later"]),
      peerQuorumPayment: Number(peers["Safe 1.4.1: 2-of-3 ERC-20 payment"]),
    },
    calls: numbers({ ...treasury, ...channels.calls, ...services, ...society }),
    peers: numbers(peers),
  };
  console.log(
    "\nGas per micropayment: 10,000 payments among 100 payers and 100 payees, 100 payments a voucher",
  );
  const { service: throughService, ...byHand } = report.microPayment;
  console.table({ "made by hand": byHand, "through the service": throughService });
  console.log("Gas of calls");
  console.table({ ...report.calls, ...report.peers });
  const snapshot = {
    microPayment: rounded(byHand),
    microPaymentThroughService: rounded(throughService),
    calls: report.calls,
  };
  if (values.write) await writeFile(snapshotPath, `${JSON.stringify(snapshot, null, 2)}\n`);
  if (values.check) compare(JSON.parse(await readFile(snapshotPath, "utf8")), snapshot);
  if (values.json) console.log(JSON.stringify(report));
}

type Snapshot = Record<string, Record<string, number>>;

/** Cheaper is worth committing, too: both ways are told. */
function compare(committed: Snapshot, measured: Snapshot): void {
  const lines = [...new Set([...names(committed), ...names(measured)])].flatMap((name) => {
    const [was, is] = [at(committed, name), at(measured, name)];
    if (was !== undefined && is !== undefined && Math.abs(is - was) <= was * tolerance) return [];
    return [`${name}: ${was ?? "not there"} in test/contracts/gas.json, ${is ?? "not there"} now`];
  });
  for (const line of lines) console.error(line);
  if (lines.length === 0) console.log(`gas is as committed: ${names(committed).length} figures`);
  else console.error("if that is meant, write it: npm run bench:gas -- --write");
  process.exitCode = lines.length === 0 ? 0 : 1;
}

const names = (of: Snapshot): string[] =>
  Object.entries(of).flatMap(([group, figures]) => Object.keys(figures).map((name) => `${group}/${name}`));

function at(of: Snapshot, name: string): number | undefined {
  const [group = "", ...rest] = name.split("/");
  return of[group]?.[rest.join("/")];
}

const rounded = (figures: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(figures).map(([name, gas]) => [name, Math.round(gas)]));

function numbers(figures: Record<string, bigint>): Record<string, number> {
  return Object.fromEntries(Object.entries(figures).map(([name, gas]) => [name, Number(gas)]));
}

if (values.help) console.log(help);
else await main();
