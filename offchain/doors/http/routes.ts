import type { Action } from "#offchain/app/action.ts";
import { actions } from "#offchain/app/all.ts";

/** An action as the doors see it: which one it is does not matter to them. */
export type AnyAction = Pick<Action, "name" | "summary" | "route" | "role" | "input" | "output" | "run">;

export const allActions: readonly AnyAction[] = Object.values(actions);

export const parameterNames = (path: string): string[] =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);

/** `/agents/{address}` as Hono writes it: `/agents/:address`. */
export const honoPath = (path: string): string => path.replace(/\{(\w+)\}/g, ":$1");

/** The methods that a path answers to, whatever the parameters in it; empty for an unknown path. */
export function methodsOf(path: string, known: readonly AnyAction[] = allActions): string[] {
  const methods = known
    .filter(({ route }) => new RegExp(`^${route.path.replace(/\{\w+\}/g, "[^/]+")}$`).test(path))
    .map(({ route }) => route.method);
  return [...new Set<string>(methods)];
}
