import { createPublicClient, http } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { addresses } from "#addresses";
import { receiptAnchorAbi } from "#contracts";
import { merkleTree } from "#offchain/core/merkle.ts";
import { ledgerKind, readAnchors } from "#offchain/features/anchors/contract.ts";
import { leafOf } from "#offchain/features/anchors/rules.ts";
import { startTestStack, type TestStack, until } from "../../support/stack.ts";

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack({ BURSAR_ANCHOR_EVERY_MS: "300" });
});
afterAll(() => stack?.stop());

const hex = (bytes: Uint8Array) => `0x${Buffer.from(bytes).toString("hex")}` as const;

test("what the ledger has come to is signed, anchored on the chain and shown, and any unit's head is proved by it", async () => {
  const { ReceiptAnchor: address, Multicall3 } = addresses[31337];
  const chain = createPublicClient({ transport: http(stack.rpcUrl) });
  await stack.operator.ledger.issue({
    key: "issue",
    to: "agent:0x00000000000000000000000000000000000000a1",
    unit: "VMC",
    amount: "3",
  });
  const hasIssue = (anchor: Awaited<ReturnType<typeof list>>[number]) =>
    anchor.state === "anchored" && anchor.signed?.heads.some(({ unit }) => unit === "VMC");
  const list = async () => (await stack.client.ledger.anchors({ limit: 10 })).items;
  const shown = (await until(list, (items) => items.some(hasIssue))).find(hasIssue);
  const heads = (shown?.signed?.heads ?? []).map(({ height, hash, openings, openingHash, unit }) => ({
    unit,
    height: Number(height),
    hash: hash.slice(2),
    openings: Number(openings),
    openingHash: openingHash.slice(2),
  }));
  const onChain = await readAnchors(chain, address, Multicall3);
  expect(onChain[Number(shown?.epoch)]).toEqual({ root: shown?.signed?.root, count: heads.length });
  const leaves = heads.map(leafOf);
  const tree = merkleTree(leaves);
  expect(hex(tree.root)).toBe(shown?.signed?.root);
  for (const [at, leaf] of leaves.entries()) {
    const proof = tree.proof(at).map(hex);
    const args = [ledgerKind, BigInt(shown?.epoch ?? 0), hex(leaf), proof] as const;
    expect(await chain.readContract({ address, abi: receiptAnchorAbi, functionName: "verify", args })).toBe(
      true,
    );
  }
});
