import { BursarError } from "./error.ts";

/** What a unit is: how it is written, whether its holder may give it away, and when it spoils. */
export interface Unit {
  /** Decimal places between the written amount and the integer that is stored. */
  readonly decimals: number;
  /** Whether agents may transfer it to each other at will. ATP is not money, so it is not transferable. */
  readonly transferable: boolean;
}

/**
 * Every quantity that Bursar counts, on one ledger.
 * AVT: the agents' own token. ATP, ADP: charged and spent energy. CO2E: grams of CO₂ equivalent, kept in µg. EURC: Circle's
 * euro, as its contract counts it.
 */
export const units = {
  USD: { decimals: 2, transferable: true },
  VMC: { decimals: 6, transferable: true },
  BTC: { decimals: 8, transferable: true },
  ETH: { decimals: 18, transferable: true },
  USDC: { decimals: 6, transferable: true },
  EURC: { decimals: 6, transferable: true },
  AVT: { decimals: 18, transferable: true },
  SCRIP: { decimals: 0, transferable: true },
  ATP: { decimals: 6, transferable: false },
  ADP: { decimals: 6, transferable: false },
  CO2E: { decimals: 6, transferable: false },
} as const satisfies Record<string, Unit>;

/** What may stand as a coin's symbol: it is shown beside amounts that people sign. */
export const coinSymbol = /^[A-Za-z][A-Za-z0-9.]{0,11}$/;

/** The coin that a chain's gas is paid in, by its symbol; ether where none is said. */
export const coinOf = (symbol = "ETH") =>
  ({ name: symbol === "ETH" ? "Ether" : symbol, symbol, decimals: 18 }) as const;

export type UnitCode = keyof typeof units;
export const unitCodes = Object.keys(units) as readonly UnitCode[];

/** The largest amount that the ledger holds: 38 decimal digits, the precision of its columns. */
export const maxAmount = 10n ** 38n - 1n;

/**
 * A written amount ("0.0001") as base units of `unit`.
 * @throws BursarError AMOUNT_INVALID: sign, exponent, separators, too many decimals, or larger than {@link maxAmount}.
 */
export function parseAmount(text: string, unit: UnitCode): bigint {
  const { decimals } = units[unit];
  const match = /^(0|[1-9]\d{0,38})(?:\.(\d{1,38}))?$/.exec(text);
  if (!match) throw amountInvalid(text, unit, "must be a plain decimal number such as 12 or 0.05");
  const fraction = match[2] ?? "";
  if (fraction.length > decimals)
    throw amountInvalid(text, unit, `has ${fraction.length} decimals; ${unit} has ${decimals}`);
  const amount = BigInt((match[1] ?? "0") + fraction.padEnd(decimals, "0"));
  if (amount > maxAmount) throw amountInvalid(text, unit, "is larger than the ledger holds");
  return amount;
}

/** Base units written as a decimal number, without trailing zeros; the inverse of {@link parseAmount}. */
export function formatAmount(amount: bigint, unit: UnitCode): string {
  const { decimals } = units[unit];
  const digits = (amount < 0n ? -amount : amount).toString().padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, "");
  return `${amount < 0n ? "-" : ""}${whole}${fraction && `.${fraction}`}`;
}

function amountInvalid(text: string, unit: UnitCode, rule: string): BursarError {
  const shown = text.slice(0, 80);
  return new BursarError("AMOUNT_INVALID", `amount ${rule}`, {
    facts: { amount: shown, unit },
    fields: [{ field: "amount", message: rule, value: shown }],
  });
}
