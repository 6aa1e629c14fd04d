import type { Log } from "./log.ts";

interface Errors {
  on(event: "uncaughtException" | "unhandledRejection", told: (error: unknown) => void): unknown;
}

/**
 * What nobody waited for ends nothing: it is logged, and the service goes on. Whatever matters is in the database, where
 * a transaction happened or did not; one odd request must not stop everybody else's.
 */
export function guard(events: Errors, log: Log): void {
  for (const event of ["uncaughtException", "unhandledRejection"] as const)
    events.on(event, (error) =>
      log.error({ err: error, event }, "an error that nobody waited for; the service goes on"),
    );
}
