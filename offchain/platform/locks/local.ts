import type { Clock } from "#offchain/core/clock.ts";
import type { LockKeeper } from "./lock.ts";

/** Locks between the parts of one process. */
export function localKeeper(clock: Clock): LockKeeper {
  const holders = new Map<string, { holder: string; endsAt: number }>();
  let lastFence = 0n;

  const heldBy = (name: string) => {
    const entry = holders.get(name);
    return entry && entry.endsAt > performance.now() ? entry.holder : undefined;
  };

  return {
    async take(name, holder, leaseMs) {
      if (heldBy(name) !== undefined) return null;
      holders.set(name, { holder, endsAt: performance.now() + leaseMs });
      // As the other keepers count: microseconds since 1970, so that a restart or a change of keeper goes on upwards.
      const now = BigInt(clock.now()) * 1_000n;
      lastFence = now > lastFence ? now : lastFence + 1n;
      return lastFence;
    },
    async renew(name, holder, leaseMs) {
      if (heldBy(name) !== holder) return false;
      holders.set(name, { holder, endsAt: performance.now() + leaseMs });
      return true;
    },
    async drop(name, holder) {
      if (heldBy(name) === holder) holders.delete(name);
    },
    async close() {
      holders.clear();
    },
  };
}
