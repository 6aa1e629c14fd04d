import { encodeAbiParameters, encodeEventTopics, type Hex } from "viem";
import { describe, expect, test } from "vitest";
import { testUsdcAbi } from "#contracts";
import { transferByNonce } from "#offchain/features/x402/contract.ts";
import { TransferSearch } from "#offchain/features/x402/facilitator/transferSearch.ts";

const address = (byte: string): Hex => `0x${byte.repeat(20)}`;
const word = (byte: string): Hex => `0x${byte.repeat(32)}`;
const [usdc, payer, shop, friend] = [address("aa"), address("11"), address("22"), address("33")];
const [ours, another] = [word("01"), word("02")];
const hash = word("ff");
const asked = { from: payer, to: shop, value: 7n, nonce: ours };

type Logged = { address: Hex; topics: unknown; data: Hex };
const used = (nonce: Hex): Logged => ({
  address: usdc,
  topics: encodeEventTopics({
    abi: testUsdcAbi,
    eventName: "AuthorizationUsed",
    args: { authorizer: payer, nonce },
  }),
  data: "0x",
});
const moved = (to: Hex, value: bigint, token = usdc): Logged => ({
  address: token,
  topics: encodeEventTopics({ abi: testUsdcAbi, eventName: "Transfer", args: { from: payer, to } }),
  data: encodeAbiParameters([{ type: "uint256" }], [value]),
});

/** A chain with one transaction of these logs, in block 1,200. */
function chainOf(...logs: Logged[]) {
  const all = logs.map((log, logIndex) => ({ ...log, logIndex, transactionHash: hash }));
  const asked: [bigint, bigint][] = [];
  const client = {
    getBlockNumber: async () => 3_000n,
    readContract: async () => true,
    getBlock: async ({ blockNumber }: { blockNumber: bigint }) => ({ timestamp: blockNumber }),
    getLogs: async ({ fromBlock, toBlock }: { fromBlock: bigint; toBlock: bigint }) => {
      asked.push([fromBlock, toBlock]);
      const [topics] = [used(ours).topics as Hex[]];
      const isThere = fromBlock <= 1_200n && toBlock >= 1_200n;
      return isThere ? all.filter((log) => String(log.topics) === String(topics)) : [];
    },
    getTransactionReceipt: async () => ({ logs: all }),
  };
  return { client: client as never, asked };
}

const everywhere = { fromBlock: 0n, toBlock: 3_000n };
const found = (...logs: Logged[]) => transferByNonce(chainOf(...logs).client, usdc, asked, everywhere);

describe("a transfer is the nonce's own", () => {
  test("when it comes right after the use", async () => {
    expect(await found(used(ours), moved(shop, 7n))).toBe(hash);
    expect(await found(used(another), moved(friend, 7n), used(ours), moved(shop, 7n))).toBe(hash);
  });

  test("and none that another nonce of the same transaction made, or another token", async () => {
    expect(await found(used(ours), moved(friend, 7n), used(another), moved(shop, 7n))).toBe("other");
    expect(await found(used(another), moved(shop, 7n), used(ours), moved(friend, 7n))).toBe("other");
    expect(await found(used(ours), moved(shop, 7n, address("bb")))).toBe("other");
    expect(await found(used(ours))).toBe("other");
  });

  test("and of exactly the amount and the payee", async () => {
    expect(await found(used(ours), moved(shop, 6n))).toBe("other");
    expect(await found(used(ours), moved(friend, 7n))).toBe("other");
    expect(await found(moved(shop, 7n))).toBeNull();
  });
});

describe("an arrival", () => {
  const payment = (validAfter: string) =>
    ({
      kind: "exact",
      payload: {
        payload: { authorization: { ...asked, value: "7", validAfter, validBefore: "9999999999" } },
      },
    }) as never;

  test("is looked for backwards from the head, no further than it was valid", async () => {
    const { client, asked } = chainOf(used(ours), moved(shop, 7n));
    const search = new TransferSearch({ client, usdc });
    expect(await search.find(payment("0"), null)).toBe(hash);
    expect(asked).toEqual([
      [2_501n, 3_000n],
      [2_001n, 2_500n],
      [1_501n, 2_000n],
      [1_001n, 1_500n],
    ]);
    asked.length = 0;
    expect(await search.find(payment("2400"), null)).toBeNull();
    expect(asked.length).toBe(2);
  });

  test("after the block in question is none", async () => {
    const { client } = chainOf(used(ours), moved(shop, 7n));
    expect(await new TransferSearch({ client, usdc }).find(payment("0"), 1_199n)).toBeNull();
  });

  test("that is not there is looked for once in each block, but for the newest", async () => {
    const { client, asked } = chainOf();
    const search = new TransferSearch({ client, usdc });
    expect(await search.find(payment("0"), null)).toBeNull();
    expect(asked.length).toBe(7);
    asked.length = 0;
    expect(await search.find(payment("0"), null)).toBeNull();
    expect(asked).toEqual([[2_936n, 3_000n]]);
  });
});
