import type { ErrorBody } from "#offchain/doors/error.ts";
import { createHttp } from "#offchain/doors/http/http.ts";
import { serve } from "#offchain/doors/http/serve.ts";
import { chainId } from "../../support/service.ts";
import {
  accepted,
  account,
  type SmallWorld,
  type SmallWorldOptions,
  smallWorld,
  startedAt,
} from "../world.ts";

export { accepted, account, chainId, startedAt };

/**
 * A real server on a real socket. Only the world behind it is small and in memory: these tests are about the door.
 */
export const openDoor = (options: SmallWorldOptions = {}) => serveWorld(smallWorld(options));

export async function serveWorld(world: SmallWorld) {
  const http = createHttp(world.service);
  const { bus } = world.service;
  const listening = await serve(http, world.service.config.http);
  return { ...listening, ...world, http, bus, [Symbol.asyncDispose]: () => listening.close() };
}

/** The fields that the tests look at; a body that is no JSON stands in `text`. */
export interface Answer extends Partial<ErrorBody> {
  text?: string;
  [field: string]: unknown;
}

/** A request's status, headers and JSON. */
export async function ask(url: string, path: string, init: RequestInit = {}) {
  const response = await fetch(new URL(path, url), init);
  const text = await response.text();
  const body = text.startsWith("{") ? (JSON.parse(text) as Answer) : ({ text } as Answer);
  return { status: response.status, headers: response.headers, body };
}

export const post = (url: string, path: string, body: unknown, headers: Record<string, string> = {}) =>
  ask(url, path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
