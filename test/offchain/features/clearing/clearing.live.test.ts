import { createWalletClient, http } from "viem";
import type { HDAccount } from "viem/accounts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clearingAbi, stakingAbi, testUsdcAbi } from "#contracts";
import { hardhat } from "#offchain/core/localChain.ts";
import { packRows } from "#offchain/features/clearing/rules.ts";
import { signVoucher } from "#offchain/sdk/paying/channel.ts";
import type { PayingChannel } from "#offchain/sdk/paying/payingChannel.ts";
import { type Receipt, verifyCredit, verifyReceipt } from "#offchain/sdk/receipt.ts";
import { verifySolvencyProof } from "#offchain/sdk/solvency.ts";
import {
  account,
  chainId,
  contracts,
  startTestStack,
  type TestStack,
  testChain,
  until,
} from "../../support/stack.ts";

const payer = account(4);
const [first, second] = [account(5), account(6)];
const operator = account(0).address;
const windowSeconds = 86_400;
const usdc = contracts.TestUSDC;
const staking = { address: contracts.Staking, abi: stakingAbi } as const;
const clearing = { address: contracts.Clearing, abi: clearingAbi } as const;

let stack: TestStack;
let hub: PayingChannel;

beforeAll(async () => {
  stack = await startTestStack({
    BURSAR_BATCH_SIZE: "1000",
    BURSAR_BATCH_MAX_DELAY_MS: "500",
    BURSAR_BATCH_MIN_AMOUNT: "1000",
    BURSAR_CLEARING_EPOCH_EVERY_MS: "1000",
    BURSAR_SOLVENCY_FRESH_FOR_MS: "0",
  });
  for (const [index, name] of [
    [4, "Payer"],
    [5, "First"],
    [6, "Second"],
  ] as const)
    await stack.agent(index).register(name, "trader");
  hub = await stack.agent(4).openChannel({ deposit: "5" });
}, 240_000);

afterAll(() => stack?.stop());

const chain = () => testChain(stack);
const balanceOf = (holder: `0x${string}`) =>
  chain().readContract({ address: usdc, abi: testUsdcAbi, functionName: "balanceOf", args: [holder] });
const epochIn = (state: string, number: number) =>
  until(
    async () => (await stack.client.clearing.show()).epochs.find((epoch) => epoch.number === number),
    (epoch) => epoch?.state === state,
  );
const isInBooks = async () =>
  expect(await stack.operator.ledger.reconcile()).toMatchObject({
    ledgerBalanced: true,
    chainMatchesLedger: true,
  });

async function passWindow(): Promise<void> {
  await chain().increaseTime({ seconds: windowSeconds });
  await chain().mine({ blocks: 1 });
}

async function refused(body: object, by = 4) {
  const before = await stack.client.payments.list();
  const error = await stack
    .agent(by)
    .client.payments.pay(body as never, { isSigned: true })
    .then(
      () => null,
      (reason: { code: string; facts: object }) => reason,
    );
  expect(await stack.client.payments.list(), "nothing changed").toEqual(before);
  return error;
}

async function body(change: object = {}) {
  const { accepted } = await stack.client.channels.show({ channelId: hub.channelId });
  const next = BigInt(Math.round(Number(accepted.amount) * 1e6)) + 100n;
  return {
    key: `body-${next}`,
    channelId: hub.channelId,
    network: `eip155:${chainId}`,
    maxClaimableAmount: next.toString(),
    signature: await signVoucher(payer, chainId, { channelId: hub.channelId, maxClaimableAmount: next }),
    payee: first.address,
    ...change,
  };
}

describe("one deposit", () => {
  let receipts: Receipt[];

  test("pays any agent, each with the operator's signed receipt", async () => {
    receipts = [
      await hub.pay({ key: "a", amount: "0.5", payee: first.address }),
      await hub.pay({ key: "b", amount: "0.25", payee: second.address }),
      await hub.pay({ key: "c", amount: "0.125", payee: first.address }),
    ];
    expect(receipts.map(({ payee, credit }) => [payee, credit?.cumulative, credit?.epoch])).toEqual([
      [first.address, "500000", 1],
      [second.address, "250000", 1],
      [first.address, "625000", 1],
    ]);
    for (const receipt of receipts) {
      expect(await verifyReceipt(receipt, { operator, chainId })).toBe(true);
      const { credit, signature } = wordOf(receipt);
      expect([credit.office, credit.expiresAt]).toEqual([
        0,
        Math.floor(receipt.acceptedAt / 1000) + 21 * 86_400,
      ]);
      const by = { operator, chainId, clearing: clearing.address };
      expect(await verifyCredit(credit, signature, by)).toBe(true);
      expect(await verifyCredit({ ...credit, expiresAt: credit.expiresAt + 1 }, signature, by)).toBe(false);
      const shown = await stack.client.payments.receipt({ paymentId: receipt.paymentId });
      expect(shown.credit, "the same word for whoever asks again").toMatchObject({
        epoch: 1,
        office: 0,
        expiresAt: credit.expiresAt,
      });
    }
    const { items } = await stack.client.payments.list({ payee: first.address });
    expect(items.map(({ key }) => key)).toEqual(["c", "a"]);
  });

  test("a receipt in which anything is changed is nobody's word", async () => {
    const [receipt] = receipts;
    if (!receipt) throw new Error("no receipt");
    const other = { operator: account(1).address, chainId };
    expect(await verifyReceipt(receipt, other)).toBe(false);
    for (const change of [
      { payee: second.address },
      { amount: { amount: "0.6", unit: "USDC" as const } },
      { cumulative: "500001" },
      { acceptedAt: receipt.acceptedAt + 1 },
      { paymentId: "999" },
    ])
      expect(
        await verifyReceipt({ ...receipt, ...change }, { operator, chainId }),
        JSON.stringify(change),
      ).toBe(false);
  });

  test("is claimed into Clearing, and stays in the books", async () => {
    await until(
      () => stack.client.channels.show({ channelId: hub.channelId }),
      ({ claimed }) => claimed.amount === "0.875",
    );
    // Paid over to it when it pays its payees.
    expect(await chain().readContract({ ...clearing, functionName: "receivedOf", args: [usdc] })).toBe(
      875_000n,
    );
    await isInBooks();
  });

  test("is owed to the payees, who can prove their part", async () => {
    const report = await stack.operator.solvency.take();
    const line = report.items.find(({ unit }) => unit === "USDC");
    expect(line).toMatchObject({
      isSolvent: true,
      parts: { credits: { amount: "0.875" } },
      surplus: { amount: "0" },
    });
    const proof = await stack.agent(5).client.solvency.proof({ unit: "USDC" });
    expect(proof.parts.credits).toBe("625000");
    expect(verifySolvencyProof(proof, { owner: first.address, root: line?.root ?? "0x" })).toMatchObject({
      isValid: true,
    });
  });

  test("an epoch credits what was paid; after its window the payees are paid", async () => {
    const epoch = await epochIn("pending", 1);
    expect(epoch).toMatchObject({ payees: 2, total: { amount: "0.875", unit: "USDC" } });
    expect(epoch?.settledAt).toBe((epoch?.sealedAt ?? 0) + windowSeconds * 1000);
    const feed = await stack.client.events.list({ contract: "Clearing", event: "EpochSealed" });
    expect(feed.items).toMatchObject([{ change: "added", args: { epoch: "1", total: "875000" } }]);
    expect(
      (await stack.client.events.list({ limit: 200 })).items.map(({ event }) => event),
      "unfiltered as well",
    ).toContain("EpochFilled");
    expect(await stack.client.clearing.standing({ payee: first.address })).toMatchObject({
      credited: { amount: "0.625" },
      settled: { amount: "0" },
      pending: { amount: "0.625" },
      paid: { amount: "0" },
      owed: { amount: "0.625" },
      receipt: { cumulative: "625000", epoch: 2, office: 0 },
    });
    const before = await balanceOf(first.address);
    await passWindow();
    const paid = await epochIn("paid", 1);
    for (const hash of [paid?.transactionHash, paid?.payoutHash]) expect(hash).toMatch(/^0x/);
    expect((await balanceOf(first.address)) - before).toBe(625_000n);
    expect(await stack.client.clearing.standing({ payee: first.address })).toMatchObject({
      settled: { amount: "0.625" },
      pending: { amount: "0" },
      paid: { amount: "0.625" },
      owed: { amount: "0" },
    });
    await isInBooks();
  });

  test("is shown with who is in office, its bond and the token's terms", async () => {
    expect(await stack.client.clearing.show()).toMatchObject({
      contract: clearing.address,
      operator,
      office: 0,
      leastCredit: { amount: "0.01", unit: "USDC" },
      exitCap: { amount: "1000", unit: "USDC" },
      credited: { amount: "0.875" },
      received: { amount: "0.875" },
    });
  });

  test("what is less than the least credit waits until it is more", async () => {
    await hub.pay({ key: "dust", amount: "0.004", payee: first.address });
    await hub.pay({ key: "more", amount: "0.1", payee: second.address });
    expect(await epochIn("pending", 2)).toMatchObject({ payees: 1, total: { amount: "0.1" } });
    await passWindow();
    await epochIn("paid", 2);
    await hub.pay({ key: "and", amount: "0.006", payee: first.address });
    expect(await epochIn("pending", 3)).toMatchObject({ payees: 1, total: { amount: "0.01" } });
    await passWindow();
    await epochIn("paid", 3);
    await isInBooks();
  });
});

const wordOf = ({ payee, credit }: Receipt) => ({
  credit: {
    token: usdc,
    payee: payee as `0x${string}`,
    cumulative: BigInt(credit?.cumulative ?? 0),
    epoch: BigInt(credit?.epoch ?? 0),
    office: credit?.office ?? 0,
    expiresAt: credit?.expiresAt ?? 0,
  },
  signature: credit?.signature as `0x${string}`,
});

describe("a receipt that the operator does not honour", () => {
  // Staking costs more the more time has passed since the last change, so an estimate may fall short.
  const gas = 1_000_000n;
  const walletOf = (holder: HDAccount) =>
    createWalletClient({ account: holder, chain: hardhat, transport: http(stack.rpcUrl) });
  const liar = () => walletOf(account(0));
  const done = async (sent: Promise<`0x${string}`>) => {
    const { status } = await chain().waitForTransactionReceipt({ hash: await sent });
    expect(status).toBe("success");
  };
  const bond = () => chain().readContract({ ...staking, functionName: "bondOf", args: [operator] });

  /** A receipt that waits for its epoch: none is cut while the one before can be challenged, and then the service is gone. */
  async function paidBehind(epoch: number, payment: { key: string; amount: string }): Promise<Receipt> {
    await hub.pay({ key: `before-${payment.key}`, amount: "0.01", payee: second.address });
    await epochIn("pending", epoch);
    const paid = await hub.pay({ ...payment, payee: first.address });
    // Else the operator's own transactions, sent beside the service, would take the nonce of a claim on its way.
    await until(
      () => stack.client.batches.show({ batchId: paid.batchId }),
      ({ state }) => state === "settled",
    );
    await stack.killService();
    await passWindow();
    return paid;
  }

  /** The operator puts its bond right again. */
  async function repent(slashed: bigint): Promise<void> {
    const avt = { address: contracts.AgentToken, abi: testUsdcAbi } as const;
    await done(liar().writeContract({ ...avt, functionName: "approve", args: [staking.address, slashed] }));
    await done(liar().writeContract({ ...staking, functionName: "stake", args: [operator, slashed], gas }));
  }

  test("voids the epoch that says less, costs its bond, and the next epoch pays the payee", async () => {
    const paid = await paidBehind(4, { key: "e", amount: "0.2" });
    expect(paid.credit).toMatchObject({ epoch: 5, cumulative: "835000" });
    // The operator goes its own way: the epoch that it fills credits somebody else.
    await done(
      liar().writeContract({
        address: usdc,
        abi: testUsdcAbi,
        functionName: "mint",
        args: [clearing.address, 50_000n],
      }),
    );
    const { settled } = await chain().readContract({
      ...clearing,
      functionName: "creditOf",
      args: [usdc, second.address],
    });
    const rows = packRows([{ payee: second.address, total: settled + 50_000n }]);
    await done(
      liar().writeContract({ ...clearing, functionName: "credit", args: [usdc, 5n, 0n, rows, true] }),
    );
    const before = await bond();
    const { credit, signature } = wordOf(paid);
    await done(
      walletOf(first).writeContract({
        ...clearing,
        functionName: "challenge",
        args: [5n, credit, signature],
        gas,
      }),
    );
    const slashed = before - (await bond());
    expect(slashed).toBeGreaterThan(0n);
    await stack.startService();
    expect(await epochIn("void", 5)).toMatchObject({ payees: null, total: { amount: "0.05" } });
    await expect(
      stack.agent(4).openChannel({ deposit: "0.1", label: "unbonded" }),
      "its word is not bonded",
    ).rejects.toMatchObject({ code: "CLEARING_UNBONDED" });
    await repent(slashed);
    expect(await epochIn("pending", 6)).toMatchObject({ payees: 1, total: { amount: "0.2" } });
    const poor = await balanceOf(first.address);
    await passWindow();
    await epochIn("paid", 6);
    expect((await balanceOf(first.address)) - poor).toBe(200_000n);
    await isInBooks();
  });

  test("is a demand when it is due, and what was demanded no epoch adds once more", async () => {
    const paid = await paidBehind(7, { key: "f", amount: "0.3" });
    const { credit, signature } = wordOf(paid);
    const due = BigInt(credit.expiresAt - 14 * 86_400);
    const { timestamp } = await chain().getBlock();
    if (timestamp < due) await chain().increaseTime({ seconds: Number(due - timestamp) });
    await done(
      liar().writeContract({
        address: usdc,
        abi: testUsdcAbi,
        functionName: "mint",
        args: [clearing.address, 300_000n],
      }),
    );
    const before = await bond();
    await done(
      walletOf(first).writeContract({ ...clearing, functionName: "demand", args: [credit, signature], gas }),
    );
    await repent(before - (await bond()));
    await stack.startService();
    expect(
      await until(
        () => stack.client.clearing.standing({ payee: first.address }),
        ({ settled }) => settled.amount === "1.135",
      ),
    ).toMatchObject({ credited: { amount: "1.135" }, pending: { amount: "0" } });
    const poor = await balanceOf(first.address);
    // Its row is sent, since a reorganisation may take the demand back, and adds nothing.
    expect(await epochIn("pending", 8)).toMatchObject({ payees: 1, total: { amount: "0" } });
    await hub.pay({ key: "g", amount: "0.05", payee: first.address });
    await passWindow();
    expect(await epochIn("pending", 9)).toMatchObject({ payees: 1, total: { amount: "0.05" } });
    await passWindow();
    await epochIn("paid", 9);
    expect((await balanceOf(first.address)) - poor, "what was demanded, too").toBe(350_000n);
    await isInBooks();
  });
});

describe("bad input on a cleared channel", () => {
  test("a payment that nobody signed for: SIGNATURE_MISSING", async () => {
    await expect(stack.client.payments.pay((await body()) as never)).rejects.toMatchObject({
      code: "SIGNATURE_MISSING",
    });
  });

  test("a voucher in another agent's request: FORBIDDEN", async () => {
    expect(await refused(await body(), 5)).toMatchObject({
      code: "FORBIDDEN",
      facts: { payer: payer.address },
    });
  });

  test("no payee: VALIDATION_INVALID_INPUT", async () => {
    expect(await refused(await body({ payee: undefined }))).toMatchObject({
      code: "VALIDATION_INVALID_INPUT",
      facts: { field: "payee" },
    });
  });

  test("the payer itself: VALIDATION_INVALID_INPUT", async () => {
    expect(await refused(await body({ payee: payer.address }))).toMatchObject({
      code: "VALIDATION_INVALID_INPUT",
      facts: { field: "payee" },
    });
  });

  test("a payee whom nobody knows: AGENT_UNKNOWN", async () => {
    expect(await refused(await body({ payee: account(9).address }))).toMatchObject({ code: "AGENT_UNKNOWN" });
  });
});
