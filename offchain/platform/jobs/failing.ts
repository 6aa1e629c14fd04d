import { BursarError } from "#offchain/core/error.ts";
import type { HealthCheck } from "../observe/health.ts";

/** The jobs that do not work at the moment, for health and the log. */
export class FailingJobs {
  readonly #failing = new Map<string, { times: number; reason: string }>();

  /** @returns whether it is worth a line in the log: the first time, the second, the fourth, … of an outage */
  failed(job: string, error: unknown): boolean {
    const times = (this.#failing.get(job)?.times ?? 0) + 1;
    // Other errors may hold what is nobody's business, such as a provider's address.
    this.#failing.set(job, { times, reason: error instanceof BursarError ? error.message : "see the log" });
    return (times & (times - 1)) === 0;
  }

  done(job: string): void {
    this.#failing.delete(job);
  }

  /** Its part of `/health`: each failing job with why. */
  readonly check: HealthCheck = async () => {
    if (this.#failing.size === 0) return {};
    const detail = Object.fromEntries([...this.#failing].map(([job, { reason }]) => [job, reason]));
    return { status: "degraded", detail };
  };
}
