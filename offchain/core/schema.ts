import { getAddress, isAddress, isHex } from "viem";
import { z } from "zod";
import { lastMoment } from "#offchain/core/clock.ts";
import { type UnitCode, unitCodes } from "#offchain/core/unit.ts";

/** Schemas that more than one action speaks in. Amounts cross as decimal strings, base units as integer strings, times as epoch ms. */

export const address = z
  .string()
  .refine(
    (text) => isAddress(text, { strict: false }),
    "must be a 20-byte address: 0x and 40 hexadecimal digits",
  )
  .transform((text) => getAddress(text))
  .meta({ example: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8" });

const hexOf = (bytes: number, what: string) =>
  z
    .string()
    .refine(
      (text) => isHex(text) && text.length === 2 + bytes * 2,
      `must be ${what}: 0x and ${bytes * 2} hexadecimal digits`,
    )
    .transform((text) => text.toLowerCase() as `0x${string}`)
    .meta({ pattern: `^0x[0-9a-fA-F]{${bytes * 2}}$` });

/** A 32-byte hash or identifier. */
export const bytes32 = hexOf(32, "32 bytes");

/** A signature: 65 bytes (r, s, v), 64 bytes (ERC-2098), or a contract wallet's own longer form (ERC-1271). */
export const signature = z
  .string()
  .max(8194)
  .refine(
    (text) => isHex(text) && text.length >= 130 && text.length % 2 === 0,
    "must be a signature in hexadecimal, at least 64 bytes",
  )
  .transform((text) => text.toLowerCase() as `0x${string}`);

export const bytes = z
  .string()
  .refine((text) => isHex(text) && text.length % 2 === 0, "must be bytes in hexadecimal with 0x")
  .transform((text) => text as `0x${string}`);

/** Text that people write and the database keeps: PostgreSQL cannot hold NUL, and UTF-8 cannot encode a lone surrogate. */
export const text = (most: number) =>
  z
    .string()
    .max(most)
    .refine((value) => value.isWellFormed() && !value.includes("\0"), {
      error: "must be well-formed text without NUL",
      // What is no text at all breaks one rule, whatever else is asked of it.
      abort: true,
    });

/** An unsigned integer of at most `bits` bits as a decimal string. */
export const uint = (bits: number) =>
  z
    .string()
    .regex(/^(0|[1-9]\d{0,77})$/, "must be a whole number in decimal digits")
    .transform(BigInt)
    .refine((value) => value < 1n << BigInt(bits), `must be below 2^${bits}`)
    .meta({ pattern: "^(0|[1-9][0-9]*)$" });

/** An integer that is written out in full: base units, gas, block numbers. */
export const integer = z.string().meta({ pattern: "^-?[0-9]+$" });

export const unit = z.enum(unitCodes as [UnitCode, ...UnitCode[]]);

/** A written amount; its unit stands beside it. */
export const amount = z
  .string()
  .regex(/^(0|[1-9]\d{0,38})(\.\d{1,38})?$/, "must be a plain decimal number such as 12 or 0.05")
  .meta({ example: "0.0001" });

/** What an action gives back about an amount. */
export const money = z.object({ amount: z.string(), unit });

/** An amount of any token on a chain, in the token's own unit. */
export const tokenAmount = z
  .object({
    amount: z.string(),
    /** The token's symbol; `base units of 0x…` for one that the service is not configured with. */
    unit: z.string(),
    /** The zero address: the chain's native coin. */
    token: address,
    /** Whether the service is configured with the token. */
    known: z.boolean(),
  })
  .meta({ id: "TokenAmount" });

/** Milliseconds since the Unix epoch. */
export const epochMs = z.number().int().nonnegative();

/** A caller's own idempotency key. */
export const idempotencyKey = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[\x21-\x7e]+$/, "must be 1 to 128 visible ASCII characters");

/**
 * A whole number that may stand in a query: in plain decimal digits, or as a number of JSON. `Number("")` is zero and
 * `Number("0x10")` sixteen, so text of any other form is left for the schema to refuse.
 */
export const whole = (least: number, most = Number.MAX_SAFE_INTEGER) => {
  const range = `must be ${least} to ${most}`;
  return z.preprocess(
    (sent: number | string) =>
      typeof sent === "string" && /^(0|-?[1-9]\d{0,15})$/.test(sent) ? Number(sent) : sent,
    z.int("must be a whole number in decimal digits").min(least, range).max(most, range),
  );
};

/** A time that may stand in a query, epoch ms. */
export const queriedMs = whole(0, lastMoment);

/** The number that the database gave a row: its id, or its place in a list. */
export const rowNumber = (rule: string) =>
  z
    .string()
    .regex(/^(0|[1-9]\d{0,18})$/, rule)
    .transform(BigInt)
    .refine((value) => value < 1n << 63n, rule)
    .meta({ pattern: "^(0|[1-9][0-9]*)$" });

export const page = {
  limit: whole(1, 200).default(50),
  /** The number of the last row that the page before had. */
  cursor: rowNumber("must be the `next` of the page before").optional(),
};

export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), next: z.string().nullable() });
