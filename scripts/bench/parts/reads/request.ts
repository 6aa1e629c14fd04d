import { actions } from "#offchain/app/features.ts";
import { routeOf } from "#offchain/doors/http/routes.ts";

/** Parameters of the path in the path, the rest in the query or the body. An unknown action is an unknown path. */
export function requestOf(action: string, input: Record<string, unknown>) {
  const known = actions.get(action);
  const { method, path: template } = known
    ? routeOf(known.action)
    : ({ method: "GET", path: `/api/v1/${action}` } as const);
  const rest = { ...input };
  const filled = template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = textOf(rest[name]);
    delete rest[name];
    return encodeURIComponent(value);
  });
  if (method !== "GET") return { method, path: filled, body: JSON.stringify(rest) };
  const sent = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, textOf(value)]));
  const query = new URLSearchParams(sent).toString();
  return { method, path: query ? `${filled}?${query}` : filled, body: "" };
}

/** A value as it stands in a path or a query, where half a surrogate cannot. */
export const textOf = (value: unknown): string =>
  (typeof value === "object" ? JSON.stringify(value) : String(value)).toWellFormed();
