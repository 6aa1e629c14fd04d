import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { Hono } from "hono";
import { type WebSocket, WebSocketServer } from "ws";
import type { Environment } from "./exchange.ts";

/** Takes a request for a WebSocket off the HTTP server. */
export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => Promise<void>;

export interface Upgrades {
  readonly upgrade: Upgrade;
  /** Called by a route that lets the request in: `serve` gets the socket once the route has answered. */
  accept(request: IncomingMessage, serve: (socket: WebSocket) => void): void;
}

/**
 * Requests for a WebSocket go through the same routes as all others, and are refused by the same answers; only what a
 * route has accepted becomes a WebSocket. Nothing is compressed: signatures do not shrink, and windows cost memory.
 */
export function createUpgrades(app: Hono<Environment>, messageLimitBytes: number): Upgrades {
  const accepted = new WeakMap<IncomingMessage, (socket: WebSocket) => void>();
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: messageLimitBytes,
  });
  return {
    accept: (request, serve) => void accepted.set(request, serve),

    async upgrade(request, socket, head) {
      const ignore = () => {};
      socket.on("error", ignore);
      const asked = asRequest(request);
      if (!asked) {
        socket.end(notAllowed);
        return;
      }
      const answer = await app.fetch(asked, { incoming: request });
      const serve = accepted.get(request);
      if (socket.destroyed) return;
      if (!serve) {
        socket.end(await written(answer));
        return;
      }
      const addHeaders = (headers: string[]) => headers.push(...headerLines(answer));
      server.once("headers", addHeaders);
      server.handleUpgrade(request, socket, head, serve);
      // Not called when the handshake failed, which is over by now.
      server.off("headers", addHeaders);
      socket.off("error", ignore);
    },
  };
}

/** Methods that no `Request` can have (Fetch standard, forbidden methods). */
const forbidden = new Set(["CONNECT", "TRACE", "TRACK"]);
const notAllowed =
  "HTTP/1.1 405 Method Not Allowed\r\nallow: GET\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/** Null when it is no request that any route could answer. */
function asRequest({ url = "/", method = "GET", headers }: IncomingMessage): Request | null {
  const address = url.startsWith("/") ? `http://localhost${url}` : url;
  if (forbidden.has(method.toUpperCase()) || !URL.canParse(address)) return null;
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(", ") : value] as [string, string]],
  );
  // The host is of no interest to any route, and may be anything.
  return new Request(new URL(address), { method, headers: lines });
}

const headerLines = (answer: Response) => [...answer.headers].map(([name, value]) => `${name}: ${value}`);

async function written(answer: Response): Promise<string> {
  const body = await answer.text();
  const head = [
    `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ""}`,
    "connection: close",
    `content-length: ${Buffer.byteLength(body)}`,
    ...headerLines(answer),
  ];
  return `${head.join("\r\n")}\r\n\r\n${body}`;
}
