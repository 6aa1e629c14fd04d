import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { TestDatabase } from "./database.ts";

/** A line between the service and its database that shows what is sent, holds answers back, and breaks. */
export interface DatabaseProxy {
  readonly connection: TestDatabase["connection"];
  /** Texts of statements in the order in which they were sent; a plan used again is `again`. */
  readonly sent: string[];
  /** Lets statements through and keeps the answers, until `release`. */
  hold(): void;
  release(): void;
  /** After this statement has been carried out its answer is thrown away and the connection breaks. */
  loseAnswerOf(text: string): void;
  /** Breaks every connection; those that are opened then are carried as before. */
  cut(): void;
  /** Breaks every connection and lets none in, until `setDown(false)`. */
  setDown(isDown: boolean): void;
  close(): Promise<void>;
}

/** Size of a message's length, which counts itself (PostgreSQL manual, "Message Formats"). */
const lengthBytes = 4;

export async function startDatabaseProxy(target: TestDatabase["connection"]): Promise<DatabaseProxy> {
  const sent: string[] = [];
  const lines = new Set<{ client: Socket; server: Socket }>();
  let isHeld = false;
  let isDown = false;
  let losing: string | null = null;
  const proxy = createServer((client) => {
    if (isDown) return void client.destroy();
    const server = connect(`${target.host}/.s.PGSQL.${target.port}`);
    const line = { client, server };
    lines.add(line);
    if (isHeld) server.pause();
    let isLosing = false;
    const read = statementReader((text) => {
      sent.push(text);
      isLosing ||= text === losing;
    });
    client.on("data", (bytes) => {
      read(bytes);
      server.write(bytes);
    });
    server.on("data", (bytes) => {
      if (isLosing) client.destroy();
      else client.write(bytes);
    });
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on("error", () => {});
      one.on("close", () => {
        lines.delete(line);
        other.destroy();
      });
    }
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const cut = () => {
    for (const { client, server } of lines) {
      client.destroy();
      server.destroy();
    }
  };
  return {
    connection: { ...target, host: "127.0.0.1", port: (proxy.address() as AddressInfo).port },
    sent,
    hold: () => {
      isHeld = true;
      for (const { server } of lines) server.pause();
    },
    release: () => {
      isHeld = false;
      for (const { server } of lines) server.resume();
    },
    loseAnswerOf: (text) => {
      losing = text;
    },
    cut,
    setDown: (down) => {
      isDown = down;
      if (down) cut();
    },
    close: async () => {
      cut();
      proxy.close();
      await once(proxy, "close");
    },
  };
}

/** Tells of each Query, Parse, and Bind of a plan that was made earlier. */
function statementReader(tell: (text: string) => void): (bytes: Buffer) => void {
  let pending = Buffer.alloc(0);
  let hasStarted = false;
  let last = "";
  return (bytes) => {
    pending = Buffer.concat([pending, bytes]);
    for (;;) {
      // The first message of a connection has no type.
      const typeBytes = hasStarted ? 1 : 0;
      if (pending.length < typeBytes + lengthBytes) return;
      const size = typeBytes + pending.readInt32BE(typeBytes);
      if (pending.length < size) return;
      const type = hasStarted ? String.fromCharCode(pending[0] ?? 0) : "";
      const body = pending.subarray(typeBytes + lengthBytes, size).toString("utf8");
      if (type === "Q") tell(body.slice(0, -1));
      if (type === "P") tell(body.split("\0")[1] ?? "");
      if (type === "B" && last !== "P") tell("again");
      last = type;
      hasStarted = true;
      pending = pending.subarray(size);
    }
  };
}
