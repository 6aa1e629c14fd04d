import { every } from "#offchain/platform/jobs/every.ts";
import { FailingJobs } from "#offchain/platform/jobs/failing.ts";
import type { Job } from "#offchain/platform/jobs/job.ts";
import { once } from "#offchain/platform/jobs/once.ts";
import type { TrueTime } from "#offchain/platform/observe/trueTime.ts";
import type { Platform } from "./platform.ts";
import type { Shutdown } from "./shutdown.ts";

/**
 * The jobs that may run while this machine's clock is in doubt, by name: they react to the chain or to what is stored, try
 * again, or show something. Every other job waits, also one that is added and of which nobody has thought: what expires,
 * is forgotten or is paid because of the time cannot be taken back.
 */
export const jobsOnAnyClock: ReadonlySet<string> = new Set([
  // Claims and payouts of what is owed already; a payer that leaves does not wait for our clock.
  "settle",
  "claim payers",
  "closing channels",
  "payouts",
  "claim sales",
  // Roots, whose time is the chain's own.
  "clear",
  // What other instances follow.
  "treasuries",
  // What is owed and held, and how things stand.
  "solvency",
  "show solvency",
  "announce",
]);

/** A job under the name that is its own among those of all chains. */
export interface NamedJob extends Job {
  readonly runsOnAnyClock: boolean;
}

/** Starts the jobs; `shutdown` stops them. Those that do not run on any clock pass while others contradict this one. */
export function startJobs(
  jobs: readonly NamedJob[],
  time: Pick<TrueTime, "fault">,
  { locks, log, clock }: Pick<Platform, "locks" | "log" | "clock">,
  shutdown: Shutdown,
): FailingJobs {
  const failing = new FailingJobs(clock);
  const running = jobs.map((job) => {
    const timely = async () => {
      if (!job.runsOnAnyClock && (await time.fault()) !== null) return;
      await job.run();
    };
    const alone = once(locks, job.name, timely);
    const run = async () => {
      if (!job.isExclusive) await timely();
      else if ((await alone()) === "elsewhere") return failing.passed(job.name);
      failing.done(job.name);
    };
    return every(job.everyMs, run, (error) => {
      if (failing.failed(job.name, error))
        log.error({ err: error, job: job.name }, "a job failed; it is tried again");
    });
  });
  shutdown.add("jobs", async () => void (await Promise.all(running.map((job) => job.stop()))));
  return failing;
}
