// Loses a service under load and restores it elsewhere; everything that was acknowledged must be there again.
//   npm run rehearse:restore [-- --payers 8 --seconds 20 --keep --json]
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { readCommand } from "#offchain/platform/commandLine.ts";
import { startStack } from "../../stack/stack.ts";
import { rehearse } from "./rehearsal.ts";

const help = `npm run rehearse:restore [-- options]

  --payers <n>    how many pay at once (default 8)
  --seconds <n>   how long payments are made, about (default 20)
  --port <n>      first of the ports that are tried (default 28000)
  --keep          leave the databases, the archive and the logs
  --json          one JSON object as the last line

Exit code 1 when something acknowledged is missing, or the restored books are not whole.`;

const values = readCommand(help, {
  payers: { type: "string", default: "8" },
  seconds: { type: "string", default: "20" },
  port: { type: "string", default: "28000" },
  keep: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
});

const root = join(import.meta.dirname, "../../..");

await main();

async function main(): Promise<void> {
  await mkdir(join(root, "data"), { recursive: true });
  const dataDir = await mkdtemp(join(root, "data/rehearsal-"));
  const chain = Number(values.port);
  const env = { BURSAR_LOG_LEVEL: "warn", BURSAR_BATCH_SIZE: "500", BURSAR_BATCH_MIN_AMOUNT: "0.0005" };
  const ports = { chain, api: chain + 100, web: chain + 200 };
  console.error("starting chain, service and database");
  const stack = await startStack({ dataDir: join(dataDir, "lost"), isWebWanted: false, ports, env });
  // A Ctrl-C leaves nothing running behind.
  for (const signal of ["SIGINT", "SIGTERM"])
    process.once(signal, () => void stack.stop().finally(() => process.exit(130)));
  try {
    const found = await rehearse({
      stack,
      folder: join(dataDir, "restored"),
      channels: Number(values.payers),
      phaseMs: (Number(values.seconds) * 1_000) / 4,
      say: (what) => console.error(what),
    });
    for (const what of ["payments", "transfers"] as const) {
      const { acknowledged, beforeBackup, fromBackup, fromArchive, fromCallers } = found[what];
      console.log(
        `${acknowledged} ${what} were acknowledged, ${beforeBackup} of them before the backup's end:`,
      );
      console.log(
        `  ${fromBackup} from the backup, ${fromArchive} from the archive, ${fromCallers} from their callers`,
      );
    }
    if (found.paidByChain > 0)
      console.log(`  ${found.paidByChain} were paid out by the chain before they could be booked again`);
    console.log(`the backup took ${found.backupMs} ms, the restoration ${found.restoreMs} ms`);
    console.log("ledger, hash chain and chain agree");
    for (const { missing, missingInBackup } of [found.payments, found.transfers])
      if (missing + missingInBackup > 0) {
        console.error(`MISSING: ${missing}; ${missingInBackup} from before the backup's end are not in it`);
        process.exitCode = 1;
      }
    if (values.json) console.log(JSON.stringify(found));
  } finally {
    await stack.stop();
    if (!values.keep) await rm(dataDir, { recursive: true, force: true });
  }
}
