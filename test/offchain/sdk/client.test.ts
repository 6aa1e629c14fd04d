import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, it } from "vitest";
import { createClient } from "#offchain/sdk/client.ts";

const servers: ReturnType<typeof createServer>[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

/** A server that answers everything alike. */
async function answering(status: number, body: string, declaredLength = body.length): Promise<string> {
  const server = createServer((_, response) => {
    response.writeHead(status, { "content-type": "application/json", "content-length": declaredLength });
    response.write(body);
    if (declaredLength === body.length) response.end();
    else setImmediate(() => response.destroy());
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it("takes an answer that broke off for no answer", async () => {
  const client = createClient({ url: await answering(200, '{"items":', 100) });
  await expect(client.wallets.list()).rejects.toMatchObject({ code: "INTERNAL", remedy: "retry" });
});

it("rejects with the service's own error", async () => {
  const body = {
    error_code: "VOUCHER_STALE",
    message: "late",
    facts: { accepted: "7" },
    validation_errors: [],
  };
  const client = createClient({ url: await answering(409, JSON.stringify(body)) });
  await expect(client.wallets.list()).rejects.toMatchObject({
    code: "VOUCHER_STALE",
    facts: { accepted: "7" },
  });
});

it("signs only what needs a role", async () => {
  const signed: string[] = [];
  const authorize = async ({ path }: { path: string }) => {
    signed.push(path);
    return {};
  };
  const client = createClient({ url: await answering(200, "{}"), authorize });
  await client.wallets.list();
  await client.batches.flush();
  expect(signed).toEqual(["/api/v1/batches/flush"]);
});

it("asks of the given chain what belongs to one, and of the service what belongs to none", async () => {
  const asked: string[] = [];
  const fetch = async (url: string | URL | Request) => {
    asked.push(new URL(String(url)).pathname);
    return Response.json({});
  };
  const client = createClient({ url: "http://bursar.test", chain: 31338, fetch });
  await client.batches.show({ batchId: "7" });
  await client.x402.prices();
  await client.agents.list();
  expect(asked).toEqual(["/api/v1/chains/31338/batches/7", "/chains/31338/x402/prices", "/api/v1/agents"]);
});
