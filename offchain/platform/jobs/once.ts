import { BursarError } from "#offchain/core/error.ts";
import type { Lease, Locks } from "../locks/lock.ts";

/** How long after its holder died another instance takes a job over. */
const leaseMs = 5_000;

/**
 * A job that one instance at a time runs: the others find its lock taken and pass. What the job writes is safe with
 * several instances all the same; the lock spares them the same work.
 * @returns a try, which tells whether the job ran here
 * @throws BursarError LOCK_UNAVAILABLE: without its locks the job does not run.
 */
export function once(
  locks: Locks,
  job: string,
  run: (lease: Lease) => Promise<void>,
): () => Promise<"ran" | "elsewhere"> {
  return async () => {
    const lease = await acquire(locks, `job:${job}`);
    if (lease === null) return "elsewhere";
    await using held = lease;
    await run(held);
    return "ran";
  };
}

async function acquire(locks: Locks, name: string): Promise<Lease | null> {
  try {
    return await locks.acquire(name, { leaseMs, waitMs: 0 });
  } catch (error) {
    if (error instanceof BursarError && error.code === "LOCK_BUSY") return null;
    throw error;
  }
}
