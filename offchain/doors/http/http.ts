import type { IncomingMessage } from "node:http";
import { Hono } from "hono";
import { keccak256, stringToHex } from "viem";
import { z } from "zod";
import type { Service } from "#offchain/app/service.ts";
import { validate } from "#offchain/app/validate.ts";
import { type Caller, submitterOf } from "#offchain/core/action.ts";
import { chainPath } from "#offchain/core/chainPath.ts";
import { BursarError } from "#offchain/core/error.ts";
import { recoverAddress } from "#offchain/platform/chain/signatures/secp256k1.ts";
import { answerJson, answerText } from "./answer.ts";
import { type Authenticate, createAuthenticate } from "./authentication.ts";
import { parseBody, readBody } from "./body.ts";
import { docsHeaders, docsPage } from "./documents/docs.ts";
import { openApiDocument } from "./documents/openapi.ts";
import { createExchanges, type Environment, type Exchange, type Exchanges } from "./exchange.ts";
import { parseQuery } from "./input.ts";
import { type HttpMetrics, httpMetrics } from "./metrics.ts";
import { type ActionRoute, honoPath, methodsOf, routesOf } from "./routes.ts";
import { answerSale } from "./sale/answer.ts";
import { readPaymentHeader, speaksVersion1 } from "./sale/paymentHeader.ts";
import { createFeeds, type FeedFilter, type Feeds } from "./streams/feed.ts";
import { createPaymentStreams, type PaymentStreams, paymentStreamPath } from "./streams/paymentStream.ts";
import { createStreams, type Streams } from "./streams/stream.ts";
import { createUpgrades, type Upgrade, type Upgrades } from "./upgrade.ts";

export interface Http {
  readonly app: Hono<Environment>;
  /** Takes requests for a WebSocket. */
  readonly upgrade: Upgrade;
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
}

/** The HTTP door: every declared action under its route, and `/api/v1/stream`, `/health`, `/ready`, `/metrics`, `/openapi.json`, `/docs`. */
export function createHttp(service: Service): Http {
  const { log, bus, clock } = service;
  const limits = service.config.http;
  const now = () => clock.now();
  const metrics = httpMetrics(service.metrics);
  const exchanges = createExchanges({ limits, now, log, metrics });
  const { chainId, operator } = service;
  const authenticate = createAuthenticate({ chainId, operator, now, recoverAddress });
  const door: Door = { service, exchanges, metrics, authenticate, routes: routesOf(service.actions) };
  const app = new Hono<Environment>();

  serveActions(app, door);
  const streams = createStreams({ bus, limits, metrics });
  serveStream(app, door, streams);
  const feeds = createFeeds({ limits, metrics, log });
  serveFeed(app, door, feeds);
  const upgrades = createUpgrades(app, limits.paymentStreamMessageLimitBytes);
  const paymentStreams = createPaymentStreams({
    input: inputOf(service, pay),
    limits,
    metrics,
    log,
  });
  servePayments(app, door, upgrades, paymentStreams);
  serveHealth(app, door);
  serveDocuments(app, door);
  app.options(
    "*",
    exchanges.route("preflight", async ({ headers }) => answerText(204, null, { ...headers, ...preflight })),
  );
  app.notFound(exchanges.route("unknown", (exchange) => refuseUnknown(door.routes, exchange)));

  return {
    app,
    upgrade: upgrades.upgrade,
    async drain() {
      streams.closeAll();
      feeds.closeAll();
      const answered = exchanges.drain(limits.drainTimeoutMs);
      await Promise.all([answered, paymentStreams.drain(limits.drainTimeoutMs)]);
      streams.closeAll();
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
      exchanges.route(action.name, async (exchange) => {
        const { target, context, headers, isExemptFromRates } = exchange;
        const chainId = chainIdOf(exchange, service);
        const body =
          method === "GET" ? new Uint8Array() : await bodyOf(exchange, service.config.http.bodyLimitBytes);
        const requestHeaders = context.req.raw.headers;
        const authorization = requestHeaders.get("authorization") ?? undefined;
        // What concerns no chain may be signed for any that is followed here.
        const chainIds = isChainBound ? [chainId] : service.chainIds;
        const caller = authenticate({ method, path: target, body, authorization, chainIds });
        const answer = await service.call({
          action: action.name,
          caller,
          input: () => sentInput(method, exchange, body),
          chainId,
          isExemptFromRates,
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
      }),
    );
}

/** The chain that the path names; the default one where it names none. @throws BursarError NETWORK_MISMATCH */
function chainIdOf({ context }: Exchange, { chainId, chainIds }: Service): number {
  const named = context.req.param("chainId");
  if (named === undefined) return chainId;
  if (chainIds.includes(Number(named))) return Number(named);
  throw new BursarError("NETWORK_MISMATCH", `chain ${named.slice(0, 40)} is not followed here`, {
    facts: { got: named.slice(0, 40), followed: chainIds.join(", ") },
  });
}

/** Who asks for what: the same payment from another caller, or for another thing, is another sale. */
function requestHash(caller: Caller, { method, target }: Exchange, body: Uint8Array): `0x${string}` {
  const who = caller.role === "agent" ? caller.address : caller.role;
  return keccak256(stringToHex(JSON.stringify([who, method, target, keccak256(body)])));
}

function bodyOf({ context }: Exchange, limitBytes: number): Promise<Uint8Array> {
  const incoming: IncomingMessage | undefined = context.env?.incoming;
  return readBody(context.req.raw, incoming, limitBytes);
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

function serveStream(app: Hono<Environment>, { service, exchanges }: Door, streams: Streams): void {
  const serve = exchanges.route("stream", async (exchange) => {
    const lastEventId = exchange.context.req.raw.headers.get("last-event-id");
    const body = streams.open(lastEventId, chainIdOf(exchange, service));
    return new Response(body, { headers: { ...exchange.headers, ...streamHeaders } });
  });
  app.on("GET", onEveryChain("/api/v1/stream"), serve);
}

/** What an action takes; nothing, where there is none of that name. */
const inputOf = ({ actions }: Service, name: string): z.ZodType =>
  actions.get(name)?.action.input ?? z.never();

/** The action whose conditions hold for vouchers by WebSocket. */
const pay = "payments.pay";

/** Vouchers by WebSocket, under the same conditions as `payments.pay`; see `doors/http/streams/paymentStream.ts`. */
function servePayments(
  app: Hono<Environment>,
  { service, exchanges, authenticate }: Door,
  upgrades: Upgrades,
  streams: PaymentStreams,
): void {
  app.on(
    "GET",
    onEveryChain(paymentStreamPath),
    exchanges.route("payments.stream", async (exchange) => {
      const { target, context, headers } = exchange;
      const incoming: IncomingMessage | undefined = context.env?.incoming;
      const request = context.req.raw.headers;
      if (incoming === undefined || request.get("upgrade")?.toLowerCase() !== "websocket")
        throw new BursarError("UPGRADE_REQUIRED", `${paymentStreamPath} speaks WebSocket only`);
      assertOrigin(request.get("origin"), service.config.http.corsOrigins);
      const chainId = chainIdOf(exchange, service);
      const { payments, x402 } = service.servicesOn(chainId);
      if (x402?.prices.has(pay))
        throw new BursarError("FORBIDDEN", `${pay} has a price here, which a stream cannot pay`, {
          facts: { action: pay },
        });
      const authorization = request.get("authorization") ?? undefined;
      const caller = authenticate({
        method: "GET",
        path: target,
        body: new Uint8Array(),
        authorization,
        chainIds: [chainId],
      });
      service.admit(caller, pay, exchange.isExemptFromRates);
      streams.assertRoom();
      const { requestId } = exchange;
      const payer = { payments, submitter: submitterOf(caller), requestId };
      upgrades.accept(incoming, (socket) => streams.open(socket, payer));
      return answerText(200, null, headers);
    }),
  );
}

/** No preflight comes before a WebSocket: a page that may not send requests is refused here. */
function assertOrigin(origin: string | null, allowed: readonly string[]): void {
  if (origin === null || allowed.includes("*") || allowed.includes(origin)) return;
  throw new BursarError("FORBIDDEN", `pages of ${origin.slice(0, 200)} may not use this service`, {
    facts: { origin: origin.slice(0, 200) },
  });
}

/** The event feed without end; see `doors/http/streams/feed.ts`. */
function serveFeed(app: Hono<Environment>, { service, exchanges }: Door, feeds: Feeds): void {
  const input = inputOf(service, "events.list");
  app.on(
    "GET",
    onEveryChain("/api/v1/events/stream"),
    exchanges.route("events.stream", async (exchange) => {
      const { target, context, headers, requestId } = exchange;
      const search = target.indexOf("?");
      const sent = validate(input, parseQuery(search < 0 ? "" : target.slice(search + 1)));
      const {
        contract,
        event,
        cursor = null,
      } = sent as Pick<FeedFilter, "contract" | "event"> & { cursor?: string };
      const lastEventId = context.req.raw.headers.get("last-event-id");
      const { events } = service.servicesOn(chainIdOf(exchange, service));
      const body = await feeds.open(
        events,
        { ...(contract && { contract }), ...(event && { event }), cursor: lastEventId ?? cursor },
        requestId,
      );
      return new Response(body, { headers: { ...headers, ...streamHeaders } });
    }),
  );
}

const streamHeaders = {
  "content-type": "text/event-stream",
  "cache-control": "no-store",
  "x-accel-buffering": "no",
} as const;

function serveHealth(app: Hono<Environment>, { exchanges, service: { health, metrics } }: Door): void {
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
        const isReady = isServing && !exchanges.isDraining;
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
        answerText(200, await metrics.registry.metrics(), {
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

async function refuseUnknown(routes: readonly ActionRoute[], { method, context }: Exchange): Promise<never> {
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
