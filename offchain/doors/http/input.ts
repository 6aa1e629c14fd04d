import { invalidInput } from "#offchain/app/validate.ts";

/**
 * A query as an object.
 * @throws BursarError VALIDATION_INVALID_INPUT when a parameter stands twice
 */
export function parseQuery(search: string): Record<string, string> {
  const query: Record<string, string> = {};
  if (search.length < 2) return query;
  for (const [name, value] of new URLSearchParams(search)) {
    if (Object.hasOwn(query, name))
      throw invalidInput([{ field: name, message: "must be given once", value: value.slice(0, 80) }]);
    query[name] = value;
  }
  return query;
}
