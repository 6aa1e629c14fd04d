import { erc20Abi, parseEther } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { clearingAbi, stakingAbi } from "#contracts";
import type { PayingChannel } from "#offchain/sdk/paying/payingChannel.ts";
import {
  account,
  besideTheService,
  contracts,
  startTestStack,
  type TestStack,
  testChain,
  until,
} from "../../support/stack.ts";

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
  const by = { account: account(0) };
  const hash = await besideTheService(() =>
    chain.writeContract({ ...clearing, ...by, functionName: "appoint", args: [operator] }),
  );
  expect((await chain.waitForTransactionReceipt({ hash })).status).toBe("success");
}

/** What Clearing holds of whoever is appointed. */
async function bond(): Promise<void> {
  const chain = testChain(stack);
  const staking = { address: contracts.Staking, abi: stakingAbi } as const;
  const amount = parseEther("10000");
  const as = { account: account(9) };
  const approval = { address: contracts.AgentToken, abi: erc20Abi, functionName: "approve" } as const;
  const steps = [
    () => chain.writeContract({ ...approval, ...as, args: [contracts.Staking, amount] }),
    () => chain.writeContract({ ...staking, ...as, functionName: "registerValidator", args: [0n] }),
    () => chain.writeContract({ ...staking, ...as, functionName: "stake", args: [other, amount] }),
  ];
  for (const step of steps)
    expect((await chain.waitForTransactionReceipt({ hash: await step() })).status).toBe("success");
}

async function passHandover(): Promise<void> {
  await testChain(stack).increaseTime({ seconds: handoverSeconds });
  await testChain(stack).mine({ blocks: 1 });
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

  await bond();
  await appoint(other);
  expect(await stack.client.clearing.show(), "the handover has just begun").toMatchObject({
    operator: own,
    office: 0,
  });
  await passHandover();
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

  await appoint(own);
  await passHandover();
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
  // What the offices before have left is recorded, so that their receipts reach nothing of what is booked now.
  const [handedOver] = await until(
    () =>
      testChain(stack).getContractEvents({
        ...clearing,
        eventName: "HandedOver",
        args: { office: 2n },
        fromBlock: 0n,
        strict: true,
      }),
    (events) => events.length > 0,
  );
  expect(handedOver?.args).toMatchObject({ token: contracts.TestUSDC });
});
