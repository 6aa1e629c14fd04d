import { Redis } from "ioredis";
import type { LockKeeper } from "./lock.ts";

/** Longest wait for an answer of Redis, ms: a lock that comes later than this is no use. */
const answerTimeoutMs = 2_000;

/**
 * Takes the lock and counts its fencing token in one step. A Redis that lost its data (it does not sync before it
 * answers) goes on upwards, because the token is at least its clock in microseconds.
 */
const takeScript = `
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) == false then return false end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
if now <= last then now = last + 1 end
local fence = string.format('%.0f', now)
redis.call('SET', KEYS[2], fence)
return fence`;

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

  // One hash slot for the lock and its token, as a Redis cluster wants it.
  const keys = (name: string) => [`bursar:lock:{${name}}`, `bursar:fence:{${name}}`] as const;
  const ready = connected(redis);

  return {
    async take(name, holder, leaseMs) {
      await ready;
      const fence = await redis.eval(takeScript, 2, ...keys(name), holder, leaseMs);
      return typeof fence === "string" ? BigInt(fence) : null;
    },
    async renew(name, holder, leaseMs) {
      return (await redis.eval(renewScript, 1, keys(name)[0], holder, leaseMs)) === 1;
    },
    async drop(name, holder) {
      await redis.eval(dropScript, 1, keys(name)[0], holder);
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
