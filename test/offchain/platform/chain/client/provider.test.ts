import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { BaseError, parseAbi } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { connectChain } from "#offchain/platform/chain/client/client.ts";
import { requestPatienceMs } from "#offchain/platform/chain/client/provider.ts";
import { withinRequest } from "#offchain/platform/requestContext.ts";

const chainId = 31337;
const token = `0x${"1".repeat(40)}` as const;
const abi = parseAbi(["function name() view returns (string)"]);

interface Asked {
  id: number;
  method: string;
}
/** What the provider does with a call; null: nothing, for ever. */
type Told = { result: unknown } | { error: object } | { body: string; status?: number } | null;

/** A provider that answers each call so. */
async function serve(answer: (call: Asked) => Told): Promise<{ url: string; stop: () => void }> {
  const respond = async (request: IncomingMessage, response: ServerResponse) => {
    const calls = [JSON.parse(await text(request)) as Asked | Asked[]].flat();
    const told = calls.map((call) => [call, answer(call)] as const);
    const [first] = told;
    if (!first?.[1]) return;
    if ("body" in first[1]) return void response.writeHead(first[1].status ?? 200).end(first[1].body);
    response.end(JSON.stringify(told.map(([{ id }, said]) => ({ jsonrpc: "2.0", id, ...said }))));
  };
  const server = createServer((request, response) => void respond(request, response));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Of a provider that answers every call alike. */
async function clientOf(told: Told) {
  const { url, stop } = await serve(() => told);
  onTestFinished(stop);
  return connect(url);
}

vi.setConfig({ testTimeout: 60_000 });

const connect = (rpcUrl: string, requestTimeoutMs = 500) =>
  connectChain({ chainId, rpcUrl, requestTimeoutMs });
const readName = (client: ReturnType<typeof connect>) =>
  client.reader.readContract({ address: token, abi, functionName: "name" });
const unavailable = { code: "CHAIN_UNAVAILABLE", status: 503, remedy: "retry", facts: { chainId } };

test.concurrent.each<[string, Told]>([
  ["a web page", { body: "<html>Welcome</html>" }],
  ["a gateway's error", { body: "bad gateway", status: 502 }],
  ["a result of another kind", { result: { name: "x" } }],
  ["no result", { result: null }],
  ["a result that cannot be decoded", { result: "0x1234" }],
  ["an error of its own", { error: { code: -32_603, message: "database is locked" } }],
])("a provider that answers %s is told as unavailable", async (_, told) => {
  await expect(readName(await clientOf(told))).rejects.toMatchObject(unavailable);
});

const limited = "limits the rate of requests";
const nonsense = "answers what is no JSON-RPC, or not what it was asked for";
test.concurrent.each<[string, Told, string]>([
  ["429 with other JSON", { body: '{"message":"slow down"}', status: 429 }, limited],
  ["429 with one error for all", { body: '{"error":{"code":1,"message":"x"}}', status: 429 }, limited],
  ["429 with null", { body: "null", status: 429 }, limited],
  ["429 in words", { body: "slow down", status: 429 }, limited],
  ["JSON-RPC's own limit", { error: { code: -32_005, message: "ten a second" } }, `${limited}: ten a second`],
  ["JSON without an error or a result", { body: '{"message":"hello"}' }, nonsense],
  ["null", { body: "null" }, nonsense],
  ["no number", { result: null }, nonsense],
  ["another kind than a number", { result: {} }, nonsense],
  ["a web page", { body: "<html>" }, nonsense],
  ["an error of its own", { error: { code: -32_603, message: "disk full" } }, "does not answer: disk full"],
])("what is wrong is said in plain words where a provider answers %s", async (_, told, words) => {
  const { reader } = await clientOf(told);
  const failed = await reader.getBlockNumber().catch((error: unknown) => error);
  expect(failed).toMatchObject(unavailable);
  expect((failed as Error).message).toContain(`the provider of chain ${chainId} ${words}`);
});

describe("one provider", () => {
  let answer: (call: Asked) => Told;
  let url: string;
  let stop: () => void;

  beforeEach(async () => {
    answer = () => ({ result: "0x1" });
    ({ url, stop } = await serve((call) => answer(call)));
  });
  afterEach(() => stop());

  test("a provider that is not there is told as unavailable, without its address, which may hold a password", async () => {
    const gone = "http://user:secret@127.0.0.1:1";
    const failed = await connect(gone)
      .reader.getBlockNumber()
      .catch((error: unknown) => error);
    expect(failed).toMatchObject(unavailable);
    expect(String(failed)).not.toContain("secret");
  });

  test("a call that reverts is viem's error still, and says nothing against the provider", async () => {
    answer = () => ({ error: { code: 3, message: "execution reverted", data: "0x" } });
    const client = connect(url);
    await expect(readName(client)).rejects.toBeInstanceOf(BaseError);
    expect(client.silentMs()).toBe(0);
  });

  test("arguments that nothing can be made of are our own fault", async () => {
    const wrong = { address: token, abi, functionName: "symbol" as never };
    await expect(connect(url).reader.readContract(wrong)).rejects.toBeInstanceOf(BaseError);
  });

  test("whether a contract's owner signed is not denied while the chain cannot be asked", async () => {
    answer = () => ({ body: "", status: 503 });
    const [owner, other] = [
      privateKeyToAccount(generatePrivateKey()),
      privateKeyToAccount(generatePrivateKey()),
    ];
    const hash = `0x${"2".repeat(64)}` as const;
    const { reader } = connect(url);
    const signature = await other.sign({ hash });
    const asked = reader.verifyHash({ address: owner.address, hash, signature });
    await expect(asked).rejects.toMatchObject(unavailable);
  });

  test("a request gives a silent provider up in time, however many calls it makes; a job is patient", async () => {
    answer = () => null;
    const { reader, silentMs } = connect(url, 60_000);
    const startedAt = performance.now();
    await withinRequest("", async () => {
      for (const ask of [
        () => reader.getBlockNumber(),
        () => reader.getChainId(),
        () => reader.getGasPrice(),
      ])
        await expect(ask()).rejects.toMatchObject(unavailable);
    });
    expect(performance.now() - startedAt).toBeLessThan(requestPatienceMs + 1_000);
    expect(silentMs()).toBeGreaterThanOrEqual(requestPatienceMs - 100);
    const patient = reader.getBlockNumber();
    const race = Promise.race([patient, new Promise((done) => setTimeout(done, 100, "still waiting"))]);
    expect(await race).toBe("still waiting");
    stop();
    await expect(patient).rejects.toMatchObject(unavailable);
  });

  test("a provider that answers again is silent no more", async () => {
    answer = () => ({ body: "", status: 400 });
    const { reader, silentMs } = connect(url);
    await expect(reader.getBlockNumber()).rejects.toMatchObject(unavailable);
    expect(silentMs()).toBeGreaterThan(0);
    answer = () => ({ result: "0x7" });
    expect(await reader.getBlockNumber()).toBe(7n);
    expect(silentMs()).toBe(0);
  });
});
