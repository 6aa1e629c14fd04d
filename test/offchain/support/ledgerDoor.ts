import type { World } from "#offchain/actions/world.ts";
import { readConfig } from "#offchain/config.ts";
import { createHttp } from "#offchain/doors/http.ts";
import { serve } from "#offchain/doors/serve.ts";
import { createBus } from "#offchain/observe/bus.ts";
import { createHealth } from "#offchain/observe/health.ts";
import { createLog } from "#offchain/observe/log.ts";
import { createMetrics } from "#offchain/observe/metrics.ts";
import { recoverAddress } from "#offchain/ports/secp256k1.ts";
import type { Sql } from "#offchain/store/database.ts";
import { openLedger } from "#offchain/store/ledger.ts";

export const chainId = 31337;

/** The real door before the real ledger, on a real socket; no chain stands behind it, so reconciling asks the books only. */
export async function openLedgerDoor(sql: Sql, operator: `0x${string}`, port = 0) {
  const clock = { now: () => Date.now() };
  const ledger = openLedger(sql, clock);
  const limits = readConfig({ BURSAR_PORT: String(port), BURSAR_RATE_PER_IDENTITY_PER_SECOND: "0" }).http;
  const world = {
    clock,
    ledger,
    reconcile: async () => {
      const { balanced, sums } = await ledger.trialBalance();
      return {
        ledgerBalanced: balanced,
        chainMatchesLedger: true,
        sums: sums.map(({ unit, sum }) => ({ unit, sum: sum.toString() })),
        held: { chain: { amount: "0", unit: "USDC" }, ledger: { amount: "0", unit: "USDC" } },
        differences: [],
        channels: 0,
        atBlock: "0",
      };
    },
  } as unknown as World;
  const http = createHttp({
    world,
    limits,
    chainId,
    operator,
    recoverAddress,
    bus: createBus({ run: "run", ringSize: 16 }),
    log: createLog({ level: "error", clock }),
    metrics: createMetrics({ process: false }),
    health: createHealth({ clock, timeoutMs: 500, checks: {} }),
  });
  return { ledger, clock, ...(await serve(http, limits)) };
}
