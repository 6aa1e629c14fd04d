import { rm } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { isAddressEqual, keccak256, toHex, zeroHash } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { voucherHasher } from "#offchain/features/payments/intake/voucherHash.ts";
import { signDigest } from "#offchain/platform/chain/signatures/secp256k1.ts";
import { type Client, createClient } from "#offchain/sdk/client.ts";
import { signRequests } from "#offchain/sdk/http/request.ts";
import { batchSettlementAddress, channelId, signDeposit } from "#offchain/sdk/paying/channel.ts";
import { type BentChain, bentChain } from "../../soak/faults.ts";
import { chainId, contracts, fund, operator } from "../../soak/wallets.ts";
import { type Stack, startStack } from "../../stack/stack.ts";
import { benchFolder } from "../parts/folder.ts";

const count = 100;
const paymentsPerChannel = 100;
/** One micropayment: 0.001 USDC. */
const price = 1_000n;
/** Payments by which a payee is owed the least that a row of an epoch credits, 0.01 USDC. */
const paymentsOfFirst = 10;
/** In each channel, base units. */
const deposit = 1_000_000n;
/** Longer than payees wait for each other's credits on a machine under load, so that each epoch is of all of them. */
const epochEveryMs = 15_000;
const challengeWindowSeconds = 86_400;
const atOnce = 20;
const patienceMs = 120_000;
const pollMs = 50;

/** Gas per payment of all that the service's operator sent to settle 10,000 payments; see `ChannelGas`. */
export type SettlementGas = Record<
  "direct" | "directToOnePayee" | "cleared" | "clearedWithoutPayouts",
  number
>;

/** What signs the vouchers of one channel. */
interface Line {
  client: Client;
  privateKey: `0x${string}`;
  channelId: `0x${string}`;
  /** Base units that the newest voucher promises. */
  signed: bigint;
}

/** Whom a payment of a cleared line credits, by its number on the line and the line's. */
type PayeeOf = (payment: number, line: number) => `0x${string}` | undefined;

/**
 * The same payments as the hand-made batches of `channels.ts`, but taken in over HTTP by the running service and settled
 * by its own jobs, a batch at its size of 10,000. What is measured is the life after each channel's and payee's first.
 */
export async function settlementGas(): Promise<SettlementGas> {
  const dataDir = await benchFolder("gas");
  const stack = await startStack({
    dataDir,
    isWebWanted: false,
    ports: { chain: 9_545, api: 9_020 },
    env: {
      BURSAR_LOG_LEVEL: "warn",
      BURSAR_POLL_INTERVAL_MS: "50",
      BURSAR_BATCH_SIZE: String(count * paymentsPerChannel),
      BURSAR_BATCH_MIN_AMOUNT: "1000000",
      BURSAR_BATCH_MAX_DELAY_MS: "86400000",
      BURSAR_CLEARING_EPOCH_EVERY_MS: String(epochEveryMs),
    },
  });
  try {
    return await new Settlements(stack).measure();
  } finally {
    await stack.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

class Settlements {
  readonly #stack: Stack;
  readonly #chain: BentChain;
  readonly #client;
  readonly #payers = party("payer");
  readonly #payees = party("payee");

  constructor(stack: Stack) {
    this.#stack = stack;
    this.#chain = bentChain(stack.rpcUrl);
    this.#client = createClient({ url: stack.apiUrl, authorize: signRequests(operator, chainId) });
  }

  async measure(): Promise<SettlementGas> {
    const payers = await this.#register(this.#payers, "buyer");
    const payees = await this.#register(this.#payees, "seller");
    await fund(this.#stack.rpcUrl, payers);
    const pairs = await this.#open((payer) => payees[payer]);
    // The first payer pays the first payee by one and the same channel.
    const others = await this.#open((payer) => (payer === 0 ? undefined : payees[0]));
    const shared = [...pairs.slice(0, 1), ...others];
    const hub = await this.#open(() => contracts.Clearing);

    await this.#pay(hub, paymentsOfFirst, (_, payer) => payees[payer]);
    await this.#pay([...pairs, ...others], 1);
    await this.#client.batches.flush();
    await this.#settled();
    await this.#epochIs(1, "pending");
    await this.#waitADay();
    await this.#epochIs(1, "paid");
    const direct = await this.#gasOf(() => this.#payAndSettle(pairs));
    const directToOnePayee = await this.#gasOf(() => this.#payAndSettle(shared));
    const credited = await this.#gasOf(async () => {
      await this.#payAndSettle(hub, (payment) => payees[payment]);
      await this.#epochIs(2, "pending");
    });
    const paid = await this.#gasOf(async () => {
      await this.#waitADay();
      await this.#epochIs(2, "paid");
    });
    const perPayment = (gas: bigint) => Number(gas) / (count * paymentsPerChannel);
    return {
      direct: perPayment(direct),
      directToOnePayee: perPayment(directToOnePayee),
      cleared: perPayment(credited + paid),
      clearedWithoutPayouts: perPayment(credited),
    };
  }

  #clientOf = (privateKey: `0x${string}`): Client =>
    createClient({
      url: this.#stack.apiUrl,
      authorize: signRequests(privateKeyToAccount(privateKey), chainId),
    });

  /** @returns their addresses */
  #register(keys: readonly `0x${string}`[], role: string): Promise<`0x${string}`[]> {
    return inGroups(keys, async (key) => {
      const { address } = privateKeyToAccount(key);
      await this.#clientOf(key).agents.register({ address, name: role, role });
      return address;
    });
  }

  /** A channel of each payer to the receiver; none where there is no receiver. */
  async #open(receiverOf: (payer: number) => `0x${string}` | undefined): Promise<Line[]> {
    const lines = await inGroups(this.#payers, async (privateKey, at): Promise<Line[]> => {
      const receiver = receiverOf(at);
      if (!receiver) return [];
      const payer = privateKeyToAccount(privateKey);
      const config = {
        payer: payer.address,
        payerAuthorizer: payer.address,
        receiver,
        receiverAuthorizer: receiver === contracts.Clearing ? receiver : operator.address,
        token: contracts.TestUSDC,
        withdrawDelay: challengeWindowSeconds,
        salt: zeroHash,
      };
      const line = { client: this.#clientOf(privateKey), privateKey, channelId: channelId(config, chainId) };
      const token = { address: contracts.TestUSDC, name: "USD Coin", version: "2" };
      const validBefore = BigInt(Math.ceil(Date.now() / 1_000) + challengeWindowSeconds);
      const terms = { channelId: line.channelId, amount: deposit, validAfter: 0n, validBefore, salt: 1n };
      await line.client.channels.open({ config, deposit: await signDeposit(payer, chainId, token, terms) });
      await until(
        () => line.client.channels.show({ channelId: line.channelId }),
        ({ state }) => state === "open",
      );
      return [{ ...line, signed: 0n }];
    });
    return lines.flat();
  }

  /** Each line pays `times`, in one request; `payeeOf` says whom a cleared one pays. */
  async #pay(lines: readonly Line[], times: number, payeeOf: PayeeOf = () => undefined): Promise<void> {
    const hasher = voucherHasher(chainId, batchSettlementAddress);
    await inGroups(lines, async (line, index) => {
      const payments = [];
      for (let at = 0; at < times; at += 1) {
        line.signed += price;
        const digest = hasher.voucherDigest(line.channelId, line.signed);
        const payee = payeeOf(at, index);
        payments.push({
          key: `gas-${line.signed}`,
          channelId: line.channelId,
          network: `eip155:${chainId}`,
          maxClaimableAmount: line.signed.toString(),
          signature: await signDigest(toHex(digest), line.privateKey),
          ...(payee && { payee }),
        });
      }
      const { items } = await line.client.payments.payBatch({ payments }, { isSigned: true });
      const refused = items.find((item) => "error" in item);
      if (refused) throw new Error(`refused: ${JSON.stringify(refused)}`);
    });
  }

  async #payAndSettle(lines: readonly Line[], payeeOf?: PayeeOf): Promise<void> {
    await this.#pay(lines, paymentsPerChannel, payeeOf);
    await this.#settled();
  }

  async #settled(): Promise<void> {
    await until(
      () => this.#client.batches.list({ limit: 10 }),
      ({ items }) => items.every(({ state }) => state === "settled"),
    );
  }

  async #epochIs(number: number, state: string): Promise<void> {
    const { epochs } = await until(
      () => this.#client.clearing.show(),
      (answer) => answer.epochs.some((one) => one.number === number && one.state === state),
    );
    const among = epochs.find((one) => one.number === number)?.payees;
    if (among !== count) throw new Error(`epoch ${number} is of ${among} payees, not ${count}`);
  }

  async #waitADay(): Promise<void> {
    await this.#chain.increaseTime({ seconds: challengeWindowSeconds });
    await this.#chain.mine({ blocks: 1 });
  }

  /** Gas of every transaction that the operator sends meanwhile. */
  async #gasOf(run: () => Promise<void>): Promise<bigint> {
    const from = await this.#chain.getBlockNumber();
    await run();
    const to = await this.#chain.getBlockNumber();
    let gas = 0n;
    for (let blockNumber = from + 1n; blockNumber <= to; blockNumber += 1n) {
      const { transactions } = await this.#chain.getBlock({ blockNumber, includeTransactions: true });
      for (const transaction of transactions)
        if (isAddressEqual(transaction.from, operator.address))
          gas += (await this.#chain.getTransactionReceipt({ hash: transaction.hash })).gasUsed;
    }
    return gas;
  }
}

/** The keys of a hundred, the same in each run: a signature's bytes cost gas by their value. */
const party = (name: string) =>
  Array.from({ length: count }, (_, at) => keccak256(toHex(`bursar gas ${name} ${at}`)));

/** Not all at once: a local chain mines one deposit after the other. */
async function inGroups<Item, Result>(
  items: readonly Item[],
  run: (item: Item, at: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let from = 0; from < items.length; from += atOnce)
    results.push(
      ...(await Promise.all(items.slice(from, from + atOnce).map((item, at) => run(item, from + at)))),
    );
  return results;
}

async function until<Answer>(ask: () => Promise<Answer>, isWanted: (answer: Answer) => boolean) {
  for (const givenUpAt = performance.now() + patienceMs; ; await pause(pollMs)) {
    const answer = await ask();
    if (isWanted(answer)) return answer;
    if (performance.now() > givenUpAt) throw new Error(`still not as wanted: ${JSON.stringify(answer)}`);
  }
}
