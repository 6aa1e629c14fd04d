import { createPublicClient, custom, encodeAbiParameters, encodeFunctionResult, multicall3Abi } from "viem";
import { expect, test } from "vitest";
import { localChain } from "#offchain/core/localChain.ts";
import { readChannels } from "#offchain/features/solvency/contract.ts";

const address = `0x${"1".repeat(40)}` as const;

/** A chain that answers every call of a multicall with two words, and counts what it was asked. */
function counted() {
  const asked: number[] = [];
  const chain = { ...localChain(1), contracts: { multicall3: { address } } };
  const word = encodeAbiParameters([{ type: "uint128" }, { type: "uint128" }], [5n, 3n]);
  const client = createPublicClient({
    chain,
    transport: custom({
      request: async ({ params }: { params: [{ data: string }] }) => {
        // An offset and a length, then as many calls.
        const calls = Number(BigInt(`0x${params[0].data.slice(10 + 64, 10 + 128)}`));
        asked.push(calls);
        const result = Array.from({ length: calls }, () => ({ success: true, returnData: word }));
        return encodeFunctionResult({ abi: multicall3Abi, functionName: "aggregate3", result });
      },
    }),
  });
  return { client, asked };
}

test("channels are read by as few requests as said, whatever they are charged by", async () => {
  const { client, asked } = counted();
  const ids = Array.from({ length: 1_200 }, (_, at) => `0x${at.toString(16).padStart(64, "0")}` as const);
  const found = await readChannels(client as never, address, ids, 7n);
  expect(found).toHaveLength(1_200);
  expect(found[1_199]).toEqual([5n, 3n]);
  expect(asked).toEqual([500, 500, 200]);
});
