import { setting, whole } from "#offchain/platform/settings.ts";

/** How often credits become an epoch. */
export const clearingSettings = {
  epochEveryMs: setting(
    "BURSAR_CLEARING_EPOCH_EVERY_MS",
    "3600000",
    whole(100, 2_592_000_000),
    "Longest that a cleared payment waits for an epoch; the contract takes the next one a day after the last",
  ),
} as const;
