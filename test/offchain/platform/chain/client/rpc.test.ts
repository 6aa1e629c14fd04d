import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { openRpc, RpcFailure, type RpcProblem } from "#offchain/platform/chain/client/rpc.ts";

interface Call {
  id: number;
  method: string;
  params: unknown[];
}

let stop: () => void = () => undefined;
afterEach(() => stop());

/** A provider that answers as told, and how often it was asked. */
async function provider(answer: (calls: Call[], response: ServerResponse) => void, timeoutMs = 2_000) {
  const exchanges: Call[][] = [];
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const asked = JSON.parse(Buffer.concat(parts).toString()) as Call | Call[];
    exchanges.push([asked].flat());
    answer([asked].flat(), response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  stop = () => {
    server.close();
    server.closeAllConnections();
  };
  const { port } = server.address() as AddressInfo;
  return { rpc: openRpc({ url: `http://127.0.0.1:${port}`, timeoutMs }), exchanges };
}

const echo = ({ id, params }: Call) => ({ jsonrpc: "2.0", id, result: params[0] });

async function problemOf(promise: Promise<unknown>): Promise<RpcProblem | null> {
  try {
    await promise;
    return null;
  } catch (error) {
    if (error instanceof RpcFailure) return error.problem;
    throw error;
  }
}

const failing = (code: number, message: string) =>
  provider(([call], response) =>
    response.end(JSON.stringify({ jsonrpc: "2.0", id: call?.id, error: { code, message } })),
  );

describe("asking a provider", () => {
  test("gives results in the order of the calls, whatever the order of the answers", async () => {
    const { rpc, exchanges } = await provider((calls, response) =>
      response.end(JSON.stringify(calls.map(echo).toReversed())),
    );
    const calls = Array.from({ length: 250 }, (_, at) => ({ method: "echo", params: [at] }));
    expect(await rpc.batch(calls)).toEqual(calls.map(({ params }) => params[0]));
    expect(exchanges.map(({ length }) => length).toSorted()).toEqual([100, 100, 50]);
  });

  test("asks again when it was too often, and not before it may", async () => {
    let refusals = 2;
    const { rpc, exchanges } = await provider(([call], response) => {
      if (refusals-- > 0) response.writeHead(429, { "retry-after": "0" }).end();
      else response.end(JSON.stringify(call && echo(call)));
    });
    expect(await rpc.call("echo", ["here"])).toBe("here");
    expect(exchanges).toHaveLength(3);
  });

  test("gives up on a provider that stays as it is", async () => {
    const { rpc, exchanges } = await provider((_, response) => response.writeHead(429).end());
    expect(await problemOf(rpc.call("echo", []))).toBe("rateLimited");
    expect(exchanges).toHaveLength(4);
  });

  test("does not wait for the rest of an answer for ever", async () => {
    const { rpc } = await provider((_, response) => void response.write('{"jsonrpc"'), 40);
    expect(await problemOf(rpc.call("echo", []))).toBe("unavailable");
  });

  test.each([
    ["-32005 for too many results", -32_005, "query returned more than 10000 results", "tooLarge"],
    ["-32602 for a range", -32_602, "block range is too wide", "tooLarge"],
    ["-32005 for a rate", -32_005, "daily request count exceeded, request rate limited", "rateLimited"],
    ["-32601", -32_601, "the method does not exist", "refused"],
  ] as const)("knows what is meant by %s", async (_, code, message, problem) => {
    const { rpc, exchanges } = await failing(code, message);
    expect(await problemOf(rpc.call("eth_getLogs", []))).toBe(problem);
    expect(exchanges).toHaveLength(problem === "rateLimited" ? 4 : 1);
  });

  test.each([
    [400, { code: -32_602, message: "block range is too wide" }, "tooLarge", 1],
    [403, { code: -32_005, message: "request rate limited" }, "rateLimited", 4],
    [404, { code: -32_601, message: "the method does not exist" }, "refused", 1],
    // Without an error of JSON-RPC the status is all that is known.
    [400, { code: -32_602 }, "unavailable", 4],
    [429, { code: -32_602, message: "block range is too wide" }, "rateLimited", 4],
  ] as const)("reads what comes with status %i: %o", async (status, error, problem, asked) => {
    const { rpc, exchanges } = await provider(([call], response) =>
      response
        .writeHead(status, { "retry-after": "0" })
        .end(JSON.stringify({ jsonrpc: "2.0", id: call?.id, error })),
    );
    expect(await problemOf(rpc.call("eth_getLogs", []))).toBe(problem);
    expect(exchanges).toHaveLength(asked);
  });

  test.each([
    ["no JSON", "<html>"],
    ["an answer to something else", JSON.stringify([{ jsonrpc: "2.0", id: 99, result: 1 }])],
    ["an answer without a result", JSON.stringify([{ jsonrpc: "2.0", id: 0 }])],
    ["too few answers", JSON.stringify([{ jsonrpc: "2.0", id: 0, result: 1 }])],
  ])("does not believe %s", async (_, text) => {
    const { rpc } = await provider((__, response) => response.end(text));
    const calls = [1, 2].map((at) => ({ method: "echo", params: [at] }));
    expect(await problemOf(rpc.batch(calls))).toBe("unavailable");
  });
});
