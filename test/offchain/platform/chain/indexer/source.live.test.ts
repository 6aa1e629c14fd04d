import { type Address, bytesToHex, type Hex } from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testUsdcAbi } from "#contracts";
import { connectChain } from "#offchain/platform/chain/client/client.ts";
import type { Rpc, RpcCall } from "#offchain/platform/chain/client/rpc.ts";
import { eventTopic } from "#offchain/platform/chain/contracts/decoder.ts";
import { on } from "#offchain/platform/chain/event.ts";
import { bloomPositions } from "#offchain/platform/chain/indexer/bloom.ts";
import { LogSource, ViewShifted } from "#offchain/platform/chain/indexer/source.ts";
import { devAccount, type LocalNode, startNode } from "../../../support/node.ts";
import { deployToken, mint } from "../../../support/token.ts";

const alice = devAccount(4).address;

let node: LocalNode;
let token: Address;
let topic: Hex;
let last: number;

beforeAll(async () => {
  node = await startNode();
  token = await deployToken(node);
  const source = { name: "TestUSDC", abi: testUsdcAbi, addresses: [token] };
  const noEffect = () => Promise.resolve();
  topic = eventTopic(on(source, "Transfer", { apply: noEffect, retract: noEffect }).event);
  last = Number(
    await mint(node, token, [
      [alice, 1n],
      [alice, 2n],
      [alice, 3n],
    ]),
  );
});
afterAll(() => node.stop());

/** A source whose provider's answers are changed on their way. */
function sourceWith(change: (call: RpcCall, answer: unknown) => unknown): LogSource {
  const { rpc } = connectChain({ chainId: 31337, rpcUrl: node.url });
  const lying: Rpc = {
    batch: async (calls) =>
      (await rpc.batch(calls)).map((answer, at) => change(calls[at] ?? nothing, answer)),
    call: async (method, params) => change({ method, params }, await rpc.call(method, params)),
  };
  return new LogSource(lying, { addresses: [token], topics: [topic] });
}

const nothing: RpcCall = { method: "", params: [] };
const honest = () => sourceWith((_, answer) => answer);

describe("a range of blocks", () => {
  test("holds its logs in order and the headers that they need", async () => {
    const range = await honest().range(1, last, last + 1);
    expect(range.logs.map(({ blockNumber }) => blockNumber)).toEqual([last - 2, last - 1, last]);
    expect(range.headers.map(({ number }) => number)).toEqual([last - 2, last - 1, last]);
  });

  test("holds every header from the unsafe line on", async () => {
    const range = await honest().range(1, last, 2);
    expect(range.headers.map(({ number }) => number)).toEqual(
      Array.from({ length: last - 1 }, (_, at) => at + 2),
    );
  });

  test("carries the bloom that its logs make", async () => {
    const { logs, headers } = await honest().range(last, last, last);
    const bytes = new Uint8Array(256);
    for (const bit of logs.flatMap(({ address, topics }) => [address, ...topics]).flatMap(bloomPositions)) {
      const at = 255 - (bit >> 3);
      bytes[at] = (bytes[at] ?? 0) | (1 << (bit & 7));
    }
    expect(headers[0]?.logsBloom).toBe(bytesToHex(bytes));
  });

  test("is in order although the provider's logs are not", async () => {
    const shuffled = sourceWith(({ method }, answer) =>
      method === "eth_getLogs" && Array.isArray(answer) ? answer.toReversed() : answer,
    );
    const { logs } = await shuffled.range(1, last, last + 1);
    expect(logs.map(({ blockNumber }) => blockNumber)).toEqual([last - 2, last - 1, last]);
  });

  test("holds the logs that the provider left out", async () => {
    const forgetful = sourceWith(({ method, params }, answer) =>
      method === "eth_getLogs" && JSON.stringify(params).includes("fromBlock") ? [] : answer,
    );
    const { logs } = await forgetful.range(1, last, 1);
    expect(logs).toHaveLength(3);
  });
});

describe("a provider that contradicts itself is not believed", () => {
  const lies: Record<string, (call: RpcCall, answer: unknown) => unknown> = {
    "when a log is of another fork": ({ method }, answer) =>
      method === "eth_getLogs" && Array.isArray(answer)
        ? answer.map((log) => ({ ...log, blockHash: `0x${"ab".repeat(32)}` }))
        : answer,
    "when a log comes twice": ({ method }, answer) =>
      method === "eth_getLogs" && Array.isArray(answer) ? [...answer, ...answer] : answer,
    "when a block is missing": ({ method, params }, answer) =>
      method === "eth_getBlockByNumber" && params[0] === `0x${last.toString(16)}` ? null : answer,
    "when a block does not follow the one before": ({ method, params }, answer) =>
      method === "eth_getBlockByNumber" && params[0] === `0x${last.toString(16)}`
        ? { ...(answer as object), parentHash: `0x${"ab".repeat(32)}` }
        : answer,
    "when it answers with another block than the one asked for": ({ method, params }, answer) =>
      method === "eth_getBlockByNumber" && params[0] === `0x${last.toString(16)}`
        ? { ...(answer as object), number: `0x${(last - 1).toString(16)}` }
        : answer,
    "when a log is already removed": ({ method }, answer) =>
      method === "eth_getLogs" && Array.isArray(answer)
        ? answer.map((log) => ({ ...log, removed: true }))
        : answer,
  };
  for (const [when, lie] of Object.entries(lies))
    test(when, async () => {
      await expect(sourceWith(lie).range(1, last, 1)).rejects.toBeInstanceOf(ViewShifted);
    });
});
