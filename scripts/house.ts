// The house's own rules, which no tool knows: what may stand where, and how long it may be.
//   node scripts/house.ts [--check]
import { join } from "node:path";
import { readCommand } from "#offchain/platform/commandLine.ts";
import { readProject, type Violation } from "./house/file.ts";
import { type Inspection, inspect } from "./house/inspect.ts";
import { limits } from "./house/size.ts";

if (import.meta.main) {
  const values = readCommand("node scripts/house.ts [--check]", {
    check: { type: "boolean", default: false },
  });
  const inspection = inspect(await readProject(join(import.meta.dirname, "..")));
  const { violations } = inspection;
  show(violations);
  console.log(tableOf(inspection));
  console.log(`${violations.length} found`);
  if (values.check && violations.length > 0) process.exitCode = 1;
}

function show(violations: readonly Violation[]): void {
  for (const [rule, found] of Map.groupBy(violations, (one) => one.rule)) {
    console.log(rule);
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
