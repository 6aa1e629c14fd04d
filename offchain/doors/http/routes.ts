import type { ActionsByName, FeatureAction } from "#offchain/app/features.ts";
import type { AnyAction, Effect } from "#offchain/core/action.ts";
import { chainPath } from "#offchain/core/call/chainPath.ts";

export type Method = "GET" | "POST" | "PUT" | "DELETE";

const methods: Record<Effect, Method> = { read: "GET", write: "POST", replace: "PUT", remove: "DELETE" };

/** Where an action is reached. */
export interface Route {
  readonly method: Method;
  readonly path: `/${string}`;
}

export const routeOf = ({ effect, resource }: Pick<AnyAction, "effect" | "resource">): Route => ({
  method: methods[effect],
  path: resource,
});

export type ActionRoute = Route & FeatureAction;

/** Every action with its routes: its own, and for a chain-bound one that of any chain. */
export const routesOf = (actions: ActionsByName): readonly ActionRoute[] =>
  [...actions.values()].flatMap((known) => {
    const route = routeOf(known.action);
    const own = { ...known, ...route };
    return known.isChainBound ? [own, { ...own, path: chainPath(route.path) }] : [own];
  });

/** Where the stream of an action is reached; both kinds are opened by GET. */
export interface StreamRoute extends FeatureAction {
  readonly method: "GET";
  readonly path: `/${string}`;
  readonly stream: NonNullable<AnyAction["stream"]>;
}

/** Every streamed action with the routes of its stream: its own, and for a chain-bound one that of any chain. */
export const streamRoutesOf = (actions: ActionsByName): readonly StreamRoute[] =>
  [...actions.values()].flatMap((known) => {
    const { stream } = known.action;
    if (!stream) return [];
    const own = { ...known, stream, method: "GET", path: stream.resource } as const;
    return known.isChainBound ? [own, { ...own, path: chainPath(own.path) }] : [own];
  });

export const parameterNames = (path: string): string[] =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);

/** `/agents/{address}` as Hono writes it: `/agents/:address`. */
export const honoPath = (path: string): string => path.replace(/\{(\w+)\}/g, ":$1");

export const isReachedBy = (route: Pick<Route, "path">, path: string): boolean =>
  new RegExp(`^${route.path.replace(/\{\w+\}/g, "[^/]+")}$`).test(path);

/** The methods that a path answers to, whatever the parameters in it; empty for an unknown path. */
export function methodsOf(path: string, known: readonly Route[]): string[] {
  const found = known.filter((route) => isReachedBy(route, path)).map(({ method }) => method);
  return [...new Set<string>(found)];
}
