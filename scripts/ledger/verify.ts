// Walks the ledger's hash chains and names the first entry that is not as it was written.
//   npm run ledger:verify [-- --data data --json]      with DATABASE_URL: that database
import { join } from "node:path";
import { migrations } from "#offchain/app/migrations.ts";
import { readTrialBalance } from "#offchain/features/ledger/store/statements.ts";
import { verifyJournal } from "#offchain/features/ledger/store/verify.ts";
import { readCommand } from "#offchain/platform/commandLine.ts";
import { openDatabase } from "#offchain/platform/database/database.ts";
import { startPostgres } from "#offchain/platform/database/postgres.ts";

const help = `npm run ledger:verify [-- options]

  --data <folder>   the service's data folder, when DATABASE_URL is not set (default: BURSAR_DATA_DIR or data)
  --json            one JSON object as the last line

Exit code 1 when an entry, a hold, a key or a rule was changed, is missing or was added, or the books do not balance.`;

const values = readCommand(help, {
  data: { type: "string", default: process.env.BURSAR_DATA_DIR ?? "data" },
  json: { type: "boolean", default: false },
});

await main();

async function main(): Promise<void> {
  const url = process.env.DATABASE_URL;
  const server = url ? null : await startPostgres({ dataDir: join(values.data, "postgres") });
  const sql = await openDatabase({
    connection: url ?? server?.connection ?? "",
    maxConnections: 2,
    migrations,
  });
  try {
    const startedAt = performance.now();
    const report = await verifyJournal(sql, progress);
    const trial = await readTrialBalance(sql);
    if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
    const line = (of: string, count: number, what: string, hash: string) =>
      console.log(`${of.padEnd(6)} ${String(count).padStart(10)} ${what}  ${hash}`);
    for (const { unit, height, hash, openings, openingHash } of report.heads) {
      line(unit, height, "entries", hash);
      line(unit, openings, "holds  ", openingHash);
    }
    line("rules", report.rules.height, "changes", report.rules.hash);
    const { broken } = report;
    console.log(
      broken
        ? `BROKEN: ${broken.unit} ${broken.what} ${broken.height || ""}${broken.transferId === null ? "" : ` (transfer ${broken.transferId})`}: ${broken.why}`
        : `${report.entries} entries are as they were written (${((performance.now() - startedAt) / 1_000).toFixed(1)} s)`,
    );
    console.log(trial.balanced ? "the books balance" : "THE BOOKS DO NOT BALANCE");
    const answer = { ...report, balanced: trial.balanced, sums: trial.sums, mismatches: trial.mismatches };
    if (values.json)
      console.log(
        JSON.stringify(answer, (_, value) => (typeof value === "bigint" ? value.toString() : value)),
      );
    process.exitCode = broken || !trial.balanced ? 1 : 0;
  } finally {
    await sql.end({ timeoutMs: 5_000 });
    if (server && !server.wasRunning) await server.stop();
  }
}

function progress(done: number, total: number): void {
  const share = total === 0 ? 100 : Math.floor((done * 100) / total);
  if (process.stderr.isTTY) process.stderr.write(`\r${share} %  ${done} of ${total} entries`);
  else if (share % 10 === 0) console.error(`${share} %  ${done} of ${total} entries`);
}
