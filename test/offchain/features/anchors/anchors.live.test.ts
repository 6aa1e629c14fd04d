import { execFile } from "node:child_process";
import { join } from "node:path";
import { createPublicClient, http } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { addresses } from "#addresses";
import { receiptAnchorAbi } from "#contracts";
import { migrations } from "#offchain/app/migrations.ts";
import { merkleTree } from "#offchain/core/merkle.ts";
import { ledgerKind, readAnchors } from "#offchain/features/anchors/contract.ts";
import { ledgerHeadsDomain } from "#offchain/features/anchors/messages.ts";
import { digestOf, leafOf, rootOf } from "#offchain/features/anchors/rules.ts";
import { everySigned } from "#offchain/features/anchors/store.ts";
import { bytesOf } from "#offchain/platform/database/bytes.ts";
import { openDatabase } from "#offchain/platform/database/database.ts";
import { startPostgres } from "#offchain/platform/database/postgres.ts";
import { hex as randomHex } from "../../support/books.ts";
import {
  account,
  besideTheService,
  chainId,
  startTestStack,
  type TestStack,
  testChain,
  until,
} from "../../support/stack.ts";

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

/** `npm run ledger:verify` on the stack's database. */
const verify = (...options: string[]) =>
  new Promise<{ code: number; says: string }>((done) => {
    const script = join(import.meta.dirname, "../../../../scripts/ledger/verify.ts");
    const args = [script, "--data", stack.dataDir, ...options];
    execFile(process.execPath, args, (error, stdout) =>
      done({ code: error ? Number(error.code) : 0, says: stdout }),
    );
  });

test("the command finds the ledger as it was signed by the operator and anchored", async () => {
  const operator = account(0).address;
  const { code, says } = await verify("--rpc", stack.rpcUrl, "--operator", operator);
  expect(says).toMatch(
    new RegExp(`the one that was signed: \\d+ times, by ${operator}; that chain has [1-9]`),
  );
  expect(code).toBe(0);
  const byAnother = await verify("--operator", account(1).address);
  expect(byAnother.says).toContain("BROKEN: anchor 0: it is signed by somebody who is not the operator");
  expect(byAnother.code).toBe(1);
});

test("a root that another anchors is noticed, ours goes under the next number, and the command names it", async () => {
  const { ReceiptAnchor: address } = addresses[31337];
  const chain = testChain(stack);
  const contract = { address, abi: receiptAnchorAbi } as const;
  const root = randomHex(32);
  const hash = await besideTheService(async () => {
    const epoch = await chain.readContract({ ...contract, functionName: "epochCount", args: [ledgerKind] });
    const args = [ledgerKind, epoch, root, 1n] as const;
    return chain.writeContract({ ...contract, account: account(0), functionName: "anchor", args });
  });
  const anchors = await until(
    async () => (await stack.client.ledger.anchors({ limit: 10 })).items,
    ([newest, ...older]) => newest?.state === "anchored" && older.some(({ state }) => state === "foreign"),
  );
  const foreign = anchors.find(({ state }) => state === "foreign");
  expect(foreign?.anchored).toMatchObject({ root, transactionHash: hash });
  const { code, says } = await verify("--rpc", stack.rpcUrl);
  expect(says).toContain(`BROKEN: anchor ${foreign?.epoch}: the chain has`);
  expect(code).toBe(1);
});

test("who has the database and the operator's key, and signs another past, is found by the chain", async () => {
  const { connection } = await startPostgres({ dataDir: join(stack.dataDir, "postgres") });
  const sql = await openDatabase({ connection, maxConnections: 1, migrations });
  try {
    // The first one of all may be about the rules alone.
    const first = (await everySigned(sql)).find(({ heads }) => heads.length > 1);
    if (!first) throw new Error("no units' heads were signed");
    const heads = first.heads.slice(1);
    const other = { ...first, heads, root: rootOf(heads) };
    const digest = digestOf(other, ledgerHeadsDomain(chainId, addresses[31337].ReceiptAnchor));
    const signature = await account(0).sign({ hash: digest });
    await sql.begin(async (tx) => {
      await tx`SET LOCAL session_replication_role = replica`;
      await tx`
        UPDATE ledger_anchor SET heads = ${JSON.stringify(heads)}::jsonb, root = ${bytesOf(other.root)},
          anchored_root = ${bytesOf(other.root)}, signature = ${bytesOf(signature)} WHERE epoch = ${first.epoch}`;
    });
    expect((await verify("--operator", account(0).address)).code).toBe(0);
    const { code, says } = await verify("--rpc", stack.rpcUrl, "--operator", account(0).address);
    expect(says).toContain(`BROKEN: anchor ${first.epoch}: the chain has another root under its number`);
    expect(code).toBe(1);
  } finally {
    await sql.end({ timeoutMs: 5_000 });
  }
});
