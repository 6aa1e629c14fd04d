import { setting, whole } from "#offchain/platform/settings.ts";

/** How often the ledger's heads are anchored. */
export const anchorSettings = {
  everyMs: setting(
    "BURSAR_ANCHOR_EVERY_MS",
    "3600000",
    whole(100, 86_400_000),
    "Time between anchors of the ledger's heads on the chain; nothing is sent while nothing was written",
  ),
} as const;
