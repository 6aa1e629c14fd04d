import { createHttp } from "#offchain/doors/http/http.ts";
import { serve } from "#offchain/doors/http/serve.ts";
import { openLedger } from "#offchain/features/ledger/ledger.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { chainId, smallService } from "./service.ts";

export { chainId };

/** The real door before the real ledger, on a real socket; no chain stands behind it, so reconciling asks the books only. */
export async function openLedgerDoor(sql: Sql, operator: `0x${string}`, port = 0) {
  const clock = { now: () => Date.now() };
  const ledger = openLedger(sql, clock);
  const solvency = {
    reconcile: async () => {
      const { balanced, sums } = await ledger.trialBalance();
      return {
        ledgerBalanced: balanced,
        chainMatchesLedger: true,
        surplus: { amount: "0", unit: "USDC" },
        sums: sums.map(({ unit, sum }) => ({ unit, sum: sum.toString() })),
        held: { chain: { amount: "0", unit: "USDC" }, ledger: { amount: "0", unit: "USDC" } },
        differences: [],
        channels: 0,
        atBlock: "0",
        checkedAt: clock.now(),
      };
    },
  };
  const service = smallService({
    services: { ledger, solvency },
    environment: { BURSAR_PORT: String(port), BURSAR_RATE_PER_IDENTITY_PER_SECOND: "0" },
    clock,
    operator,
  });
  return { ledger, clock, ...(await serve(createHttp(service), service.config.http)) };
}
