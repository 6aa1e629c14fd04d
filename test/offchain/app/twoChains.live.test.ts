import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createPublicClient, erc20Abi, http, toHex } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { addresses } from "#addresses";
import type { BursarError } from "#offchain/core/error.ts";
import { setUpLocalChain } from "#offchain/demo/setup.ts";
import { createClient } from "#offchain/sdk/client.ts";
import { signRequests } from "#offchain/sdk/http/request.ts";
import { signVoucher } from "#offchain/sdk/paying/channel.ts";
import type { PayingChannel } from "#offchain/sdk/paying/payingChannel.ts";
import { account, startSecondService, startTestStack, type TestStack, until } from "../support/stack.ts";

/** The service's default chain, and the other one. */
const [one, two] = [31337, 31338] as const;
type Id = typeof one | typeof two;

const payer = account(4);
const payee = account(5);

let stack: TestStack;
const channels = {} as Record<Id, PayingChannel>;
/** The first payment on each chain. */
const paid = {} as Record<Id, { paymentId: string; batchId: string }>;

const clientOn = (chain: Id) => createClient({ url: stack.apiUrl, chain });
const operatorOn = (chain: Id, signedFor: number = chain) =>
  createClient({ url: stack.apiUrl, chain, authorize: signRequests(account(0), signedFor) });

beforeAll(async () => {
  stack = await startTestStack(
    {
      BURSAR_BATCH_SIZE: "1000",
      BURSAR_BATCH_MAX_DELAY_MS: "600000",
      BURSAR_BATCH_MIN_AMOUNT: "1000",
      BURSAR_SOLVENCY_FRESH_FOR_MS: "0",
    },
    { chains: 2 },
  );
  // Agents belong to no chain: whichever they sign for, they are registered once.
  await stack.agent(4, one).register("Payer", "buyer");
  await stack.agent(5, two).register("Payee", "seller");
  for (const chain of [one, two] as const)
    channels[chain] = await stack.agent(4, chain).openChannel({ payee: payee.address, deposit: "5" });
}, 240_000);

afterAll(() => stack?.stop());

const readerOf = (chain: Id) => {
  const { rpcUrl = "" } = stack.chains.find(({ chainId }) => chainId === chain) ?? {};
  return createPublicClient({ transport: http(rpcUrl), cacheTime: 0 });
};

const earnedOn = (chain: Id): Promise<bigint> =>
  readerOf(chain).readContract({
    address: addresses[chain].TestUSDC,
    abi: erc20Abi,
    functionName: "balanceOf",
    args: [payee.address],
  });

const settledOn = async (chain: Id) => {
  const { batchId } = await operatorOn(chain).batches.flush();
  return until(
    () => clientOn(chain).batches.show({ batchId: batchId ?? "" }),
    ({ state }) => state === "settled",
  );
};

/** What a second service is told to follow both chains by. */
const bothChains = () => ({
  BURSAR_OTHER_CHAINS: String(two),
  [`BURSAR_RPC_URL_${two}`]: stack.chains.find(({ chainId }) => chainId === two)?.rpcUrl ?? "",
});

test("a price of the second chain on what is not there ends the start, by its variable", async () => {
  const environment = { ...bothChains(), [`BURSAR_PRICES_${two}`]: '{"no.such":"0.01"}' };
  const outcome = await startSecondService(stack, environment).then(async (second) => {
    await second.stop();
    return "it started";
  }, String);
  const log = await readFile(join(stack.dataDir, "logs/second.log"), "utf8");
  expect(outcome, log).toContain("ended with 1");
  expect(log).toContain(`BURSAR_PRICES of chain ${two}: there is no action no.such to put a price on`);
});

test("the operator of a chain is whoever holds that chain's key, there and nowhere else", async () => {
  const key = toHex(account(7).getHdKey().privateKey ?? new Uint8Array());
  const second = await startSecondService(stack, { ...bothChains(), [`BURSAR_OPERATOR_KEY_${two}`]: key });
  try {
    const flush = (index: number, chain: Id) =>
      createClient({ url: second.url, chain, authorize: signRequests(account(index), chain) })
        .batches.flush()
        .then(
          () => "done",
          ({ code }: BursarError) => code,
        );
    expect([await flush(0, one), await flush(7, one)]).toEqual(["done", "FORBIDDEN"]);
    expect([await flush(0, two), await flush(7, two)]).toEqual(["FORBIDDEN", "done"]);
  } finally {
    await second.stop();
  }
});

test("an agent pays on each chain, and each batch is settled on its own", async () => {
  const before = { [one]: await earnedOn(one), [two]: await earnedOn(two) };
  paid[one] = await channels[one].pay({ key: "first", amount: "0.25" });
  paid[two] = await channels[two].pay({ key: "first", amount: "0.5" });
  await channels[two].pay({ key: "second", amount: "0.5" });
  const batches = await Promise.all([settledOn(one), settledOn(two)]);
  expect(batches.map(({ batchId, payments }) => [batchId, payments])).toEqual([
    [paid[one].batchId, 1],
    [paid[two].batchId, 2],
  ]);
  for (const [at, chain] of ([one, two] as const).entries()) {
    const hash = batches[at]?.transactionHash as `0x${string}`;
    expect(await readerOf(chain).getTransactionReceipt({ hash })).toMatchObject({ status: "success" });
    const other = chain === one ? two : one;
    await expect(readerOf(other).getTransactionReceipt({ hash })).rejects.toThrow("could not be found");
  }
  expect(
    await until(
      () => earnedOn(one),
      (now) => now > before[one],
    ),
  ).toBe(before[one] + 250_000n);
  expect(
    await until(
      () => earnedOn(two),
      (now) => now > before[two],
    ),
  ).toBe(before[two] + 1_000_000n);
});

test("lists and figures of a chain are its own, and its books match it", async () => {
  const seen = async (chain: Id) => {
    const client = clientOn(chain);
    const [payments, batches, open, overview, books, wallets] = await Promise.all([
      client.payments.list(),
      client.batches.list(),
      client.channels.list(),
      client.overview.show(),
      client.ledger.reconcile(),
      client.wallets.list(),
    ]);
    return {
      payments: payments.items.length,
      batches: batches.items.map(({ batchId }) => batchId),
      channels: open.items.map(({ channelId }) => channelId),
      chain: overview.chain.chainId,
      total: overview.payments.total,
      settled: overview.batches.settled,
      value: overview.payments.value.amount,
      spent: wallets.items.find(({ address }) => address === payer.address)?.channels.spent.amount,
      books: [books.ledgerBalanced, books.chainMatchesLedger, books.channels],
    };
  };
  const [first, second] = [await seen(one), await seen(two)];
  expect(first).toEqual({
    ...{ payments: 1, batches: [paid[one].batchId], channels: [channels[one].channelId] },
    ...{ chain: one, total: 1, settled: 1, value: "0.25", spent: "0.25", books: [true, true, 1] },
  });
  expect(second).toEqual({
    ...{ payments: 2, batches: [paid[two].batchId], channels: [channels[two].channelId] },
    ...{ chain: two, total: 2, settled: 1, value: "1", spent: "1", books: [true, true, 1] },
  });
});

test("each chain has a proof of solvency of its own", async () => {
  const reports = await Promise.all([operatorOn(one).solvency.take(), operatorOn(two).solvency.take()]);
  const owed = reports.map(({ chainId, isSolvent, items }) => [
    chainId,
    isSolvent,
    items.find(({ unit }) => unit === "USDC")?.obligations.amount,
  ]);
  // What the payee was paid has left the contract, and is owed no more.
  expect(owed).toEqual([
    [one, true, "4.75"],
    [two, true, "4"],
  ]);
  expect((await clientOn(two).solvency.report()).snapshotId).toBe(reports[1].snapshotId);
});

test("a proposal is known on the chain of its Treasury only, though both have one address", async () => {
  const { rpcUrl } = stack.chains[1] ?? { rpcUrl: "" };
  const { TestUSDC: usdc, Treasury: treasury } = addresses[two];
  await setUpLocalChain({ rpcUrl, chainId: two, usdc, treasury, agents: [payer.address] });
  const spent = await stack.agent(4, two).spend({ key: "rent", to: payee.address, amount: "150" });
  const proposalId = spent.proposalId ?? "";
  const shown = await until(
    () => clientOn(two).treasury.proposals({}),
    ({ items }) => items.length > 0,
  );
  expect(shown.items.map((proposal) => proposal.proposalId)).toEqual([proposalId]);
  expect((await clientOn(two).overview.show()).proposals.waiting).toBe(1);
  expect((await clientOn(one).treasury.proposals({})).items).toEqual([]);
  expect((await clientOn(one).overview.show()).proposals.waiting).toBe(0);
  await expect(clientOn(one).treasury.proposal({ proposalId })).rejects.toMatchObject({
    code: "PROPOSAL_UNKNOWN",
  });
});

test("what is of one chain is not found on the other's routes", async () => {
  for (const [own, other] of [
    [one, two],
    [two, one],
  ] as const) {
    const { paymentId, batchId } = paid[own];
    const { channelId } = channels[own];
    expect((await clientOn(own).payments.receipt({ paymentId })).state).toBe("settled");
    const elsewhere = clientOn(other);
    const asked = [
      elsewhere.payments.receipt({ paymentId }),
      elsewhere.batches.show({ batchId }),
      elsewhere.channels.show({ channelId }),
    ];
    const codes = (await Promise.allSettled(asked)).map((answer) =>
      answer.status === "rejected" ? answer.reason.code : "found",
    );
    expect(codes).toEqual(["PAYMENT_UNKNOWN", "BATCH_UNKNOWN", "CHANNEL_UNKNOWN"]);
    expect((await elsewhere.payments.list({ batchId })).items).toEqual([]);
  }
});

test("what is signed for one chain is refused on the other", async () => {
  const { channelId } = channels[two];
  const voucher = { channelId, maxClaimableAmount: 2_000_000n };
  const payment = {
    ...{ key: "foreign", channelId, network: `eip155:${two}`, maxClaimableAmount: "2000000" },
    signature: await signVoucher(payer, one, voucher),
  };
  await expect(clientOn(two).payments.pay(payment)).rejects.toMatchObject({ code: "NETWORK_MISMATCH" });
  const signature = await signVoucher(payer, two, voucher);
  await expect(clientOn(one).payments.pay({ ...payment, signature })).rejects.toMatchObject({
    code: expect.stringMatching(/^(NETWORK_MISMATCH|CHANNEL_UNKNOWN)$/),
  });
  for (const [chain, signedFor] of [
    [two, one],
    [one, two],
  ] as const)
    await expect(operatorOn(chain, signedFor).batches.flush()).rejects.toMatchObject({
      code: "SIGNATURE_INVALID",
    });
  const nowhere = createClient({ url: stack.apiUrl, chain: 1 });
  await expect(nowhere.batches.list()).rejects.toMatchObject({ code: "NETWORK_MISMATCH" });
});

/** The first event of a kind that a chain's live stream tells from now on. */
async function toldOn(path: string, type: string) {
  const { body } = await fetch(`${stack.apiUrl}${path}`);
  if (!body) throw new Error("no stream");
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  const read = async (text: string): Promise<{ chainId: number; value: { amount: string } }> => {
    const found = new RegExp(`event: ${type}\ndata: (.*)\n\n`).exec(text);
    if (found) return JSON.parse(found[1] ?? "");
    const { value, done } = await reader.read();
    if (done) throw new Error(`the stream ended: ${text}`);
    return read(text + value);
  };
  return { first: read("").finally(() => reader.cancel()) };
}

test("the live stream of a chain tells what happens on it, and figures are by chain", async () => {
  const streams = await Promise.all([
    toldOn("/api/v1/stream", "payments"),
    toldOn(`/api/v1/chains/${two}/stream`, "payments"),
  ]);
  await channels[two].pay({ key: "third", amount: "0.1" });
  await channels[one].pay({ key: "third", amount: "0.2" });
  const told = await Promise.all(streams.map(({ first }) => first));
  expect(told.map(({ chainId, value }) => [chainId, value.amount])).toEqual([
    [one, "0.2"],
    [two, "0.1"],
  ]);
  const metrics = await (await fetch(`${stack.apiUrl}/metrics`)).text();
  expect(metrics).toContain(`bursar_payments_accepted_total{chain="${one}"} 2`);
  expect(metrics).toContain(`bursar_payments_accepted_total{chain="${two}"} 3`);
  expect(metrics).toMatch(new RegExp(`bursar_indexer_lag_blocks\\{chain="${two}"\\} \\d`));
});

test("vouchers stream to the chain of their channels", async () => {
  const agent = stack.agent(4, two);
  const stream = agent.openStream({ deadlineMs: 20_000 });
  const terms = { payee: payee.address, deposit: "1", label: "streamed" };
  const channel = await agent.openChannel({ ...terms, stream });
  const { paymentId, cumulative } = await channel.pay({ key: "streamed", amount: "0.01" });
  await stream.close();
  expect(cumulative).toBe("10000");
  expect((await clientOn(two).payments.receipt({ paymentId })).channelId).toBe(channel.channelId);
});

interface Asked {
  checks: Record<string, { status: string }>;
  isReady: boolean;
}

test("when the first chain is gone the other still settles, and health says which is gone", async () => {
  const ask = async (path: string) => {
    const answer = await fetch(`${stack.apiUrl}${path}`);
    return { status: answer.status, body: (await answer.json()) as Asked };
  };
  const ready = () => ask("/ready");
  expect([(await ask("/health")).status, (await ready()).status]).toEqual([200, 200]);
  await stack.killChain(one);
  const { status, body } = await until(
    () => ask("/health"),
    (health) => health.body.checks.chain?.status === "failed",
  );
  expect([status, body.checks[`chain ${two}`]?.status]).toEqual([503, "ok"]);
  expect(await ready()).toMatchObject({ status: 200, body: { isReady: true, failed: ["chain"] } });

  const before = await earnedOn(two);
  await channels[two].pay({ key: "alone", amount: "0.4" });
  expect((await settledOn(two)).payments).toBe(3);
  expect(
    await until(
      () => earnedOn(two),
      (now) => now > before,
    ),
  ).toBe(before + 510_000n);

  await stack.killChain(two);
  const gone = await until(ready, (answer) => answer.status === 503);
  expect(gone.body.isReady).toBe(false);
});
