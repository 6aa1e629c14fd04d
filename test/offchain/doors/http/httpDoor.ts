import { actions } from "#offchain/app/features.ts";
import type { ErrorBody } from "#offchain/doors/error.ts";
import { routeOf } from "#offchain/doors/http/routes.ts";
import { signRequests } from "#offchain/sdk/http/request.ts";
import type { OpenDoor } from "../behaviour.ts";
import { account, chainId, serveWorld } from "./door.ts";

/** HTTP on a real socket, as the shared tests call through it. */
export const openOverHttp: OpenDoor = async (world) => {
  const server = await serveWorld(world);
  return {
    async call(who, action, input) {
      const { method, path, body } = requestOf(action, input);
      const sign = who === "anonymous" ? null : signRequests(account(who), chainId, () => world.time.now);
      const answer = await fetch(new URL(path, server.url), {
        method,
        headers: {
          ...(body && { "content-type": "application/json" }),
          ...(await sign?.({ method, path, body })),
        },
        ...(body && { body }),
      });
      const said: unknown = await answer.json();
      return answer.ok ? { ok: true, output: said } : { ok: false, error: said as ErrorBody };
    },
    [Symbol.asyncDispose]: () => server.close(),
  };
};

/** Parameters of the path in the path, the rest in the query or the body. An unknown action is an unknown path. */
function requestOf(action: string, input: Record<string, unknown>) {
  const known = actions.get(action);
  const { method, path: template } = known
    ? routeOf(known.action)
    : ({ method: "GET", path: `/api/v1/${action}` } as const);
  const rest = { ...input };
  const filled = template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = String(rest[name]);
    delete rest[name];
    return encodeURIComponent(value);
  });
  if (method !== "GET") return { method, path: filled, body: JSON.stringify(rest) };
  const sent = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, String(value)]));
  const query = new URLSearchParams(sent).toString();
  return { method, path: query ? `${filled}?${query}` : filled, body: "" };
}
