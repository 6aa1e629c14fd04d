import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type FaultChances, type FaultProxy, startFaultProxy } from "../../../support/faultProxy.ts";
import { devAccount, type LocalNode, startNode } from "../../../support/node.ts";
import { deployToken, mint } from "../../../support/token.ts";

let node: LocalNode;
let token: Awaited<ReturnType<typeof deployToken>>;
let proxy: FaultProxy;

const alice = devAccount(4).address;

beforeAll(async () => {
  node = await startNode();
  token = await deployToken(node);
  await mint(
    node,
    token,
    Array.from({ length: 6 }, () => [alice, 1n]),
  );
});
afterAll(() => node.stop());
afterEach(() => proxy.stop());

async function ask(method: string, params: unknown[] = []): Promise<Response> {
  return fetch(proxy.url, {
    method: "POST",
    body: JSON.stringify({ jsonrpc: "2.0", id: 7, method, params }),
  });
}

/** The result of an answer, of the type that its method has. */
async function resultOf<Result>(response: Response): Promise<Result> {
  return ((await response.json()) as { result: Result }).result;
}

async function asked(chances: FaultChances, method: string, params: unknown[] = []) {
  proxy = await startFaultProxy({ target: node.url, seed: 1, chances, stallMs: 50 });
  return ask(method, params);
}

interface Log {
  blockNumber: string;
  transactionHash: string;
}

const range = [{ fromBlock: "0x0", toBlock: "latest" }];

describe("a provider that misbehaves", () => {
  test("is honest where no chance is set", async () => {
    const response = await asked({}, "eth_blockNumber");
    const head = await node.client.getBlockNumber();
    expect(await response.json()).toMatchObject({ id: 7, result: `0x${head.toString(16)}` });
    expect(proxy.struck).toEqual({});
  });

  test("answers a batch call by call, in its order", async () => {
    proxy = await startFaultProxy({ target: node.url, seed: 1 });
    const calls = [3, 1, 2].map((id) => ({ jsonrpc: "2.0", id, method: "eth_chainId", params: [] }));
    const response = await fetch(proxy.url, { method: "POST", body: JSON.stringify(calls) });
    expect(await response.json()).toMatchObject([3, 1, 2].map((id) => ({ id, result: "0x7a69" })));
  });

  test.each([
    ["rateLimit", 429],
    ["unavailable", 503],
  ] as const)("refuses by status: %s", async (fault, status) => {
    expect((await asked({ [fault]: 1 }, "eth_chainId")).status).toBe(status);
    expect(proxy.struck).toEqual({ [fault]: 1 });
  });

  test.each(["dropRequest", "dropAnswer", "cutAnswer", "stall", "stallBody"] as const)(
    "breaks the connection: %s",
    async (fault) => {
      const body = asked({ [fault]: 1 }, "eth_chainId").then((response) => response.text());
      await expect(body).rejects.toThrow();
      expect(proxy.struck).toEqual({ [fault]: 1 });
    },
  );

  test("does what it was asked although its answer is lost", async () => {
    const before = await node.client.getBlockNumber();
    await expect(asked({ dropAnswer: 1 }, "hardhat_mine")).rejects.toThrow();
    expect(await node.client.getBlockNumber()).toBe(before + 1n);
  });

  test("refuses logs of several blocks and gives those of one", async () => {
    const several = [{ fromBlock: "0x1", toBlock: "0x2" }];
    const refused = await asked({ tooManyResults: 1 }, "eth_getLogs", several);
    expect(await refused.json()).toMatchObject({ error: { code: -32_005 } });
    const one = await ask("eth_getLogs", [{ fromBlock: "0x2", toBlock: "0x2" }]);
    expect(await resultOf(one)).toHaveLength(1);
  });

  test.each([
    ["latestAhead", 1],
    ["latestBehind", -1],
  ] as const)("lies about the head: %s", async (fault, sign) => {
    const head = Number(await node.client.getBlockNumber());
    const response = await asked({ [fault]: 1 }, "eth_getBlockByNumber", ["latest", false]);
    const { number } = await resultOf<{ number: string }>(response);
    expect(Math.sign(Number(number) - head)).toBe(sign);
  });

  test("loses logs of the newest blocks, blocks and receipts", async () => {
    await mint(node, token, [[alice, 1n]]);
    const all = await resultOf<Log[]>(await asked({}, "eth_getLogs", range));
    proxy.setChances({ laggingLogs: 1, missingBlock: 1, missingReceipt: 1 });
    const some = await resultOf<Log[]>(await ask("eth_getLogs", range));
    expect(some.length).toBeLessThan(all.length);
    expect(all.slice(0, some.length)).toEqual(some);
    expect(await resultOf(await ask("eth_getBlockByNumber", ["0x2", false]))).toBeNull();
    expect(await resultOf(await ask("eth_getTransactionReceipt", [all[0]?.transactionHash]))).toBeNull();
  });

  test("shuffles logs and loses none", async () => {
    const all = await resultOf<Log[]>(await asked({}, "eth_getLogs", range));
    proxy.setChances({ shuffledLogs: 1 });
    const shuffled = await resultOf<Log[]>(await ask("eth_getLogs", range));
    expect(shuffled).not.toEqual(all);
    const inOrder = shuffled.toSorted((one, other) => Number(one.blockNumber) - Number(other.blockNumber));
    expect(inOrder).toEqual(all);
  });

  test("does the same again with the same seed", async () => {
    const run = async () => {
      proxy = await startFaultProxy({ target: node.url, seed: 9, chances: { rateLimit: 0.5 } });
      const statuses = [];
      for (let count = 0; count < 20; count += 1) statuses.push((await ask("eth_chainId")).status);
      return statuses;
    };
    const first = await run();
    await proxy.stop();
    expect(await run()).toEqual(first);
    expect(new Set(first)).toEqual(new Set([200, 429]));
  });

  test("answers nobody while it is down", async () => {
    proxy = await startFaultProxy({ target: node.url, seed: 1 });
    proxy.setDown(true);
    await expect(ask("eth_chainId")).rejects.toThrow();
    proxy.setDown(false);
    expect((await ask("eth_chainId")).status).toBe(200);
  });
});
