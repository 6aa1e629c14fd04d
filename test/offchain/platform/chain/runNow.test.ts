import { expect, test } from "vitest";
import { runNow } from "#offchain/platform/chain/runNow.ts";

const chainId = 5_042_002;

test("before the chain is met there is no run to speak of", () => {
  expect(() => runNow({ runId: 0n, chainId })).toThrow(
    expect.objectContaining({ code: "CHAIN_UNAVAILABLE", status: 503, remedy: "retry", facts: { chainId } }),
  );
});

test.each([1n, 2n ** 62n])("run %s goes on whatever state the chain is in", (runId) => {
  expect(runNow({ runId, chainId })).toBe(runId);
});
