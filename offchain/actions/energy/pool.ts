import { z } from "zod";
import { capacityKinds } from "#offchain/domain/capacity.ts";
import { action } from "../action.ts";
import type { PoolStanding } from "./port.ts";
import { basisPoints, epochMs, lotOutput, presentAtp, presentLot, societyId } from "./schema.ts";

const amount = z.string();

const poolOutput = z.object({
  society: z.string(),
  owner: z.string().nullable(),
  createdAt: epochMs,
  issued: amount.describe("ADP ever issued: equals adp + atp + reserved + expired"),
  capacityWatts: amount,
  adp: amount,
  atp: amount,
  reserved: amount,
  expired: amount,
  consumed: amount,
  wasteBps: basisPoints.describe("Share of all ATP ever charged that spoiled"),
  isOvercommitted: z.boolean().describe("Capacity was lost below what is committed; charging waits"),
  sources: z.array(
    z.object({
      id: z.string(),
      kind: z.enum(capacityKinds),
      effectiveWatts: amount,
      provenAt: epochMs,
      lapsesAt: epochMs,
    }),
  ),
  lots: z.array(lotOutput).describe("With something available or reserved, earliest expiry first"),
  wasteAlerts: z.array(lotOutput).describe("The latest lots of which more than 100 ATP spoiled"),
});

export const pool = action({
  name: "energy.pool",
  summary: "Capacity, ADP, ATP and lots of each energy society",
  route: { method: "GET", path: "/api/v1/energy" },
  role: "anonymous",
  input: z.object({
    society: societyId.optional(),
    cursor: societyId.optional(),
    limit: z.coerce.number().int().min(1).max(200).default(50),
  }),
  output: z.object({ items: z.array(poolOutput), next: z.string().nullable() }),
  async run(world, _caller, { society, cursor, limit }) {
    const pools = await world.energy.pools({
      limit: limit + 1,
      ...(society === undefined ? {} : { society }),
      ...(cursor === undefined ? {} : { after: cursor }),
    });
    const shown = pools.slice(0, limit);
    return {
      items: shown.map(present),
      next: pools.length > limit ? (shown.at(-1)?.society.id ?? null) : null,
    };
  },
});

const present = (standing: PoolStanding): z.input<typeof poolOutput> => ({
  society: standing.society.id,
  owner: standing.society.owner,
  createdAt: standing.society.createdAt,
  issued: presentAtp(standing.issued),
  capacityWatts: presentAtp(standing.capacityMicrowatts),
  adp: presentAtp(standing.adp),
  atp: presentAtp(standing.atp),
  reserved: presentAtp(standing.reserved),
  expired: presentAtp(standing.expired),
  consumed: presentAtp(standing.consumed),
  wasteBps: standing.wasteBps,
  isOvercommitted: standing.isOvercommitted,
  sources: standing.sources.map(({ id, kind, effectiveMicrowatts, provenAt, lapsesAt }) => ({
    id,
    kind,
    effectiveWatts: presentAtp(effectiveMicrowatts),
    provenAt,
    lapsesAt,
  })),
  lots: standing.lots.map(presentLot),
  wasteAlerts: standing.wasteAlerts.map(presentLot),
});
