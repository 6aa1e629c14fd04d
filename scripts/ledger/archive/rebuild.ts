// Makes an empty database anew from the chain, and from an archive what the chain does not know.
//   npm run rebuild -- --database <url> --rpc <url> [--archive <folder>] [--compare <url or data folder>]
import { readConfig, secretsOf } from "#offchain/app/config.ts";
import { readTrialBalance } from "#offchain/features/ledger/store/statements.ts";
import { verifyJournal } from "#offchain/features/ledger/store/verify.ts";
import { readCommand } from "#offchain/platform/commandLine.ts";
import { createLog } from "#offchain/platform/observe/log.ts";
import { compareDatabases } from "./compare.ts";
import { isEmpty, openPlace } from "./database.ts";
import { ArchiveFault, type Head, readHead } from "./files.ts";
import { type Followed, followChains } from "./restore/follow.ts";
import { type Mark, markOf, nothingYet, restoreArchive } from "./restore/restore.ts";

const help = `npm run rebuild -- --database <url> --rpc <url> [options]

  --database <url>     an empty PostgreSQL database
  --rpc <url>          a node of the first chain; the service's other settings come from the environment, as for the service
  --archive <folder>   what npm run archive wrote
  --onto-backup        the database is a restored backup instead: what it lacks is added to it; no service may work with it
  --compare <place>    compares row by row with another database: a URL, or a data folder
  --json               one JSON object as the last line

Exit code 1 when the database is not empty, the archive is not whole, or a row differs. docs/archive.md says which table is
made of what, and what is not compared.`;

const values = readCommand(help, {
  database: { type: "string" },
  rpc: { type: "string" },
  archive: { type: "string" },
  "onto-backup": { type: "boolean", default: false },
  compare: { type: "string" },
  json: { type: "boolean", default: false },
});

const clear = () => process.stderr.isTTY && process.stderr.write("\r\u001b[K");
let toldAt = 0;

/** A line that is written over on a terminal; elsewhere one every few seconds. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
  else if (performance.now() - toldAt > 5_000) {
    console.error(text);
    toldAt = performance.now();
  }
}

await main();

async function main(): Promise<void> {
  const { database, rpc, archive, compare } = values;
  if (database === undefined || rpc === undefined) {
    console.error(`--database and --rpc are needed\n\n${help}`);
    process.exitCode = 2;
    return;
  }
  try {
    const head = archive === undefined ? null : await readHead(archive);
    if (archive !== undefined && !head) throw new ArchiveFault(`${archive} has no head.json`);
    const mark = values["onto-backup"] ? await markOfBackup(database) : nothingYet;
    if (!values["onto-backup"] && !(await isEmpty(database)))
      throw new ArchiveFault(
        "the database is not empty: what is in it could not be told from what is rebuilt",
      );
    await rebuild(database, rpc, archive === undefined || !head ? null : { folder: archive, head, mark });
    if (compare !== undefined) await compareWith(database, compare);
  } catch (error) {
    clear();
    if (!(error instanceof ArchiveFault)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}

async function rebuild(
  database: string,
  rpc: string,
  archive: { folder: string; head: Head; mark: Mark } | null,
): Promise<void> {
  const config = readConfig({ ...process.env, DATABASE_URL: database, BURSAR_RPC_URL: rpc });
  const clock = { now: () => Date.now() };
  const log = createLog({ level: "warn", clock, secrets: secretsOf(config) });
  const startedAt = performance.now();
  const followed = await followChains(config, log, (indexedTo, to) =>
    progress(`chain: block ${indexedTo} of ${to}`),
  );
  try {
    clear();
    const chainMs = Math.round(performance.now() - startedAt);
    console.log(`the chain is read to its head (${(chainMs / 1_000).toFixed(1)} s)`);
    if (archive) {
      await assertSameChains(followed, archive.head);
      const restored = await restoreArchive(followed, archive.folder, archive.head, {
        mark: archive.mark,
        told: (done, of) => progress(`archive: line ${done} of ${of}`),
      });
      await followed.caughtUp();
      clear();
      const { payments, transfers, stateLines, uncovered, unconfirmed } = restored;
      console.log(
        `${payments} payments, ${transfers} lines of transfers, ${stateLines} lines of what stood are restored`,
      );
      if (uncovered > 0) console.log(`${uncovered} payments are not covered by their channel any more`);
      if (unconfirmed > 0)
        console.log(`${unconfirmed} vouchers are of accounts whose code does not stand by them today`);
    }
    await assertWhole(followed);
  } finally {
    await followed.close();
  }
}

async function markOfBackup(database: string): Promise<Mark> {
  const place = await openPlace(database);
  try {
    return await markOf(place.sql);
  } finally {
    await place.close();
  }
}

async function assertSameChains({ platform: { sql } }: Followed, { chains }: Head): Promise<void> {
  for (const [id, { genesis }] of Object.entries(chains)) {
    const [run] = await sql<{ genesis: string }[]>`
      SELECT '0x' || encode(genesis_hash, 'hex') AS genesis FROM chain_run WHERE chain_id = ${id} AND ended_at IS NULL`;
    if (run?.genesis !== genesis)
      throw new ArchiveFault(
        `the archive is of a chain ${id} that began with ${genesis}; the one that is read began with ${run?.genesis ?? "nothing: it is not followed"}`,
      );
  }
}

async function assertWhole({ platform: { sql } }: Followed): Promise<void> {
  const { broken } = await verifyJournal(sql, () => {});
  if (broken)
    throw new ArchiveFault(`the rebuilt ledger's hash chain is broken: ${broken.what}, ${broken.why}`);
  const { balanced } = await readTrialBalance(sql);
  if (!balanced) throw new ArchiveFault("the rebuilt books do not balance");
  console.log("the rebuilt ledger is whole, and balances");
}

async function compareWith(database: string, place: string): Promise<void> {
  const [rebuilt, running] = [await openPlace(database), await openPlace(place)];
  try {
    const found = await compareDatabases(rebuilt.sql, running.sql, ({ table, key, ...rows }) =>
      console.log(
        `${table} ${key}\n  rebuilt ${rows.rebuilt ?? "(none)"}\n  running ${rows.running ?? "(none)"}`,
      ),
    );
    console.log(`${found.rows} rows of ${found.tables} tables are compared; ${found.differences} differ`);
    if (values.json) console.log(JSON.stringify(found));
    if (found.differences > 0) process.exitCode = 1;
  } finally {
    await rebuilt.close();
    await running.close();
  }
}
