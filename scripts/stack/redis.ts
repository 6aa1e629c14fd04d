import { installDebian } from "./debian.ts";

/** Where Debian's package `redis-server` puts it; elsewhere, BURSAR_REDIS says. */
export const redisProgram = process.env.BURSAR_REDIS ?? "/usr/bin/redis-server";

/** Installs Redis from Debian's packages when it is missing and we may; else says what to install. */
export const installRedis = () => installDebian("redis-server", redisProgram, "BURSAR_REDIS");
