import { concatHex, type Hex, hashStruct, keccak256, recoverTypedDataAddress, toHex } from "viem";
import { describe, expect, test } from "vitest";
import { openReceiptSigner } from "#offchain/features/payments/intake/receiptSigner.ts";
import { type HubCredit, provenReceipt, type Receipt } from "#offchain/features/payments/service.ts";
import { privateKeyToSigner } from "#offchain/platform/chain/signatures/signer.ts";
import { verifyReceipt } from "#offchain/sdk/receipt.ts";

const operator = privateKeyToSigner(keccak256(toHex("receipt signer test")));
const settlement = "0x4020074e9dF2ce1deE5A9C1b5c3f541D02a10003";
const [alice, bob] = [
  "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
  "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
] as const;

function open() {
  const credits: HubCredit[] = [];
  const signer = openReceiptSigner({
    chainId: 31_337,
    signer: operator,
    settlement,
    signCredit: async (credit) => {
      credits.push(credit);
      return `0x${credit.cumulative.toString(16).padStart(4, "0")}`;
    },
  });
  return { signer, credits };
}

const receipt = (at: number, change: Partial<Receipt> = {}): Receipt => ({
  paymentId: `${at}`,
  key: `k${at}`,
  channelId: `0x${"11".repeat(32)}`,
  payer: alice,
  payee: bob,
  amount: { amount: "0.000001", unit: "USDC" },
  cumulative: `${at}`,
  state: "accepted",
  reference: null,
  acceptedAt: 1_760_000_000_000 + at,
  batchId: "1",
  refusal: null,
  transactionHash: null,
  carbon: null,
  energy: null,
  credit: null,
  proof: null,
  ...change,
});

const many = (count: number) => Array.from({ length: count }, (_, at) => receipt(at + 1));

async function proven(receipts: readonly Receipt[]): Promise<Receipt[]> {
  const { receipts: made, signed } = await open().signer.sign(receipts);
  return made.map((one, leaf) => provenReceipt({ ok: true, receipt: one, replayed: false, signed, leaf }));
}

const isGood = (one: Receipt, trusted: Hex = operator.address, chainId = 31_337) =>
  verifyReceipt(one as Parameters<typeof verifyReceipt>[0], { operator: trusted, chainId });

describe("receipts that were signed together", () => {
  test.each([1, 2, 3, 5, 8, 13])("are each proven by themselves: %s of them", async (count) => {
    for (const one of await proven(many(count))) expect(await isGood(one)).toBe(true);
  });

  test("have the root that the written-down EIP-712 types and sorted pairs give", async () => {
    const types = {
      Receipt: [
        { name: "paymentId", type: "uint256" },
        { name: "channelId", type: "bytes32" },
        { name: "payer", type: "address" },
        { name: "payee", type: "address" },
        { name: "amount", type: "uint256" },
        { name: "cumulative", type: "uint256" },
        { name: "acceptedAt", type: "uint256" },
        { name: "co2Micrograms", type: "uint256" },
        { name: "energyMillijoules", type: "uint256" },
        { name: "atp", type: "uint256" },
      ],
    } as const;
    const carbon = {
      co2Micrograms: "340278",
      energyMillijoules: "3500000",
      waterMicrolitres: "292",
      factor: "f",
    };
    const energy = { ticketId: "t", atp: { amount: "0.005788", unit: "ATP" as const } };
    const receipts = [receipt(1), receipt(2, { amount: { amount: "1.5", unit: "USDC" }, carbon, energy })];
    const leafOf = (at: number, amount: bigint, co2: bigint, energyMj: bigint, atp: bigint) =>
      hashStruct({
        types,
        primaryType: "Receipt",
        data: {
          paymentId: BigInt(at),
          channelId: `0x${"11".repeat(32)}`,
          payer: alice,
          payee: bob,
          amount,
          cumulative: BigInt(at),
          acceptedAt: BigInt(1_760_000_000_000 + at),
          co2Micrograms: co2,
          energyMillijoules: energyMj,
          atp,
        },
      });
    const leaves = [leafOf(1, 1n, 0n, 0n, 0n), leafOf(2, 1_500_000n, 340_278n, 3_500_000n, 5_788n)];
    const root = keccak256(concatHex(leaves.toSorted()));
    const proof = (await open().signer.sign(receipts)).signed.prove(0, 2);
    expect(proof).toMatchObject({ operator: operator.address, root, first: 0, leaves: 2, path: [] });
    const signer = await recoverTypedDataAddress({
      domain: { name: "Bursar Receipts", version: "1", chainId: 31_337, verifyingContract: settlement },
      types: { ReceiptRoot: [{ name: "root", type: "bytes32" }] },
      primaryType: "ReceiptRoot",
      message: { root },
      signature: proof.signature as Hex,
    });
    expect(signer).toBe(operator.address);
  });

  test.each([
    { paymentId: "9" },
    { channelId: `0x${"12".repeat(32)}` },
    { payer: bob },
    { payee: alice },
    { amount: { amount: "0.000002", unit: "USDC" } },
    { cumulative: "9" },
    { acceptedAt: 0 },
    { carbon: { co2Micrograms: "1", energyMillijoules: "0", waterMicrolitres: "0", factor: "" } },
    { carbon: { co2Micrograms: "0", energyMillijoules: "1", waterMicrolitres: "0", factor: "" } },
    { energy: { ticketId: "t", atp: { amount: "0.000001", unit: "ATP" } } },
  ] satisfies Partial<Receipt>[])("cannot be altered afterwards: %o", async (change) => {
    const [, one] = await proven(many(3));
    expect(await isGood({ ...(one as Receipt), ...change })).toBe(false);
  });

  test("are good on their chain and by their operator alone", async () => {
    const [one] = await proven(many(2));
    expect(await isGood(one as Receipt, operator.address, 1)).toBe(false);
    expect(await isGood(one as Receipt, alice)).toBe(false);
  });

  test("do not prove a receipt that was not among them", async () => {
    const [one] = await proven(many(3));
    expect(await isGood(receipt(4, { proof: one?.proof ?? null }))).toBe(false);
  });

  test("are at least one", async () => {
    await expect(open().signer.sign([])).rejects.toThrow(RangeError);
  });
});

describe("the credits on receipts", () => {
  const word = { epoch: 4, office: 2 };
  const credited = (at: number, payee: string, cumulative: string) =>
    receipt(at, { payee, credit: { cumulative, ...word, expiresAt: at, signature: null } });

  test("are signed once for each payee: its newest, which says at least what each of its receipts says", async () => {
    const { signer, credits } = open();
    const { receipts } = await signer.sign([
      credited(1, alice, "9"),
      credited(2, bob, "100"),
      credited(3, alice, "10"),
      credited(4, bob, "99"),
    ]);
    expect(credits).toEqual([
      { payee: alice, cumulative: 10n, ...word, expiresAt: 3 },
      { payee: bob, cumulative: 100n, ...word, expiresAt: 2 },
    ]);
    expect(receipts.map(({ credit }) => credit)).toEqual([
      { cumulative: "10", ...word, expiresAt: 3, signature: "0x000a" },
      { cumulative: "100", ...word, expiresAt: 2, signature: "0x0064" },
      { cumulative: "10", ...word, expiresAt: 3, signature: "0x000a" },
      { cumulative: "100", ...word, expiresAt: 2, signature: "0x0064" },
    ]);
  });

  test("are not compared as text: 9 is less than 10", async () => {
    const { signer, credits } = open();
    await signer.sign([credited(1, alice, "10"), credited(2, alice, "9")]);
    expect(credits).toMatchObject([{ cumulative: 10n }]);
  });

  test("are asked for by no direct payment, which gets none", async () => {
    const { signer, credits } = open();
    const { receipts } = await signer.sign([receipt(1, { payee: alice }), credited(2, alice, "5")]);
    expect(credits).toHaveLength(1);
    expect(receipts[0]?.credit).toBeNull();
  });

  test("are no part of what the receipt's own proof covers: the proof stays good", async () => {
    for (const one of await proven([credited(1, alice, "9"), credited(2, alice, "10")]))
      expect(await isGood(one)).toBe(true);
  });
});
