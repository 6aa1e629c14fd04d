import { z } from "zod";
import type { BursarError, ErrorFacts, FieldError } from "../error.ts";

/** What every error that leaves the service says, wherever it stands: a whole answer, or one item of many. */
export interface WrittenError {
  error_code: string;
  message: string;
  validation_errors: readonly FieldError[];
  facts: Record<string, string | number | boolean | null>;
  /** What to do next: fix the request, retry the same, sign it anew, wait, or ask a human. */
  remedy: string;
}

/** The same as a schema, for actions that answer with errors among other things. */
export const writtenError = z.object({
  error_code: z.string(),
  message: z.string(),
  validation_errors: z
    .array(z.object({ field: z.string(), message: z.string(), value: z.unknown().optional() }))
    .readonly(),
  facts: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  remedy: z.string(),
});

export const writeError = ({ code, message, fields, facts, remedy }: BursarError): WrittenError => ({
  error_code: code,
  message,
  validation_errors: fields,
  facts: writtenFacts(facts),
  remedy,
});

function writtenFacts(facts: ErrorFacts): WrittenError["facts"] {
  const written: WrittenError["facts"] = {};
  for (const [name, fact] of Object.entries(facts))
    if (fact !== undefined) written[name] = typeof fact === "bigint" ? fact.toString() : fact;
  return written;
}
