import { getAddress, isAddress } from "viem";
import { z } from "zod";
import { profiles } from "#offchain/domain/carbon.ts";
import { BursarError } from "#offchain/domain/error.ts";
import { computeTypes } from "#offchain/domain/hardware.ts";
import { factorKinds, type MassFactor, regions } from "#offchain/domain/region.ts";
import { formatAmount, parseAmount } from "#offchain/domain/unit.ts";
import { type LotRecord, type Ticket, ticketStates } from "./port.ts";

/* The shapes in which energy crosses the API. ATP, ADP and watts are decimal strings with up to six decimals. */

export const key = z
  .string()
  .min(1)
  .max(128)
  .describe("Idempotency key: the same call with it is answered alike");

export const societyId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "must be 1 to 63 lower-case letters, digits and hyphens")
  .describe("Id of an energy society");

export const address = z
  .string()
  .refine((text) => isAddress(text), "must be a 20-byte 0x address, in lower case or with a right checksum")
  .transform((text) => getAddress(text))
  .describe("Ethereum address");

export const duration = z.int().min(1).max(31_536_000_000).describe("Milliseconds, up to a year");
export const basisPoints = z.int().min(0).max(10_000);
export const epochMs = z.int().min(0).describe("Milliseconds since the Unix epoch");
export const ticketId = z.uuid().describe("Id of a work ticket");

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

const amount = z.string().describe("Decimal string with up to six decimals");
const integer = z.string().describe("Integer as a decimal string");

export const factorOutput = z.object({
  value: integer.describe("mg CO2e per kWh, as a decimal string"),
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

export const lotOutput = z.object({
  id: z.string(),
  society: z.string(),
  source: z.string(),
  charged: amount,
  available: amount,
  reserved: amount,
  consumed: amount,
  expired: amount,
  lifetimeMs: z.int(),
  chargedAt: epochMs,
  expiresAt: epochMs,
});

export const presentLot = (lot: LotRecord): z.input<typeof lotOutput> => ({
  id: lot.id,
  society: lot.society,
  source: lot.sourceId,
  charged: presentAtp(lot.charged),
  available: presentAtp(lot.available),
  reserved: presentAtp(lot.reserved),
  consumed: presentAtp(lot.consumed),
  expired: presentAtp(lot.expired),
  lifetimeMs: lot.lifetimeMs,
  chargedAt: lot.chargedAt,
  expiresAt: lot.expiresAt,
});

export const receiptOutput = z
  .object({
    ticketId,
    atp: amount.describe("ATP that the work consumed"),
    energyMj: integer,
    co2Micrograms: integer,
    waterMicrolitres: integer,
    factor: factorOutput,
  })
  .describe("What a payment's receipt says about the work");

export const ticketOutput = z.object({
  id: ticketId,
  key: z.string(),
  society: z.string(),
  worker: z.string(),
  requester: z.string().nullable(),
  computeType: z.enum(computeTypes),
  durationMs: z.int().describe("As estimated"),
  region: z.enum(regions),
  profile: z.enum(profiles),
  description: z.string(),
  state: z.enum(ticketStates),
  reservedAtp: amount,
  createdAt: epochMs,
  deadlineAt: epochMs,
  resolvedAt: epochMs.nullable(),
  reason: z.string().nullable(),
  result: z
    .object({
      durationMs: z.int().describe("As it really was"),
      qualityBps: basisPoints,
      creditAdp: amount.describe("ADP credited to the worker"),
      receipt: receiptOutput,
    })
    .nullable(),
});

export function presentTicket(ticket: Ticket): z.input<typeof ticketOutput> {
  const { reserved, result, ...rest } = ticket;
  if (!result) return { ...rest, reservedAtp: presentAtp(reserved), result };
  const { atp, energyMj, co2Micrograms, waterMicrolitres, factor } = result.receipt;
  return {
    ...rest,
    reservedAtp: presentAtp(reserved),
    result: {
      durationMs: result.durationMs,
      qualityBps: result.qualityBps,
      creditAdp: presentAtp(result.creditAdp),
      receipt: {
        ticketId: ticket.id,
        atp: presentAtp(atp),
        energyMj: energyMj.toString(),
        co2Micrograms: co2Micrograms.toString(),
        waterMicrolitres: waterMicrolitres.toString(),
        factor: presentFactor(factor),
      },
    },
  };
}

/** µATP, µADP or µW as a decimal string. */
export const presentAtp = (millionth: bigint): string => formatAmount(millionth, "ATP");
