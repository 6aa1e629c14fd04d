import type { z } from "zod";
import { unknownFields } from "#offchain/core/call/unknownFields.ts";
import { BursarError, type FieldError } from "#offchain/core/error.ts";

/** Broken rules shown of one request; a thousand bad payments need no thousand lines. */
const shownFieldsMax = 20;

/**
 * The input as the action's schema has it.
 * @throws BursarError VALIDATION_INVALID_INPUT naming every field that breaks a rule, or that the schema does not know
 */
export function validate<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const parsed = schema.safeParse(input);
  const unknown = unknownFields(schema, input);
  if (parsed.success && unknown.length === 0) return parsed.data;
  const broken = (parsed.error?.issues ?? []).map((issue) => ({
    field: issue.path.map(String).join("."),
    message: issue.message,
    value: shownValue(input, issue.path),
  }));
  throw invalidInput([...broken, ...unknown]);
}

export function invalidInput(fields: readonly FieldError[]): BursarError {
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
