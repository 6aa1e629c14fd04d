// Gas of what users call, through real transactions, beside its peers.   npm run bench:gas [-- --json --check --write --at <time>]
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readCommand } from "#offchain/platform/commandLine.ts";
import { channelGas } from "./gas/channels.ts";
import { chainStart, connect } from "./gas/connection.ts";
import { compareGas, epochGas, type GasReport, printGas, snapshotOf } from "./gas/report.ts";
import { safeGas } from "./gas/safe.ts";
import { serviceGas } from "./gas/services.ts";
import { settlementGas } from "./gas/settlement.ts";
import { societyGas } from "./gas/society.ts";
import { treasuryGas } from "./gas/treasury.ts";

const snapshotPath = join(import.meta.dirname, "../../test/contracts/gas.json");

const help = `npm run bench:gas [-- options]

Deploys the contracts (via-IR build) on a fresh chain and prints the gas of whole transactions: base fee of 21,000,
calldata and refunds included. Micropayments are measured twice: a batch made by hand, and the same payments taken in
by the running service (a chain and a database of its own, some 40 s) and settled by its own jobs.

  --json    one JSON object as the last line
  --check   fails when a figure is not the one in test/contracts/gas.json
  --write   writes that file
  --at <t>  starts the chain at that time (ISO 8601): the figures must be the same at every hour of every day
  --calls   leaves the running service out: seconds instead of a minute`;

const values = readCommand(help, {
  json: { type: "boolean", default: false },
  check: { type: "boolean", default: false },
  write: { type: "boolean", default: false },
  at: { type: "string", default: chainStart },
  calls: { type: "boolean", default: false },
});

async function main(): Promise<void> {
  const connectNow = () => connect(values.at);
  const treasury = await treasuryGas(await connectNow());
  const channels = await channelGas(await connectNow());
  const services = await serviceGas(await connectNow());
  const society = await societyGas(await connectNow());
  const peers = await safeGas(await connectNow());
  const { calls: channelCalls, payees, ...byHand } = channels;
  const report: GasReport = {
    microPayment: { ...byHand, ...(!values.calls && { service: await settlementGas() }) },
    treasury: {
      quorumPayment: Number(treasury["quorum of 2, two signatures"]),
      fastPath: Number(treasury["pay, a day later"]),
      fastPathRandomReference: Number(treasury["pay, random reference"]),
      fastPathAverage: Number(treasury["pay, average of 1000 references of the SDK"]),
      peerQuorumPayment: Number(peers["Safe 1.4.1: 2-of-3 ERC-20 payment"]),
    },
    clearing: {
      payees: Object.fromEntries(
        Object.entries(payees).map(([count, gas]) => [count, epochGas(Number(count), gas)]),
      ),
    },
    calls: numbers({ ...treasury, ...channelCalls, ...services, ...society }),
    peers: numbers(peers),
  };
  printGas(report);
  const snapshot = snapshotOf(report);
  if (values.write) await writeFile(snapshotPath, `${JSON.stringify(snapshot, null, 2)}\n`);
  if (values.check) {
    const isSame = compareGas(JSON.parse(await readFile(snapshotPath, "utf8")), snapshot);
    process.exitCode = isSame ? 0 : 1;
  }
  if (values.json) console.log(JSON.stringify(report));
}

function numbers(figures: Record<string, bigint>): Record<string, number> {
  return Object.fromEntries(Object.entries(figures).map(([name, gas]) => [name, Number(gas)]));
}

await main();
