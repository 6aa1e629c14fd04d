import { erc20Abi, zeroAddress, zeroHash } from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { batchSettlementAbi, clearingAbi, testUsdcAbi } from "#contracts";
import { type ChannelTerms, channelId, signVoucher } from "#offchain/sdk/paying/channel.ts";
import type { PayingChannel } from "#offchain/sdk/paying/payingChannel.ts";
import { verifySolvencyLine, verifySolvencyProof, verifySolvencySignature } from "#offchain/sdk/solvency.ts";
import {
  account,
  besideTheService,
  chainId,
  contracts,
  indexedTo,
  startTestStack,
  type TestStack,
  testChain,
  until,
} from "../../support/stack.ts";
import { deployToken, mintData } from "../../support/token.ts";

let stack: TestStack;
let channel: PayingChannel;
/** Epoch ms. */
const begunAt = Date.now();
const [payer, payee] = [account(4).address, account(5).address];
const reserve = account(9);

beforeAll(async () => {
  stack = await startTestStack({
    BURSAR_BATCH_SIZE: "1000",
    BURSAR_BATCH_MAX_DELAY_MS: "600000",
    BURSAR_BATCH_MIN_AMOUNT: "1000",
    // Snapshots are taken when a test asks for one, the first apart.
    BURSAR_SOLVENCY_EVERY_MS: "86400000",
    BURSAR_SOLVENCY_FRESH_FOR_MS: "0",
    BURSAR_RECONCILE_EVERY_MS: "2000",
    BURSAR_SOLVENCY_RESERVES: reserve.address,
  });
  await stack.agent(4).register("Payer", "buyer");
  await stack.agent(5).register("Payee", "seller");
  channel = await stack.agent(4).openChannel({ payee, deposit: "5" });
  await channel.pay({ key: "first", amount: "0.25" });
}, 240_000);

afterAll(() => stack?.stop());

const chain = () => testChain(stack);

const usd = (amount: string) => ({ amount, unit: "USDC" as const });
const lineOf = (report: Awaited<ReturnType<TestStack["client"]["solvency"]["report"]>>, unit = "USDC") => {
  const line = report.items.find((each) => each.unit === unit);
  if (!line) throw new Error(`no ${unit} in the report`);
  return line;
};
const take = () => stack.operator.solvency.take({});
const proofOf = (index: number, query: object = {}) => stack.agent(index).client.solvency.proof(query);

/** Sends what account 0 may, and waits until it is in a block. */
async function write(call: {
  address: `0x${string}`;
  abi: readonly unknown[];
  functionName: string;
  args: readonly unknown[];
}) {
  const hash = await besideTheService(() => chain().writeContract({ account: account(0), ...call } as never));
  await chain().waitForTransactionReceipt({ hash });
}

describe("the report", () => {
  test("sets what is owed against what the contracts hold, at a block that anybody can look at", async () => {
    const report = await take();
    expect(report).toMatchObject({ chainId: 31337, isSolvent: true, status: "pending" });
    const block = await chain().getBlock({ blockNumber: BigInt(report.blockNumber) });
    expect(report.blockHash).toBe(block.hash);
    expect(lineOf(report)).toMatchObject({
      token: contracts.TestUSDC,
      obligations: usd("5"),
      surplus: { unit: "USDC" },
      isSolvent: true,
      parts: {
        deposits: usd("4.75"),
        promised: usd("0.25"),
        claimed: usd("0"),
        credits: usd("0"),
        balance: usd("0"),
      },
    });
    for (const { address, holds } of lineOf(report).holders) {
      const { TestUSDC } = contracts;
      const balance = await chain().readContract({
        address: TestUSDC,
        abi: testUsdcAbi,
        functionName: "balanceOf",
        args: [address],
        blockNumber: BigInt(report.blockNumber),
      });
      expect(holds).toEqual(usd((Number(balance) / 1e6).toString()));
    }
    expect(await stack.client.solvency.report()).toEqual(report);
  });

  test("continues the root before it, and no two roots are alike although nothing moved", async () => {
    const [one, two] = [await take(), await take()];
    expect(lineOf(two).previous).toBe(lineOf(one).root);
    expect(lineOf(two).root).not.toBe(lineOf(one).root);
  });

  test("names a root that anybody computes from what it tells, and from nothing else", async () => {
    const report = await take();
    for (const line of report.items) {
      expect(verifySolvencyLine(report, line), line.unit).toBe(true);
      expect(verifySolvencyLine({ ...report, blockNumber: "1" }, line)).toBe(false);
      const [obligations, parts] = [usd("4"), { ...line.parts, deposits: usd("3.75") }];
      expect(verifySolvencyLine(report, { ...line, obligations, parts })).toBe(false);
      expect(verifySolvencyLine(report, { ...line, parts })).toBe(false);
    }
  });

  test("is signed by the operator, each root by itself", async () => {
    const report = await take();
    const operator = account(0).address;
    for (const line of report.items) {
      expect(line.signed?.by).toBe(operator);
      expect(await verifySolvencySignature(report, line, operator), line.unit).toBe(true);
      expect(await verifySolvencySignature(report, line, payee)).toBe(false);
      expect(await verifySolvencySignature(report, { ...line, previous: zeroHash }, operator)).toBe(false);
    }
    expect((await stack.agent(5).solvency()).problems).toEqual([]);
  });

  test("stays for good in a list of which each continues the one before", async () => {
    const newest = await take();
    const first = await stack.client.solvency.list({ limit: 2 });
    expect(first.items[0]).toEqual(newest);
    const all = [...first.items, ...(await stack.client.solvency.list({ cursor: first.next ?? "" })).items];
    expect(all.length).toBeGreaterThan(3);
    for (const [at, report] of all.entries()) {
      const before = all[at + 1];
      expect(lineOf(report).previous).toBe(before ? lineOf(before).root : zeroHash);
    }
  });

  test("is confirmed once its block is out of a reorganisation's reach", async () => {
    const { snapshotId } = await take();
    await chain().mine({ blocks: 80 });
    const report = await until(
      () => stack.client.solvency.report(),
      ({ status }) => status !== "pending",
    );
    expect(report).toMatchObject({ snapshotId, status: "confirmed" });
  });

  test("is taken by agents and the operator, not by just anybody", async () => {
    await expect(stack.client.solvency.take({})).rejects.toMatchObject({ code: "SIGNATURE_MISSING" });
    expect((await stack.agent(6).client.solvency.take({})).isSolvent).toBe(true);
  });
});

describe("the proof", () => {
  test("of payer and payee leads to the one root, by their own check", async () => {
    const report = await take();
    const { root, obligations } = lineOf(report);
    for (const [index, owner, parts] of [
      [4, payer, { deposits: "4750000", promised: "0" }],
      [5, payee, { deposits: "0", promised: "250000" }],
    ] as const) {
      const proof = await proofOf(index);
      expect(proof).toMatchObject({ owner: owner.toLowerCase(), parts, root });
      const shown = verifySolvencyProof(proof as never, { owner, root });
      expect(shown).toMatchObject({ isValid: true, root });
      expect(shown.steps.at(-1)?.parent.sum).toBe(5_000_000n);
      expect(obligations).toEqual(usd("5"));
      const lie = { ...proof, parts: { ...proof.parts, promised: "1" } };
      expect(verifySolvencyProof(lie as never, { owner, root }).isValid).toBe(false);
    }
  });

  test("follows the money from promised to claimed and paid out; the older proof stays good", async () => {
    const before = await take();
    const { batchId } = await stack.operator.batches.flush();
    await until(
      () => stack.client.batches.show({ batchId: batchId ?? "" }),
      ({ state }) => state === "settled",
    );
    const after = await take();
    expect(lineOf(after)).toMatchObject({ obligations: usd("4.75"), isSolvent: true });
    await expect(proofOf(5)).rejects.toMatchObject({ code: "OBLIGATION_UNKNOWN" });
    const old = await proofOf(5, { snapshotId: before.snapshotId });
    expect(verifySolvencyProof(old as never, { owner: payee, root: lineOf(before).root }).isValid).toBe(true);
    expect(verifySolvencyProof(old as never, { owner: payee, root: lineOf(after).root }).isValid).toBe(false);
  });

  test("is checked by an agent by itself, which remembers the root that the next must continue", async () => {
    await take();
    expect(await stack.agent(4).solvency()).toMatchObject({ problems: [], counted: "4.75" });
    const { snapshotId } = await take();
    expect(await stack.agent(4).solvency("USDC", "4.75")).toMatchObject({
      problems: [],
      known: { snapshotId },
    });
    expect((await stack.agent(4).solvency("USDC", "4.750001")).problems).toEqual(["less"]);
    expect((await stack.agent(7).solvency("USDC", "0.1")).problems).toEqual(["missing"]);
  });

  test("is shown to the leaf's owner and the operator only", async () => {
    await expect(stack.client.solvency.proof({})).rejects.toMatchObject({ code: "SIGNATURE_MISSING" });
    await expect(proofOf(5, { account: payer })).rejects.toMatchObject({ code: "FORBIDDEN" });
    await expect(stack.operator.solvency.proof({})).rejects.toMatchObject({
      code: "VALIDATION_INVALID_INPUT",
    });
    expect(await stack.operator.solvency.proof({ account: payer })).toMatchObject({
      owner: payer.toLowerCase(),
    });
    await expect(proofOf(4, { snapshotId: "999999" })).rejects.toMatchObject({ code: "SNAPSHOT_UNKNOWN" });
    await expect(proofOf(4, { unit: "ATP" })).rejects.toMatchObject({ code: "SNAPSHOT_UNKNOWN" });
  });
});

describe("what nothing stands behind", () => {
  const metric = async (name: string) => {
    const text = await (await fetch(`${stack.apiUrl}/metrics`)).text();
    return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
  };

  test("shows as a deficit to the last base unit, and the service stays ready", async () => {
    const held = await chain().readContract({
      address: contracts.TestUSDC,
      abi: testUsdcAbi,
      functionName: "balanceOf",
      args: [reserve.address],
    });
    const amount = (Number(held) / 1e6 + 1.000001).toString();
    await stack.operator.ledger.issue({ key: "unbacked", to: payee, unit: "USDC", amount });
    const report = await take();
    expect(report.isSolvent).toBe(false);
    expect(lineOf(report)).toMatchObject({
      surplus: usd("-1.000001"),
      isSolvent: false,
      parts: { balance: usd(amount) },
    });
    const proof = await proofOf(5);
    expect(verifySolvencyProof(proof as never, { owner: payee, root: lineOf(report).root }).isValid).toBe(
      true,
    );
    expect((await fetch(`${stack.apiUrl}/ready`)).status).toBe(200);
  });

  test("is what the metrics of a restarted service say", async () => {
    await stack.killService();
    await stack.startService();
    await until(
      () => metric('bursar_solvency_deficit{chain="31337",unit="USDC"}'),
      (deficit) => deficit === 1.000001,
    );
    expect(await metric('bursar_solvency_deficit{chain="31337",unit="AVT"}')).toBe(0);
    expect(await metric('bursar_solvency_taken_seconds{chain="31337"}')).toBeGreaterThan(begunAt / 1000 - 1);
  });

  test("is made up for by tokens in a reserve", async () => {
    await write({
      address: contracts.TestUSDC,
      abi: testUsdcAbi,
      functionName: "mint",
      args: [reserve.address, 1_000_001n],
    });
    expect(lineOf(await take())).toMatchObject({ surplus: usd("0"), isSolvent: true });
  });
});

test("what Clearing has credited counts, and what it holds beside the channels", async () => {
  const before = lineOf(await take());
  const { Clearing, TestUSDC } = contracts;
  await write({ address: TestUSDC, abi: testUsdcAbi, functionName: "mint", args: [Clearing, 900_000n] });
  const row = `${payee}${700_000n.toString(16).padStart(24, "0")}`;
  await write({
    address: Clearing,
    abi: clearingAbi,
    functionName: "credit",
    args: [TestUSDC, 1n, 0n, row, true],
  });
  const after = lineOf(await take());
  expect(after).toMatchObject({ parts: { credits: usd("0.7") }, surplus: usd("0.2") });
  expect(Number(after.obligations.amount) - Number(before.obligations.amount)).toBeCloseTo(0.7, 6);
});

describe("a channel that was opened on the chain by itself", () => {
  let head = 0n;
  const open = async (token: `0x${string}`, receiverAuthorizer: `0x${string}`) => {
    const config: ChannelTerms = {
      payer: account(0).address,
      payerAuthorizer: account(6).address,
      receiver: payee,
      receiverAuthorizer,
      token,
      withdrawDelay: 86_400,
      salt: zeroHash,
    };
    const settlement = contracts.BatchSettlement;
    await write({ address: token, abi: erc20Abi, functionName: "approve", args: [settlement, 2_000_000n] });
    await write({
      address: settlement,
      abi: batchSettlementAbi,
      functionName: "deposit",
      args: [config, 2_000_000n, zeroAddress, "0x"],
    });
    head = await chain().getBlockNumber();
    await indexedTo(stack, head);
    return config;
  };
  const pay = async (config: ChannelTerms) => {
    const id = channelId(config, chainId);
    return stack.client.payments.pay({
      key: `direct-${id}`,
      channelId: id,
      network: `eip155:${chainId}`,
      maxClaimableAmount: "1000",
      signature: await signVoucher(account(6), chainId, { channelId: id, maxClaimableAmount: 1_000n }),
    });
  };

  test("in a token that anybody can make is no money: not paid with, not owed, not held", async () => {
    const before = lineOf(await take());
    const worthless = await deployToken({ client: chain() });
    await chain().sendTransaction({ to: worthless, data: mintData(account(0).address, 2_000_000n) });
    const config = await open(worthless, account(0).address);
    await expect(pay(config)).rejects.toMatchObject({ code: "CHANNEL_UNKNOWN" });
    const after = lineOf(await take());
    expect([after.obligations, after.holdings]).toEqual([before.obligations, before.holdings]);
    expect(await stack.client.ledger.reconcile()).toMatchObject({
      ledgerBalanced: true,
      chainMatchesLedger: true,
    });
  });

  test("a gift to the settlement contract is told apart, and makes the books no less right", async () => {
    const { surplus } = await stack.client.ledger.reconcile();
    await write({
      address: contracts.TestUSDC,
      abi: testUsdcAbi,
      functionName: "transfer",
      args: [contracts.BatchSettlement, 7n],
    });
    const books = await until(
      () => stack.client.ledger.reconcile(),
      (found) => Number(found.surplus.amount) > Number(surplus.amount),
    );
    expect(books).toMatchObject({ chainMatchesLedger: true, ledgerBalanced: true, differences: [] });
    expect(Number(books.surplus.amount)).toBeCloseTo(Number(surplus.amount) + 0.000007, 9);
  });

  test("with another's authorizer is owed to its payer, but no voucher of it is accepted", async () => {
    const config = await open(contracts.TestUSDC, account(7).address);
    await expect(pay(config)).rejects.toMatchObject({ code: "CHANNEL_MISMATCH" });
    expect(await stack.operator.solvency.take({})).toMatchObject({ isSolvent: true });
    const proof = await stack.operator.solvency.proof({ account: account(0).address });
    expect(proof.parts).toMatchObject({ deposits: "2000000" });
  });
});

test("books and chain are compared once for all who ask at the same time, and not again at once", async () => {
  await stack.client.ledger.reconcile();
  const startedAt = performance.now();
  const answers = await Promise.all(Array.from({ length: 20 }, () => stack.client.ledger.reconcile()));
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  expect(answers[0]).toMatchObject({ ledgerBalanced: true, chainMatchesLedger: true });
  expect(performance.now() - startedAt).toBeGreaterThan(1_500);
});

test("a snapshot whose block is reorganised away says so, and the next one stands on the new chain", async () => {
  const point = await chain().snapshot();
  await chain().mine({ blocks: 1 });
  const lost = await take();
  await chain().revert({ id: point });
  await chain().setNextBlockBaseFeePerGas({ baseFeePerGas: 3_000_000_000n });
  await chain().mine({ blocks: 2 });
  await until(
    () => stack.client.solvency.report(),
    ({ status }) => status === "retracted",
  );
  const next = await take();
  expect(next.status).toBe("pending");
  expect(lineOf(next).previous).toBe(lineOf(lost).root);
  expect(next.blockHash).toBe((await chain().getBlock({ blockNumber: BigInt(next.blockNumber) })).hash);

  // The journal has forgotten both blocks by then; what became of them is still known.
  await chain().mine({ blocks: 80 });
  const { items } = await until(
    () => stack.client.solvency.list({ limit: 2 }),
    ({ items: [newest] }) => newest?.status !== "pending",
  );
  expect(items.map(({ snapshotId, status }) => [snapshotId, status])).toEqual([
    [next.snapshotId, "confirmed"],
    [lost.snapshotId, "retracted"],
  ]);
});
