import { BursarError } from "#offchain/core/error.ts";
import { parseAmount } from "#offchain/core/unit.ts";

/** What one call of an action costs. Base units of USDC. */
export interface Price {
  /** Of one call; with `perItem`, the most that one call may cost. */
  readonly amount: bigint;
  /** Of each item in the answer, for a metered price; null for a fixed one. */
  readonly perItem: bigint | null;
}

export type Prices = ReadonlyMap<string, Price>;

/**
 * Reads `{"<action>": "<USDC>"}`, or `{"<action>": {"amount": "<most>", "perItem": "<each>"}}` for a metered price.
 * @throws BursarError VALIDATION_INVALID_INPUT, AMOUNT_INVALID
 */
export function parsePrices(text: string): Prices {
  const prices = new Map<string, Price>();
  for (const [name, price] of Object.entries(parseObject(text))) {
    const { amount, perItem } =
      typeof price === "string" ? { amount: price, perItem: undefined } : fieldsOf(name, price);
    const parsed = {
      amount: usdc(name, amount),
      perItem: perItem === undefined ? null : usdc(name, perItem),
    };
    if (parsed.perItem !== null && parsed.perItem > parsed.amount)
      throw invalid(`the price of ${name} per item is above the most that a call may cost`);
    prices.set(name, parsed);
  }
  return prices;
}

/** What a call with so many items costs. */
export function charge({ amount, perItem }: Price, items: number): bigint {
  if (perItem === null) return amount;
  const metered = perItem * BigInt(items);
  return metered < amount ? metered : amount;
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw invalid('prices must be a JSON object such as {"carbon.estimate":"0.001"}');
}

function fieldsOf(name: string, price: unknown): { amount: unknown; perItem: unknown } {
  if (typeof price !== "object" || price === null)
    throw invalid(`the price of ${name} must be text or an object`);
  return { amount: undefined, perItem: undefined, ...price };
}

function usdc(name: string, text: unknown): bigint {
  const amount = typeof text === "string" ? parseAmount(text, "USDC") : 0n;
  if (amount <= 0n) throw invalid(`the price of ${name} must be a USDC amount above zero, such as "0.001"`);
  return amount;
}

const invalid = (message: string) => new BursarError("VALIDATION_INVALID_INPUT", message);
