import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, it } from "vitest";
import { createClient } from "#offchain/sdk/client.ts";
import { isPassing } from "#offchain/sdk/http/retry.ts";

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

it("takes the service's word that a request is to be signed anew, and tries again", async () => {
  const body = { error_code: "STORE_UNAVAILABLE", message: "away", remedy: "sign" };
  const client = createClient({ url: await answering(503, JSON.stringify(body)) });
  const error: unknown = await client.batches.flush().catch((told: unknown) => told);
  expect(error).toMatchObject({ code: "STORE_UNAVAILABLE", remedy: "sign" });
  expect(isPassing(error)).toBe(true);
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

it("names the address that does not answer, and what to do", async () => {
  const { port } = new URL(await answering(200, "{}"));
  await new Promise((done) => servers.pop()?.close(done));
  const client = createClient({ url: `http://127.0.0.1:${port}` });
  await expect(client.wallets.list()).rejects.toMatchObject({
    name: "BursarError",
    code: "SERVICE_UNREACHABLE",
    remedy: "retry",
    message: `no answer from http://127.0.0.1:${port}: ECONNREFUSED`,
  });
});

it("calls an address that is none by its field, at once", async () => {
  for (const url of ["127.0.0.1:4020", "nonsense", "ftp://127.0.0.1"])
    await expect(createClient({ url }).wallets.list()).rejects.toMatchObject({
      code: "VALIDATION_INVALID_INPUT",
      fields: [{ field: "url" }],
    });
});

it("lets an aborted call throw the signal's reason", async () => {
  const client = createClient({ url: await answering(200, "{}") });
  const call = client.wallets.list({}, { signal: AbortSignal.abort(new Error("enough")) });
  await expect(call).rejects.toThrow("enough");
});

it("says which chain was signed for when the service does not follow it", async () => {
  const body = { error_code: "SIGNATURE_INVALID", message: "not by", facts: { chainId: "31337, 31338" } };
  const url = await answering(401, JSON.stringify(body));
  await expect(createClient({ url, chain: 1 }).wallets.list()).rejects.toMatchObject({
    code: "NETWORK_MISMATCH",
    message: "the request is signed for chain 1; the service follows 31337, 31338",
  });
  await expect(createClient({ url, chain: 31338 }).wallets.list()).rejects.toMatchObject({
    code: "SIGNATURE_INVALID",
  });
});
