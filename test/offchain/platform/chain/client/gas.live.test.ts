import { expect, test } from "vitest";
import { connectChain } from "#offchain/platform/chain/client/client.ts";
import { gasReading } from "#offchain/platform/chain/client/gas.ts";
import { startNode } from "../../../support/node.ts";

test("the next block's fee beside the median of the last blocks, on a real chain", async () => {
  const node = await startNode();
  try {
    const read = gasReading(connectChain({ chainId: 31337, rpcUrl: node.url }).reader, 8);
    // Empty blocks: the base fee falls by an eighth with each, so the next is below the median.
    await node.client.mine({ blocks: 12 });
    const falling = await read();
    expect(falling?.now).toBeLessThan(falling?.median ?? 0n);

    await node.client.setNextBlockBaseFeePerGas({ baseFeePerGas: 10n ** 12n });
    await node.client.mine({ blocks: 1 });
    const risen = await read();
    expect(risen?.now).toBeGreaterThan(risen?.median ?? 0n);
  } finally {
    await node.stop();
  }
});
