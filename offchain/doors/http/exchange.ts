import { randomUUID } from "node:crypto";
import type { HttpBindings } from "@hono/node-server";
import type { Context } from "hono";
import { spend } from "#offchain/app/call.ts";
import type { Config } from "#offchain/app/config.ts";
import type { Service } from "#offchain/app/service.ts";
import { BursarError } from "#offchain/core/error.ts";
import type { Log } from "#offchain/platform/observe/log.ts";
import { createRateLimit } from "#offchain/platform/rateLimit.ts";
import { asBursarError } from "../error.ts";
import { answerError, answerText, type Headers } from "./answer.ts";
import { HungUp } from "./body.ts";
import { audiencesOf } from "./client/audience.ts";
import { clientAddress, countedAddress } from "./client/clientAddress.ts";
import { IncomingBodies } from "./client/incomingBodies.ts";
import { Places } from "./client/places.ts";
import { type Able, Resting } from "./client/resting.ts";
import type { HttpMetrics } from "./metrics.ts";

/** What the door hands to Hono with each request; absent only when a request does not come from a socket. */
export type Environment = { Bindings: Partial<HttpBindings> };

/** One request on its way to its answer. */
export interface Exchange extends Able {
  readonly context: Context<Environment>;
  readonly requestId: string;
  readonly method: string;
  /** Path with its query, as sent. */
  readonly target: string;
  /** Where the client is, behind proxies that are trusted. */
  readonly ip: string;
  /** The origins that the request may be signed for. */
  readonly audiences: readonly string[];
  readonly isExemptFromRates: boolean;
  /** What every answer to this request carries: its id, and whether the page that asked may read it. */
  readonly headers: Headers;
}

export interface Exchanges {
  /**
   * Wraps one route: admission, request id, errors, metrics, log. `name` labels the metrics. A body is read before the
   * request takes its place among those that are answered.
   */
  route(
    name: string,
    work: (exchange: Exchange, body: Uint8Array) => Promise<Response>,
    options?: { always?: boolean; hasBody?: boolean },
  ): Handler;
  readonly isDraining: boolean;
  /** Whether every place is taken: another request would be turned away. */
  readonly isFull: boolean;
  /** Refuses new requests and resolves when the running ones are answered, or after `timeoutMs`. */
  drain(timeoutMs: number): Promise<void>;
}

type Handler = (context: Context<Environment>) => Promise<Response>;

interface Options {
  limits: Config["http"];
  detailOf: Service["detailOf"];
  now: () => number;
  log: Log;
  metrics: HttpMetrics;
}

const noBody = new Uint8Array();
const visibleId = /^[\w.:-]{1,64}$/;

/** The frame around every route of the door. */
export function createExchanges({ limits, detailOf, now, log, metrics }: Options): Exchanges {
  const { ratePerIpPerSecond: perSecond, ratePerIpBurst: burst, rateTrackedMax: trackedMax } = limits;
  const perIp = createRateLimit({ perSecond, burst, trackedMax, now });
  const begin = beginnerOf(limits);
  const running = new Running();
  const places = placesOf(limits);
  const resting = new Resting(limits);
  const bodies = new IncomingBodies(limits);

  function admit(exchange: Exchange): void {
    running.assertServing();
    places.assertRoom(exchange);
    if (!exchange.isExemptFromRates) spend(perIp, exchange.ip, "ip", perSecond);
  }

  const bodyOf = (exchange: Exchange): Promise<Uint8Array> =>
    bodies.read(exchange, { request: exchange.context.req.raw, incoming: exchange.context.env?.incoming });

  const refuse = refuserOf({ detailOf, log, metrics });

  return {
    route: (name, work, options) => async (context) => {
      const startedAt = performance.now();
      const place = { leave: () => {} };
      const exchange = resting.able(begin(context), place);
      running.enter();
      metrics.inFlightRequests.inc();
      let answer: Response;
      try {
        if (!options?.always) admit(exchange);
        const body = options?.hasBody ? await bodyOf(exchange) : noBody;
        if (!options?.always) place.leave = places.take(exchange);
        answer = await work(exchange, body);
      } catch (thrown) {
        answer = refuse(thrown, name, exchange);
      } finally {
        place.leave();
        running.leave();
        metrics.inFlightRequests.dec();
      }
      const seconds = (performance.now() - startedAt) / 1000;
      metrics.requestSeconds.observe({ action: name, status: answer.status }, seconds);
      if (log.isLevelEnabled("debug"))
        log.debug(
          { requestId: exchange.requestId, action: name, status: answer.status, seconds },
          "answered",
        );
      return answer;
    },

    get isDraining() {
      return running.isDraining;
    },

    get isFull() {
      return places.isFull;
    },

    drain(timeoutMs) {
      resting.hurryAll();
      return running.drain(timeoutMs);
    },
  };
}

/** Of requests that are answered. */
const placesOf = (limits: Config["http"]) =>
  new Places({
    what: "requests",
    limit: "inFlightMax",
    most: limits.inFlightMax,
    share: limits.inFlightPerIpMax,
  });

const abortedStatus = 499;

/** Answers an error, and tells it to the log and the metrics. */
function refuserOf({ detailOf, log, metrics }: Pick<Options, "detailOf" | "log" | "metrics">) {
  function report(error: BursarError, action: string, { requestId, method, target }: Exchange): void {
    metrics.refusedRequests.inc({ code: error.code });
    const line = { requestId, action, method, target: target.slice(0, 200), code: error.code };
    if (error.code === "INTERNAL") log.error({ ...line, error: error.cause ?? error }, "request failed");
    else if (error.status >= 500) log.warn(line, error.message);
    else log.debug(line, error.message);
  }

  /** Nobody reads it; the status is the one that servers count these by. */
  function leave({ message }: HungUp, action: string, { requestId, method, target, headers }: Exchange) {
    metrics.refusedRequests.inc({ code: "ABORTED" });
    log.debug({ requestId, action, method, target: target.slice(0, 200) }, message);
    return answerText(abortedStatus, null, headers);
  }

  return (thrown: unknown, action: string, exchange: Exchange): Response => {
    if (thrown instanceof HungUp) return leave(thrown, action, exchange);
    const error = asBursarError(thrown);
    report(error, action, exchange);
    // The rest of a body that was given up is not waited for.
    const isAbandoned = error.code === "BODY_LATE" || error.code === "OVERLOADED";
    const isCut = isAbandoned && exchange.context.env?.incoming?.complete === false;
    const headers = isCut ? { ...exchange.headers, connection: "close" } : exchange.headers;
    return answerError(error, { ...exchange, headers, detailOf });
  };
}

/** Reads of a request what its frame needs: its id, whose it is, and which page sent it. */
function beginnerOf(limits: Config["http"]): (context: Context<Environment>) => Omit<Exchange, keyof Able> {
  const trustedProxies = new Set(limits.trustedProxies);
  const exemptIps = new Set(limits.rateExemptIps);
  const origins = new Set(limits.corsOrigins);
  return (context) => {
    const { method, url, headers } = context.req.raw;
    const {
      remoteAddress: socketIp = "127.0.0.1",
      localAddress,
      localPort,
    } = context.env?.incoming?.socket ?? {};
    const client = clientAddress(socketIp, headers.get("x-forwarded-for") ?? undefined, trustedProxies);
    const sentId = headers.get("x-request-id");
    const requestId = sentId && visibleId.test(sentId) ? sentId : randomUUID();
    return {
      context,
      requestId,
      method,
      target: url.slice(url.indexOf("/", url.indexOf("//") + 2)),
      ip: countedAddress(client.ip),
      audiences: audiencesOf({ host: headers.get("host"), localAddress, localPort }, limits.publicUrls),
      // A proxy on this machine speaks for callers elsewhere: what it forwards is no local call.
      isExemptFromRates: exemptIps.has(client.ip) && !client.isForwarded,
      headers: { "x-request-id": requestId, ...corsHeaders(headers.get("origin"), origins) },
    };
  };
}

/** The requests that are being answered. */
class Running {
  #count = 0;
  #whenIdle: (() => void) | null = null;
  isDraining = false;

  enter(): void {
    this.#count += 1;
  }

  leave(): void {
    this.#count -= 1;
    if (this.#count === 0) this.#whenIdle?.();
  }

  /** @throws BursarError SHUTTING_DOWN */
  assertServing(): void {
    if (this.isDraining)
      throw new BursarError("SHUTTING_DOWN", "the service is stopping; send the request again soon");
  }

  async drain(timeoutMs: number): Promise<void> {
    this.isDraining = true;
    if (this.#count === 0) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#whenIdle = resolve;
      timer = setTimeout(resolve, timeoutMs);
    });
    clearTimeout(timer);
  }
}

/** By "date" a page knows how far its browser's clock is off. */
const exposedHeaders =
  "date, x-request-id, retry-after, payment-required, payment-response, x-payment-response";

function corsHeaders(origin: string | null, allowed: ReadonlySet<string>): Headers {
  if (!origin) return {};
  if (allowed.has("*"))
    return {
      "access-control-allow-origin": "*",
      "access-control-expose-headers": exposedHeaders,
    };
  const vary = { vary: "origin" };
  if (!allowed.has(origin)) return vary;
  return {
    ...vary,
    "access-control-allow-origin": origin,
    "access-control-expose-headers": exposedHeaders,
  };
}
