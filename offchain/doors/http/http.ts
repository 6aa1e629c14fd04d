import type { IncomingMessage } from "node:http";
import { Hono } from "hono";
import { keccak256, stringToHex } from "viem";
import type { Service } from "#offchain/app/service.ts";
import type { Opening } from "#offchain/app/stream.ts";
import type { AnyAction } from "#offchain/core/action.ts";
import type { Caller } from "#offchain/core/call/caller.ts";
import { chainPath } from "#offchain/core/call/chainPath.ts";
import { BursarError } from "#offchain/core/error.ts";
import { recoverAddress } from "#offchain/platform/chain/signatures/secp256k1.ts";
import { shareFresh } from "#offchain/platform/jobs/shareFresh.ts";
import { answerJson, answerText } from "./answer.ts";
import { type Authenticate, createAuthenticate } from "./authentication.ts";
import { parseBody } from "./body.ts";
import { Places } from "./client/places.ts";
import { docsHeaders, docsPage } from "./documents/docs.ts";
import { openApiDocument } from "./documents/openapi.ts";
import { createExchanges, type Environment, type Exchange, type Exchanges } from "./exchange.ts";
import { parseQuery } from "./input.ts";
import { type HttpMetrics, httpMetrics } from "./metrics.ts";
import {
  type ActionRoute,
  honoPath,
  isReachedBy,
  methodsOf,
  type Route,
  routesOf,
  type StreamRoute,
  streamRoutesOf,
} from "./routes.ts";
import { answerSale } from "./sale/answer.ts";
import { readPaymentHeader, speaksVersion1 } from "./sale/paymentHeader.ts";
import { createFeeds, type Feeds } from "./streams/feed.ts";
import { createMessageStreams, type MessageStreams } from "./streams/messageStream.ts";
import { createLiveStreams, type Streams } from "./streams/stream.ts";
import { createUpgrades, type Upgrade, type Upgrades } from "./upgrade.ts";

export interface Http {
  readonly app: Hono<Environment>;
  /** Takes requests for a WebSocket. */
  readonly upgrade: Upgrade;
  /** Whether a request for a WebSocket may be meant for this path. */
  takesUpgrade(path: string): boolean;
  /** Refuses what is new with SHUTTING_DOWN, ends the live streams, and waits for what runs. */
  drain(): Promise<void>;
}

/** The service with what the door adds to it. */
interface Door {
  readonly service: Service;
  readonly exchanges: Exchanges;
  readonly metrics: HttpMetrics;
  readonly authenticate: Authenticate;
  readonly routes: readonly ActionRoute[];
  readonly streamRoutes: readonly StreamRoute[];
}

/** The HTTP door: every declared action under its route, and `/api/v1/stream`, `/health`, `/ready`, `/metrics`, `/openapi.json`, `/docs`. */
export function createHttp(service: Service): Http {
  const { log, bus, clock, detailOf } = service;
  const limits = service.config.http;
  const now = () => clock.now();
  const metrics = httpMetrics(service.metrics);
  const exchanges = createExchanges({ limits, detailOf, now, log, metrics });
  const authenticate = createAuthenticate({ now, recoverAddress });
  const routes = routesOf(service.actions);
  const streamRoutes = streamRoutesOf(service.actions);
  const door: Door = { service, exchanges, metrics, authenticate, routes, streamRoutes };
  const app = new Hono<Environment>();

  serveActions(app, door);
  const places = new Places({
    what: "live streams",
    limit: "streamClientsMax",
    most: limits.streamClientsMax,
    share: limits.streamClientsPerIpMax,
  });
  const live = createLiveStreams({ bus, places, limits, metrics });
  serveLive(app, door, live);
  const feeds = createFeeds({ places, limits, metrics, log });
  const upgrades = createUpgrades(app, limits.paymentStreamMessageLimitBytes);
  const messages = createMessageStreams({ limits, detailOf, metrics, log });
  serveStreams(app, door, feeds, { upgrades, streams: messages });
  serveHealth(app, door);
  serveDocuments(app, door);
  app.options(
    "*",
    exchanges.route("preflight", async ({ headers }) => answerText(204, null, { ...headers, ...preflight })),
  );
  app.notFound(
    exchanges.route("unknown", (exchange) => refuseUnknown([...routes, ...streamRoutes], exchange)),
  );

  return {
    app,
    upgrade: upgrades.upgrade,
    takesUpgrade: (path) =>
      streamRoutes.some((route) => route.stream.kind === "messages" && isReachedBy(route, path)),
    async drain() {
      live.closeAll();
      feeds.closeAll();
      const answered = exchanges.drain(limits.drainTimeoutMs);
      await Promise.all([answered, messages.drain(limits.drainTimeoutMs)]);
      live.closeAll();
    },
  };
}

const preflight = {
  "access-control-allow-methods": "GET, POST, PUT, DELETE",
  "access-control-allow-headers":
    "authorization, content-type, x-request-id, last-event-id, payment-signature, x-payment",
  "access-control-max-age": "600",
} as const;

function serveActions(app: Hono<Environment>, door: Door): void {
  const { service, exchanges, authenticate, routes } = door;
  for (const { method, path, action, isChainBound } of routes)
    app.on(
      method,
      honoPath(path),
      exchanges.route(
        action.name,
        async (exchange, body) => {
          const { target, context, headers, ip, audiences, isExemptFromRates } = exchange;
          const chainId = chainIdOf(exchange, service);
          const requestHeaders = context.req.raw.headers;
          const authorization = requestHeaders.get("authorization") ?? undefined;
          const signed = { method, path: target, body, authorization, audiences };
          const caller = authenticate({ ...signed, ...meantFor(service, isChainBound, chainId) });
          const answer = await service.call({
            action: action.name,
            caller,
            input: () => patient(action, sentInput(method, exchange, body), exchange),
            chainId,
            from: ip,
            isExemptFromRates,
            hurry: exchange.hurry,
            purchase: () => ({
              request: requestHash(caller, exchange, body),
              url: context.req.url,
              speaksVersion1: speaksVersion1(requestHeaders),
              payment: readPaymentHeader(requestHeaders),
            }),
          });
          return answer.kind === "sale"
            ? answerSale(answer.outcome, headers)
            : answerJson(200, answer.output, headers);
        },
        { hasBody: method !== "GET" },
      ),
    );
}

/** A call that waits for something new (`waitMs`) rests meanwhile; where too many rest, it does not wait. */
function patient(
  { input }: AnyAction,
  sent: Record<string, unknown>,
  exchange: Exchange,
): Record<string, unknown> {
  const shape = "shape" in input ? (input.shape as object) : {};
  const wantsToWait = "waitMs" in shape && Number(sent.waitMs) > 0;
  return wantsToWait && !exchange.rest() ? { ...sent, waitMs: "0" } : sent;
}

/** The chain that the path names; the default one where it names none. @throws BursarError NETWORK_MISMATCH */
function chainIdOf({ context }: Exchange, { chainId, chainIds }: Service): number {
  const named = context.req.param("chainId");
  if (named === undefined) return chainId;
  // One way to write it: what Number also takes, such as 0x7a69, is another path to proxies and in signatures.
  if (/^[1-9]\d{0,15}$/.test(named) && chainIds.includes(Number(named))) return Number(named);
  throw new BursarError("NETWORK_MISMATCH", `chain ${named.slice(0, 40)} is not followed here`, {
    facts: { got: named.slice(0, 40), followed: chainIds.join(", ") },
  });
}

/** Who asks for what: the same payment from another caller, or for another thing, is another sale. */
function requestHash(caller: Caller, { method, target }: Exchange, body: Uint8Array): `0x${string}` {
  const who = caller.role === "agent" ? caller.address : caller.role;
  return keccak256(stringToHex(JSON.stringify([who, method, target, keccak256(body)])));
}

/** Query or body, with what the path says on top. */
function sentInput(method: string, { context, target }: Exchange, body: Uint8Array): Record<string, unknown> {
  const search = target.indexOf("?");
  const sent =
    method === "GET"
      ? parseQuery(search < 0 ? "" : target.slice(search + 1))
      : parseBody(body, context.req.raw.headers.get("content-type"));
  const { chainId: _chain, ...named } = context.req.param() as Record<string, string>;
  return { ...sent, ...named };
}

/** A stream's own path, and that under which it is reached on any chain. */
const onEveryChain = (path: string): string[] => [path, chainPath(path)].map(honoPath);

/** What happens right now, for pages: notices that are no action's answer, and kept for nobody. */
function serveLive(app: Hono<Environment>, { service, exchanges }: Door, streams: Streams): void {
  const serve = exchanges.route("stream", async (exchange) => {
    const lastEventId = exchange.context.req.raw.headers.get("last-event-id");
    const body = streams.open(exchange, lastEventId, chainIdOf(exchange, service));
    return new Response(body, { headers: { ...exchange.headers, ...streamHeaders } });
  });
  app.on("GET", onEveryChain("/api/v1/stream"), serve);
}

/** The streams of the declared actions: feeds as Server-Sent Events, messages by WebSocket. See `doors/http/streams/`. */
function serveStreams(app: Hono<Environment>, door: Door, feeds: Feeds, sockets: Sockets): void {
  for (const route of door.streamRoutes) {
    const serve = route.stream.kind === "feed" ? feedServer(door, feeds) : messagesServer(door, sockets);
    const [noun] = route.action.name.split(".");
    app.get(
      honoPath(route.path),
      door.exchanges.route(`${noun}.stream`, (exchange) => serve(exchange, route)),
    );
  }
}

type ServeStream = (exchange: Exchange, route: StreamRoute) => Promise<Response>;

/**
 * For which chains a request may be signed, and who is the operator to it. What concerns no chain may be signed for any
 * that is followed here; its operator is the first chain's, since another chain's has that chain alone.
 */
const meantFor = (service: Service, isChainBound: boolean, chainId: number) => ({
  chainIds: isChainBound ? [chainId] : service.chainIds,
  operator: service.operatorOn(isChainBound ? chainId : service.chainId),
});

/** The opening of a stream, with its caller established. */
function openingOf(exchange: Exchange, { service, authenticate }: Door, route: StreamRoute): Opening {
  const { target, context, ip, audiences, isExemptFromRates } = exchange;
  const chainId = chainIdOf(exchange, service);
  const headers = context.req.raw.headers;
  const caller = authenticate({
    method: "GET",
    path: target,
    body: new Uint8Array(),
    authorization: headers.get("authorization") ?? undefined,
    audiences,
    ...meantFor(service, route.isChainBound, chainId),
  });
  const lastEventId = headers.get("last-event-id");
  return {
    action: route.action.name,
    caller,
    input: () => ({
      ...sentInput("GET", exchange, new Uint8Array()),
      ...(route.stream.kind === "feed" && lastEventId !== null && { [route.stream.resumedBy]: lastEventId }),
    }),
    chainId,
    from: ip,
    isExemptFromRates,
  };
}

function feedServer(door: Door, feeds: Feeds): ServeStream {
  return async (exchange, route) => {
    const { headers, requestId } = exchange;
    const opening = openingOf(exchange, door, route);
    const follow = async () => {
      const opened = await door.service.openStream(opening);
      if (opened.kind !== "feed") throw new Error(`${route.path} is no feed`);
      return opened.following;
    };
    const body = await feeds.open(exchange, follow, requestId);
    return new Response(body, { headers: { ...headers, ...streamHeaders } });
  };
}

/** WebSockets, and who serves them. */
interface Sockets {
  readonly upgrades: Upgrades;
  readonly streams: MessageStreams;
}

function messagesServer(door: Door, { upgrades, streams }: Sockets): ServeStream {
  const { service } = door;
  return async (exchange, route) => {
    const { context, headers, requestId } = exchange;
    const incoming: IncomingMessage | undefined = context.env?.incoming;
    const request = context.req.raw.headers;
    const { stream } = route;
    if (incoming === undefined || request.get("upgrade")?.toLowerCase() !== "websocket")
      throw new BursarError("UPGRADE_REQUIRED", `${stream.resource} speaks WebSocket only`);
    assertOrigin(request.get("origin"), service.config.http.corsOrigins);
    const opened = await service.openStream(openingOf(exchange, door, route));
    if (opened.kind !== "messages" || stream.kind !== "messages")
      throw new Error(`${route.path} takes no messages`);
    streams.assertRoom(exchange);
    const calls = { opened, words: stream.words, requestId };
    upgrades.accept(incoming, (socket) => streams.open(exchange, socket, calls));
    return answerText(200, null, headers);
  };
}

/** No preflight comes before a WebSocket: a page that may not send requests is refused here. */
function assertOrigin(origin: string | null, allowed: readonly string[]): void {
  if (origin === null || allowed.includes("*") || allowed.includes(origin)) return;
  throw new BursarError("FORBIDDEN", `pages of ${origin.slice(0, 200)} may not use this service`, {
    facts: { origin: origin.slice(0, 200) },
  });
}

const streamHeaders = {
  "content-type": "text/event-stream",
  "cache-control": "no-store",
  "x-accel-buffering": "no",
} as const;

/** How old the figures may be, ms: writing them out takes long, and anybody may ask, whatever his rate. */
const figuresFreshMs = 1_000;

function serveHealth(app: Hono<Environment>, { exchanges, service: { health, metrics } }: Door): void {
  const figures = shareFresh(() => metrics.registry.metrics(), figuresFreshMs);
  app.get(
    "/health",
    exchanges.route(
      "health",
      async ({ headers }) => {
        const report = await health.report();
        return answerJson(report.status === "failed" ? 503 : 200, report, headers);
      },
      { always: true },
    ),
  );
  app.get(
    "/ready",
    exchanges.route(
      "ready",
      async ({ headers }) => {
        const { isServing, checks } = await health.report();
        const failed = Object.keys(checks).filter((name) => checks[name]?.status === "failed");
        const isReady = isServing && !exchanges.isDraining && !exchanges.isFull;
        return answerJson(
          isReady ? 200 : 503,
          { isReady, isDraining: exchanges.isDraining, failed },
          headers,
        );
      },
      { always: true },
    ),
  );
  app.get(
    "/metrics",
    exchanges.route(
      "metrics",
      async ({ headers }) =>
        answerText(200, await figures(), {
          ...headers,
          "content-type": metrics.registry.contentType,
        }),
      { always: true },
    ),
  );
}

function serveDocuments(app: Hono<Environment>, { exchanges, service: { actions } }: Door): void {
  const document = openApiDocument(actions);
  const page = docsPage(document, actions);
  app.get(
    "/openapi.json",
    exchanges.route("openapi", async ({ headers }) => answerJson(200, document, headers)),
  );
  app.get(
    "/docs",
    exchanges.route("docs", async ({ headers }) => answerText(200, page, { ...headers, ...docsHeaders })),
  );
  app.get(
    "/",
    exchanges.route("root", async ({ headers }) => answerText(302, null, { ...headers, location: "/docs" })),
  );
}

async function refuseUnknown(routes: readonly Route[], { method, context }: Exchange): Promise<never> {
  const { path } = context.req;
  const allowed = methodsOf(path, routes);
  const facts = { method, path: path.slice(0, 200) };
  if (allowed.length === 0)
    throw new BursarError("ROUTE_UNKNOWN", `there is no ${method} ${facts.path}; see /docs`, { facts });
  throw new BursarError(
    "METHOD_UNKNOWN",
    `${facts.path} answers to ${allowed.join(", ")}, not to ${method}`,
    {
      facts: { ...facts, allowed: allowed.join(", ") },
    },
  );
}
