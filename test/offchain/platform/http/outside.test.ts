import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { openOutside } from "#offchain/platform/http/outside.ts";

let server: Server;
let url: string;
/** Paths, and the tokens that came with them. A call that was given up may arrive later, in another test. */
let asked: [path: string | undefined, token: string | undefined][];
let answer: (response: ServerResponse) => void;

const says = (status: number, body: unknown) => (response: ServerResponse) =>
  void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push([request.url, request.headers.authorization]);
    answer(response);
  }).listen(0, "127.0.0.1");
  await new Promise((done) => server.once("listening", done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server?.closeAllConnections();
  server?.close();
});
beforeEach(() => {
  asked = [];
  answer = says(200, { value: 1 });
});
afterEach(() => vi.useRealTimers());

it("gives the answer, and shows its token", async () => {
  const outside = openOutside({ name: "the vendor" });
  expect(await outside.readJson(url)).toEqual({ value: 1 });
  expect(await outside.readJson(url, { bearer: "secret" })).toEqual({ value: 1 });
  expect(asked).toEqual([
    ["/", undefined],
    ["/", "Bearer secret"],
  ]);
});

it("names who refused, and how", async () => {
  answer = says(403, { error: "forbidden" });
  const outside = openOutside({ name: "the vendor" });
  await expect(outside.readJson(url, { bearer: "secret" })).rejects.toThrow("the vendor answered 403");
});

it("waits no longer than its patience", async () => {
  answer = () => {};
  const outside = openOutside({ name: "the vendor", timeoutMs: 50 });
  await expect(outside.readJson(`${url}/slow`)).rejects.toThrow(/timed out/);
});

it("leaves alone who fails again and again, and tries once when the rest is over", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  const down = `${url}/down`;
  const calls = () => asked.filter(([path]) => path === "/down").length;
  answer = says(500, {});
  const outside = openOutside({ name: "the vendor", failuresMax: 2, restMs: 1_000 });
  for (let call = 0; call < 4; call += 1) await expect(outside.readJson(down)).rejects.toThrow();
  expect(calls()).toBe(2);
  vi.setSystemTime(Date.now() + 1_001);
  answer = says(200, { value: 2 });
  expect(await outside.readJson(down)).toEqual({ value: 2 });
  expect(calls()).toBe(3);
});
