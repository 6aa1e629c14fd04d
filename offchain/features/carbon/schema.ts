import { z } from "zod";
import { integer } from "#offchain/core/schema.ts";
import { factorKinds, type MassFactor } from "./rules/region.ts";

/** How long a piece of work takes. */
export const duration = z.int().min(1).max(31_536_000_000).describe("Milliseconds, up to a year");

export const factorOutput = z.object({
  /** mg CO2e per kWh. */
  value: integer,
  region: z.string(),
  source: z.string(),
  year: z.int().nullable(),
  kind: z.enum(factorKinds),
});

export const presentFactor = ({ value, region, source, year, kind }: MassFactor) => ({
  value: value.toString(),
  region,
  source,
  year,
  kind,
});
