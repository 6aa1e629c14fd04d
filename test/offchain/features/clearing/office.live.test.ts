import { afterAll, beforeAll, expect, test } from "vitest";
import { clearingAbi } from "#contracts";
import type { PayingChannel } from "#offchain/sdk/paying/payingChannel.ts";
import { account, contracts, startTestStack, type TestStack, testChain, until } from "../../support/stack.ts";

const clearing = { address: contracts.Clearing, abi: clearingAbi } as const;
const payee = account(5).address;
const [own, other] = [account(0).address, account(9).address];
const handoverSeconds = 3 * 86_400;

let stack: TestStack;
let hub: PayingChannel;

beforeAll(async () => {
  stack = await startTestStack({
    BURSAR_BATCH_MAX_DELAY_MS: "500",
    BURSAR_BATCH_MIN_AMOUNT: "1000",
    BURSAR_CLEARING_EPOCH_EVERY_MS: "1000",
  });
  await stack.agent(4).register("Payer", "buyer");
  await stack.agent(5).register("Payee", "seller");
  hub = await stack.agent(4).openChannel({ deposit: "5" });
}, 240_000);

afterAll(() => stack?.stop());

/** As governance does; on a local chain whoever deployed it may. */
async function appoint(operator: `0x${string}`): Promise<void> {
  const chain = testChain(stack);
  const hash = await chain.writeContract({ ...clearing, functionName: "appoint", args: [operator] });
  expect((await chain.waitForTransactionReceipt({ hash })).status).toBe("success");
}

const checks = async () =>
  ((await (await fetch(`${stack.apiUrl}/health`)).json()) as { checks: Record<string, object> }).checks;
const showing = (operator: `0x${string}`) =>
  until(
    () => stack.client.clearing.show(),
    (shown) => shown.operator === operator,
  );

test("an operator that is not in office gives no word to payees, and one that is back gives it under its new office", async () => {
  const before = await hub.pay({ key: "a", amount: "0.5", payee });
  expect(before.credit).toMatchObject({ office: 0 });

  await appoint(other);
  expect(await stack.client.clearing.show(), "the handover has just begun").toMatchObject({
    operator: own,
    office: 0,
  });
  await testChain(stack).increaseTime({ seconds: handoverSeconds });
  await testChain(stack).mine({ blocks: 1 });
  expect(await showing(other)).toMatchObject({ office: 1 });
  await until(checks, (told) => JSON.stringify(told).includes(other));
  await expect(hub.pay({ key: "b", amount: "0.1", payee })).rejects.toMatchObject({
    code: "CLEARING_UNBONDED",
  });
  await expect(stack.agent(4).openChannel({ deposit: "1", label: "2" })).rejects.toMatchObject({
    code: "CLEARING_UNBONDED",
  });
  expect(await stack.client.clearing.standing({ payee })).toMatchObject({
    credited: { amount: "0.5" },
    owed: { amount: "0.5" },
    receipt: null,
  });
  const shown = await stack.client.payments.receipt({ paymentId: before.paymentId });
  expect(shown.credit, "what it said it says still").toEqual(before.credit);

  // The other one has no bond, so nobody waits for it.
  await appoint(own);
  expect(await showing(own)).toMatchObject({ office: 2 });
  const again = await until(
    () => hub.pay({ key: "b", amount: "0.1", payee }).catch(() => null),
    (receipt) => receipt !== null,
  );
  expect(again?.credit).toMatchObject({ cumulative: "600000", office: 2 });
  await until(
    () => stack.client.clearing.show(),
    ({ epochs }) => epochs.some(({ state, total }) => state === "pending" && total.amount !== "0"),
  );
});
