import { readConfig } from "#offchain/app/config.ts";
import type { World } from "#offchain/app/world.ts";
import { createHttp } from "#offchain/doors/http/http.ts";
import { serve } from "#offchain/doors/http/serve.ts";
import { openLedger } from "#offchain/features/ledger/ledger.ts";
import { recoverAddress } from "#offchain/platform/chain/secp256k1.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { createBus } from "#offchain/platform/observe/bus.ts";
import { createHealth } from "#offchain/platform/observe/health.ts";
import { createLog } from "#offchain/platform/observe/log.ts";
import { createMetrics } from "#offchain/platform/observe/metrics.ts";

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
