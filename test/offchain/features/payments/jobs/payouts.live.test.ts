import { afterAll, beforeAll, expect, test } from "vitest";
import { testUsdcAbi } from "#contracts";
import {
  account,
  besideTheService,
  contracts,
  startTestStack,
  type TestStack,
  testChain,
  until,
} from "../../../support/stack.ts";

const blocked = account(5);
const other = account(6);
let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack({
    BURSAR_BATCH_SIZE: "1000",
    BURSAR_BATCH_MAX_DELAY_MS: "600000",
    BURSAR_BATCH_MIN_AMOUNT: "1000",
    BURSAR_PAYOUT_EVERY_MS: "200",
    BURSAR_SOLVENCY_FRESH_FOR_MS: "0",
  });
  for (const [index, name] of [
    [4, "Payer"],
    [5, "Blocked"],
    [6, "Other"],
  ] as const)
    await stack.agent(index).register(name, "trader");
}, 240_000);

afterAll(() => stack?.stop());

const chain = () => testChain(stack);

const usdc = { address: contracts.TestUSDC, abi: testUsdcAbi } as const;
const balanceOf = (holder: `0x${string}`) =>
  chain().readContract({ ...usdc, functionName: "balanceOf", args: [holder] });
/** The token's own administrator. */
const setBlocked = async (functionName: "blocklist" | "unBlocklist") => {
  const hash = await besideTheService(() =>
    chain().writeContract({ account: account(0), ...usdc, functionName, args: [blocked.address] }),
  );
  await chain().waitForTransactionReceipt({ hash });
};
const claimed = async () => {
  const report = await stack.operator.solvency.take({});
  return report.items.find(({ unit }) => unit === "USDC")?.parts.claimed.amount;
};

test("a payee whom the token blocks holds up nobody, is claimed for, and is paid once it may be", async () => {
  const before = [await balanceOf(blocked.address), await balanceOf(other.address)] as const;
  const payments = [];
  for (const payee of [blocked.address, other.address]) {
    const channel = await stack.agent(4).openChannel({ payee, deposit: "1" });
    payments.push(await channel.pay({ key: "work", amount: "0.25" }));
  }
  await setBlocked("blocklist");
  const { batchId } = await stack.operator.batches.flush();
  await until(
    () => stack.client.batches.show({ batchId: batchId ?? "" }),
    ({ state }) => state === "settled",
  );
  expect(await balanceOf(other.address)).toBe(before[1] + 250_000n);
  expect(await balanceOf(blocked.address)).toBe(before[0]);
  for (const { paymentId } of payments)
    expect((await stack.client.payments.receipt({ paymentId })).state).toBe("settled");
  expect(await claimed(), "owed to the blocked payee, provably").toBe("0.25");
  expect((await stack.agent(5).client.solvency.proof({})).parts).toMatchObject({ claimed: "250000" });

  await setBlocked("unBlocklist");
  await until(
    () => balanceOf(blocked.address),
    (balance) => balance === before[0] + 250_000n,
  );
  await until(claimed, (amount) => amount === "0");
  expect(await stack.client.ledger.reconcile()).toMatchObject({
    ledgerBalanced: true,
    chainMatchesLedger: true,
  });
});
