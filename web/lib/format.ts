/** Numbers in words and figures. Amounts are decimal strings and never become a float on their way to the page. */

/** A written amount in parts: what is read at once, and what is kept for whoever looks closer. */
export interface WrittenAmount {
  sign: "" | "−" | "+";
  whole: string;
  /** Fraction digits that are shown, without the point. */
  fraction: string;
  /** True if digits were left off: the page must show that they were. */
  isCut: boolean;
}

/** Money reads with two decimals at least; counts of energy and the like as they are. */
const minimumDecimals: Readonly<Record<string, number>> = { USDC: 2, EURC: 2, USD: 2, VMC: 2 };

/** False for a limit that is none, which is written as "unlimited". */
const isNumber = (amount: string): boolean => /^[-+]?\d/.test(amount);

/** Splits a decimal string for display, at most `limit` fraction digits; zeros beyond are not a cut. */
export function writeAmount(amount: string, unit = "", limit = 6, isSigned = false): WrittenAmount {
  if (!isNumber(amount)) return { sign: "", whole: amount, fraction: "", isCut: false };
  const isNegative = amount.startsWith("-");
  const [whole = "0", fraction = ""] = amount.replace(/^[-+]/, "").split(".");
  const shown = fraction.slice(0, limit).replace(/0+$/, "");
  const isZero = !/[1-9]/.test(amount);
  return {
    sign: isNegative ? "−" : isSigned && !isZero ? "+" : "",
    whole: groupDigits(whole),
    fraction: shown.padEnd(Math.min(minimumDecimals[unit] ?? 0, limit), "0"),
    isCut: /[1-9]/.test(fraction.slice(limit)),
  };
}

/** The same as one string: `1,204.50`, `0.000123…`. */
export function amountText(amount: string, unit = "", limit = 6, isSigned = false): string {
  const { sign, whole, fraction, isCut } = writeAmount(amount, unit, limit, isSigned);
  return `${sign}${whole}${fraction && `.${fraction}`}${isCut ? "…" : ""}`;
}

/** Commas between groups of three digits. */
export function groupDigits(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** An integer or its decimal string with separators. */
export function integerText(value: string | number | bigint): string {
  const text = typeof value === "number" ? String(Math.trunc(value)) : String(value);
  return text.startsWith("-") ? `−${groupDigits(text.slice(1))}` : groupDigits(text);
}

/** An integer in units of 10^-decimals as an exact decimal string. */
export function scaled(value: string | bigint, decimals: number): string {
  const integer = BigInt(value);
  const digits = (integer < 0n ? -integer : integer).toString().padStart(decimals + 1, "0");
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, "");
  return `${integer < 0n ? "-" : ""}${digits.slice(0, digits.length - decimals)}${decimals > 0 && fraction ? `.${fraction}` : ""}`;
}

/** after − before, exactly, as a decimal string; of what is without end nothing is used up. */
export function difference(after: string, before: string): string {
  if (!isNumber(after) || !isNumber(before)) return "0";
  const decimals = Math.max(decimalsOf(after), decimalsOf(before));
  return scaled(toInteger(after, decimals) - toInteger(before, decimals), decimals);
}

/** part / whole between 0 and 1, for the length of a bar; 0 where the whole is 0, or without end. */
export function share(part: string, whole: string): number {
  if (!isNumber(whole) || !isNumber(part)) return 0;
  const decimals = Math.max(decimalsOf(part), decimalsOf(whole));
  const divisor = toInteger(whole, decimals);
  if (divisor <= 0n) return 0;
  const ratio = Number((toInteger(part, decimals) * 10_000n) / divisor) / 10_000;
  return Math.min(1, Math.max(0, ratio));
}

const decimalsOf = (amount: string): number => amount.split(".")[1]?.length ?? 0;

function toInteger(amount: string, decimals: number): bigint {
  const [whole = "0", fraction = ""] = amount.split(".");
  return BigInt(whole + fraction.padEnd(decimals, "0"));
}

/** `0x7099…79C8`: both ends, because look-alike addresses copy one of them. */
export function shortHex(hex: string, ends = 4): string {
  return hex.length <= 2 + ends * 2 + 1 ? hex : `${hex.slice(0, 2 + ends)}…${hex.slice(-ends)}`;
}

/** Micrograms of CO₂ equivalent in the unit that reads best; exact. */
export function co2Text(micrograms: string): { value: string; unit: string } {
  const mass = BigInt(micrograms);
  if (mass >= 1_000_000_000n) return { value: amountText(scaled(mass, 9)), unit: "kg CO₂e" };
  if (mass >= 1_000_000n) return { value: amountText(scaled(mass, 6)), unit: "g CO₂e" };
  if (mass >= 1_000n) return { value: amountText(scaled(mass, 3)), unit: "mg CO₂e" };
  return { value: integerText(mass), unit: "µg CO₂e" };
}

/** Millijoules in the unit that reads best; exact. */
export function energyText(millijoules: string): { value: string; unit: string } {
  const energy = BigInt(millijoules);
  if (energy >= 1_000_000_000n) return { value: amountText(scaled(energy, 9)), unit: "MJ" };
  if (energy >= 1_000_000n) return { value: amountText(scaled(energy, 6)), unit: "kJ" };
  if (energy >= 1_000n) return { value: amountText(scaled(energy, 3)), unit: "J" };
  return { value: integerText(energy), unit: "mJ" };
}

/** A measured rate: one decimal below 100, none above. */
export function rateText(perSecond: number): string {
  return perSecond < 100 ? perSecond.toFixed(1) : integerText(Math.round(perSecond));
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${integerText(count)} ${count === 1 ? one : many}`;
}

/** "A", "A and B", "A, B and C"; or the same with "or". */
export function listWords(words: readonly string[], joint: "and" | "or" = "and"): string {
  if (words.length < 2) return words[0] ?? "";
  return `${words.slice(0, -1).join(", ")} ${joint} ${words.at(-1)}`;
}
