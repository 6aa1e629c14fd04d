import { z } from "zod";
import { BursarError } from "#offchain/core/error.ts";
import { address, epochMs, integer, money } from "#offchain/core/schema.ts";
import { formatAmount, parseAmount } from "#offchain/core/unit.ts";
import { profiles } from "#offchain/features/carbon/rules/footprint.ts";
import { computeTypes } from "#offchain/features/carbon/rules/hardware.ts";
import { regions } from "#offchain/features/carbon/rules/region.ts";
import { factorOutput, presentFactor } from "#offchain/features/carbon/schema.ts";
import type { LotRecord } from "./rules/pool.ts";
import { type Ticket, ticketStates } from "./rules/ticket.ts";

/* The shapes in which energy crosses the API. Watts and amounts sent are decimal strings with up to six decimals. */

export const societyId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "must be 1 to 63 lower-case letters, digits and hyphens")
  .describe("Id of an energy society");

export const basisPoints = z.int().min(0).max(10_000);
export const ticketId = z.uuid().toLowerCase().describe("Id of a work ticket");

/** A decimal string of six decimals, read as an integer of millionths. */
const millionths = z.string().transform((text, context) => {
  try {
    return parseAmount(text, "ATP");
  } catch (error) {
    if (!(error instanceof BursarError)) throw error;
    context.addIssue({ code: "custom", message: error.fields[0]?.message ?? error.message });
    return z.NEVER;
  }
});

export const watts = millionths.describe("Watts, a decimal string with up to six decimals");
export const positiveAmount = millionths
  .refine((amount) => amount > 0n, "must be above zero")
  .describe("Decimal string with up to six decimals, above zero");

export const lotOutput = z.object({
  id: z.string(),
  society: z.string(),
  source: z.string(),
  charged: money,
  available: money,
  reserved: money,
  consumed: money,
  expired: money,
  lifetimeMs: z.int(),
  chargedAt: epochMs,
  expiresAt: epochMs,
});

export const presentLot = (lot: LotRecord): z.input<typeof lotOutput> => ({
  id: lot.id,
  society: lot.society,
  source: lot.sourceId,
  charged: present("ATP", lot.charged),
  available: present("ATP", lot.available),
  reserved: present("ATP", lot.reserved),
  consumed: present("ATP", lot.consumed),
  expired: present("ATP", lot.expired),
  lifetimeMs: lot.lifetimeMs,
  chargedAt: lot.chargedAt,
  expiresAt: lot.expiresAt,
});

export const receiptOutput = z
  .object({
    ticketId,
    /** What the work consumed. */
    atp: money,
    energyMillijoules: integer,
    co2Micrograms: integer,
    waterMicrolitres: integer,
    factor: factorOutput,
  })
  .describe("What a payment's receipt says about the work");

export const ticketOutput = z.object({
  id: ticketId,
  key: z.string(),
  society: z.string(),
  worker: address,
  requester: address.nullable(),
  computeType: z.enum(computeTypes),
  durationMs: z.int().describe("As estimated"),
  region: z.enum(regions),
  profile: z.enum(profiles),
  description: z.string(),
  state: z.enum(ticketStates),
  reserved: money,
  createdAt: epochMs,
  deadlineAt: epochMs,
  resolvedAt: epochMs.nullable(),
  reason: z.string().nullable(),
  result: z
    .object({
      durationMs: z.int().describe("As it really was"),
      qualityBps: basisPoints,
      /** Credited to the worker. */
      credit: money,
      receipt: receiptOutput,
    })
    .nullable(),
});

export function presentTicket(ticket: Ticket): z.input<typeof ticketOutput> {
  const { reserved, result, ...rest } = ticket;
  if (!result) return { ...rest, reserved: present("ATP", reserved), result };
  const { atp, energyMillijoules, co2Micrograms, waterMicrolitres, factor } = result.receipt;
  return {
    ...rest,
    reserved: present("ATP", reserved),
    result: {
      durationMs: result.durationMs,
      qualityBps: result.qualityBps,
      credit: present("ADP", result.creditAdp),
      receipt: {
        ticketId: ticket.id,
        atp: present("ATP", atp),
        energyMillijoules: energyMillijoules.toString(),
        co2Micrograms: co2Micrograms.toString(),
        waterMicrolitres: waterMicrolitres.toString(),
        factor: presentFactor(factor),
      },
    },
  };
}

/** µATP or µADP as it crosses the API. */
export const present = (unit: "ATP" | "ADP", amount: bigint): z.input<typeof money> => ({
  amount: formatAmount(amount, unit),
  unit,
});

/** µW as a decimal string of watts. */
export const presentWatts = (microwatts: bigint): string => formatAmount(microwatts, "ATP");
