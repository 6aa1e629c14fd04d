import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { createRandom, type Random } from "#offchain/demo/random.ts";
import { type Call, type CallFault, type Reply, tamper } from "./callFaults.ts";

/** What happens to a whole HTTP exchange. */
export type ExchangeFault =
  /** 429 with `Retry-After: 0`; the chain sees nothing. */
  | "rateLimit"
  /** 503 from a gateway; the chain sees nothing. */
  | "unavailable"
  /** The connection closes before the chain sees the request. */
  | "dropRequest"
  /** The connection closes after the chain has done what was asked: a transaction may be in. */
  | "dropAnswer"
  /** Half of the answer, then the connection closes. */
  | "cutAnswer"
  /** Status 200 and a web page, as a captive gateway answers. */
  | "page"
  /** Every call's result is a word. */
  | "word"
  /** No answer for `stallMs`, then the connection closes. */
  | "stall"
  /** Half of the answer, nothing for `stallMs`, then the connection closes. */
  | "stallBody";

export type Fault = ExchangeFault | CallFault;

const exchangeFaults: readonly ExchangeFault[] = [
  "rateLimit",
  "unavailable",
  "dropRequest",
  "dropAnswer",
  "cutAnswer",
  "page",
  "word",
  "stall",
  "stallBody",
];

/** Chances from 0 to 1, of each exchange or of each call that the fault can befall; absent is never. */
export type FaultChances = Partial<Record<Fault, number>>;

export interface FaultProxyOptions {
  /** The chain's HTTP JSON-RPC. */
  target: string;
  /** Decides everything that happens, together with the order of the requests. */
  seed: number;
  /** 0, the default, is any free one. */
  port?: number;
  chances?: FaultChances;
  /** How long `stall` and `stallBody` say nothing. */
  stallMs?: number;
  /** Told of each call that goes on to the chain. */
  heard?: (call: Call) => void;
}

/** A provider that misbehaves, in front of a chain that does not. */
export interface FaultProxy {
  readonly url: string;
  /** How often each fault struck. */
  readonly struck: Readonly<Record<string, number>>;
  /** JSON-RPC calls that came in since the beginning, however many to a body. */
  calls(): number;
  /** From now on these chances and no others; `{}` is an honest provider. */
  setChances(chances: FaultChances): void;
  /** From now on nobody is answered, and open sockets are closed; until `setDown(false)`. */
  setDown(isDown: boolean): void;
  /** From now on another chain stands behind it. */
  setTarget(url: string): void;
  stop(): Promise<void>;
}

const defaultStallMs = 1_000;
/** Chances are drawn as whole numbers below this. */
const chanceSteps = 1_000_000;

/** Starts the proxy; it forwards WebSockets untouched and closes them when it is down. */
export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const random = createRandom(options.seed);
  const struck: Record<string, number> = {};
  const sockets = new Set<Socket>();
  let chances = options.chances ?? {};
  let isDown = false;
  let calls = 0;

  const strikes = (fault: Fault): boolean => {
    const chance = chances[fault] ?? 0;
    if (chance === 0 || random.below(chanceSteps) >= chance * chanceSteps) return false;
    struck[fault] = (struck[fault] ?? 0) + 1;
    return true;
  };
  const exchange = {
    ...options,
    stallMs: options.stallMs ?? defaultStallMs,
    random,
    strikes,
    onCalls: (heard: readonly Call[]) => {
      calls += heard.length;
      if (options.heard) heard.forEach(options.heard);
    },
  };
  const server = createServer((request, response) => {
    if (isDown) request.socket.destroy();
    else
      answer(exchange, request, response).catch(() => {
        // The chain behind is down or the caller has gone: either way there is nobody to answer for.
        request.socket.destroy();
      });
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.on("upgrade", (request, socket: Socket, head) => {
    if (isDown) socket.destroy();
    else tunnel(exchange.target, request, socket, head);
  });
  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}`,
    struck,
    calls: () => calls,
    setChances: (next) => {
      chances = next;
    },
    setDown: (down) => {
      isDown = down;
      if (down) for (const socket of sockets) socket.destroy();
    },
    setTarget(url) {
      exchange.target = url;
      for (const socket of sockets) socket.destroy();
    },
    async stop() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

interface Exchange {
  target: string;
  readonly stallMs: number;
  readonly random: Random;
  strikes(fault: Fault): boolean;
  onCalls(heard: readonly Call[]): void;
}

async function answer(exchange: Exchange, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await textOf(request);
  const fault = exchangeFaults.find((candidate) => exchange.strikes(candidate));
  if (fault === "rateLimit") return refuse(response, 429, { "retry-after": "0" });
  if (fault === "unavailable") return refuse(response, 503);
  if (fault === "dropRequest") return void request.socket.destroy();
  if (fault === "page") return void response.end("<html>Welcome</html>");
  if (fault === "stall") {
    await delay(exchange.stallMs, undefined, { ref: false });
    return void request.socket.destroy();
  }
  if (fault === "word") return void response.end(worded(body));
  const text = await forward(exchange, body);
  if (fault === "dropAnswer") return void request.socket.destroy();
  response.writeHead(200, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
  });
  if (fault !== "cutAnswer" && fault !== "stallBody") return void response.end(text);
  response.write(text.slice(0, text.length >> 1));
  await delay(fault === "stallBody" ? exchange.stallMs : 0, undefined, { ref: false });
  request.socket.destroy();
}

function worded(body: string): string {
  const asked = JSON.parse(body) as Call | Call[];
  const word = ({ id }: Call): Reply => ({ jsonrpc: "2.0", id, result: "nonsense" });
  return JSON.stringify(Array.isArray(asked) ? asked.map(word) : word(asked));
}

async function forward({ target, random, strikes, onCalls }: Exchange, body: string): Promise<string> {
  const ask = async (calls: unknown): Promise<unknown> => {
    const response = await fetch(target, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(calls),
    });
    return response.json();
  };
  const asked = JSON.parse(body) as Call | Call[];
  const calls = Array.isArray(asked) ? asked : [asked];
  onCalls(calls);
  const replies = (await ask(calls)) as Reply[];
  const byId = new Map(replies.map((reply) => [reply.id, reply]));
  const call = async (method: string, params: unknown[]) =>
    ((await ask({ jsonrpc: "2.0", id: 1, method, params })) as Reply).result;
  const told: Reply[] = [];
  for (const one of calls)
    told.push(await tamper({ random, strikes, call }, one, byId.get(one.id) ?? { id: one.id }));
  return JSON.stringify(Array.isArray(asked) ? told : told[0]);
}

function refuse(response: ServerResponse, status: number, headers: Record<string, string> = {}): void {
  response.writeHead(status, headers);
  response.end();
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

function tunnel(target: string, request: IncomingMessage, socket: Socket, head: Buffer): void {
  const { hostname, port } = new URL(target);
  const upstream = connect(Number(port), hostname, () => {
    const headers = Object.entries(request.headers).map(([name, value]) => `${name}: ${value}\r\n`);
    upstream.write(`GET ${request.url} HTTP/1.1\r\n${headers.join("")}\r\n`);
    upstream.write(head);
    upstream.pipe(socket);
    socket.pipe(upstream);
  });
  for (const [one, other] of [
    [upstream, socket],
    [socket, upstream],
  ] as const) {
    one.on("error", () => other.destroy());
    one.on("close", () => other.destroy());
  }
}
