import { expect, it } from "vitest";
import { openChains } from "#offchain/app/chains.ts";
import { readConfig } from "#offchain/app/config.ts";
import { features } from "#offchain/app/features.ts";
import { type NamedJob, startJobs } from "#offchain/app/jobs.ts";
import { openFeatures } from "#offchain/app/openFeatures.ts";
import type { Platform } from "#offchain/app/platform.ts";
import { Shutdown } from "#offchain/app/shutdown.ts";
import { localKeeper } from "#offchain/platform/locks/local.ts";
import { openLocks } from "#offchain/platform/locks/locks.ts";
import { createBus } from "#offchain/platform/observe/bus.ts";
import { createLog } from "#offchain/platform/observe/log.ts";
import { createMetrics } from "#offchain/platform/observe/metrics.ts";

const clock = { now: () => 0 };
const log = createLog({ level: "silent", clock });
const locks = openLocks(localKeeper());

/** All features, opened on an empty database that nothing is asked of later. */
async function everyJob(): Promise<readonly NamedJob[]> {
  const config = readConfig({});
  const platform = {
    ...{ clock, log, locks },
    sql: () => Promise.resolve([]),
    recovery: {},
    bus: createBus({ run: 0, ringSize: 1 }),
    metrics: createMetrics({ process: false }),
  } as unknown as Platform;
  const opened = await openFeatures(features, config, platform, openChains(config, platform, features));
  return opened.jobs;
}

it("every job is known to run on any clock, or to wait while the clock is in doubt", async () => {
  const jobs = await everyJob();
  const named = (runs: boolean) =>
    jobs.filter(({ runsOnAnyClock }) => runsOnAnyClock === runs).map(({ name }) => name);
  // They expire, forget, or pay because of the time.
  expect(named(false)).toEqual([
    "expire holds",
    "run schedules",
    "forget keys",
    "expire",
    "forget sales 31337",
    "forget proofs 31337",
    "anchor 31337",
  ]);
  expect(named(true)).toEqual([
    "settle 31337",
    "claim payers 31337",
    "closing channels 31337",
    "payouts 31337",
    "clear 31337",
    "treasuries 31337",
    "claim sales 31337",
    "solvency 31337",
    "show solvency 31337",
    "announce 31337",
  ]);
});

it("while the clock is in doubt only those run that may, and the others as soon as it is not", async () => {
  let fault: string | null = "the clock is 40 days ahead";
  const ran: string[] = [];
  const job = (name: string, runsOnAnyClock: boolean): NamedJob => ({
    name,
    everyMs: 1,
    runsOnAnyClock,
    run: async () => void ran.push(name),
  });
  const shutdown = new Shutdown();
  const platform = { clock, log, locks };
  startJobs([job("pays", false), job("follows", true)], { fault: async () => fault }, platform, shutdown);
  await expect.poll(() => ran.length).toBeGreaterThan(5);
  expect(new Set(ran)).toEqual(new Set(["follows"]));
  fault = null;
  await expect.poll(() => ran).toContain("pays");
  await shutdown.run(log);
});
