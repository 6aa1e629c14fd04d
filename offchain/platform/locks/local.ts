import type { LockKeeper } from "./lock.ts";

/** Locks between the parts of one process. */
export function localKeeper(): LockKeeper {
  const holders = new Map<string, { holder: string; endsAt: number }>();

  const heldBy = (name: string) => {
    const entry = holders.get(name);
    return entry && entry.endsAt > performance.now() ? entry.holder : undefined;
  };

  return {
    async take(name, holder, leaseMs) {
      if (heldBy(name) !== undefined) return false;
      holders.set(name, { holder, endsAt: performance.now() + leaseMs });
      return true;
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
