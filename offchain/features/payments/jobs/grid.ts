import { z } from "zod";
import type { Clock } from "#offchain/core/clock.ts";
import { medianOf, type Reading } from "#offchain/core/reading.ts";
import { openOutside } from "#offchain/platform/http/outside.ts";

/** What of WattTime's `GET /v3/forecast` answer is used (docs.watttime.org). */
const forecast = z.object({
  data: z.array(z.object({ point_time: z.iso.datetime({ offset: true }), value: z.number() })).min(2),
  meta: z.object({ units: z.literal("lbs_co2_per_mwh") }),
});

/** 1 lb/MWh in mg/kWh. */
const mgPerKwh = 453.59237;

/**
 * The grid's marginal intensity now beside the median of its forecast, mg CO₂e per kWh. Null when the forecast does not
 * reach over the present.
 */
export function gridReading({ url, token, clock }: { url: string; token: string | undefined; clock: Clock }) {
  const vendor = openOutside({ name: "the grid's forecast" });
  return async (): Promise<Reading | null> => {
    const points = forecast
      .parse(await vendor.readJson(url, { bearer: token }))
      .data.map(({ point_time, value }) => ({
        at: Date.parse(point_time),
        value: BigInt(Math.round(value * mgPerKwh)),
      }))
      .toSorted((one, other) => one.at - other.at);
    const current = points.findLastIndex(({ at }) => at <= clock.now());
    const median = medianOf(points.map(({ value }) => value));
    const now = points[current];
    // The last point says from when, not until when: it only ends the one before it.
    return now && median !== null && current < points.length - 1 ? { now: now.value, median } : null;
  };
}
