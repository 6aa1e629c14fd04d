import { once } from "node:events";
import { json } from "node:stream/consumers";
import { WebSocket } from "ws";
import { actions } from "#offchain/app/features.ts";
import type { ErrorBody } from "#offchain/doors/error.ts";
import type { Outcome } from "#offchain/doors/memory/door.ts";
import { signRequests } from "#offchain/sdk/http/request.ts";
import { readServerSentEvents } from "#offchain/sdk/http/serverSentEvents.ts";
import { requestOf } from "../../../../scripts/bench/parts/reads/request.ts";
import type { OpenDoor, Who } from "../behaviour.ts";
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
          ...(await sign?.({ method, path, body, origin: server.url })),
        },
        ...(body && { body }),
      });
      const said: unknown = await answer.json();
      return answer.ok ? { ok: true, output: said } : { ok: false, error: said as ErrorBody };
    },
    async follow(who, action, input) {
      const query = new URLSearchParams(input as Record<string, string>).toString();
      const path = `${resourceOf(action)}${query && `?${query}`}`;
      const ending = new AbortController();
      const { signal } = ending;
      const answer = await fetch(new URL(path, server.url), { headers: await signed(who, path), signal });
      if (!answer.ok || !answer.body) return { ok: false, error: (await answer.json()) as ErrorBody };
      const messages: object[] = [];
      for await (const { id, event, data } of readServerSentEvents(answer.body)) {
        messages.push({ ...(id !== null && { place: id }), event, data: JSON.parse(data) });
        if (event === "confirmed") break;
      }
      ending.abort();
      return { ok: true, output: messages };
    },
    async send(who, action, messages) {
      const path = resourceOf(action);
      const socket = new WebSocket(new URL(path, server.url.replace("http", "ws")), {
        headers: await signed(who, path),
      });
      const refusal = await new Promise<ErrorBody | null>((resolve) => {
        socket.once("message", () => resolve(null));
        socket.once("unexpected-response", (_, response) => resolve(json(response) as Promise<ErrorBody>));
      });
      if (refusal) return [{ ok: false, error: refusal }];
      const outcomes: Outcome[] = [];
      for (const [at, payment] of messages.entries()) {
        socket.send(JSON.stringify({ id: String(at), payment }));
        const [data] = await once(socket, "message");
        const { receipt, error } = JSON.parse(String(data));
        outcomes.push(error ? { ok: false, error } : { ok: true, output: receipt });
      }
      socket.terminate();
      return outcomes;
    },
    [Symbol.asyncDispose]: () => server.close(),
  };

  async function signed(who: Who, path: string): Promise<Record<string, string>> {
    if (who === "anonymous") return {};
    return signRequests(
      account(who),
      chainId,
      () => world.time.now,
    )({
      method: "GET",
      path,
      body: "",
      origin: server.url,
    });
  }
};

/** Where the stream of an action is. */
const resourceOf = (action: string): string =>
  actions.get(action)?.action.stream?.resource ?? `/api/v1/${action}`;
