import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createWalletClient, erc20Abi, http, parseUnits, zeroAddress } from "viem";
import { hardhat } from "viem/chains";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { batchSettlementAbi } from "#contracts";
import { createAgent } from "#offchain/sdk/agent.ts";
import type { PayingToken } from "#offchain/sdk/paying/channel.ts";
import { verifyReceipt } from "#offchain/sdk/receipt.ts";
import { fileStates } from "#offchain/sdk/states.ts";
import {
  account,
  chainId,
  contracts,
  indexedTo,
  startSecondService,
  startTestStack,
  type TestStack,
  testChain,
  until,
} from "../../support/stack.ts";
import { deployToken, mintData } from "../../support/token.ts";

let stack: TestStack;
const [payer, payee, operator] = [account(4), account(5), account(0)];
const avt = { unit: "AVT", address: contracts.AgentToken, name: "AgentVault Token", version: "1" } as const;
const configured = `AVT=${avt.address}/1000`;
/** What is listed after {@link configured}, once a token is. */
let further = "";

const settings = {
  BURSAR_BATCH_SIZE: "1000",
  BURSAR_BATCH_MAX_DELAY_MS: "600000",
  BURSAR_BATCH_MIN_AMOUNT: "1000",
  BURSAR_SOLVENCY_FRESH_FOR_MS: "0",
};

beforeAll(async () => {
  stack = await startTestStack({ ...settings, BURSAR_CHANNEL_TOKENS: configured });
  await stack.agent(4).register("Payer", "buyer");
  await stack.agent(5).register("Payee", "seller");
}, 240_000);

afterAll(() => stack?.stop());

const chain = () => testChain(stack);
const inAvt = (amount: string) => ({ amount, unit: "AVT" as const });
const inUsdc = (amount: string) => ({ amount, unit: "USDC" as const });

const avtOf = (holder: `0x${string}`) =>
  chain().readContract({ address: avt.address, abi: erc20Abi, functionName: "balanceOf", args: [holder] });

/** The payer brings a deposit to the chain itself. */
async function deposited(token: PayingToken, label: string, amount: bigint) {
  const wallet = createWalletClient({ account: payer, chain: hardhat, transport: http(stack.rpcUrl) });
  const terms = await stack.agent(4).channelTerms({ payee: payee.address, token, label });
  const approve = { functionName: "approve", args: [contracts.BatchSettlement, amount] } as const;
  await wallet.writeContract({ address: token.address, abi: erc20Abi, ...approve });
  const hash = await wallet.writeContract({
    address: contracts.BatchSettlement,
    abi: batchSettlementAbi,
    functionName: "deposit",
    args: [terms, amount, zeroAddress, "0x"],
  });
  await chain().waitForTransactionReceipt({ hash });
  return terms;
}

/** AVT takes no signature in one piece, so nobody can relay its deposits. */
async function open(deposit: string, label = "1") {
  const terms = await deposited(avt, label, parseUnits(deposit, 18));
  await until(
    () => stack.client.channels.list({ payer: payer.address }),
    ({ items }) =>
      items.some(
        ({ config, state }) => config.salt === terms.salt && config.token === terms.token && state === "open",
      ),
  );
  return stack.agent(4).openChannel({ payee: payee.address, token: avt, label, deposit });
}

const flushed = async () => {
  const { batchIds } = await stack.operator.batches.flush();
  return Promise.all(
    batchIds.map((batchId) =>
      until(
        () => stack.client.batches.show({ batchId }),
        ({ state }) => state === "settled",
      ),
    ),
  );
};

/** The books beside the chain, once they say the same. */
const books = () =>
  until(
    () => stack.client.ledger.reconcile(),
    ({ chainMatchesLedger }) => chainMatchesLedger,
  );

const lineIn = async (unit: string) =>
  (await stack.operator.solvency.take({})).items.find((line) => line.unit === unit);

test("a channel in AVT is paid by, settled and booked in AVT, beside one in USDC in a batch of its own", async () => {
  const before = await avtOf(payee.address);
  const channel = await open("5");
  const usdc = await stack.agent(4).openChannel({ payee: payee.address, deposit: "2" });
  expect(await stack.client.channels.show({ channelId: channel.channelId })).toMatchObject({
    state: "open",
    deposit: inAvt("5"),
    available: inAvt("5"),
  });

  const receipt = await channel.pay({ key: "first", amount: "0.000000000000000001" });
  await channel.pay({ key: "second", amount: "1.249999999999999999" });
  const other = await usdc.pay({ key: "first", amount: "0.5" });
  expect(receipt.amount).toEqual(inAvt("0.000000000000000001"));
  const trusted = { operator: operator.address, chainId };
  expect(await verifyReceipt(receipt, { ...trusted, unit: "AVT" })).toBe(true);
  expect(await verifyReceipt(receipt, trusted), "it is not in USDC").toBe(false);
  expect(await verifyReceipt(other, trusted)).toBe(true);

  expect((await stack.client.overview.show()).batches).toMatchObject({
    open: { payments: 1, value: inUsdc("0.5") },
    others: [{ payments: 2, value: inAvt("1.25") }],
  });
  expect(await lineIn("AVT")).toMatchObject({
    token: avt.address,
    obligations: inAvt("5"),
    isSolvent: true,
    parts: { deposits: inAvt("3.75"), promised: inAvt("1.25") },
    holders: [{ name: "Payment channels", holds: inAvt("5") }],
  });

  const batches = (await flushed()).map(
    ({ value, payments }) => `${payments}: ${value.amount} ${value.unit}`,
  );
  expect(batches.toSorted()).toEqual(["1: 0.5 USDC", "2: 1.25 AVT"]);
  expect((await avtOf(payee.address)) - before).toBe(parseUnits("1.25", 18));
  const reconciled = await books();
  expect(reconciled).toMatchObject({
    ledgerBalanced: true,
    held: { chain: inUsdc("1.5"), ledger: inUsdc("1.5") },
    others: [{ chain: inAvt("3.75"), ledger: inAvt("3.75") }],
  });
  expect(reconciled.sums).toEqual(reconciled.sums.map(({ unit }) => ({ unit, sum: "0" })));
  expect(reconciled.sums.map(({ unit }) => unit)).toEqual(expect.arrayContaining(["AVT", "USDC"]));
  expect((await stack.client.overview.show()).payments).toMatchObject({
    total: 3,
    value: inUsdc("0.5"),
    others: [inAvt("1.25")],
  });
  const { items } = await stack.client.wallets.list();
  const earned = items.find(({ address }) => address === payee.address)?.channels;
  expect(earned).toMatchObject({ earned: inUsdc("0.5"), others: [{ earned: inAvt("1.25") }] });
});

test("a batch in AVT is closed by its own value", async () => {
  const channel = await open("2000", "much");
  const { batchId } = await channel.pay({ key: "much", amount: "1000" });
  expect(
    await until(
      () => stack.client.batches.show({ batchId }),
      ({ state }) => state === "settled",
    ),
  ).toMatchObject({ closedBy: "value", value: inAvt("1000") });
});

test("a reorganisation takes back exactly what was settled in AVT, and it is settled again, once", async () => {
  const channel = await open("3", "reorganised");
  await channel.pay({ key: "first", amount: "0.25" });
  const before = await avtOf(payee.address);
  const snapshot = await chain().snapshot();
  const [batch] = await flushed();
  expect(batch?.value).toEqual(inAvt("0.25"));
  await chain().revert({ id: snapshot });
  expect(await avtOf(payee.address), "the chain has forgotten it").toBe(before);
  await until(
    () => avtOf(payee.address),
    (now) => now === before + parseUnits("0.25", 18),
  );
  await until(
    () => stack.client.batches.show({ batchId: batch?.batchId ?? "" }),
    ({ state }) => state === "settled",
  );
  expect(await books()).toMatchObject({ ledgerBalanced: true });
  expect(await lineIn("AVT")).toMatchObject({ isSolvent: true, parts: { claimed: inAvt("0") } });
});

describe("what is not taken", () => {
  test("a token that is not configured, by the name of the field and of the tokens that are", async () => {
    const address = await deployToken({ client: chain() as never });
    const token = { unit: "EURC", address, name: "USD Coin", version: "2" } as const;
    await expect(
      stack.agent(4).openChannel({ payee: payee.address, deposit: "1", token }),
    ).rejects.toMatchObject({
      code: "VALIDATION_INVALID_INPUT",
      message: expect.stringContaining(`AVT ${avt.address}`),
      fields: [{ field: "config.token" }],
    });
  });

  test("a cleared channel in another token than USDC", async () => {
    await expect(stack.agent(4).openChannel({ deposit: "1", token: avt })).rejects.toMatchObject({
      code: "VALIDATION_INVALID_INPUT",
      message: expect.stringContaining("a cleared channel is in no other token"),
    });
  });
});

test("a token that is listed later: what was created before stays foreign, and new channels are opened and paid by", async () => {
  const address = await deployToken({ client: chain() as never });
  await chain().sendTransaction({ to: address, data: mintData(payer.address, 10_000_000n) });
  const token = { unit: "EURC", address, name: "USD Coin", version: "2" } as const;
  await deposited(token, "early", 1_000_000n);
  const block = await chain().getBlockNumber();
  await indexedTo(stack, block);
  await stack.killService();
  further = `EURC=${address}`;
  const tokens = `${configured},${further}`;
  const second = await startSecondService(stack, { ...settings, BURSAR_CHANNEL_TOKENS: tokens });
  try {
    const agent = createAgent({
      account: payer,
      url: second.url,
      chainId,
      usdc: contracts.TestUSDC,
      treasury: contracts.Treasury,
      clearing: contracts.Clearing,
      states: fileStates(join(stack.dataDir, "second-agent")),
    });
    const request = { payee: payee.address, token };
    await expect(agent.openChannel({ ...request, deposit: "1", label: "early" })).rejects.toMatchObject({
      code: "CHANNEL_MISMATCH",
      message: expect.stringContaining("before this service took EURC"),
    });
    const channel = await agent.openChannel({ ...request, deposit: "2" });
    const receipt = await channel.pay({ key: "late", amount: "0.000001" });
    expect(receipt.amount).toEqual({ amount: "0.000001", unit: "EURC" });
    const { items } = await agent.client.solvency.take({});
    expect(items.find(({ unit }) => unit === "EURC")).toMatchObject({
      obligations: { amount: "2" },
      holdings: { amount: "2" },
      isSolvent: true,
    });
    expect(await agent.client.ledger.reconcile()).toMatchObject({ ledgerBalanced: true });
  } finally {
    await second.stop();
  }
});

/** Each of these services stops the database with itself, so they come last. */
describe("a service does not start", () => {
  const startedWith = async (tokens: string): Promise<string> => {
    const outcome = await startSecondService(stack, { BURSAR_CHANNEL_TOKENS: tokens }).then(
      async (second) => {
        await second.stop();
        return "it started";
      },
      String,
    );
    const log = await readFile(join(stack.dataDir, "logs/second.log"), "utf8");
    expect(outcome, log).toContain("ended with 1");
    return log;
  };

  test("with a token of other decimals than its unit's", async () => {
    const token = await deployToken({ client: chain() as never });
    const log = await startedWith(`${configured},${further},ETH=${token}`);
    expect(log).toContain("TOKEN_MISMATCH");
    expect(log).toContain(`ETH=${token} on chain ${chainId}, and ETH has 18 decimals, but the token says 6`);
  });

  test("with an address at which there is no token", async () => {
    const log = await startedWith(`${configured},${further},ETH=${payer.address}`);
    expect(log).toContain("it does not say how many");
  });

  test("with USDC's own address under another unit", async () => {
    const log = await startedWith(`${configured},EURC=${contracts.TestUSDC}`);
    expect(log).toMatch(
      new RegExp(`^the service could not start: BURSAR_CHANNEL_TOKENS of chain ${chainId}: .* is USDC`, "m"),
    );
  });

  test("without a token that the books hold channels in", async () => {
    const log = await startedWith(further);
    expect(log).toContain(`keep AVT=${avt.address} in BURSAR_CHANNEL_TOKENS`);
  });
});
