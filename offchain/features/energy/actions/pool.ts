import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { address, epochMs, money, page, pageOf } from "#offchain/core/schema.ts";
import { capacityKinds } from "../rules/capacity.ts";
import { basisPoints, lotOutput, present, presentLot, presentWatts, societyId } from "../schema.ts";
import type { Energy, PoolStanding } from "../service.ts";

const poolOutput = z.object({
  society: z.string(),
  owner: address.nullable(),
  createdAt: epochMs,
  /** ADP ever issued; equals adp + atp + reserved + expired. */
  issued: money,
  capacityWatts: z.string(),
  adp: money,
  atp: money,
  reserved: money,
  expired: money,
  consumed: money,
  wasteBps: basisPoints.describe("Share of all ATP ever charged that spoiled"),
  isOvercommitted: z.boolean().describe("Capacity was lost below what is committed; charging waits"),
  sources: z.array(
    z.object({
      id: z.string(),
      kind: z.enum(capacityKinds),
      effectiveWatts: z.string(),
      provenAt: epochMs,
      lapsesAt: epochMs,
    }),
  ),
  lots: z.array(lotOutput).describe("With something available or reserved, earliest expiry first"),
  wasteAlerts: z.array(lotOutput).describe("The latest lots of which more than 100 ATP spoiled"),
});

export const listPools = action({
  name: "energy.pool",
  summary: "Capacity, ADP, ATP and lots of each energy society",
  effect: "read",
  resource: "/api/v1/energy",
  role: "anonymous",
  input: z.object({
    society: societyId.optional(),
    cursor: societyId.optional(),
    limit: page.limit,
  }),
  output: pageOf(poolOutput),
  async run(energy: Energy, _caller, { society, cursor, limit }) {
    const pools = await energy.pools({
      limit: limit + 1,
      ...(society === undefined ? {} : { society }),
      ...(cursor === undefined ? {} : { after: cursor }),
    });
    const shown = pools.slice(0, limit);
    return {
      items: shown.map(presentPool),
      next: pools.length > limit ? (shown.at(-1)?.society.id ?? null) : null,
    };
  },
});

const presentPool = (standing: PoolStanding): z.input<typeof poolOutput> => ({
  society: standing.society.id,
  owner: standing.society.owner,
  createdAt: standing.society.createdAt,
  issued: present("ADP", standing.issued),
  capacityWatts: presentWatts(standing.capacityMicrowatts),
  adp: present("ADP", standing.adp),
  atp: present("ATP", standing.atp),
  reserved: present("ATP", standing.reserved),
  expired: present("ATP", standing.expired),
  consumed: present("ATP", standing.consumed),
  wasteBps: standing.wasteBps,
  isOvercommitted: standing.isOvercommitted,
  sources: standing.sources.map(({ id, kind, effectiveMicrowatts, provenAt, lapsesAt }) => ({
    id,
    kind,
    effectiveWatts: presentWatts(effectiveMicrowatts),
    provenAt,
    lapsesAt,
  })),
  lots: standing.lots.map(presentLot),
  wasteAlerts: standing.wasteAlerts.map(presentLot),
});
