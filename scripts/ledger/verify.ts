// Walks the ledger's hash chains and names the first entry that is not as it was written, then compares them with what was
// signed and anchored of them.
//   npm run ledger:verify [-- --data data --rpc <url> --operator <address> --json]      with DATABASE_URL: that database
import { join } from "node:path";
import { type Address, createPublicClient, http, isAddress } from "viem";
import { migrations } from "#offchain/app/migrations.ts";
import { readAnchors } from "#offchain/features/anchors/contract.ts";
import {
  type AnchorReport,
  type BrokenAnchor,
  verifyAnchors,
} from "#offchain/features/anchors/verification.ts";
import { openLedger } from "#offchain/features/ledger/ledger.ts";
import { readTrialBalance } from "#offchain/features/ledger/store/statements.ts";
import { verifyJournal } from "#offchain/features/ledger/store/verify.ts";
import { contractsOn } from "#offchain/platform/chain/contracts/contracts.ts";
import { readCommand } from "#offchain/platform/commandLine.ts";
import { openDatabase } from "#offchain/platform/database/database.ts";
import { startPostgres } from "#offchain/platform/database/postgres.ts";

const help = `npm run ledger:verify [-- options]

  --data <folder>   the service's data folder, when DATABASE_URL is not set (default: BURSAR_DATA_DIR or data)
  --rpc <url>       compares the anchors with those of the chain behind this provider, too: only that shows a past that
                    was rewritten whole, its anchors included
  --operator <address>
                    who may have signed the heads, again for each one there was: heads that anybody else has signed are
                    broken. Without it, the command only prints who has
  --json            one JSON object as the last line

Exit code 1 when an entry, a hold, a key or a rule was changed, is missing or was added, the books do not balance, or the
ledger is not the one that was signed and anchored.`;

const values = readCommand(help, {
  data: { type: "string", default: process.env.BURSAR_DATA_DIR ?? "data" },
  rpc: { type: "string" },
  operator: { type: "string", multiple: true },
  json: { type: "boolean", default: false },
});

const brokenWords: Readonly<Record<BrokenAnchor["why"], string>> = {
  root: "its heads are not those of its root",
  signature: "it is not signed by whom it names",
  signer: "it is signed by somebody who is not the operator",
  journal: "the ledger is not what it was then",
  chain: "the chain has another root under its number",
  unknown: "the chain has a root that is not in this database",
  missing: "the chain does not have it, though later heads were signed",
};

const operators = values.operator?.map(operatorOf);

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
    const anchored = await verifyAnchors({
      sql,
      ledger: openLedger(sql, Date),
      addressOn: (chainId) => contractsOn(chainId).receiptAnchor,
      ...(operators && { operators }),
      ...(values.rpc !== undefined && { onChain: await anchorsBehind(values.rpc) }),
    });
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
    console.log(wordsOf(anchored));
    const { balanced, sums, mismatches } = trial;
    const answer = { ...report, balanced, sums, mismatches, anchored };
    if (values.json)
      console.log(
        JSON.stringify(answer, (_, value) => (typeof value === "bigint" ? value.toString() : value)),
      );
    process.exitCode = broken || !trial.balanced || anchored.broken ? 1 : 0;
  } finally {
    await sql.end({ timeoutMs: 5_000 });
    if (server && !server.wasRunning) await server.stop();
  }
}

function operatorOf(text: string): Address {
  if (isAddress(text)) return text;
  console.error(`--operator takes an address, not ${text}`);
  process.exit(2);
}

async function anchorsBehind(url: string) {
  const client = createPublicClient({ transport: http(url) });
  const chainId = await client.getChainId();
  const { receiptAnchor, multicall3 } = contractsOn(chainId);
  return { chainId, anchors: await readAnchors(client, receiptAnchor, multicall3) };
}

function wordsOf({ anchors, signers, onChain, broken }: AnchorReport): string {
  if (broken)
    return `BROKEN: anchor ${broken.epoch}: ${brokenWords[broken.why]}${broken.unit === null ? "" : ` (${broken.unit})`}`;
  if (anchors === 0) return "no heads were signed yet";
  const anchored = onChain === null ? "" : `; that chain has ${onChain} of these`;
  return `the ledger is the one that was signed: ${anchors} times, by ${signers.join(", ")}${anchored}`;
}

function progress(done: number, total: number): void {
  const share = total === 0 ? 100 : Math.floor((done * 100) / total);
  if (process.stderr.isTTY) process.stderr.write(`\r${share} %  ${done} of ${total} entries`);
  else if (share % 10 === 0) console.error(`${share} %  ${done} of ${total} entries`);
}
