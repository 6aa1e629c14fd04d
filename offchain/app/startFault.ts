import { BursarError } from "#offchain/core/error.ts";
import { ConnectionError } from "#offchain/platform/database/driver/errors.ts";
import type { Config } from "./config.ts";

/** What the operator can mend when the service does not start: one line that names the variable. Null: a fault of ours. */
export function startFault(
  error: unknown,
  { http, database }: Pick<Config, "http" | "database">,
): string | null {
  const { code, syscall, hostname, message, cause } = error as NodeJS.ErrnoException & {
    hostname?: string;
    cause?: Error;
  };
  if (syscall === "getaddrinfo" && hostname === http.host)
    return `there is no host ${http.host} (${code}): set BURSAR_HOST to an address of this machine`;
  if (syscall === "listen") {
    if (code === "EADDRINUSE")
      return `port ${http.port} is taken: stop what listens there, or set BURSAR_PORT to another (0 takes a free one)`;
    return `cannot listen on ${http.host}:${http.port} (${code}): set BURSAR_HOST or BURSAR_PORT to another`;
  }
  const isStore =
    error instanceof ConnectionError || (error instanceof BursarError && code === "STORE_UNAVAILABLE");
  if (isStore && database.url !== undefined) {
    const { host, pathname } = new URL(database.url);
    return `no database at ${host}${pathname}: ${cause?.message || message}; correct DATABASE_URL, or unset it for a built-in database`;
  }
  if (error instanceof BursarError && error.code === "NETWORK_MISMATCH")
    return `${message}; see BURSAR_CHAIN_ID, BURSAR_OTHER_CHAINS and BURSAR_RPC_URL, which for a further chain ends with its id`;
  // What settings say of each other is told by a sentence that names them.
  const isOfSettings =
    error instanceof RangeError ||
    (error instanceof BursarError && error.code === "VALIDATION_INVALID_INPUT");
  return isOfSettings && message.includes("BURSAR_") ? message : null;
}
