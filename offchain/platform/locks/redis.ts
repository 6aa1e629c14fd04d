import { Redis } from "ioredis";
import type { LockKeeper } from "./lock.ts";

/** Longest wait for an answer of Redis, ms: a lock that comes later than this is no use. */
const answerTimeoutMs = 2_000;

const renewScript = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`;

const dropScript = `
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1`;

/**
 * Locks kept by one Redis. While it is away every question fails: no lock is given, and held leases run out.
 * @param onError Told when the connection fails; it is tried again for ever.
 */
export function redisKeeper(url: string, onError: (error: Error) => void): LockKeeper {
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: answerTimeoutMs,
    connectTimeout: answerTimeoutMs,
    retryStrategy: (tries) => Math.min(tries * 50, 1_000),
  });
  redis.on("error", onError);

  const key = (name: string) => `bursar:lock:{${name}}`;
  const ready = connected(redis);

  return {
    async take(name, holder, leaseMs) {
      await ready;
      return (await redis.set(key(name), holder, "PX", leaseMs, "NX")) === "OK";
    },
    async renew(name, holder, leaseMs) {
      return (await redis.eval(renewScript, 1, key(name), holder, leaseMs)) === 1;
    },
    async drop(name, holder) {
      await redis.eval(dropScript, 1, key(name), holder);
    },
    async close() {
      redis.disconnect();
    },
  };
}

/** The first connection, or its first failure: only a lock asked for before either has to wait. */
function connected(redis: Redis): Promise<void> {
  return new Promise((done) => {
    redis.once("ready", () => done());
    redis.once("error", () => done());
  });
}
