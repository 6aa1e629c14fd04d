// The house's own rules, which no tool knows: what may stand where, and how long it may be.
//   node scripts/house.ts [--check]
import { join } from "node:path";
import { readProject, type Violation } from "./house/file.ts";
import { type Inspection, inspect } from "./house/inspect.ts";
import { limits } from "./house/size.ts";

/** Folders that are being brought to the rules: what is found there is told, and fails nothing yet. */
const unfinished = [
  "contracts/",
  "offchain/features/",
  "offchain/platform/chain/",
  "offchain/platform/database/",
  "offchain/demo/",
  "scripts/",
  "test/",
];

if (import.meta.main) {
  const inspection = inspect(await readProject(join(import.meta.dirname, "..")));
  const isUnfinished = ({ path }: Violation) => unfinished.some((folder) => path.startsWith(folder));
  const failing = inspection.violations.filter((one) => !isUnfinished(one));
  show("still to be straightened", inspection.violations.filter(isUnfinished));
  show("broken", failing);
  console.log(tableOf(inspection));
  console.log(`${inspection.violations.length} found, ${failing.length} of them where nothing may be`);
  if (process.argv.includes("--check") && failing.length > 0) process.exitCode = 1;
}

function show(title: string, violations: readonly Violation[]): void {
  for (const [rule, found] of Map.groupBy(violations, (one) => one.rule)) {
    console.log(`${title}: ${rule}`);
    for (const { place, found: what } of found) console.log(`  ${place}  ${what}`);
  }
}

function tableOf({ longestFunction, longestFile, largestFolder }: Inspection): string {
  const rows = [
    ["longest function", longestFunction.size, limits.functionLines, longestFunction.place],
    ["longest file", longestFile.size, limits.fileLines, longestFile.place],
    ["largest folder", largestFolder.size, limits.folderEntries, largestFolder.place],
  ] as const;
  return rows
    .map(
      ([what, size, limit, place]) =>
        `${what.padEnd(28)}${String(size).padStart(5)} of ${String(limit).padEnd(5)} ${place}`,
    )
    .join("\n");
}
