import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { gridReading } from "#offchain/features/payments/jobs/grid.ts";

let server: Server;
let url: string;
let answer: { status: number; body: unknown };
let authorization: string | undefined;

beforeAll(async () => {
  server = createServer((request, response) => {
    authorization = request.headers.authorization;
    response.writeHead(answer.status, { "content-type": "application/json" });
    response.end(JSON.stringify(answer.body));
  }).listen(0, "127.0.0.1");
  await new Promise((done) => server.once("listening", done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v3/forecast`;
});
afterAll(() => void server?.close());

const minute = (at: number) => `2026-03-04T12:${String(at).padStart(2, "0")}:00+00:00`;
const forecast = (...values: number[]) => ({
  data: values.map((value, at) => ({ point_time: minute(at * 5), value })),
  meta: { region: "CAISO_NORTH", signal_type: "co2_moer", units: "lbs_co2_per_mwh" },
});
const readAt = (time: string, token?: string) =>
  gridReading({ url, token, clock: { now: () => Date.parse(time) } })();

beforeEach(() => {
  answer = { status: 200, body: forecast(800, 10, 900, 700, 600) };
});

test("the point that now lies in, beside the forecast's median, in mg per kWh", async () => {
  expect(await readAt(minute(4), "secret")).toEqual({ now: 362_874n, median: 317_515n });
  expect(authorization).toBe("Bearer secret");
  expect(await readAt(minute(5))).toEqual({ now: 4_536n, median: 317_515n });
  expect(authorization).toBeUndefined();
});

test("a negative marginal intensity is kept: it is the cleanest hour", async () => {
  answer.body = forecast(-10, 20, 30);
  expect((await readAt(minute(1)))?.now).toBe(-4_536n);
});

test("outside what the forecast reaches over, nothing is known", async () => {
  expect(await readAt("2026-03-04T11:59:59Z")).toBeNull();
  expect(await readAt(minute(20))).toBeNull();
});

test.each([
  ["a refusal", 403, { error: "forbidden" }],
  ["a percentile, which is no mass", 200, { ...forecast(1, 2), meta: { units: "percentile" } }],
  ["no data", 200, { data: [], meta: { units: "lbs_co2_per_mwh" } }],
])("%s is an error", async (_, status, body) => {
  answer = { status, body };
  await expect(readAt(minute(1))).rejects.toThrow();
});
