import type { z } from "zod";

/** Texts that mean something to one field or another, the commonest first. */
const texts = [
  "1",
  "0.5",
  "word",
  `0x${"1".repeat(40)}`,
  `0x${"2".repeat(64)}`,
  `0x${"3".repeat(130)}`,
  "0x",
  "eip155:31337",
  "01980000-0000-7000-8000-000000000000",
  "2026-01-01T00:00:00.000Z",
  "1.0.-1",
  "https://example.com/",
];
const numbers = [1, 0, 1_000, 60_000, 86_400_000];

/**
 * A small input that a schema accepts: an object with what it must have, and nothing else. It is found by trying, so that
 * a rule of a field's own needs no word here as long as one of the texts keeps it.
 * @throws Error naming the field for which nothing is known
 */
export function sampleOf(schema: z.ZodType, path = "input"): unknown {
  for (const candidate of candidates(schema, path)) if (schema.safeParse(candidate).success) return candidate;
  throw new Error(`${path}: no sample is accepted; give scripts/bench/parts/reads/sample.ts one`);
}

type Definition = { type: string } & Record<string, unknown>;

function* candidates(schema: z.ZodType, path: string): Iterable<unknown> {
  const definition = schema.def as unknown as Definition;
  const inner = (name: string) => definition[name] as z.ZodType;
  switch (definition.type) {
    case "object":
      yield sampleOfObject(definition.shape as Record<string, z.ZodType>, path);
      break;
    case "array":
      yield [];
      yield [sampleOf(inner("element"), `${path}.0`)];
      break;
    case "record":
      yield {};
      break;
    case "union":
      for (const option of definition.options as z.ZodType[]) yield* candidates(option, path);
      break;
    case "enum":
      yield* Object.values(definition.entries as object);
      break;
    case "literal":
      yield* definition.values as unknown[];
      break;
    case "boolean":
      yield true;
      break;
    case "number":
      yield* numbers;
      break;
    case "pipe":
      yield* candidates(inner("in"), path);
      yield* candidates(inner("out"), path);
      break;
    case "optional":
    case "nullable":
    case "default":
    case "prefault":
    case "readonly":
      yield* candidates(inner("innerType"), path);
      break;
    case "unknown":
    case "any":
      yield {};
      break;
    default:
      yield* texts;
  }
}

function sampleOfObject(shape: Record<string, z.ZodType>, path: string): Record<string, unknown> {
  const needed = Object.entries(shape).filter(([, field]) => !field.safeParse(undefined).success);
  return Object.fromEntries(needed.map(([name, field]) => [name, sampleOf(field, `${path}.${name}`)]));
}
