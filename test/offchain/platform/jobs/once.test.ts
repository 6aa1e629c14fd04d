import { expect, it } from "vitest";
import { BursarError } from "#offchain/core/error.ts";
import { once } from "#offchain/platform/jobs/once.ts";
import { localKeeper } from "#offchain/platform/locks/local.ts";
import type { Locks } from "#offchain/platform/locks/lock.ts";
import { openLocks } from "#offchain/platform/locks/locks.ts";

const locks = openLocks(localKeeper());

it("runs the job in one instance and passes in the others", async () => {
  let runs = 0;
  const job = once(locks, "count", async () => {
    runs += 1;
    if (runs === 1) expect(await job()).toBe("elsewhere");
  });
  expect(await job()).toBe("ran");
  expect(runs).toBe(1);
  await job();
  expect(runs).toBe(2);
});

it("gives the lock back when the job fails, and says why it failed", async () => {
  const failing = once(locks, "fail", async () => {
    throw new Error("no luck");
  });
  await expect(failing()).rejects.toThrow("no luck");
  await expect(failing()).rejects.toThrow("no luck");
});

it("does not run while what keeps the locks is away", async () => {
  const away: Locks = {
    acquire: async () => {
      throw new BursarError("LOCK_UNAVAILABLE", "away");
    },
    close: async () => {},
  };
  let ran = false;
  const job = once(away, "away", async () => {
    ran = true;
  });
  await expect(job()).rejects.toMatchObject({ code: "LOCK_UNAVAILABLE" });
  expect(ran).toBe(false);
});
