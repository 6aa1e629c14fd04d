import { isAddress } from "viem";
import { list, setting, whole } from "#offchain/platform/settings.ts";

/** How often what is owed is compared with what is held, and what is kept of it. */
export const solvencySettings = {
  everyMs: setting(
    "BURSAR_SOLVENCY_EVERY_MS",
    "60000",
    whole(100, 86_400_000),
    "Time between snapshots of what is owed and what is held",
  ),
  freshForMs: setting(
    "BURSAR_SOLVENCY_FRESH_FOR_MS",
    "5000",
    whole(0, 3_600_000),
    "Age up to which the newest snapshot is given to who asks for a new one; ten times as long as it took, if that is longer; 0: a new one for each",
  ),
  reconcileEveryMs: setting(
    "BURSAR_RECONCILE_EVERY_MS",
    "2000",
    whole(10, 60_000),
    "Time between comparisons of the books with the chain, however many ask for one",
  ),
  proofRetentionMs: setting(
    "BURSAR_SOLVENCY_PROOF_RETENTION_MS",
    "21600000",
    whole(1_000, 315_360_000_000),
    "Time for which proofs of a snapshot are given; its sums and roots stay for good",
  ),
  reserves: setting(
    "BURSAR_SOLVENCY_RESERVES",
    "",
    list("must be addresses separated by commas", (entry) => isAddress(entry)),
    "Addresses whose tokens back the ledger's own balances",
  ),
} as const;
