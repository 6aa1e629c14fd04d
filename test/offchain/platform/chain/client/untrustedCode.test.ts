import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { BaseError, type Hex, parseAbi } from "viem";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type ChainClient, connectChain } from "#offchain/platform/chain/client/client.ts";
import { UntrustedCode } from "#offchain/platform/chain/client/untrustedCode.ts";
import { signedByCode } from "#offchain/platform/chain/signatures/erc1271.ts";
import { withinRequest } from "#offchain/platform/requestContext.ts";

const account = `0x${"1".repeat(40)}` as const;
const hash = `0x${"2".repeat(64)}` as const;
const abi = parseAbi(["function name() view returns (string)"]);
const gasMax = 100_000n;

interface Asked {
  id: number;
  method: string;
  params: [{ gas?: Hex; blockStateCalls?: { calls: { gas?: Hex }[] }[] }];
}

let asked: Asked[];
let answer: { result: unknown } | { error: object };
let client: ChainClient;
let stop: () => void;

beforeAll(async () => {
  const server = createServer(async (request, response) => {
    const calls = [JSON.parse(await text(request)) as Asked | Asked[]].flat();
    asked.push(...calls);
    response.end(JSON.stringify(calls.map(({ id }) => ({ jsonrpc: "2.0", id, ...answer }))));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const rpcUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  client = connectChain({ chainId: 31_337, rpcUrl, requestTimeoutMs: 5_000 });
  stop = () => {
    server.closeAllConnections();
    server.close();
  };
});
afterAll(() => stop?.());
beforeEach(() => {
  [asked, answer] = [[], { result: "0x" }];
});

const reader = () => client.untrustedCode.reader(gasMax);
const request = (method: string, params: unknown[]) =>
  (reader().request as (call: object) => Promise<unknown>)({ method, params });
const gases = () => asked.map(({ params: [call] }) => call.gas && BigInt(call.gas));

test("nothing is run with more gas than is said, by whichever method it is asked for", async () => {
  const call = { to: account };
  for (const method of ["eth_call", "eth_estimateGas", "debug_traceCall"]) {
    await request(method, [call, "latest"]);
    await request(method, [{ ...call, gas: "0xffffff" }, "latest"]);
    await request(method, [{ ...call, gas: "0x5208" }, "latest"]);
  }
  expect(gases()).toEqual([...Array(3)].flatMap(() => [gasMax, gasMax, 21_000n]));
  asked = [];
  await request("eth_simulateV1", [{ blockStateCalls: [{ calls: [call, call] }], validation: false }, "0x1"]);
  expect(asked[0]?.params[0].blockStateCalls).toEqual([
    { calls: Array(2).fill({ ...call, gas: `0x${gasMax.toString(16)}` }) },
  ]);
});

test("viem's own helpers are bounded too", async () => {
  await reader().verifyHash({ address: account, hash, signature: `0x${"11".repeat(70)}` });
  await reader()
    .readContract({ address: account, abi, functionName: "name" })
    .catch(() => {});
  expect(gases()).toEqual([gasMax, gasMax]);
});

test.each<[string, { result: unknown } | { error: object }]>([
  ["answers nothing", { result: "0x" }],
  ["answers garbage", { result: `0x${"ff".repeat(64)}` }],
  ["reverts", { error: { code: 3, message: "execution reverted", data: "0x" } }],
  ["runs out of gas", { error: { code: -32_000, message: "out of gas" } }],
])("code that %s is no fault of the provider", async (_, told) => {
  answer = told;
  const reading = reader().readContract({ address: account, abi, functionName: "name" });
  await expect(reading).rejects.toBeInstanceOf(BaseError);
});

test.each<[string, { result: unknown } | { error: object }]>([
  ["no bytes", { result: "nonsense" }],
  ["null", { result: null }],
  ["an error of its own", { error: { code: -32_000, message: "database is locked" } }],
])("a provider that answers a call with %s is told as unavailable", async (_, told) => {
  answer = told;
  const unavailable = { code: "CHAIN_UNAVAILABLE" };
  const reading = reader().readContract({ address: account, abi, functionName: "name" });
  await expect(reading).rejects.toMatchObject(unavailable);
  const question = { account, hash, signature: "0x", gasMax } as const;
  await expect(signedByCode(client.untrustedCode, question)).rejects.toMatchObject(unavailable);
});

test.each<[string, { result: unknown } | { error: object }, "yes" | "no" | "needsGas"]>([
  ["says yes", { result: "0x1626ba7e".padEnd(66, "0") }, "yes"],
  ["says anything else", { result: "0x1626ba7e".padEnd(66, "1") }, "no"],
  ["says nothing", { result: "0x" }, "no"],
  ["reverts", { error: { code: 3, message: "execution reverted", data: "0x1234" } }, "no"],
  ["runs out of gas", { error: { code: -32_000, message: "out of gas" } }, "needsGas"],
])("an account whose code %s signs as it says", async (_, told, said) => {
  answer = told;
  expect(await signedByCode(client.untrustedCode, { account, hash, signature: "0x", gasMax })).toBe(said);
  expect(gases()).toEqual([gasMax]);
});

test("each address has two calls at a time, and waits for itself alone", async () => {
  const running: string[] = [];
  const most = new Map<string, number>();
  const call = (from: string) =>
    withinRequest(from, () =>
      client.untrustedCode.run(gasMax, async () => {
        running.push(from);
        const now = running.filter((one) => one === from).length;
        most.set(from, Math.max(most.get(from) ?? 0, now));
        await new Promise((resume) => setImmediate(resume));
        running.splice(running.indexOf(from), 1);
      }),
    );
  const many = Array.from({ length: 50 }, () => call("greedy"));
  let left = 50;
  for (const one of many) one.then(() => (left -= 1));
  await call("modest");
  expect(left).toBeGreaterThan(40);
  await Promise.all(many);
  expect(Object.fromEntries(most)).toEqual({ greedy: 2, modest: 1 });
});

test("when too many wait, who has most of them is told", async () => {
  const outcomes = await Promise.allSettled(
    Array.from({ length: 300 }, () =>
      withinRequest("one", () => client.untrustedCode.run(gasMax, async () => {})),
    ),
  );
  const refused = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? outcome.reason : []));
  expect(refused.length).toBeGreaterThan(0);
  for (const reason of refused) expect(reason).toMatchObject({ code: "OVERLOADED" });
});

test("the service's own work waits for no caller, however many ask", async () => {
  const code = new UntrustedCode(() => ({}));
  let release: () => void = () => {};
  const held = new Promise<void>((done) => {
    release = done;
  });
  const asking = Array.from({ length: 264 }, (_, at) =>
    withinRequest(`address ${at}`, () => code.run(gasMax, () => held)),
  );
  await expect(withinRequest("another", () => code.run(gasMax, () => held))).rejects.toMatchObject({
    code: "OVERLOADED",
  });
  expect(await code.run(gasMax, async () => "own")).toBe("own");
  release();
  await Promise.all(asking);
});
