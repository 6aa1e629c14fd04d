import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { type Hex, size } from "viem";
import { afterEach, describe, expect, test } from "vitest";
import { callBytesMax } from "#offchain/platform/chain/port.ts";
import { attemptsOf } from "#offchain/platform/chain/sender/transactionStore.ts";
import { admin, alice, database, eachWithSenders, minted, mintRequest, newSender, node } from "./senders.ts";

eachWithSenders();

/** A call as long as a transaction takes, or longer by so many bytes. */
const long = (key: string, over: number) => ({
  key,
  to: alice,
  data: `0x${"00".repeat(callBytesMax + over)}` as Hex,
  purpose: "long",
});

interface Asked {
  id: number;
  method: string;
  params: [{ data?: string }];
}

const servers: ReturnType<typeof createServer>[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

/** The node, but for what it says of the gas of a call with the data: a provider's error. */
async function providerThatSays(message: string, data: string): Promise<string> {
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    if (request.method !== "POST") return void response.writeHead(404).end();
    const asked = JSON.parse(await text(request)) as Asked | Asked[];
    const answers = [asked].flat().map(async (call) => {
      if (call.method === "eth_estimateGas" && call.params[0].data === data)
        return { jsonrpc: "2.0", id: call.id, error: { code: -32_000, message } };
      const headers = { "content-type": "application/json" };
      return (await fetch(node.url, { method: "POST", headers, body: JSON.stringify(call) })).json();
    });
    const all = await Promise.all(answers);
    response.end(JSON.stringify(Array.isArray(asked) ? all : all[0]));
  };
  const server = createServer((request, response) => void serve(request, response));
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("an own call that no node would take", () => {
  test.each([
    ["geth", "gas required exceeds allowance (16777216)"],
    [
      "Nethermind",
      "Cannot estimate gas, gas spent exceeded transaction and block gas limit or transaction gas limit cap",
    ],
  ])("for its gas, by the word of %s, fails alone: the one after it is mined", async (_, message) => {
    const sender = newSender({}, admin, {}, await providerThatSays(message, "0xdead"));
    const dear = await sender.enqueue({ key: "dear", to: alice, data: "0xdead", purpose: "dear" });
    const next = await sender.enqueue(mintRequest("next", 5n));
    await sender.start();
    expect(await sender.wait(next, 10_000)).toMatchObject({ success: true });
    await expect(sender.wait(dear)).rejects.toMatchObject({
      code: "TRANSACTION_TOO_EXPENSIVE",
      facts: { gasMax: (2n ** 24n).toString() },
    });
    expect(await sender.find(dear)).toMatchObject({ state: "failed", nonce: null, final: true });
    await expect(sender.simulate({ to: alice, data: "0xdead" })).rejects.toMatchObject({
      code: "TRANSACTION_TOO_EXPENSIVE",
    });
  });

  test("for its size fails without a nonce: the one after it is mined", async () => {
    const sender = newSender();
    const large = await sender.enqueue(long("large", 1));
    const next = await sender.enqueue(mintRequest("next", 5n));
    await sender.start();
    expect(await sender.wait(next)).toMatchObject({ success: true });
    await expect(sender.wait(large)).rejects.toMatchObject({
      code: "TRANSACTION_TOO_LARGE",
      facts: { bytes: callBytesMax + 1, limit: callBytesMax },
    });
    expect(await sender.find(large)).toMatchObject({ state: "failed", nonce: null, final: true });
    expect(await minted()).toBe(5n);
  });
});

test("a caller's call that is too large is refused before it is stored", async () => {
  await expect(newSender().relay(long("large", 1))).rejects.toMatchObject({
    code: "TRANSACTION_TOO_LARGE",
    status: 413,
    facts: { limit: callBytesMax },
  });
});

test("the longest call is mined, in a transaction that every node takes", async () => {
  const sender = newSender();
  const id = await sender.enqueue(long("longest", 0));
  await sender.start();
  await sender.wait(id);
  const [attempt] = await attemptsOf(database.sql, id);
  expect(size(attempt?.raw ?? "0x")).toBeGreaterThan(callBytesMax);
  expect(size(attempt?.raw ?? "0x")).toBeLessThanOrEqual(131_072);
});
