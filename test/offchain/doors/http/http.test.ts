import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { expect, it } from "vitest";
import { createClient } from "#offchain/sdk/client.ts";
import { signRequests } from "#offchain/sdk/http/request.ts";
import { account, ask, chainId, openDoor, post } from "./door.ts";

const ada = account("ada");
const channelId = `0x${"11".repeat(32)}`;
const payment = {
  key: "k1",
  channelId,
  network: "eip155:31337",
  maxClaimableAmount: "100",
  signature: `0x${"22".repeat(65)}`,
};

it("runs an action with what stands in path, query and body", async () => {
  await using door = await openDoor();
  const client = createClient({ url: door.url, authorize: signRequests(ada, chainId, () => door.time.now) });
  await client.agents.register({ address: ada.address, name: "Ada", role: "researcher" });
  expect(await client.agents.show({ address: ada.address })).toMatchObject({ name: "Ada" });
  expect((await client.agents.list({ limit: 1 })).items).toHaveLength(1);
});

it("answers an action's error with its code, facts and remedy, bigint as digits", async () => {
  await using door = await openDoor();
  const { status, body } = await post(door.url, "/api/v1/payments", payment, { "x-request-id": "abc-1" });
  expect(status).toBe(409);
  expect(body).toEqual({
    error_code: "VOUCHER_STALE",
    message: "too late for k1",
    validation_errors: [],
    facts: { channelId, accepted: "100000000000000000000" },
    remedy: "fix",
    request_id: "abc-1",
  });
});

it("refuses each payment of a batch by itself", async () => {
  await using door = await openDoor();
  const { status, body } = await post(door.url, "/api/v1/payments/batch", { payments: [payment, payment] });
  expect([status, door.payments.length]).toEqual([200, 2]);
  expect(body.items).toHaveLength(2);
});

it("names every field that breaks a rule, with what was sent", async () => {
  await using door = await openDoor();
  const { status, body } = await post(door.url, "/api/v1/payments", {
    ...payment,
    channelId: "0x12",
    maxClaimableAmount: "-1",
  });
  expect([status, body.error_code, door.payments.length]).toEqual([400, "VALIDATION_INVALID_INPUT", 0]);
  expect(body.validation_errors).toEqual([
    { field: "channelId", message: "must be 32 bytes: 0x and 64 hexadecimal digits", value: "0x12" },
    { field: "maxClaimableAmount", message: "must be a whole number in decimal digits", value: "-1" },
  ]);
});

it("shows at most twenty broken fields of a batch of a thousand", async () => {
  await using door = await openDoor();
  const payments = new Array(1000).fill({ ...payment, key: "" });
  const { body } = await post(door.url, "/api/v1/payments/batch", { payments });
  expect([body.validation_errors?.length, (body.facts?.fields as number) > 900]).toEqual([20, true]);
});

it.each([
  ["no JSON", "{", "application/json", 400, "BODY_MALFORMED"],
  ["an array", "[]", "application/json", 400, "VALIDATION_INVALID_INPUT"],
  ["a form", "a=b", "application/x-www-form-urlencoded", 415, "CONTENT_TYPE_UNSUPPORTED"],
  ["no type", "{}", "", 415, "CONTENT_TYPE_UNSUPPORTED"],
])("refuses a body that is %s", async (_, body, type, status, code) => {
  await using door = await openDoor();
  const answer = await post(door.url, "/api/v1/payments", body, { "content-type": type });
  expect([answer.status, answer.body.error_code]).toEqual([status, code]);
});

it("refuses a body that is not UTF-8", async () => {
  await using door = await openDoor();
  const answer = await ask(door.url, "/api/v1/payments", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d]),
  });
  expect([answer.status, answer.body.error_code]).toEqual([400, "BODY_MALFORMED"]);
});

it("refuses a declared body above the limit without reading it", async () => {
  await using door = await openDoor({ environment: { BURSAR_BODY_LIMIT_BYTES: "2048" } });
  const { status, body } = await post(door.url, "/api/v1/payments", {
    ...payment,
    reference: "x".repeat(4096),
  });
  expect([status, body.error_code, body.facts?.limitBytes]).toEqual([413, "BODY_TOO_LARGE", 2048]);
});

it("stops a streamed body at the limit", async () => {
  await using door = await openDoor({ environment: { BURSAR_BODY_LIMIT_BYTES: "2048" } });
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const sent = request(`${door.url}/api/v1/payments`, {
      method: "POST",
      headers: { "content-type": "application/json", "transfer-encoding": "chunked" },
    });
    sent.on("response", (response) => resolve(response.resume().statusCode));
    sent.on("error", reject);
    for (let chunk = 0; chunk < 4; chunk += 1) sent.write("x".repeat(1024));
    sent.end();
  });
  expect(status).toBe(413);
});

it("counts a client that hangs up in its body as gone, and not as a failure of the service", async () => {
  await using door = await openDoor({ environment: { BURSAR_LOG_LEVEL: "debug" } });
  for (let client = 0; client < 30; client += 1) {
    const socket = connect(door.port, "127.0.0.1");
    await once(socket, "connect");
    socket.write('POST /api/v1/payments HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"a"');
    await new Promise((done) => setTimeout(done, 5));
    socket.destroy();
  }
  const refused = async () => {
    const { text } = (await ask(door.url, "/metrics")).body;
    return [...String(text).matchAll(/^bursar_http_refused_requests_total\{code="(\w+)"\} (\d+)/gm)].map(
      ([, code, count]) => [code, count],
    );
  };
  await expect.poll(refused, { timeout: 5_000 }).toEqual([["ABORTED", "30"]]);
  expect(door.log.filter((line) => /"level":"(error|warn)"/.test(line))).toEqual([]);
});

it.each(["0x7a69", "31337.0", "3.1337e4", "%2031337", "+31337", "031337", "31338"])(
  "does not take %s for a chain that is followed",
  async (named) => {
    await using door = await openDoor();
    const { status, body } = await ask(door.url, `/api/v1/chains/${named}/payments`);
    expect([status, body.error_code]).toEqual([400, "NETWORK_MISMATCH"]);
  },
);

it("says 404 for an unknown path and 405 with what is allowed for a wrong method", async () => {
  await using door = await openDoor();
  const unknown = await ask(door.url, "/api/v1/nothing");
  expect([unknown.status, unknown.body.error_code]).toEqual([404, "ROUTE_UNKNOWN"]);
  const wrong = await ask(door.url, "/api/v1/payments", { method: "DELETE" });
  expect([wrong.status, wrong.body.error_code]).toEqual([405, "METHOD_UNKNOWN"]);
  expect(wrong.headers.get("allow")?.split(", ").sort()).toEqual(["GET", "POST"]);
});

it("refuses a query parameter that stands twice", async () => {
  await using door = await openDoor();
  const { status, body } = await ask(door.url, "/api/v1/agents?limit=1&limit=2");
  expect([status, body.validation_errors?.[0]?.field]).toEqual([400, "limit"]);
});

it("tells nothing of the inside when it fails itself, and logs it", async () => {
  await using door = await openDoor();
  const { status, body } = await ask(door.url, "/api/v1/treasury");
  expect([status, body.error_code, body.detail]).toEqual([500, "INTERNAL", undefined]);
  expect(door.log.some((line) => line.includes('"level":"error"') && line.includes("treasury.show"))).toBe(
    true,
  );
});

it("shows the stack while debugging", async () => {
  await using door = await openDoor({ environment: { BURSAR_DEBUG: "true" } });
  expect((await ask(door.url, "/api/v1/treasury")).body.detail).toContain("TypeError");
});

it("gives a request id of its own when the caller's is no plain word", async () => {
  await using door = await openDoor();
  const { headers } = await ask(door.url, "/api/v1/agents", { headers: { "x-request-id": "a b{}" } });
  expect(headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
});

it("forbids sniffing, framing and caching on every answer", async () => {
  await using door = await openDoor();
  const { headers } = await ask(door.url, "/api/v1/nothing");
  expect(headers.get("x-content-type-options")).toBe("nosniff");
  expect(headers.get("x-frame-options")).toBe("DENY");
  expect(headers.get("cache-control")).toBe("no-store");
  expect(headers.get("content-security-policy")).toContain("default-src 'none'");
});

it("lets a listed web origin read, and no other", async () => {
  await using door = await openDoor({ environment: { BURSAR_CORS_ORIGINS: "https://app.example" } });
  const from = async (origin: string, method = "GET") =>
    (await ask(door.url, "/api/v1/agents", { method, headers: { origin } })).headers;
  expect((await from("https://app.example")).get("access-control-allow-origin")).toBe("https://app.example");
  expect((await from("https://evil.example")).get("access-control-allow-origin")).toBeNull();
  expect((await from("https://app.example", "OPTIONS")).get("access-control-allow-headers")).toContain(
    "authorization",
  );
});

it("limits the rate of one IP address, and says when to come back", async () => {
  await using door = await openDoor({
    environment: {
      BURSAR_RATE_PER_IP_BURST: "2",
      BURSAR_RATE_PER_IP_PER_SECOND: "1",
      BURSAR_RATE_EXEMPT_IPS: "none",
    },
  });
  await ask(door.url, "/api/v1/agents");
  await ask(door.url, "/api/v1/agents");
  const { status, body, headers } = await ask(door.url, "/api/v1/agents");
  expect([status, body.error_code, headers.get("retry-after")]).toEqual([429, "RATE_LIMITED", "1"]);
  door.time.now += 1_000;
  expect((await ask(door.url, "/api/v1/agents")).status).toBe(200);
});

it("does not take what a local proxy forwards for a local call", async () => {
  await using door = await openDoor({
    environment: { BURSAR_RATE_PER_IP_BURST: "1", BURSAR_RATE_PER_IP_PER_SECOND: "1" },
  });
  const forwarded = { headers: { "x-forwarded-for": "127.0.0.1" } };
  await ask(door.url, "/api/v1/agents", forwarded);
  expect((await ask(door.url, "/api/v1/agents", forwarded)).status).toBe(429);
  expect((await ask(door.url, "/api/v1/agents")).status).toBe(200);
});

it("limits the rate of one agent wherever it calls from", async () => {
  await using door = await openDoor({
    environment: {
      BURSAR_RATE_PER_IDENTITY_BURST: "1",
      BURSAR_RATE_PER_IDENTITY_PER_SECOND: "1",
      BURSAR_RATE_EXEMPT_IPS: "none",
    },
  });
  const client = createClient({ url: door.url, authorize: signRequests(ada, chainId, () => door.time.now) });
  const register = () => client.agents.register({ address: ada.address, name: "Ada", role: "r" });
  await register();
  await expect(register()).rejects.toMatchObject({ code: "RATE_LIMITED", facts: { identity: ada.address } });
});

it("answers what runs and refuses what is new while it stops", async () => {
  await using door = await openDoor();
  await door.http.drain();
  const { status, body, headers } = await ask(door.url, "/api/v1/agents");
  expect([status, body.error_code, headers.get("retry-after")]).toEqual([503, "SHUTTING_DOWN", "1"]);
  expect((await ask(door.url, "/health")).status).toBe(200);
  expect((await ask(door.url, "/ready")).status).toBe(503);
});

it("is not healthy when a check fails, and shows all of them", async () => {
  await using door = await openDoor({
    checks: {
      database: async () => ({ detail: { connections: 2 } }),
      chain: async () => {
        throw new Error("no answer");
      },
    },
  });
  const { status, body } = await ask(door.url, "/health");
  expect([status, body.status]).toEqual([503, "failed"]);
  expect(body.checks).toMatchObject({ database: { status: "ok" }, chain: { status: "failed" } });
  expect((await ask(door.url, "/ready")).body.failed).toEqual(["chain"]);
});

it("writes its figures out once a second at most, however many ask", async () => {
  await using door = await openDoor();
  let written = 0;
  const { registry } = door.service.metrics;
  const write = registry.metrics.bind(registry);
  registry.metrics = () => {
    written += 1;
    return write();
  };
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(door.url, "/metrics")));
  expect(new Set(answers.map(({ body }) => body.text)).size).toBe(1);
  expect(written).toBe(1);
});

it("counts requests by action and status", async () => {
  await using door = await openDoor();
  await ask(door.url, "/api/v1/agents");
  expect((await ask(door.url, "/metrics")).body.text).toContain(
    'bursar_http_request_seconds_count{action="agents.list",status="200"} 1',
  );
});

it("tells its health over HTTP/1.0, which wants no host", async () => {
  await using door = await openDoor();
  const socket = connect(door.port, "127.0.0.1");
  await once(socket, "connect");
  socket.end("GET /health HTTP/1.0\r\n\r\n");
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 [\s\S]*"isServing":true/);
});
