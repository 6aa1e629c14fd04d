import { keccak256, toHex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { payOutMax } from "#offchain/features/clearing/rules.ts";
import { createClient } from "#offchain/sdk/client.ts";
import { signRequests } from "#offchain/sdk/http/request.ts";
import { signVoucher } from "#offchain/sdk/paying/channel.ts";
import type { PayingChannel } from "#offchain/sdk/paying/payingChannel.ts";
import { account, chainId, startTestStack, type TestStack, testChain, until } from "../../support/stack.ts";

const payer = account(4);
const windowSeconds = 86_400;
const strangers = Array.from({ length: payOutMax + 60 }, (_, at) => keccak256(toHex(`payee ${at}`)));

let stack: TestStack;
let hub: PayingChannel;

beforeAll(async () => {
  stack = await startTestStack({
    BURSAR_BATCH_SIZE: "1000",
    BURSAR_BATCH_MAX_DELAY_MS: "500",
    BURSAR_BATCH_MIN_AMOUNT: "1",
    BURSAR_CLEARING_ROOT_EVERY_MS: "1000",
  });
  await stack.agent(4).register("Payer", "buyer");
  await stack.agent(5).register("Honest", "seller");
  hub = await stack.agent(4).openChannel({ deposit: "1" });
});

afterAll(() => stack?.stop());

const chain = () => testChain(stack);
const rootIs = (number: number, state: string) =>
  until(
    async () => (await stack.client.clearing.show()).roots.find((root) => root.number === number),
    (root) => root?.state === state,
    60_000,
  );
async function passWindow(): Promise<void> {
  await chain().increaseTime({ seconds: windowSeconds });
  await chain().mine({ blocks: 1 });
}

/** A base unit to each, in one request. */
async function payEach(payees: readonly `0x${string}`[]): Promise<void> {
  const { channelId } = hub;
  const { accepted } = await stack.client.channels.show({ channelId });
  const before = BigInt(Math.round(Number(accepted.amount) * 1e6));
  const payments = [];
  for (const [at, payee] of payees.entries()) {
    const maxClaimableAmount = before + BigInt(at) + 1n;
    const signature = await signVoucher(payer, chainId, { channelId, maxClaimableAmount });
    payments.push({
      key: `to-${payee}`,
      channelId,
      network: `eip155:${chainId}`,
      maxClaimableAmount: maxClaimableAmount.toString(),
      signature,
      payee,
    });
  }
  const { items } = await stack.agent(4).client.payments.payBatch({ payments }, { isSigned: true });
  expect(items.filter((item) => "error" in item)).toEqual([]);
}

test("a root of more payees than one transaction can pay is paid in parts, and holds no later one back", async () => {
  const payees: `0x${string}`[] = [];
  for (const key of strangers) {
    const { address } = privateKeyToAccount(key);
    const client = createClient({
      url: stack.apiUrl,
      authorize: signRequests(privateKeyToAccount(key), chainId),
    });
    await client.agents.register({ address, name: `Payee ${payees.length}`, role: "seller" });
    payees.push(address);
  }
  await payEach(payees);
  await rootIs(1, "pending");
  await passWindow();
  await rootIs(1, "paid");
  const standings = await Promise.all(
    [0, 150, payees.length - 1].map((at) =>
      stack.client.clearing.standing({ payee: payees[at] as `0x${string}` }),
    ),
  );
  expect(standings.map(({ paid, owed }) => [paid.amount, owed.amount])).toEqual(
    standings.map(() => ["0.000001", "0"]),
  );
  await payEach([account(5).address]);
  await rootIs(2, "pending");
  await passWindow();
  await rootIs(2, "paid");
  const { paid } = await stack.client.clearing.standing({ payee: account(5).address });
  expect(paid.amount).toBe("0.000001");
  expect(await stack.client.ledger.reconcile()).toMatchObject({
    ledgerBalanced: true,
    chainMatchesLedger: true,
  });
});
