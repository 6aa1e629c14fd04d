import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { BursarError } from "#offchain/core/error.ts";
import { localKeeper } from "#offchain/platform/locks/local.ts";
import type { Lease, LockKeeper, Locks } from "#offchain/platform/locks/lock.ts";
import { openLocks } from "#offchain/platform/locks/locks.ts";
import { databaseKeeper } from "#offchain/platform/locks/postgres.ts";
import { redisKeeper } from "#offchain/platform/locks/redis.ts";
import { startTestServer, type TestDatabase, type TestServer } from "../../support/database.ts";
import { startTestRedis, type TestRedis } from "../../support/redis.ts";

let server: TestServer;
let database: TestDatabase;
let redis: TestRedis;

beforeAll(async () => {
  [server, redis] = await Promise.all([startTestServer(), startTestRedis()]);
  database = await server.create();
});

afterAll(async () => {
  await database?.close();
  await Promise.all([server?.stop(), redis?.stop()]);
});

const ignore = () => {};
const codeOf = async (promise: Promise<unknown>) => {
  try {
    await promise;
  } catch (error) {
    return error instanceof BursarError ? error.code : error;
  }
  return "none";
};
const aborted = (lease: Lease) =>
  new Promise<unknown>((done) => {
    if (lease.signal.aborted) done(lease.signal.reason);
    lease.signal.addEventListener("abort", () => done(lease.signal.reason));
  });

/** Each kind, and two instances of it: a local keeper is one process, so both share it. */
const kinds: Record<string, () => readonly [LockKeeper, LockKeeper]> = {
  local: () => {
    const keeper = localKeeper();
    return [keeper, keeper];
  },
  postgres: () => [databaseKeeper(database.sql), databaseKeeper(database.sql)],
  redis: () => [redisKeeper(redis.url, ignore), redisKeeper(redis.url, ignore)],
};

describe.each(Object.entries(kinds))("locks kept by %s", (kind, open) => {
  let one: Locks;
  let other: Locks;
  let keeper: LockKeeper;
  const name = (what: string) => `${kind}:${what}`;

  beforeAll(() => {
    const [first, second] = open();
    keeper = first;
    one = openLocks(first);
    other = openLocks(second);
  });
  afterAll(async () => {
    await Promise.all([one.close(), other.close()]);
  });

  it("are held by one at a time", async () => {
    await using lease = await one.acquire(name("single"));
    expect(lease.signal.aborted).toBe(false);
    expect(await codeOf(other.acquire(name("single"), { waitMs: 0 }))).toBe("LOCK_BUSY");
  });

  it("are independent by name", async () => {
    await using _one = await one.acquire(name("a"));
    await using lease = await other.acquire(name("b"), { waitMs: 0 });
    expect(lease.name).toBe(name("b"));
  });

  it("come back at the end of the block that holds them, also by an error", async () => {
    const failing = async () => {
      await using _lease = await one.acquire(name("block"));
      throw new Error("inside");
    };
    await expect(failing()).rejects.toThrow("inside");
    await using lease = await other.acquire(name("block"), { waitMs: 0 });
    expect(lease.signal.aborted).toBe(false);
  });

  it("can be given back twice, and then hold nobody up", async () => {
    for (let turn = 0; turn < 6; turn += 1) {
      const lease = await (turn % 2 === 0 ? one : other).acquire(name("twice"), { waitMs: 0 });
      await Promise.all([lease.release(), lease.release()]);
    }
  });

  it("go to a waiter as soon as they are free", async () => {
    const lease = await one.acquire(name("wait"));
    const waiting = other.acquire(name("wait"), { waitMs: 10_000 });
    await lease.release();
    await using next = await waiting;
    expect([lease.signal.aborted, next.signal.aborted]).toEqual([true, false]);
  });

  it("are renewed for as long as they are held", async () => {
    await using lease = await one.acquire(name("renew"), { leaseMs: 300 });
    const waited = codeOf(other.acquire(name("renew"), { waitMs: 900 }));
    expect(await waited).toBe("LOCK_BUSY");
    expect(lease.signal.aborted).toBe(false);
  });

  it("fall to the next when the holder dies, and the late holder has nothing to renew or give back", async () => {
    expect(await keeper.take(name("dead"), "a process that was killed", 200)).toBe(true);
    await using lease = await other.acquire(name("dead"), { waitMs: 10_000 });
    expect(await keeper.renew(name("dead"), "a process that was killed", 200)).toBe(false);
    await keeper.drop(name("dead"), "a process that was killed");
    expect(await codeOf(one.acquire(name("dead"), { waitMs: 0 }))).toBe("LOCK_BUSY");
    expect(lease.signal.aborted).toBe(false);
  });

  it("can't be renewed or given back by anyone but the holder", async () => {
    await using _lease = await one.acquire(name("mine"));
    expect(await keeper.renew(name("mine"), "somebody else", 1_000)).toBe(false);
    await keeper.drop(name("mine"), "somebody else");
    expect(await codeOf(other.acquire(name("mine"), { waitMs: 0 }))).toBe("LOCK_BUSY");
  });

  it("let exactly one of many through at a time", async () => {
    let inside = 0;
    let most = 0;
    const turn = async (locks: Locks) => {
      await using _lease = await locks.acquire(name("crowd"), { waitMs: 60_000 });
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((done) => setImmediate(done));
      inside -= 1;
    };
    await Promise.all(Array.from({ length: 12 }, (_, index) => turn(index % 2 === 0 ? one : other)));
    expect(most).toBe(1);
  });

  it.each(["", "x".repeat(201), "a\0b"])("refuse the name %j", async (bad) => {
    expect(await codeOf(one.acquire(bad))).toBe("VALIDATION_INVALID_INPUT");
  });
});

describe("locks while Redis is away", () => {
  it("are refused, and held leases are called off before another could hold them", async () => {
    const locks = openLocks(redisKeeper(redis.url, ignore));
    const lease = await locks.acquire("away", { leaseMs: 600 });
    await redis.kill();
    expect(await codeOf(locks.acquire("other", { waitMs: 0 }))).toBe("LOCK_UNAVAILABLE");
    const reason = await aborted(lease);
    expect(reason).toMatchObject({ code: "LOCK_LOST", facts: { name: "away" } });
    await redis.start();
    await vi.waitFor(async () => (await locks.acquire("other", { waitMs: 0 })).release(), {
      timeout: 60_000,
    });
    await locks.close();
  });

  it("are called off for whoever held them when Redis has lost everything", async () => {
    const before = openLocks(redisKeeper(redis.url, ignore));
    const lease = await before.acquire("amnesia", { leaseMs: 600 });
    await redis.kill();
    await redis.start();
    const after = openLocks(redisKeeper(redis.url, ignore));
    await using again = await after.acquire("amnesia", { waitMs: 0 });
    expect(await aborted(lease)).toMatchObject({ code: "LOCK_LOST", facts: { name: "amnesia" } });
    expect(again.signal.aborted).toBe(false);
    await Promise.all([before.close(), after.close()]);
  });

  it("are refused while Redis hangs", async () => {
    const locks = openLocks(redisKeeper(redis.url, ignore));
    await (await locks.acquire("hang")).release();
    redis.pause();
    expect(await codeOf(locks.acquire("hang", { waitMs: 0 }))).toBe("LOCK_UNAVAILABLE");
    redis.resume();
    await locks.close();
  });
});
