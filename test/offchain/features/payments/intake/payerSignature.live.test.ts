import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type Abi,
  type Address,
  createPublicClient,
  createTestClient,
  createWalletClient,
  erc20Abi,
  getAddress,
  type Hex,
  http,
  keccak256,
  stringToHex,
  zeroAddress,
} from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { batchSettlementAbi } from "#contracts";
import type { BursarError } from "#offchain/core/error.ts";
import { hardhat } from "#offchain/core/localChain.ts";
import {
  type ChannelTerms,
  channelId,
  type Signer,
  signDeposit,
  signVoucher,
} from "#offchain/sdk/paying/channel.ts";
import {
  account,
  chainId,
  contracts,
  indexedTo,
  startTestStack,
  type TestStack,
  until,
} from "../../../support/stack.ts";

const artifacts = join(import.meta.dirname, "../../../../../artifacts/test/contracts/support");
const funder = account(9);
const payee = account(5);
const token = { address: contracts.TestUSDC, name: "USD Coin", version: "2" };

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack({
    BURSAR_BATCH_SIZE: "10000",
    BURSAR_BATCH_MAX_DELAY_MS: "600000",
    BURSAR_BATCH_MIN_AMOUNT: "1000",
    BURSAR_POLL_INTERVAL_MS: "100",
  });
  await stack.agent(4).register("Payer", "buyer");
  await stack.agent(5).register("Payee", "seller");
}, 240_000);

afterAll(() => stack?.stop());

const chain = () => createPublicClient({ chain: hardhat, transport: http(stack.rpcUrl) });
const wallet = (sender = funder) =>
  createWalletClient({ chain: hardhat, transport: http(stack.rpcUrl), account: sender });
const mined = async (hash: Hex) => chain().waitForTransactionReceipt({ hash });

/** ERC-1271 wallets of one key: `switchable` can be switched off, `plain` keeps its key in its code. */
const kinds = {
  switchable: "ContractWallet.sol/ContractWallet.json",
  plain: "payments/ContractWallet.sol/ContractWallet.json",
};

async function artifact(kind: keyof typeof kinds): Promise<{ abi: Abi; bytecode: Hex }> {
  return JSON.parse(await readFile(join(artifacts, kinds[kind]), "utf8"));
}

async function deployWallet(kind: keyof typeof kinds, key: Address): Promise<Address> {
  const hash = await wallet().deployContract({ ...(await artifact(kind)), args: [key] });
  const { contractAddress } = await mined(hash);
  if (!contractAddress) throw new Error("no wallet was deployed");
  return getAddress(contractAddress);
}

/** What is done in the name of `address` by the key of another. */
const inTheNameOf = (address: Address, key: Signer): Signer => ({
  address,
  signTypedData: (message) => key.signTypedData(message),
});

let salts = 0;

function termsOf(payer: Address, change: Partial<ChannelTerms> = {}): ChannelTerms {
  salts += 1;
  return {
    payer,
    payerAuthorizer: zeroAddress,
    receiver: payee.address,
    receiverAuthorizer: account(0).address,
    token: token.address,
    withdrawDelay: 86_400,
    salt: keccak256(stringToHex(`own channel ${salts}`)),
    ...change,
  };
}

/** A channel of the payer without a key of its own, opened through the service by `signer`. */
async function openChannel(payer: Address, signer: Signer, deposit = 1_000_000n) {
  const funded = await wallet().writeContract({
    address: token.address,
    abi: erc20Abi,
    functionName: "transfer",
    args: [payer, deposit],
  });
  await mined(funded);
  await stack.operator.agents.register({ address: payer, name: "Contract payer", role: "buyer" });
  const config = termsOf(payer);
  const id = channelId(config, chainId);
  const signed = await signDeposit(inTheNameOf(payer, signer), chainId, token, {
    channelId: id,
    amount: deposit,
    validAfter: 0n,
    validBefore: BigInt(Math.floor(Date.now() / 1000) + 36_000),
    salt: 1n,
  });
  await stack.client.channels.open({ config, deposit: signed });
  await until(
    () => stack.client.channels.show({ channelId: id }),
    ({ state }) => state === "open",
  );
  return id;
}

/** A channel whose payer is any code at all: opened and paid for by another, as anybody may. */
async function openForCode(code: Hex) {
  const payer = privateKeyToAccount(generatePrivateKey()).address;
  const tester = createTestClient({ mode: "hardhat", chain: hardhat, transport: http(stack.rpcUrl) });
  await tester.setCode({ address: payer, bytecode: code });
  const config = termsOf(payer);
  const amount = 1_000_000n;
  const approval = { address: token.address, abi: erc20Abi, functionName: "approve" } as const;
  await mined(await wallet().writeContract({ ...approval, args: [contracts.BatchSettlement, amount] }));
  const hash = await wallet().writeContract({
    address: contracts.BatchSettlement,
    abi: batchSettlementAbi,
    functionName: "deposit",
    args: [config, amount, zeroAddress, "0x"],
  });
  await mined(hash);
  const id = channelId(config, chainId);
  await until(
    () => stack.client.channels.show({ channelId: id }).catch(() => null),
    (channel) => channel?.state === "open",
  );
  return id;
}

const voucherOf = async (id: Hex, signer: Signer, cumulative: bigint, key = `k${cumulative}`) => ({
  key,
  channelId: id,
  network: `eip155:${chainId}`,
  maxClaimableAmount: cumulative.toString(),
  signature: await signVoucher(signer, chainId, { channelId: id, maxClaimableAmount: cumulative }),
});

const pay = async (id: Hex, signer: Signer, cumulative: bigint, key?: string) =>
  stack.client.payments.pay(await voucherOf(id, signer, cumulative, key));

const accepted = async (id: Hex) => (await stack.client.channels.show({ channelId: id })).accepted.amount;

async function refusal(paying: Promise<unknown>): Promise<BursarError> {
  return paying.then(
    () => {
      throw new Error("the voucher was accepted");
    },
    (error: BursarError) => error,
  );
}

const claimed = (id: Hex, amount: string) =>
  until(
    () => stack.client.channels.show({ channelId: id }),
    (channel) => channel.claimed.amount === amount,
  );

const balance = () =>
  chain().readContract({
    address: token.address,
    abi: erc20Abi,
    functionName: "balanceOf",
    args: [payee.address],
  });

test("a contract wallet's voucher is accepted when its code does, and claimed on the chain", async () => {
  const key = privateKeyToAccount(generatePrivateKey());
  const payer = await deployWallet("plain", key.address);
  const id = await openChannel(payer, key);
  const before = await balance();
  expect(await pay(id, key, 100n)).toMatchObject({ payer, cumulative: "100", state: "accepted" });
  const stranger = privateKeyToAccount(generatePrivateKey());
  expect(await refusal(pay(id, stranger, 200n))).toMatchObject({
    code: "VOUCHER_FORGED",
    facts: { signer: payer },
  });
  expect(await accepted(id)).toBe("0.0001");
  expect(await pay(id, key, 300n)).toMatchObject({ cumulative: "300" });
  const { batchId } = await stack.operator.batches.flush();
  await claimed(id, "0.0003");
  expect(await balance()).toBe(before + 300n);
  const batch = await until(
    () => stack.client.batches.show({ batchId: batchId ?? "" }),
    ({ state }) => state === "settled",
  );
  expect(batch.transactionHash).toMatch(/^0x/);
  expect(await refusal(pay(id, stranger, 250n, "again"))).toMatchObject({ code: "VOUCHER_STALE" });
  const { items } = await stack.client.payments.list({ payer });
  expect(items.map(({ state }) => state)).toEqual(["settled", "settled"]);
  expect(await stack.client.ledger.reconcile()).toMatchObject({
    ledgerBalanced: true,
    chainMatchesLedger: true,
  });
});

test("a key that the wallet no longer knows signs nothing more; what it had signed keeps its receipt", async () => {
  const key = privateKeyToAccount(generatePrivateKey());
  const payer = await deployWallet("switchable", key.address);
  const id = await openChannel(payer, key);
  const first = await pay(id, key, 100n);
  const { abi } = await artifact("switchable");
  const off = await wallet().writeContract({ address: payer, abi, functionName: "switchOff" });
  const { blockNumber } = await mined(off);
  await indexedTo(stack, blockNumber);
  expect(await refusal(pay(id, key, 200n))).toMatchObject({ code: "VOUCHER_FORGED" });
  expect(await pay(id, key, 100n)).toMatchObject({ paymentId: first.paymentId });
  expect(await accepted(id)).toBe("0.0001");
});

test("a wallet that says no when it is claimed holds up nobody else", async () => {
  const key = privateKeyToAccount(generatePrivateKey());
  const payer = await deployWallet("switchable", key.address);
  const fickle = await openChannel(payer, key);
  const honest = await stack.agent(4).openChannel({ payee: payee.address, deposit: "1", label: "honest" });
  await pay(fickle, key, 100n);
  await honest.pay({ key: "h1", amount: "0.001" });
  const { abi } = await artifact("switchable");
  await mined(await wallet().writeContract({ address: payer, abi, functionName: "switchOff" }));
  const { batchId } = await stack.operator.batches.flush();
  await claimed(honest.channelId, "0.001");
  expect(await stack.client.channels.show({ channelId: fickle })).toMatchObject({ claimed: { amount: "0" } });
  const batch = await until(
    () => stack.client.batches.show({ batchId: batchId ?? "" }),
    ({ state }) => state === "settled",
  );
  expect(batch.refused.find(({ channelId: refused }) => refused === fickle)).toMatchObject({
    amount: { amount: "0.0001" },
    reason: "BatchSettlement_VoucherSignatureInvalid",
  });
  const { items } = await stack.client.payments.list({ batchId: batchId ?? "" });
  const stateOf = (by: Address) => items.find((item) => item.payer === by)?.state;
  expect(stateOf(payer)).toBe("refused");
  expect(stateOf(account(4).address)).not.toBe("accepted");
});

test("an account's own key signs also after it delegates (EIP-7702), and then its session key does, too", async () => {
  const owner = privateKeyToAccount(generatePrivateKey());
  const session = privateKeyToAccount(generatePrivateKey());
  const stranger = privateKeyToAccount(generatePrivateKey());
  const id = await openChannel(owner.address, owner);
  expect(await pay(id, owner, 100n)).toMatchObject({ cumulative: "100" });
  expect(await refusal(pay(id, session, 200n))).toMatchObject({
    code: "VOUCHER_FORGED",
    facts: { recovered: session.address },
  });

  const contractAddress = await deployWallet("plain", session.address);
  const delegation = await wallet(owner as never).signAuthorization({
    account: owner,
    contractAddress,
    chainId,
    nonce: 0,
  });
  const { blockNumber } = await mined(
    await wallet().sendTransaction({ to: funder.address, authorizationList: [delegation] }),
  );
  await indexedTo(stack, blockNumber);
  expect(await pay(id, owner, 200n)).toMatchObject({ cumulative: "200" });
  expect(await pay(id, session, 300n)).toMatchObject({ cumulative: "300" });
  expect(await refusal(pay(id, stranger, 400n))).toMatchObject({ code: "VOUCHER_FORGED" });
  await stack.operator.batches.flush();
  await claimed(id, "0.0003");
});

// Codes of the EVM: a return of isValidSignature's magic value (ERC-1271), before it what decides.
const yes = "631626ba7e60e01b5f5260205ff3";
const codes = {
  always: `0x${yes}`,
  never: "0x5f5f5ffd",
  /** JUMPDEST PUSH0 JUMP. */
  endless: "0x5b5f56",
  /** Only while no gas is paid for: in every simulation, and in no transaction. */
  unpaid: `0x3a156008575f5ffd5b${yes}`,
} as const;

test("code that refuses, or that never ends, is refused as the contract would", {
  timeout: 120_000,
}, async () => {
  const stranger = privateKeyToAccount(generatePrivateKey());
  expect(await pay(await openForCode(codes.always), stranger, 10n)).toMatchObject({ cumulative: "10" });
  for (const code of [codes.never, codes.endless]) {
    const id = await openForCode(code);
    // The local chain remembers every step of a call that fails, for which a machine under load takes seconds.
    const refused = await until(
      () => refusal(pay(id, stranger, 10n)),
      ({ code }) => code !== "CHAIN_UNAVAILABLE",
    );
    expect(refused).toMatchObject({ code: "VOUCHER_FORGED", facts: { gasMax: "1000000" } });
    expect(await accepted(id)).toBe("0");
  }
});

test("a request has its payers' code asked about few vouchers; the others come in another", async () => {
  const id = await openForCode(codes.always);
  const pays = async (payments: Awaited<ReturnType<typeof voucherOf>>[]) => {
    const { items } = await stack.client.payments.payBatch({ payments });
    return items.map((item) => ("receipt" in item ? item.receipt.key : item.error.error_code));
  };
  const many = await Promise.all(
    Array.from({ length: 20 }, (_, at) => voucherOf(id, funder, BigInt(at + 1))),
  );
  const keys = many.map(({ key }) => key);
  expect(await pays(many)).toEqual([...keys.slice(0, 16), ...Array(4).fill("VOUCHER_UNCHECKED")]);
  expect(await pays(many), "what is booked is not asked about again").toEqual(keys);
});

test("code that says yes to simulations only costs its own claim, and its batch settles", async () => {
  const id = await openForCode(codes.unpaid);
  const honest = await stack.agent(4).openChannel({ payee: payee.address, deposit: "1", label: "beside" });
  await pay(id, account(6), 10n);
  await honest.pay({ key: "b1", amount: "0.001" });
  await stack.operator.batches.flush();
  await claimed(honest.channelId, "0.001");
  const later = await stack.agent(4).openChannel({ payee: payee.address, deposit: "1", label: "later" });
  await later.pay({ key: "l1", amount: "0.001" });
  await stack.operator.batches.flush();
  await claimed(later.channelId, "0.001");
  expect(await stack.client.channels.show({ channelId: id })).toMatchObject({ claimed: { amount: "0" } });
});

test("a channel that somebody else claims is not paid through here", async () => {
  const key = privateKeyToAccount(generatePrivateKey());
  const config = termsOf(key.address, { receiverAuthorizer: payee.address });
  const deposit = {
    address: contracts.BatchSettlement,
    abi: batchSettlementAbi,
    functionName: "deposit",
  } as const;
  const approval = { address: token.address, abi: erc20Abi, functionName: "approve" } as const;
  await mined(await wallet().writeContract({ ...approval, args: [contracts.BatchSettlement, 1_000n] }));
  await mined(await wallet().writeContract({ ...deposit, args: [config, 1_000n, zeroAddress, "0x"] }));
  const id = channelId(config, chainId);
  await until(
    () => stack.client.channels.show({ channelId: id }).catch(() => null),
    (channel) => channel?.state === "open",
  );
  expect(await refusal(pay(id, key, 10n))).toMatchObject({ code: "CHANNEL_MISMATCH" });
});

test("many vouchers in one request keep their order, whoever signs them", async () => {
  const key = privateKeyToAccount(generatePrivateKey());
  const own = await openChannel(await deployWallet("plain", key.address), key);
  const keyed = await stack.agent(4).openChannel({ payee: payee.address, deposit: "1", label: "keyed" });
  const payments = await Promise.all(
    [1n, 2n, 3n, 4n].flatMap((step) => [
      voucherOf(own, key, step * 10n, `own-${step}`),
      voucherOf(keyed.channelId, account(4), step * 10n, `keyed-${step}`),
    ]),
  );
  const { items } = await stack.client.payments.payBatch({ payments });
  expect(items.map((item) => ("receipt" in item ? item.receipt.key : item.error.error_code))).toEqual(
    payments.map((payment) => payment.key),
  );
});
