import { z } from "zod";
import type { FieldError } from "#offchain/core/error.ts";

/** Finds what an input names and its schema does not. */
type Finder = (input: unknown, path: string) => FieldError[];

/** Of a name that was sent, what is said of it. */
const nameMax = 80;
const finders = new WeakMap<z.ZodType, Finder>();

/**
 * The fields of an input that its schema does not know, at any depth. Left out silently, a slip of the pen would change
 * what a request means: an amount that is misspelt is no amount at all. Objects that are declared loose take any field, for
 * their format is another's.
 */
export const unknownFields = (schema: z.ZodType, input: unknown): FieldError[] => finderOf(schema)(input, "");

function finderOf(schema: z.ZodType): Finder {
  let finder = finders.get(schema);
  if (!finder) {
    finder = made(schema);
    finders.set(schema, finder);
  }
  return finder;
}

const none: Finder = () => [];

function made(schema: z.ZodType): Finder {
  if (schema instanceof z.ZodObject) return inObject(schema);
  if (schema instanceof z.ZodArray) return inArray(finderOf(schema.element as z.ZodType));
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault
  )
    return finderOf(schema.unwrap() as z.ZodType);
  if (schema instanceof z.ZodPipe)
    return finderOf((schema.in instanceof z.ZodTransform ? schema.out : schema.in) as z.ZodType);
  // Which of the options was meant is not known: what one of them knows is known.
  if (schema instanceof z.ZodUnion) return inUnion(schema.options.map((one) => finderOf(one as z.ZodType)));
  return none;
}

function inObject(schema: z.ZodObject): Finder {
  const fields = new Map(
    Object.entries(schema.shape).map(([name, field]) => [name, finderOf(field as z.ZodType)]),
  );
  const isLoose = schema.def.catchall !== undefined;
  const known = [...fields.keys()].join(", ") || "none";
  return (input, path) => {
    if (typeof input !== "object" || input === null || Array.isArray(input)) return [];
    const found: FieldError[] = [];
    // Every payment comes by here: a path is made only where something may be said of it.
    const at = (name: string) => (path === "" ? "" : `${path}.`) + name.slice(0, nameMax);
    for (const name in input) {
      const field = fields.get(name);
      if (field === undefined) {
        if (!isLoose)
          found.push({
            field: at(name),
            message: `is no field of it; these are: ${known}`,
            value: undefined,
          });
      } else if (field !== none) found.push(...field((input as Record<string, unknown>)[name], at(name)));
    }
    return found;
  };
}

const inArray = (element: Finder): Finder =>
  element === none
    ? none
    : (input, path) =>
        Array.isArray(input) ? input.flatMap((one, at) => element(one, `${path}.${at}`)) : [];

const inUnion =
  (options: readonly Finder[]): Finder =>
  (input, path) =>
    options.map((find) => find(input, path)).toSorted((one, other) => one.length - other.length)[0] ?? [];
