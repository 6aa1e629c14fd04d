import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Random } from "#offchain/demo/random.ts";

/** A JSON-RPC provider that fails as told, before a chain that does not. */
export interface FlakyRpc {
  readonly url: string;
  /** From now on so many of a hundred requests fail; 100: nobody is answered. */
  setFailPercent(percent: number): void;
  /** Requests that failed on purpose. */
  readonly failed: number;
  stop(): Promise<void>;
}

/** Half of the failing requests never reach the chain, the other half are carried out and not answered. */
export async function startFlakyRpc(target: string, port: number, random: Random): Promise<FlakyRpc> {
  let failPercent = 0;
  let failed = 0;
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    answer(request, response).catch(() => request.socket.destroy());
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const isFailing = random.below(100) < failPercent;
    if (isFailing) failed += 1;
    if (isFailing && random.below(2) === 0) return void response.writeHead(503).end();
    const got = await fetch(target, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: Buffer.concat(parts),
    });
    const text = await got.text();
    if (isFailing) return void request.socket.destroy();
    response.writeHead(got.status, { "content-type": "application/json" }).end(text);
  }

  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  // No WebSocket: its client falls back to asking.
  server.on("upgrade", (_, socket) => socket.destroy());
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    setFailPercent: (percent) => {
      failPercent = percent;
    },
    get failed() {
      return failed;
    },
    async stop() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
