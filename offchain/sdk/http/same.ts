import { BursarError } from "#offchain/core/error.ts";

/** @throws BursarError IDEMPOTENCY_CONFLICT when the key has been used for other facts; addresses count without their case */
export function assertSame(key: string, known: object, facts: object): void {
  const written = (value: unknown) => String(value ?? "").replace(/^0x.*/, (hex) => hex.toLowerCase());
  const earlier = new Map(Object.entries(known));
  const other = Object.entries(facts).filter(
    ([name, value]) => written(value) !== written(earlier.get(name)),
  );
  if (other.length === 0) return;
  const words = other.map(
    ([name, value]) => `${name} ${earlier.get(name) ?? "none"}, not ${value ?? "none"}`,
  );
  throw new BursarError("IDEMPOTENCY_CONFLICT", `"${key}" was used with ${words.join(" and ")}`, {
    facts: { key, ...Object.fromEntries(other.map(([name]) => [name, String(earlier.get(name) ?? "")])) },
    fields: other.map(([field, value]) => ({
      field,
      message: "must be as before under the same key",
      value,
    })),
  });
}
