import type { z } from "zod";
import type { Random } from "#offchain/demo/random.ts";

/** What was seen in answers, by the field that it stood in: what names something real. */
export type Seen = ReadonlyMap<string, readonly unknown[]>;

const large = "x".repeat(70_000);

/** Values that some reader of some type has once stumbled over. */
const values: Readonly<Record<string, readonly unknown[]>> = {
  text: [
    "",
    " ",
    "\u0000",
    "a\u0000b",
    "\ud800",
    "\udc00x",
    "\u202eevil",
    "\u200b",
    "\ufeff",
    "é",
    "e\u0301",
    "ﬁ",
    "😀",
    "İ",
    "'; DROP TABLE agent; --",
    "%00",
    "../../etc/passwd",
    "$(id)",
    "{{7*7}}",
    "<script>alert(1)</script>",
    "__proto__",
    "constructor",
    "toString",
    "null",
    "undefined",
    "NaN",
    "true",
    "a".repeat(300),
    large,
  ],
  number: [
    0,
    -0,
    -1,
    1,
    0.5,
    1e-7,
    1e21,
    1e308,
    2 ** 31,
    2 ** 32,
    2 ** 53,
    2 ** 53 + 2,
    2 ** 63,
    2 ** 64,
    2 ** 256,
    Number.MIN_VALUE,
  ],
  digits: [
    "0",
    "-0",
    "-1",
    "+1",
    "01",
    "1.",
    ".1",
    "1e3",
    "0x10",
    "0b1",
    "1_000",
    " 1",
    "1 ",
    "١",
    "0.0000001",
    "0.0000000000000000000000001",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "99999999999999999999999999999999999999",
    "100000000000000000000000000000000000000",
    "115792089237316195423570985008687907853269984665640564039457584007913129639936",
    "9".repeat(1_000),
  ],
  hex: [
    "0x",
    "0X",
    "0x0",
    "0xg",
    `0x${"0".repeat(40)}`,
    `0x${"f".repeat(40)}`,
    `0x${"F".repeat(40)}`,
    `0X${"1".repeat(40)}`,
    `0x${"1".repeat(39)}`,
    `0x${"1".repeat(41)}`,
    `0x${"0".repeat(64)}`,
    `0x${"f".repeat(64)}`,
    `0x${"a".repeat(130)}`,
    `0x${"ff".repeat(10_000)}`,
    "1".repeat(40),
  ],
  time: [
    "1970-01-01T00:00:00Z",
    "0000-01-01T00:00:00.000Z",
    "9999-12-31T23:59:59.999Z",
    "10000-01-01T00:00:00Z",
    "2026-02-30T00:00:00Z",
    "2026-01-01T24:00:00Z",
    "2026-01-01",
    "2026-01-01T00:00:00+14:00",
    8_640_000_000_000_001,
    253_402_300_800_000,
  ],
  other: [
    null,
    true,
    false,
    [],
    {},
    [[]],
    [null],
    { length: -1 },
    { toString: "x" },
    { "": "" },
    [1, "1", null],
  ],
  many: [
    Array.from({ length: 3_000 }, (_, at) => at),
    Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`k${at}`, at])),
  ],
};
const kinds = Object.keys(values);

export const pick = <Value>(random: Random, from: readonly Value[]): Value =>
  from[random.below(from.length)] as Value;

/** Any of the values, of any kind; nested now and then. */
export function hostileValue(random: Random, depth = 0): unknown {
  if (depth < 3 && random.below(20) === 0) return [hostileValue(random, depth + 1)];
  if (depth < 3 && random.below(20) === 0)
    return { [pick(random, ["key", "value", "__proto__x"])]: hostileValue(random, depth + 1) };
  return pick(random, values[pick(random, kinds)] as readonly unknown[]);
}

/**
 * The input with some of its parts replaced, taken out, doubled or added, and with real names in place of made ones where
 * some were seen.
 * @param changes how many parts at most; 0 leaves it as a caller means it
 */
export function bent(input: unknown, random: Random, seen: Seen, changes: number): unknown {
  let result = withSeen(input, random, seen);
  for (let change = 0; change < changes; change += 1) result = changed(result, random);
  return result;
}

function withSeen(value: unknown, random: Random, seen: Seen): unknown {
  if (Array.isArray(value)) return value.map((item) => withSeen(item, random, seen));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([field, part]) => {
      const others = seen.get(field);
      if (others && typeof part !== "object" && random.below(3) > 0) return [field, pick(random, others)];
      return [field, withSeen(part, random, seen)];
    }),
  );
}

function changed(value: unknown, random: Random): unknown {
  if (Array.isArray(value) && value.length > 0 && random.below(4) > 0) {
    const at = random.below(value.length);
    return value.with(at, changed(value[at], random));
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return hostileValue(random);
  const fields = Object.keys(value);
  const part = value as Record<string, unknown>;
  const field = fields.length > 0 ? pick(random, fields) : "";
  switch (random.below(8)) {
    case 0: {
      const { [field]: _, ...rest } = part;
      return rest;
    }
    case 1:
      return {
        ...part,
        [pick(random, ["surprise", "id", "__proto__x", "constructor", "chainId"])]: hostileValue(random),
      };
    case 2:
      return { ...part, [field]: [part[field], part[field]] };
    case 3:
      return { ...part, [field]: (JSON.stringify(part[field]) ?? "").toUpperCase() };
    default:
      return fields.length > 0
        ? { ...part, [field]: changed(part[field], random) }
        : { surprise: hostileValue(random) };
  }
}

/** Every optional field, by chance: schemas are asked for all of their parts. */
export function withOptional(
  schema: z.ZodType,
  input: unknown,
  random: Random,
  sampleOf: (schema: z.ZodType, path: string) => unknown,
): unknown {
  const shape = (schema as { shape?: Record<string, z.ZodType> }).shape;
  if (!shape || typeof input !== "object" || input === null) return input;
  const added = Object.entries(shape).flatMap(([field, part]) =>
    field in input || field === "waitMs" || random.below(3) > 0 ? [] : [[field, sampleOf(part, field)]],
  );
  return { ...input, ...Object.fromEntries(added) };
}
