import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Client, createClient } from "#offchain/sdk/client.ts";
import { signRequests } from "#offchain/sdk/http/request.ts";
import {
  account,
  chainId,
  contracts,
  startSecondService,
  startTestStack,
  type TestStack,
} from "../../support/stack.ts";

let stack: TestStack;
let second: Awaited<ReturnType<typeof startSecondService>>;
let client: Client;
/** Calls of contracts and questions for balances that the second service sent to the chain. */
let asked: string[] = [];
const agents = 40;

const counter = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on("data", (part: Buffer) => parts.push(part));
  request.on("end", async () => {
    const body = Buffer.concat(parts).toString();
    // Whoever looks for a WebSocket gets none here.
    if (body === "") return response.writeHead(404).end();
    const calls = [JSON.parse(body)].flat() as { method: string }[];
    asked.push(
      ...calls.map(({ method }) => method).filter((method) => /^eth_(call|getBalance)$/.test(method)),
    );
    const answer = await fetch(stack.rpcUrl, {
      method: "POST",
      body,
      headers: { "content-type": "application/json" },
    });
    response.setHeader("content-type", "application/json").end(await answer.text());
  });
});

beforeAll(async () => {
  stack = await startTestStack({ BURSAR_RATE_PER_IDENTITY_PER_SECOND: "0" });
  for (let at = 0; at < agents; at += 1) {
    const key = privateKeyToAccount(generatePrivateKey());
    await createClient({ url: stack.apiUrl, authorize: signRequests(key, chainId) }).agents.register({
      address: key.address,
      name: `Agent ${at}`,
      role: "seller",
    });
  }
  await stack.agent(4).register("Ada", "buyer");
  await stack.operator.ledger.issue({
    key: "issue",
    to: `agent:${account(4).address.toLowerCase()}`,
    unit: "VMC",
    amount: "3",
  });
  counter.listen(0, "127.0.0.1");
  await once(counter, "listening");
  const rpcUrl = `http://127.0.0.1:${(counter.address() as AddressInfo).port}`;
  second = await startSecondService({ ...stack, rpcUrl }, { BURSAR_RATE_PER_IDENTITY_PER_SECOND: "0" });
  client = createClient({ url: second.url });
}, 240_000);

afterAll(async () => {
  await second?.stop();
  counter.close();
  await stack?.stop();
});

/** Requests to the provider while `run` goes on, the fewest of three times: the service's own work asks as well. */
async function costOf(run: () => Promise<unknown>): Promise<number> {
  let fewest = Number.POSITIVE_INFINITY;
  for (let time = 0; time < 3; time += 1) {
    // What is kept for a block, or shared for a while, is over.
    await new Promise((done) => setTimeout(done, 1_100));
    asked = [];
    await run();
    fewest = Math.min(fewest, asked.length);
  }
  return fewest;
}

test("what a page costs the chain does not depend on how many agents there are, nor on how many ask", async () => {
  const twenty = (ask: () => Promise<unknown>) => () => Promise.all(Array.from({ length: 20 }, ask));
  // Owners and budgets are asked for as well, but once.
  expect(await costOf(twenty(() => client.wallets.list({ limit: 100 })))).toBeLessThanOrEqual(20);
  expect(await costOf(twenty(() => client.overview.show()))).toBeLessThanOrEqual(20);
  const small = await costOf(() => client.wallets.list({ limit: 5 }));
  const whole = await costOf(async () => {
    const { items } = await client.wallets.list({ limit: 100 });
    expect(items.filter(({ kind }) => kind === "agent")).toHaveLength(agents + 1);
  });
  expect(whole).toBeLessThanOrEqual(small);
});

test("balances on the chain are those of the chain, and pages follow each other to the end", async () => {
  const seen: string[] = [];
  for (let cursor: string | undefined; ; ) {
    const { items, next } = await client.wallets.list({ limit: 7, ...(cursor && { cursor }) });
    seen.push(...items.map(({ kind, address }) => `${kind} ${address}`));
    if (next === null) break;
    cursor = next;
  }
  expect(seen.slice(0, 2)).toEqual([`treasury ${contracts.Treasury}`, `operator ${account(0).address}`]);
  expect(new Set(seen).size).toBe(seen.length);
  expect(seen).toHaveLength(agents + 1 + 5);
  const [[operator], [ada]] = [
    (await client.wallets.list({ address: account(0).address })).items,
    (await client.wallets.list({ address: account(4).address })).items,
  ];
  expect(Number(operator?.onChain[1]?.amount)).toBeGreaterThan(9_000);
  expect(Number(ada?.onChain[0]?.amount)).toBeGreaterThan(0);
  await expect(client.wallets.list({ limit: 101 })).rejects.toMatchObject({
    code: "VALIDATION_INVALID_INPUT",
  });
});

test("a ledger balance is its owner's and the operator's to see", async () => {
  const address = account(4).address;
  const ledgerSeen = async (by: Client) =>
    (await by.wallets.list({ address }, { isSigned: true })).items[0]?.ledger ?? null;
  const as = (index: number) =>
    createClient({ url: second.url, authorize: signRequests(account(index), chainId) });
  const held = [{ account: `agent:${address.toLowerCase()}`, balance: { amount: "3", unit: "VMC" } }];
  expect(await ledgerSeen(client)).toBeNull();
  expect(await ledgerSeen(as(5))).toBeNull();
  expect(await ledgerSeen(as(4))).toMatchObject(held);
  expect(await ledgerSeen(as(0))).toMatchObject(held);
  const { items } = await client.wallets.list({ limit: 100 });
  expect(items.every(({ ledger }) => ledger === null)).toBe(true);
});
