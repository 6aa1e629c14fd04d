// Archives what the chain does not know: accepted vouchers in their order, the ledger's own transfers, and what stands.
//   npm run archive -- --to <folder> [--data data]      with DATABASE_URL: that database
import { readCommand } from "#offchain/platform/commandLine.ts";
import { openPlace } from "./database.ts";
import { ArchiveFault, readHead } from "./files.ts";
import { takeArchive } from "./take.ts";

const help = `npm run archive -- --to <folder> [options]

  --to <folder>     the archive; where there is one, what is new is added to it
  --data <folder>   the service's data folder, when DATABASE_URL is not set (default: BURSAR_DATA_DIR or data)
  --json            one JSON object as the last line

The service may run meanwhile. docs/archive.md says what the files hold, and how anybody verifies them.`;

const values = readCommand(help, {
  to: { type: "string" },
  data: { type: "string", default: process.env.BURSAR_DATA_DIR ?? "data" },
  json: { type: "boolean", default: false },
});

await main();

async function main(): Promise<void> {
  if (values.to === undefined) {
    console.error(`--to is missing\n\n${help}`);
    process.exitCode = 2;
    return;
  }
  const place = await openPlace(process.env.DATABASE_URL || values.data);
  try {
    const told = (lines: number) => {
      if (process.stderr.isTTY) process.stderr.write(`\r${lines} lines`);
    };
    const taken = await takeArchive(place.sql, values.to, await readHead(values.to), {
      now: Date.now(),
      told,
    });
    if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
    const { head, payments, transfers, stateLines } = taken;
    console.log(
      `${payments} payments and ${transfers} lines of transfers added; ${stateLines} lines of what stands`,
    );
    console.log(`journal ${head.journal.lines} lines ${head.journal.hash}`);
    console.log(`state   ${head.state.lines} lines ${head.state.hash}`);
    if (values.json)
      console.log(JSON.stringify({ payments, transfers, stateLines, journal: head.journal.hash }));
  } catch (error) {
    if (!(error instanceof ArchiveFault)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  } finally {
    await place.close();
  }
}
