import { join } from "node:path";
import { installBrowser } from "../stack/browser.ts";
import { buildDashboard } from "../stack/dashboard.ts";
import { installRedis } from "../stack/redis.ts";
import type { Task } from "./schedule.ts";

const root = join(import.meta.dirname, "../..");
const bin = (name: string) => join(root, "node_modules/.bin", name);
const node = process.execPath;

export interface Check extends Task {
  /** Takes seconds: part of `npm run check`. */
  isQuick?: boolean;
  run: string[] | (() => Promise<void>);
  /** Reads how many tests passed from the output. */
  count?: (output: string) => number;
  /** Its last line is worth reading also when all is well. */
  isTold?: boolean;
}

/** The native compiler, in a quarter of the time; packages that read types by the compiler's own API need version 6. */
const types = [node, join(root, "node_modules/typescript-7/bin/tsc"), "--checkers", "1", "-p"];

const vitestCount = (output: string) =>
  Number(/Tests\s+(?:\d+ failed \| )?(\d+) passed/.exec(output)?.[1] ?? 0);
const hardhatCount = (output: string) =>
  [...output.matchAll(/^\s*(\d+) passing/gm)].reduce((sum, [, passed]) => sum + Number(passed), 0);

const compiled = ["contracts compile"];

/**
 * Every check. Each keeps about one core busy, and they run as many at a time as there are cores. The order is that in
 * which they start: what others wait for and what takes longest comes first, so that the lanes end together.
 */
export const checks: readonly Check[] = [
  { name: "contracts compile", isQuick: true, run: [bin("hardhat"), "build", "--quiet"] },
  { name: "Redis is installed", run: installRedis },
  {
    name: "service on a real chain and database",
    after: [...compiled, "Redis is installed"],
    run: [bin("vitest"), "run", "--project", "offchain"],
    count: vitestCount,
  },
  { name: "format and lint (TypeScript)", isQuick: true, run: [bin("biome"), "ci", "."] },
  {
    name: "format (Solidity)",
    isQuick: true,
    run: [bin("prettier"), "--check", "--log-level", "warn", "contracts/**/*.sol", "test/**/*.sol"],
  },
  {
    name: "lint (Solidity)",
    isQuick: true,
    run: [bin("solhint"), "--disc", "--max-warnings", "0", "contracts/**/*.sol"],
  },
  { name: "generated routes are current", isQuick: true, run: [node, "scripts/sdk/routes.ts", "--check"] },
  {
    name: "dependency directions",
    isQuick: true,
    run: [bin("depcruise"), "offchain", "web", "--config", ".dependency-cruiser.cjs"],
  },
  {
    name: "code in the docs type-checks",
    isQuick: true,
    after: compiled,
    run: [node, "scripts/check/docs.ts"],
    isTold: true,
  },
  { name: "the house's own rules", isQuick: true, run: [node, "scripts/house.ts", "--check"], isTold: true },
  { name: "unused code", isQuick: true, run: [bin("knip")] },
  { name: "unit tests", isQuick: true, run: [bin("vitest"), "run", "--project", "unit"], count: vitestCount },
  { name: "types (dashboard)", isQuick: true, run: [...types, "web"] },
  {
    name: "dashboard builds",
    // Its build writes types that the other one reads.
    after: ["types (dashboard)"],
    run: async () => {
      await buildDashboard(join(root, "data/logs/web-build.log"));
    },
  },
  { name: "types (service, scripts, tests)", isQuick: true, after: compiled, run: [...types, "."] },
  {
    name: "generated files are current",
    isQuick: true,
    after: compiled,
    run: [node, "scripts/contracts/generate.ts", "--check"],
  },
  {
    name: "contracts' words, ABI and storage layout are current",
    isQuick: true,
    run: [node, "scripts/contracts/surface.ts", "--check"],
  },
  {
    name: "contracts (Solidity)",
    after: compiled,
    run: [bin("hardhat"), "test", "solidity", "--no-compile"],
    count: hardhatCount,
  },
  {
    name: "contracts (viem)",
    after: compiled,
    run: [bin("hardhat"), "test", "nodejs", "--no-compile"],
    count: hardhatCount,
  },
  {
    name: "shipped creation code is the build's",
    run: [node, "scripts/contracts/creationCode.ts", "--check"],
    isTold: true,
  },
  { name: "gas is as committed", run: [node, "scripts/bench/gas.ts", "--check"], isTold: true },
  { name: "migrations are as they were", isQuick: true, run: [node, "scripts/check/migrations.ts"] },
  {
    name: "accounting kernels are proved",
    // Z3 answers each query once; `npm run prove` asks all of them again.
    run: [node, "scripts/contracts/prove.ts", "--recorded"],
    isTold: true,
  },
  { name: "browser is installed", after: ["Redis is installed"], run: installBrowser },
  browserCheck("pages in a real browser", "pages.test.ts"),
  browserCheck("approvals in a real browser", "approvals.test.ts", "sent.test.ts", "stops.test.ts"),
  { name: "coverage of the contracts", run: [node, "scripts/contracts/coverage.ts"], isTold: true },
];

/** Each file has a stack of its own, so that two lanes share them. */
function browserCheck(name: string, ...files: string[]): Check {
  return {
    name,
    after: [...compiled, "browser is installed", "dashboard builds", "service on a real chain and database"],
    run: [bin("vitest"), "run", "--project", "web", ...files],
    count: vitestCount,
  };
}
