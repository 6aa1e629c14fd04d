import type { IncomingMessage, Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import type { Config } from "#offchain/app/config.ts";
import type { Http } from "./http.ts";

const keepAliveMs = 65_000;

export interface Listening {
  /** Where the door really listens, e.g. `http://127.0.0.1:4020`. */
  url: string;
  port: number;
  /** Answers what has arrived, refuses the rest, and closes the socket. */
  close(): Promise<void>;
}

/** Opens the door on a socket. @throws the system's error (`EADDRINUSE`, `EACCES`) when it cannot. */
export async function serve(
  http: Http,
  limits: Pick<Config["http"], "host" | "port" | "requestTimeoutMs">,
): Promise<Listening> {
  const server = createAdaptorServer({
    fetch: http.app.fetch,
    // HTTP/1.0 wants no `host` header, and old load balancers ask for health by it.
    hostname: "localhost",
    // Every other wish to change the protocol is ignored, and the request answered as it is.
    serverOptions: { shouldUpgradeCallback: (request) => isForStream(http, request) },
  }) as Server;
  server.on("upgrade", (request, socket, head) => {
    // Whatever goes wrong with one request is that request's own end.
    http.upgrade(request, socket, head).catch(() => socket.destroy());
  });
  // Longer than clients keep theirs: a request never meets a socket that is just being closed.
  server.keepAliveTimeout = keepAliveMs;
  server.requestTimeout = limits.requestTimeoutMs;
  server.headersTimeout = limits.requestTimeoutMs;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(limits.port, limits.host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const { port } = server.address() as AddressInfo;
  const host = limits.host.includes(":") ? `[${limits.host}]` : limits.host;
  return {
    url: `http://${host}:${port}`,
    port,
    async close() {
      await http.drain();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      // The last answers are on their way still: each connection is closed behind its own.
      const sweep = setInterval(() => server.closeIdleConnections(), sweepEveryMs);
      // What drain has given up on: an answer that nobody reads must not keep the process.
      const cut = setTimeout(() => server.closeAllConnections(), flushMs);
      await closed;
      clearInterval(sweep);
      clearTimeout(cut);
    },
  };
}

/** How long the last answers may take to be sent, and between two looks at whether they are. */
const flushMs = 1_000;
const sweepEveryMs = 10;

const isForStream = (http: Http, { url = "", headers }: IncomingMessage) =>
  headers.upgrade?.toLowerCase() === "websocket" && http.takesUpgrade(url.split("?", 1)[0] ?? "");
