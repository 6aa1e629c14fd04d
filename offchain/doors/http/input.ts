import type { z } from "zod";
import { BursarError, type FieldError } from "#offchain/core/error.ts";

/** Broken rules shown of one request; a thousand bad payments need no thousand lines. */
const shownFieldsMax = 20;

/**
 * A query as an object.
 * @throws BursarError VALIDATION_INVALID_INPUT when a parameter stands twice
 */
export function parseQuery(search: string): Record<string, string> {
  const query: Record<string, string> = {};
  if (search.length < 2) return query;
  for (const [name, value] of new URLSearchParams(search)) {
    if (Object.hasOwn(query, name))
      throw invalid([{ field: name, message: "must be given once", value: value.slice(0, 80) }]);
    query[name] = value;
  }
  return query;
}

/** The input as the action's schema has it. @throws BursarError VALIDATION_INVALID_INPUT naming every field that breaks a rule */
export function validate<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw invalid(
    parsed.error.issues.map((issue) => ({
      field: issue.path.map(String).join("."),
      message: issue.message,
      value: shownValue(input, issue.path),
    })),
  );
}

function invalid(fields: FieldError[]): BursarError {
  const [first] = fields;
  const more = fields.length > 1 ? ` (and ${fields.length - 1} more)` : "";
  return new BursarError(
    "VALIDATION_INVALID_INPUT",
    `${first?.field || "the input"}: ${first?.message ?? "is not valid"}${more}`,
    { facts: { fields: fields.length }, fields: fields.slice(0, shownFieldsMax) },
  );
}

/** What was sent at the path: short, and never something that is named like a secret. */
function shownValue(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const step of path) {
    if (/secret|password|mnemonic|private/i.test(String(step))) return "(redacted)";
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[step];
  }
  if (typeof value === "string") return value.slice(0, 80);
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "array" : "object";
  return value;
}
