import type { Clock } from "#offchain/core/clock.ts";
import { BursarError } from "#offchain/core/error.ts";
import { isYounger } from "../age.ts";
import type { HealthCheck } from "../observe/health.ts";

/** How long a failure is shown while another instance holds the job: that one shows its own. */
const elsewhereMs = 60_000;

/** The jobs that do not work at the moment, for health and the log. */
export class FailingJobs {
  readonly #clock: Clock;
  readonly #failing = new Map<string, { times: number; reason: string; at: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @returns whether it is worth a line in the log: the first time, the second, the fourth, … of an outage */
  failed(job: string, error: unknown): boolean {
    const times = (this.#failing.get(job)?.times ?? 0) + 1;
    // Other errors may hold what is nobody's business, such as a provider's address.
    const reason = error instanceof BursarError ? error.message : "see the log";
    this.#failing.set(job, { times, reason, at: this.#clock.now() });
    return (times & (times - 1)) === 0;
  }

  done(job: string): void {
    this.#failing.delete(job);
  }

  /**
   * Another instance runs it, or this one's own lock has not ended yet: that says nothing of whether the job works. Instances
   * take turns, so the failure stays for a while; one that lies longer back is of the other instance to tell.
   */
  passed(job: string): void {
    const known = this.#failing.get(job);
    if (known && !isYounger(known.at, elsewhereMs, this.#clock.now())) this.#failing.delete(job);
  }

  /** Its part of `/health`: each failing job with why. */
  readonly check: HealthCheck = async () => {
    if (this.#failing.size === 0) return {};
    const detail = Object.fromEntries([...this.#failing].map(([job, { reason }]) => [job, reason]));
    return { status: "degraded", detail };
  };
}
