import { requestWindowMs } from "#offchain/core/request.ts";
import { setting, whole } from "#offchain/platform/settings.ts";
import { schedulesMaxDefault } from "./rules/limits.ts";

/** How long keys are kept, and how often what is due is looked for. */
export const ledgerSettings = {
  keyRetentionMs: setting(
    "BURSAR_LEDGER_KEY_RETENTION_MS",
    "2592000000",
    // A signed request lives two minutes at most: a key that is forgotten sooner would let it be repeated.
    whole(2 * requestWindowMs, 315_360_000_000),
    "Time for which an idempotency key returns its first result; after it the key may be used anew",
  ),
  tickMs: setting(
    "BURSAR_LEDGER_TICK_MS",
    "1000",
    whole(10, 3_600_000),
    "Time between looks at expired holds and scheduled transfers",
  ),
  schedulesMax: setting(
    "BURSAR_LEDGER_SCHEDULES_MAX",
    String(schedulesMaxDefault),
    whole(1, 1_000_000),
    "Active scheduled transfers of one owner",
  ),
} as const;
