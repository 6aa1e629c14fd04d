import { getAddress, isAddress, isHex } from "viem";
import { z } from "zod";
import { parseAmount } from "#offchain/core/unit.ts";

/** One environment variable: its default text, its rule, and what it means. */
export interface Setting<Value> {
  readonly variable: string;
  readonly fallback: string | undefined;
  readonly schema: z.ZodType<Value>;
  readonly words: string;
  /** `whole`: never shown. `password`: shown without its password, keys and path. */
  readonly secret?: "whole" | "password";
  /** Of a chain's setting: what it is on a chain that is not the first, where the plain variable means the first alone. */
  readonly elsewhere?: { readonly fallback: string | undefined };
}

export function setting<Value>(
  variable: string,
  fallback: string | undefined,
  schema: z.ZodType<Value>,
  words: string,
  secret?: "whole" | "password",
): Setting<Value> {
  return { variable, fallback, schema, words, ...(secret && { secret }) };
}

/**
 * A chain's setting whose value cannot be right on two chains, such as a node's address: the plain variable speaks of the
 * first chain alone, and another chain's has that chain's id behind its name.
 * @param fallback its default there; undefined: it must be set, unless the rule takes an absent one
 */
export const ofFirstChain = <Value>(
  one: Setting<Value>,
  { fallback }: { readonly fallback: string | undefined } = one,
): Setting<Value> => ({ ...one, elsewhere: { fallback } });

export const whole = (least: number, most: number): z.ZodType<number> =>
  z
    .string()
    .regex(/^\d{1,15}$/, "must be a whole number in digits")
    .transform(Number)
    .refine((value) => value >= least && value <= most, `must be from ${least} to ${most}`);

export const oneOf = <Choice extends string>(...choices: [Choice, ...Choice[]]): z.ZodType<Choice> =>
  z.enum(choices, { error: `must be one of ${choices.join(", ")}` });

export const flag: z.ZodType<boolean> = oneOf("true", "false").transform((text) => text === "true");

export const list = (rule: string, fits: (entry: string) => boolean): z.ZodType<readonly string[]> =>
  z
    .string()
    .transform((text) => text.split(",").flatMap((entry) => entry.trim() || []))
    .refine((entries) => entries.every(fits), rule);

/** A list with a default, which an empty variable leaves as it is: the word `none` empties it. */
export const listOrNone = (rule: string, fits: (entry: string) => boolean): z.ZodType<readonly string[]> =>
  z.preprocess((text) => (text === "none" ? "" : text), list(`${rule}, or none`, fits));

export const urlOf = (...protocols: string[]) =>
  z
    .string()
    .refine(
      (text) => URL.canParse(text) && protocols.includes(new URL(text).protocol),
      `must be an address that starts with ${protocols.map((protocol) => `${protocol}//`).join(" or ")}`,
    );

/** The order of secp256k1: a key is from 1 to one less (SEC 1, 3.2.1). Beyond, signing fails and tells the number. */
const secp256k1Order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

function isPrivateKey(text: string): boolean {
  if (!isHex(text) || text.length !== 66) return false;
  const number = BigInt(text);
  return number > 0n && number < secp256k1Order;
}

export const key: z.ZodType<`0x${string}`> = z
  .string()
  .refine(
    isPrivateKey,
    "must be a private key: 0x and 64 hexadecimal digits, above 0 and below secp256k1's order",
  )
  .transform((text) => text as `0x${string}`);

export const usdc: z.ZodType<bigint> = z.string().transform((text, context) => {
  try {
    return parseAmount(text, "USDC");
  } catch {
    context.addIssue({ code: "custom", message: "must be a USDC amount such as 1.00" });
    return z.NEVER;
  }
});

export const account: z.ZodType<`0x${string}`> = z
  .string()
  .refine((text) => isAddress(text), "must be an address: 0x and 40 hexadecimal digits, its case a checksum")
  .transform((text) => getAddress(text));

export const isOrigin = (text: string) =>
  text === "*" || (URL.canParse(text) && new URL(text).origin === text);

/** An EIP-155 chain id, as viem and the database take it. */
export const chainId = whole(1, 2 ** 48);

export const chainIds: z.ZodType<readonly number[]> = list(
  "must be chain ids separated by commas",
  (entry) => chainId.safeParse(entry).success,
).transform((entries) => entries.map(Number));

/** The settings of one part, by the name that the code uses. */
export type Settings = Readonly<Record<string, Setting<unknown>>>;

/** What the environment made of them. */
export type ValuesOf<Group> = {
  readonly [Key in keyof Group]: Group[Key] extends Setting<infer Value> ? Value : never;
};
