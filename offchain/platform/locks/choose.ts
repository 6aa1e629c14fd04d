/** What keeps the locks. */
export type LockMode = "local" | "postgres" | "redis";

/**
 * `auto` follows the environment: a Redis that is named, else the database that instances share, else the process.
 * @throws RangeError when Redis is asked for and not named.
 */
export function chooseLocks(
  mode: LockMode | "auto",
  { redisUrl, databaseUrl }: { redisUrl: string | undefined; databaseUrl: string | undefined },
): LockMode {
  if (mode === "redis" && redisUrl === undefined)
    throw new RangeError("BURSAR_LOCKS is redis, but REDIS_URL is not set");
  if (mode !== "auto") return mode;
  if (redisUrl !== undefined) return "redis";
  return databaseUrl === undefined ? "local" : "postgres";
}
