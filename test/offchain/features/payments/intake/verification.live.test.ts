import { monitorEventLoopDelay } from "node:perf_hooks";
import { type Hex, hexToBytes, keccak256, numberToHex, toHex, zeroAddress } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { BursarError } from "#offchain/core/error.ts";
import { VoucherVerification } from "#offchain/features/payments/intake/verification.ts";
import type { ChannelConfig, PaymentRequest } from "#offchain/features/payments/service.ts";
import { saveChannel } from "#offchain/features/payments/store/channels.ts";
import { UntrustedCode } from "#offchain/platform/chain/client/untrustedCode.ts";
import type { ChainStatus } from "#offchain/platform/chain/port.ts";
import { runNow } from "#offchain/platform/chain/runNow.ts";
import { startRecovery } from "#offchain/platform/chain/signatures/recovery.ts";
import { batchSettlementAddress, channelId, signVoucher } from "#offchain/sdk/paying/channel.ts";
import { type Books, bookedChainId as chainId, eachWithBooks } from "../../../support/books.ts";

const account = (name: string) => privateKeyToAccount(keccak256(toHex(name)));
const [payer, thief, operator] = [account("payer"), account("thief"), account("operator")];
const receiver = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";

let books: Books;
eachWithBooks((opened) => {
  books = opened;
});

const recovery = startRecovery(1);
afterAll(() => recovery.close());

let verification: VoucherVerification;
let runId: bigint;
/** What was asked of the chain. */
let asked: string[];
let isChainAway: boolean;

beforeEach(() => {
  [asked, runId, isChainAway] = [[], books.runId, false];
  const status = () => ({ chainId, runId, state: "live", head: 1n, indexedTo: 1n }) as ChainStatus;
  const client = {
    getCode: async ({ address }: { address: string }) => {
      asked.push(`code of ${address}`);
      if (isChainAway) throw new Error("away");
      return undefined;
    },
    call: async () => {
      asked.push("call");
      throw new Error("nobody here has code");
    },
  };
  verification = new VoucherVerification({
    sql: books.sql,
    clock: { now: () => books.now },
    view: { status, runNow: () => runNow({ chainId, runId }) } as never,
    client: client as never,
    untrustedCode: new UntrustedCode(() => client as never),
    recovery,
    chainId,
    settlement: batchSettlementAddress,
    operator: operator.address,
    forgedMax: 4,
  });
});

let salts = 0;

/** A channel as the indexer or the door stored it. */
async function open(change: Partial<ChannelConfig> = {}, isCleared = false): Promise<Hex> {
  salts += 1;
  const config: ChannelConfig = {
    payer: payer.address,
    payerAuthorizer: payer.address,
    receiver,
    receiverAuthorizer: isCleared ? receiver : operator.address,
    token: "0x5FbDB2315678afecb367f032d93F642f64180aa3",
    withdrawDelay: 86_400,
    salt: numberToHex(salts, { size: 32 }),
    ...change,
  };
  const id = channelId(config, chainId);
  await books.begin((tx) =>
    saveChannel(tx, { runId, channelId: id, config, unit: "USDC", isCleared, now: 0 }),
  );
  return id;
}

async function payment(id: Hex, amount: bigint, change: Partial<PaymentRequest> = {}, signer = payer) {
  return {
    key: `k${amount}`,
    channelId: id,
    network: `eip155:${chainId}`,
    maxClaimableAmount: amount,
    signature: await signVoucher(signer, chainId, { channelId: id, maxClaimableAmount: amount }),
    ...change,
  } as PaymentRequest;
}

const verify = (...payments: PaymentRequest[]) => verification.verify(payments, null);
const codes = (answers: Awaited<ReturnType<typeof verify>>) =>
  answers.map((answer) => (answer instanceof BursarError ? answer.code : answer.key));

describe("a voucher that its payer signed", () => {
  test("is ready to be booked, with all that the request says and who sent it", async () => {
    const id = await open();
    const said = { amount: "0.000005", payee: receiver, ticketId: "t", reference: "r" } as const;
    const sent = await payment(id, 5n, said);
    const [answer] = await verification.verify([sent], thief.address);
    expect(answer).toEqual({
      channelId: id,
      key: "k5",
      maxClaimableAmount: 5n,
      signature: expect.any(Uint8Array),
      amount: 5n,
      payee: receiver,
      ticketId: "t",
      reference: "r",
      submitter: thief.address,
    });
    expect(asked, "the chain is asked nothing").toEqual([]);
  });

  test("is the same in both forms of a signature, and kept in the short one", async () => {
    const id = await open();
    const long = await payment(id, 7n);
    const bytes = hexToBytes(long.signature);
    const short = bytes.slice(0, 64);
    if (bytes[64] === 28) short[32] = (short[32] ?? 0) | 0x80;
    const answers = await verify(long, { ...long, signature: toHex(short) });
    expect(answers.map((answer) => "signature" in answer && toHex(answer.signature))).toEqual([
      toHex(short),
      toHex(short),
    ]);
  });

  test("may be signed by the channel's authorizer, and then by nobody else, the payer included", async () => {
    const id = await open({ payerAuthorizer: thief.address });
    expect(codes(await verify(await payment(id, 1n, {}, thief), await payment(id, 2n)))).toEqual([
      "k1",
      "VOUCHER_FORGED",
    ]);
  });
});

describe("among many payments", () => {
  test("each is answered in its place, whatever is wrong with those beside it", async () => {
    const [id, other] = [await open(), await open()];
    const unknown = numberToHex(1n, { size: 32 });
    const answers = await verify(
      await payment(id, 1n),
      await payment(unknown, 2n),
      await payment(id, 3n, {}, thief),
      await payment(other, 4n),
      await payment(id, 5n, { network: "eip155:1" }),
      await payment(id, 6n, { signature: `0x${"00".repeat(65)}` }),
      await payment(id, 7n),
    );
    expect(codes(answers)).toEqual([
      "k1",
      "CHANNEL_UNKNOWN",
      "VOUCHER_FORGED",
      "k4",
      "NETWORK_MISMATCH",
      "VOUCHER_FORGED",
      "k7",
    ]);
  });

  test("one whose amount is none that USDC has is refused by itself", async () => {
    const id = await open();
    const answers = await verify(
      await payment(id, 1n),
      await payment(id, 2n, { amount: "0.0000001" }),
      await payment(id, 3n, { amount: `1${"0".repeat(38)}` }),
      await payment(id, 4n),
    );
    expect(codes(answers)).toEqual(["k1", "AMOUNT_INVALID", "AMOUNT_INVALID", "k4"]);
  });

  test("of which there are none nothing is answered", async () => {
    expect(await verify()).toEqual([]);
  });
});

describe("a voucher is refused", () => {
  test("that another signed, and the refusal says who", async () => {
    const id = await open();
    const forged = await payment(id, 9n, {}, thief);
    expect(await verify(forged)).toMatchObject([
      {
        code: "VOUCHER_FORGED",
        status: 401,
        facts: { channelId: id, signer: payer.address, recovered: thief.address },
        fields: [{ field: "signature", value: forged.signature }],
      },
    ]);
  });

  test("again after a good one taught the payer's key: the thief's does not take its place", async () => {
    const id = await open();
    const [good, forged] = [await payment(id, 1n), await payment(id, 2n, {}, thief)];
    expect(codes(await verify(good, forged, good))).toEqual(["k1", "VOUCHER_FORGED", "k1"]);
    expect(codes(await verify(forged))).toEqual(["VOUCHER_FORGED"]);
    expect(codes(await verify(await payment(id, 3n)))).toEqual(["k3"]);
  });

  test("whose amount was raised by one base unit, or lowered", async () => {
    const id = await open();
    const honest = await payment(id, 100n);
    for (const maxClaimableAmount of [99n, 101n])
      expect(codes(await verify({ ...honest, maxClaimableAmount }))).toEqual(["VOUCHER_FORGED"]);
  });

  test("whose signature was turned into its malleated twin", async () => {
    const id = await open();
    const honest = await payment(id, 100n);
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
    const s = order - BigInt(`0x${honest.signature.slice(66, 130)}`);
    const v = honest.signature.endsWith("1b") ? "1c" : "1b";
    const twin = `${honest.signature.slice(0, 66)}${numberToHex(s, { size: 32 }).slice(2)}${v}` as Hex;
    expect(await verify({ ...honest, signature: twin })).toMatchObject([
      { code: "VOUCHER_FORGED", facts: { recovered: null } },
    ]);
  });

  test("of a channel that the operator cannot claim from, however well it is signed", async () => {
    const id = await open({ receiverAuthorizer: thief.address });
    const [answer] = await verify(await payment(id, 1n));
    expect(answer).toMatchObject({ code: "CHANNEL_MISMATCH", facts: { channelId: id } });
    expect(String(answer)).toContain(thief.address);
  });

  test("for another network by what the request says, or by what was signed", async () => {
    const id = await open();
    const wrong = await verify(await payment(id, 1n, { network: "eip155:8453" }));
    expect(wrong).toMatchObject([
      {
        code: "NETWORK_MISMATCH",
        facts: { got: "eip155:8453", wanted: `eip155:${chainId}` },
        fields: [{ field: "network" }],
      },
    ]);
    const signature = await signVoucher(payer, 8453, { channelId: id, maxClaimableAmount: 1n });
    expect(await verify(await payment(id, 1n, { signature }))).toMatchObject([
      { code: "NETWORK_MISMATCH", fields: [{ field: "signature" }] },
    ]);
  });

  test("for another of the payer's channels, which is named once it is known", async () => {
    const [mine, other] = [await open(), await open()];
    const swapped = { ...(await payment(other, 1n)), channelId: mine };
    expect(codes(await verify(await payment(other, 2n), swapped))).toEqual(["k2", "CHANNEL_MISMATCH"]);
    const [answer] = await verify(swapped);
    expect(answer).toMatchObject({ facts: { channelId: mine, signedFor: other } });
  });
});

describe("a channel", () => {
  test("that is not known yet is looked for again: it may be opened in the next moment", async () => {
    const future = await payment(channelIdOfNext(), 1n);
    expect(codes(await verify(future))).toEqual(["CHANNEL_UNKNOWN"]);
    expect(await open()).toBe(future.channelId);
    expect(codes(await verify(future))).toEqual(["k1"]);
  });

  test("without a key of its own is its payer's: one without code signs by its key", async () => {
    const id = await open({ payerAuthorizer: zeroAddress });
    const [good, forged] = [await payment(id, 1n), await payment(id, 2n, {}, thief)];
    const answers = await verify(good, forged);
    expect(codes(answers)).toEqual(["k1", "VOUCHER_FORGED"]);
    // The contract takes it in its long form.
    const [first] = answers;
    expect(first && "signature" in first && toHex(first.signature)).toBe(good.signature);
    expect(asked.every((question) => question === `code of ${payer.address}`)).toBe(true);
  });

  test("without a key of its own waits for a chain that is away, and no other does", async () => {
    const [own, keyed] = [await open({ payerAuthorizer: zeroAddress }), await open()];
    isChainAway = true;
    expect(codes(await verify(await payment(own, 1n), await payment(keyed, 2n)))).toEqual([
      "CHAIN_UNAVAILABLE",
      "k2",
    ]);
  });

  test("of nobody is met before the chain is", async () => {
    const id = await open();
    runId = 0n;
    await expect(verify(await payment(id, 1n))).rejects.toMatchObject({ code: "CHAIN_UNAVAILABLE" });
  });
});

/** The id that the next call of {@link open} gives. */
function channelIdOfNext(): Hex {
  return channelId(
    {
      payer: payer.address,
      payerAuthorizer: payer.address,
      receiver,
      receiverAuthorizer: operator.address,
      token: "0x5FbDB2315678afecb367f032d93F642f64180aa3",
      withdrawDelay: 86_400,
      salt: numberToHex(salts + 1, { size: 32 }),
    },
    chainId,
  );
}

test("a request full of forged vouchers holds nothing else up, and few of them are explained", async () => {
  const ids = await Promise.all(Array.from({ length: 20 }, () => open()));
  const forgeries = await Promise.all(
    Array.from({ length: 1_000 }, (_, at) => payment(ids[at % 20] as Hex, BigInt(at + 1), {}, thief)),
  );
  await verify(...forgeries.slice(0, 20));
  const loop = monitorEventLoopDelay({ resolution: 5 });
  loop.enable();
  const answers = await verify(...forgeries);
  loop.disable();
  const [looked, notLooked] = [codes(answers).slice(0, 128), codes(answers).slice(128)];
  expect(new Set(looked)).toEqual(new Set(["VOUCHER_FORGED"]));
  expect(new Set(notLooked)).toEqual(new Set(["VOUCHER_UNCHECKED"]));
  // At 40 µs a recovery, all explanations on this thread took a second.
  expect(loop.max / 1e6).toBeLessThan(250);
});

test("of many vouchers for another chain the first are told so, and the others are forged", async () => {
  const id = await open();
  const elsewhere = (amount: bigint) => signVoucher(payer, 1, { channelId: id, maxClaimableAmount: amount });
  const payments = await Promise.all(
    [1n, 2n, 3n, 4n, 5n, 6n].map(async (amount) =>
      payment(id, amount, { signature: await elsewhere(amount) }),
    ),
  );
  expect(codes(await verify(...payments))).toEqual([
    ...Array(4).fill("NETWORK_MISMATCH"),
    ...Array(2).fill("VOUCHER_FORGED"),
  ]);
});

test("a cleared channel without a key is refused: its payer's account could unsay what the operator owes for", async () => {
  const id = await open({ payerAuthorizer: zeroAddress }, true);
  expect(codes(await verify(await payment(id, 5n)))).toEqual(["CHANNEL_MISMATCH"]);
  expect(asked, "and the chain is not asked").toEqual([]);
  expect(codes(await verify(await payment(await open({}, true), 5n)))).toEqual(["k5"]);
  const old = await open({ receiverAuthorizer: operator.address }, true);
  expect(codes(await verify(await payment(old, 5n))), "nor is one that its operator has power over").toEqual([
    "CHANNEL_MISMATCH",
  ]);
});

test("a request full of vouchers that payers' accounts do not take asks the chain about few of them", async () => {
  const ids = await Promise.all(
    Array.from({ length: 100 }, (_, at) =>
      open({
        payerAuthorizer: zeroAddress,
        payer: privateKeyToAccount(numberToHex(at + 1, { size: 32 })).address,
      }),
    ),
  );
  const answers = await verify(...(await Promise.all(ids.map((id) => payment(id, 5n, {}, thief)))));
  expect(codes(answers)).toEqual([
    ...Array(32).fill("VOUCHER_FORGED"),
    ...Array(68).fill("VOUCHER_UNCHECKED"),
  ]);
  expect(asked).toHaveLength(32);
});

test("good vouchers behind a few forged ones are told to come again, and are taken when they do", async () => {
  const id = await open();
  const forgeries = await Promise.all(
    Array.from({ length: 4 }, (_, at) => payment(id, BigInt(at + 1), {}, thief)),
  );
  const good = await Promise.all(Array.from({ length: 150 }, (_, at) => payment(id, BigInt(at + 10))));
  const answers = await verify(...forgeries, ...good);
  expect(answers.at(-1)).toMatchObject({ code: "VOUCHER_UNCHECKED", remedy: "retry", facts: { forged: 4 } });
  const again = good.filter((_, at) => answers[at + 4] instanceof BursarError);
  expect(again).toHaveLength(26);
  expect(codes(await verify(...again))).toEqual(again.map(({ key }) => key));
});

test("fewer forged ones than that keep nothing from being looked at", async () => {
  const id = await open();
  const many = await Promise.all(
    Array.from({ length: 300 }, (_, at) => payment(id, BigInt(at + 1), {}, at % 100 === 0 ? thief : payer)),
  );
  expect(codes(await verify(...many))).toEqual(
    many.map(({ key }, at) => (at % 100 === 0 ? "VOUCHER_FORGED" : key)),
  );
});
