import { formatAmount } from "#offchain/core/unit.ts";
import { footprintOf, loadOf } from "#offchain/features/carbon/rules/footprint.ts";
import { regionFactor } from "#offchain/features/carbon/rules/region.ts";
import { atpPriceUp, defaultLifetimeMs } from "#offchain/features/energy/rules/pool.ts";
import type { Sale } from "../service.ts";

/** What the call cost: money, and by the time that the machine gave to it, energy, carbon and ATP. */
export function receiptOf(sale: Sale, cost: bigint, tookMs: number) {
  const durationMs = BigInt(Math.max(1, Math.ceil(tookMs)));
  const load = loadOf({ computeType: "CPU", durationMs, region: "us-average", profile: "legacy" });
  const { energyMillijoules, co2Micrograms, waterMicrolitres, factor } = footprintOf(
    load,
    regionFactor("us-average"),
  );
  return {
    receiptId: sale.payment.key,
    action: sale.action,
    charged: { amount: formatAmount(cost, "USDC"), unit: "USDC" },
    carbon: {
      co2Micrograms: co2Micrograms.toString(),
      energyMillijoules: energyMillijoules.toString(),
      waterMicrolitres: waterMicrolitres.toString(),
      factor: `${factor.source}, ${factor.region}`,
    },
    energy: {
      atp: { amount: formatAmount(atpPriceUp(energyMillijoules, defaultLifetimeMs), "ATP"), unit: "ATP" },
    },
  };
}

/** Items of a metered answer: those of its list, or the answer itself. */
export function countItems(output: unknown): number {
  if (Array.isArray(output)) return output.length;
  const { items } = (output ?? {}) as { items?: unknown };
  return Array.isArray(items) ? items.length : 1;
}
