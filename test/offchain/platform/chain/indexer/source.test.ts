import { type Hex, numberToHex, zeroHash } from "viem";
import { expect, test } from "vitest";
import { bloomOf } from "#offchain/platform/chain/indexer/bloom.ts";
import { LogSource, ViewShifted } from "#offchain/platform/chain/indexer/source.ts";

const address = `0x${"ab".repeat(20)}` as const;
const topic = `0x${"01".repeat(32)}` as const;
const [hash, other] = [`0x${"aa".repeat(32)}`, `0x${"0e".repeat(20)}`] as const;

const log = (at: number, by: Hex = address) => ({
  blockNumber: "0x5",
  blockHash: hash,
  transactionHash: hash,
  transactionIndex: "0x0",
  logIndex: numberToHex(at),
  address: by,
  topics: [topic],
  data: "0x",
});
const [ours, foreign] = [log(0), log(1, other)];

interface Provider {
  /** Of the block. */
  bloom?: Hex;
  /** What it says to a question by hash without a filter, and to every other. */
  whole?: object[];
  filtered?: object[];
}

async function logsOf({ bloom = bloomOf([ours, foreign]), whole = [], filtered = [] }: Provider) {
  const asked: object[] = [];
  const rpc = {
    batch: async (calls: readonly object[]) =>
      calls.map(() => ({ number: "0x5", hash, parentHash: zeroHash, timestamp: "0x1", logsBloom: bloom })),
    call: async (_: string, [filter]: [{ address?: unknown }]) => {
      asked.push(filter);
      return filter.address === undefined ? whole : filtered;
    },
  };
  const source = new LogSource(rpc as never, { addresses: [address], topics: [topic] });
  const { logs } = await source.range(5, 5, 5);
  return { found: logs.map(({ logIndex }) => logIndex), asked: asked.length };
}

test("logs that a provider leaves out of every filtered answer are found among all of the block's", async () => {
  expect(await logsOf({ whole: [ours, foreign] })).toEqual({ found: [0], asked: 3 });
});

test("a provider that leaves them out there too is not believed: the block's bloom knows better", async () => {
  await expect(logsOf({ whole: [] })).rejects.toThrow(ViewShifted);
  await expect(logsOf({ whole: [foreign] })).rejects.toThrow("leaves out logs of block 5");
});

test("a bloom that holds ours by coincidence is settled by the block's own logs", async () => {
  const bloom = bloomOf([log(0, other), { address, topics: [] }]);
  const strange = { ...log(0, other), topics: [topic] };
  expect(await logsOf({ bloom, whole: [strange, { ...log(1), topics: [] }] })).toEqual({
    found: [],
    asked: 3,
  });
});

test("a full bloom says nothing, and nothing more is asked", async () => {
  expect(await logsOf({ bloom: `0x${"ff".repeat(256)}` })).toEqual({ found: [], asked: 2 });
});

test("a block whose bloom rules ours out is asked about once, with its range", async () => {
  expect(await logsOf({ bloom: bloomOf([]) })).toEqual({ found: [], asked: 1 });
});
