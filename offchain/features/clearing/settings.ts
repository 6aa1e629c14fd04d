import { setting, whole } from "#offchain/platform/settings.ts";

/** How often credits become a root. */
export const clearingSettings = {
  rootEveryMs: setting(
    "BURSAR_CLEARING_ROOT_EVERY_MS",
    "3600000",
    whole(100, 2_592_000_000),
    "Longest that a cleared payment waits for a root; the contract takes the next one a day after the last",
  ),
} as const;
