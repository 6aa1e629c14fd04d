import { serviceFeature } from "#offchain/platform/feature.ts";
import { estimate } from "./actions/estimate.ts";
import { summarise } from "./actions/summary.ts";
import { openCarbon } from "./carbon.ts";
import type { Carbon } from "./service.ts";

/** What work costs the grid: energy, CO₂e and water of each job. */
export const carbon = serviceFeature({
  name: "carbon",
  migrations: new URL("./migrations/", import.meta.url),
  actions: [estimate, summarise],
  open: ({ sql, clock }): { service: Carbon } => ({ service: openCarbon(sql, clock) }),
});
