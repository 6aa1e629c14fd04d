import type { IncomingMessage } from "node:http";
import { Hono } from "hono";
import { submitterOf } from "#offchain/app/action.ts";
import type { Config } from "#offchain/app/config.ts";
import type { World } from "#offchain/app/world.ts";
import { BursarError } from "#offchain/core/error.ts";
import { listEvents } from "#offchain/features/events/actions/list.ts";
import { pay } from "#offchain/features/payments/actions/pay.ts";
import type { Shop } from "#offchain/features/x402/service.ts";
import type { Bus } from "#offchain/platform/observe/bus.ts";
import type { Health } from "#offchain/platform/observe/health.ts";
import type { Log } from "#offchain/platform/observe/log.ts";
import type { Metrics } from "#offchain/platform/observe/metrics.ts";
import { answerJson, answerText } from "./answer.ts";
import { assertRole, createAuthenticate, type RecoverAddress } from "./authentication.ts";
import { parseBody, readBody } from "./body.ts";
import { docsHeaders, docsPage } from "./documents/docs.ts";
import { openApiDocument } from "./documents/openapi.ts";
import { createExchanges, type Environment, type Exchange, type Exchanges } from "./exchange.ts";
import { parseQuery, validate } from "./input.ts";
import { type AnyAction, allActions, honoPath, methodsOf } from "./routes.ts";
import { createPaywall } from "./sale/paywall.ts";
import { createFeeds, type Feeds } from "./streams/feed.ts";
import { createPaymentStreams, type PaymentStreams, paymentStreamPath } from "./streams/paymentStream.ts";
import { createStreams, type Streams } from "./streams/stream.ts";
import { createUpgrades, type Upgrade, type Upgrades } from "./upgrade.ts";

export interface HttpOptions {
  world: World;
  limits: Config["http"];
  chainId: number;
  /** The address whose signature makes a caller the operator; null when nobody is. */
  operator: `0x${string}` | null;
  recoverAddress: RecoverAddress;
  bus: Bus;
  log: Log;
  metrics: Metrics;
  health: Health;
  /** What is for sale; absent when nothing is. */
  shop?: Shop;
}

export interface Http {
  readonly app: Hono<Environment>;
  /** Takes requests for a WebSocket. */
  readonly upgrade: Upgrade;
  /** Refuses what is new with SHUTTING_DOWN, ends the live streams, and waits for what runs. */
  drain(): Promise<void>;
}

/** The HTTP door: every declared action under its route, and `/api/v1/stream`, `/health`, `/ready`, `/metrics`, `/openapi.json`, `/docs`. */
export function createHttp(options: HttpOptions): Http {
  const { world, limits, log, metrics, bus } = options;
  const now = () => world.clock.now();
  const exchanges = createExchanges({ limits, now, log, metrics });
  const streams = createStreams({ bus, limits, metrics });
  const app = new Hono<Environment>();

  serveActions(app, exchanges, options);
  serveStream(app, exchanges, streams);
  const feeds = createFeeds({ events: world.events, limits, metrics, log });
  serveFeed(app, exchanges, feeds);
  const upgrades = createUpgrades(app, limits.paymentStreamMessageLimitBytes);
  const payments = createPaymentStreams({ world, limits, metrics, log });
  servePayments(app, exchanges, upgrades, payments, options);
  serveHealth(app, exchanges, options);
  serveDocuments(app, exchanges);
  app.options(
    "*",
    exchanges.route("preflight", async ({ headers }) => answerText(204, null, { ...headers, ...preflight })),
  );
  app.notFound(exchanges.route("unknown", refuseUnknown));

  return {
    app,
    upgrade: upgrades.upgrade,
    async drain() {
      streams.closeAll();
      feeds.closeAll();
      const answered = exchanges.drain(limits.drainTimeoutMs);
      await Promise.all([answered, payments.drain(limits.drainTimeoutMs)]);
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

function serveActions(app: Hono<Environment>, exchanges: Exchanges, options: HttpOptions): void {
  const authenticate = createAuthenticate({ ...options, now: () => options.world.clock.now() });
  const paywall = options.shop
    ? createPaywall(options.shop, (action) => options.metrics.x402Sales.inc({ action }))
    : null;
  for (const action of allActions) {
    const { method, path } = action.route;
    app.on(
      method,
      honoPath(path),
      exchanges.route(action.name, async (exchange) => {
        const { target, context, headers } = exchange;
        const body =
          method === "GET" ? new Uint8Array() : await bodyOf(exchange, options.limits.bodyLimitBytes);
        const authorization = context.req.raw.headers.get("authorization") ?? undefined;
        const caller = authenticate({ method, path: target, body, authorization });
        if (caller.role === "agent") exchanges.limitIdentity(exchange, caller.address);
        assertRole(caller, action.role, action.name);
        const input = validate(action.input, sentInput(action, exchange, body));
        const run = () => action.run(options.world, caller, input);
        if (paywall?.isPriced(action.name)) return paywall.serve({ action, exchange, caller, body, run });
        return answerJson(200, await run(), headers);
      }),
    );
  }
}

function bodyOf({ context }: Exchange, limitBytes: number): Promise<Uint8Array> {
  const incoming: IncomingMessage | undefined = context.env?.incoming;
  return readBody(context.req.raw, incoming, limitBytes);
}

/** Query or body, with what the path says on top. */
function sentInput(
  action: AnyAction,
  { context, target }: Exchange,
  body: Uint8Array,
): Record<string, unknown> {
  const search = target.indexOf("?");
  const sent =
    action.route.method === "GET"
      ? parseQuery(search < 0 ? "" : target.slice(search + 1))
      : parseBody(body, context.req.raw.headers.get("content-type"));
  return { ...sent, ...context.req.param() };
}

function serveStream(app: Hono<Environment>, exchanges: Exchanges, streams: Streams): void {
  app.get(
    "/api/v1/stream",
    exchanges.route("stream", async (exchange) => {
      const lastEventId = exchange.context.req.raw.headers.get("last-event-id");
      return new Response(streams.open(lastEventId), { headers: { ...exchange.headers, ...streamHeaders } });
    }),
  );
}

/** Vouchers by WebSocket, under the same conditions as `payments.pay`; see `doors/http/streams/paymentStream.ts`. */
function servePayments(
  app: Hono<Environment>,
  exchanges: Exchanges,
  upgrades: Upgrades,
  streams: PaymentStreams,
  options: HttpOptions,
): void {
  const authenticate = createAuthenticate({ ...options, now: () => options.world.clock.now() });
  app.get(
    paymentStreamPath,
    exchanges.route("payments.stream", async (exchange) => {
      const { target, context, headers } = exchange;
      const incoming: IncomingMessage | undefined = context.env?.incoming;
      const request = context.req.raw.headers;
      if (incoming === undefined || request.get("upgrade")?.toLowerCase() !== "websocket")
        throw new BursarError("UPGRADE_REQUIRED", `${paymentStreamPath} speaks WebSocket only`);
      assertOrigin(request.get("origin"), options.limits.corsOrigins);
      if (options.shop?.prices.has(pay.name))
        throw new BursarError("FORBIDDEN", `${pay.name} has a price here, which a stream cannot pay`, {
          facts: { action: pay.name },
        });
      const authorization = request.get("authorization") ?? undefined;
      const caller = authenticate({ method: "GET", path: target, body: new Uint8Array(), authorization });
      if (caller.role === "agent") exchanges.limitIdentity(exchange, caller.address);
      assertRole(caller, pay.role, pay.name);
      streams.assertRoom();
      upgrades.accept(incoming, (socket) => streams.open(socket, submitterOf(caller), exchange.requestId));
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
function serveFeed(app: Hono<Environment>, exchanges: Exchanges, feeds: Feeds): void {
  app.get(
    "/api/v1/events/stream",
    exchanges.route("events.stream", async ({ target, context, headers, requestId }) => {
      const search = target.indexOf("?");
      const sent = validate(listEvents.input, parseQuery(search < 0 ? "" : target.slice(search + 1)));
      const { waitMs: _waitMs, limit: _limit, ...query } = sent;
      const lastEventId = context.req.raw.headers.get("last-event-id");
      const body = await feeds.open({ ...query, cursor: lastEventId ?? query.cursor ?? null }, requestId);
      return new Response(body, { headers: { ...headers, ...streamHeaders } });
    }),
  );
}

const streamHeaders = {
  "content-type": "text/event-stream",
  "cache-control": "no-store",
  "x-accel-buffering": "no",
} as const;

function serveHealth(app: Hono<Environment>, exchanges: Exchanges, { health, metrics }: HttpOptions): void {
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
        const { status, checks } = await health.report();
        const failed = Object.keys(checks).filter((name) => checks[name]?.status === "failed");
        const isReady = status !== "failed" && !exchanges.isDraining;
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

function serveDocuments(app: Hono<Environment>, exchanges: Exchanges): void {
  const document = openApiDocument();
  const page = docsPage(document);
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

async function refuseUnknown({ method, context }: Exchange): Promise<never> {
  const { path } = context.req;
  const allowed = methodsOf(path);
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
