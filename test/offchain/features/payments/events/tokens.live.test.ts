import fc from "fast-check";
import { concatHex, getAddress, numberToHex } from "viem";
import { expect, test } from "vitest";
import type { UnitCode } from "#offchain/core/unit.ts";
import { settlementHandlers } from "#offchain/features/payments/events/events.ts";
import { ChannelTokens } from "#offchain/features/payments/rules/tokens.ts";
import type { ChainEvent, Handler } from "#offchain/platform/chain/event.ts";
import { type Books, bookedChainId, bookedTokens, eachWithBooks, hex } from "../../../support/books.ts";

let books: Books;
eachWithBooks((opened) => {
  books = opened;
});

const clearing = getAddress(hex(20));
const receivers = [getAddress(hex(20)), getAddress(hex(20))];
const usdcAlone = new ChannelTokens({ address: addressOf("USDC"), minAmount: 1n }, []);

function addressOf(unit: UnitCode): `0x${string}` {
  return getAddress(bookedTokens.byUnit(unit)?.address ?? "0x");
}

interface OnChain {
  channelId: `0x${string}`;
  index: number;
  unit: UnitCode;
  receiver: `0x${string}`;
  isFollowed: boolean;
  balance: bigint;
  claimed: bigint;
}

interface Paid {
  claimed: bigint;
  settled: bigint;
  /** Of what was paid, the part of channels that are followed. */
  booked: bigint;
}

/** The settlement contract as its events tell of it, and each event on its way into the books and back. */
class Contract {
  readonly channels: OnChain[] = [];
  readonly #paid = new Map<string, Paid>();
  readonly #past: ChainEvent[] = [];
  handlers: Handler[];

  constructor(tokens: ChannelTokens) {
    this.handlers = this.#handlersFor(tokens);
  }

  configure(tokens: ChannelTokens): void {
    this.handlers = this.#handlersFor(tokens);
  }

  #handlersFor = (tokens: ChannelTokens) =>
    settlementHandlers({
      address: hex(20),
      clearing,
      tokens,
      takes: async () => true,
      postings: books.postings,
    });

  async create(unit: UnitCode, receiver: `0x${string}`, isFollowed: boolean): Promise<void> {
    const [channelId, index] = [hex(32), this.channels.length + 1];
    const config = {
      payer: hex(20),
      payerAuthorizer: hex(20),
      receiver,
      receiverAuthorizer: books.operator,
      token: addressOf(unit),
      withdrawDelay: 900,
      salt: hex(32),
    };
    this.channels.push({ channelId, index, unit, receiver, isFollowed, balance: 0n, claimed: 0n });
    await this.#emit("ChannelCreated", { channelId, config });
    await this.#emit("ChannelIndexed", { channelId, index });
  }

  async deposit(channel: OnChain, amount: bigint): Promise<void> {
    channel.balance += amount;
    await this.#emit("Deposited", { channelId: channel.channelId, amount });
  }

  async claim(channel: OnChain, totalClaimed: bigint): Promise<void> {
    this.#of(channel).claimed += totalClaimed - channel.claimed;
    channel.claimed = totalClaimed;
    const rows = concatHex([
      numberToHex(channel.index, { size: 4 }),
      numberToHex(totalClaimed, { size: 12 }),
    ]);
    await this.#emit("PackedClaimed", { token: addressOf(channel.unit), rows });
  }

  async settle(channel: OnChain): Promise<void> {
    const paid = this.#of(channel);
    const amount = paid.claimed - paid.settled;
    if (amount === 0n) return;
    paid.settled = paid.claimed;
    paid.booked = this.#claimedFor(channel);
    const { receiver, unit } = channel;
    await this.#emit("Settled", { receiver, token: addressOf(unit), amount });
  }

  async retractAll(): Promise<void> {
    for (const event of this.#past.toReversed()) {
      const handler = this.#handlerOf(event.name);
      await books.begin((tx) => handler.retract(tx, event));
    }
  }

  /** What the books must say: [what the chain is short of, what payees hold], by unit. */
  wanted(unit: UnitCode): { chain: bigint; payees: bigint; channels: bigint[] } {
    const followed = this.channels.filter((channel) => channel.isFollowed && channel.unit === unit);
    const sum = (amounts: bigint[]) => amounts.reduce((total, amount) => total + amount, 0n);
    const deposits = sum(followed.map(({ balance }) => balance));
    const claimed = sum(followed.map((channel) => channel.claimed));
    const booked = sum([...this.#paid].flatMap(([key, paid]) => (key.startsWith(unit) ? paid.booked : [])));
    return {
      chain: booked - deposits,
      payees: claimed - booked,
      channels: followed.map((channel) => channel.balance - channel.claimed),
    };
  }

  #claimedFor({ unit, receiver }: OnChain): bigint {
    return this.channels
      .filter((one) => one.isFollowed && one.unit === unit && one.receiver === receiver)
      .reduce((total, { claimed }) => total + claimed, 0n);
  }

  #of({ unit, receiver }: OnChain): Paid {
    const key = `${unit} ${receiver}`;
    const paid = this.#paid.get(key) ?? { claimed: 0n, settled: 0n, booked: 0n };
    this.#paid.set(key, paid);
    return paid;
  }

  #handlerOf(name: string): Handler {
    const handler = this.handlers.find(({ event }) => event.name === name);
    if (!handler) throw new Error(`nobody handles ${name}`);
    return handler;
  }

  async #emit(name: string, args: object): Promise<void> {
    const place = { ...books.event(), logIndex: this.#past.length };
    const event = { ...place, runId: books.runId, chainId: bookedChainId, name, args } as ChainEvent;
    this.#past.push(event);
    await books.begin((tx) => this.#handlerOf(name).apply(tx, event));
  }
}

/** What the books say of the chain run. */
async function booked(unit: UnitCode, contract: Contract) {
  const rows = await books.sql<{ name: string; balance: bigint }[]>`
    SELECT name, balance FROM account WHERE unit = ${unit}
      AND (name = ${`chain:${books.runId}`} OR name LIKE ${`payee:${books.runId}:%`})`;
  const sum = (prefix: string) =>
    rows.reduce((total, { name, balance }) => total + (name.startsWith(prefix) ? balance : 0n), 0n);
  const followed = contract.channels.filter((channel) => channel.isFollowed && channel.unit === unit);
  const channels: bigint[] = [];
  for (const { channelId } of followed) channels.push((await books.account(channelId))[0]);
  return { chain: sum("chain:"), payees: sum("payee:"), channels };
}

const units = ["USDC", "AVT"] as const;
const steps = fc.array(
  fc.record({
    what: fc.constantFrom("deposit" as const, "claim" as const, "settle" as const),
    at: fc.nat(6),
    share: fc.integer({ min: 1, max: 100 }),
  }),
  { minLength: 10, maxLength: 25 },
);

async function run(contract: Contract, sequence: readonly { what: string; at: number; share: number }[]) {
  for (const { what, at, share } of sequence) {
    const channel = contract.channels[at % contract.channels.length];
    if (!channel) continue;
    const left = channel.balance - channel.claimed;
    if (what === "deposit" || left === 0n) await contract.deposit(channel, BigInt(share) * 1_000n);
    else if (what === "claim")
      await contract.claim(channel, channel.claimed + 1n + (left * BigInt(share - 1)) / 100n);
    else await contract.settle(channel);
  }
}

test("whatever happens on the chain in two tokens, each unit's books say it, sum up to zero, and are taken back exactly", async () => {
  await fc.assert(
    fc.asyncProperty(steps, steps, async (before, after) => {
      const contract = new Contract(usdcAlone);
      await contract.create("USDC", receivers[0] ?? clearing, true);
      await contract.create("AVT", receivers[0] ?? clearing, false);
      await run(contract, before);
      contract.configure(bookedTokens);
      await contract.create("AVT", receivers[0] ?? clearing, true);
      await contract.create("AVT", receivers[1] ?? clearing, true);
      await contract.create("AVT", clearing, false);
      await contract.create("USDC", receivers[1] ?? clearing, true);
      await run(contract, after);
      for (const unit of units) {
        expect(await booked(unit, contract), unit).toEqual(contract.wanted(unit));
        const [row] = await books.sql<{ sum: bigint }[]>`
          SELECT coalesce(sum(balance), 0)::numeric(38,0) AS sum FROM account WHERE unit = ${unit}`;
        expect(row?.sum).toBe(0n);
      }
      await contract.retractAll();
      for (const unit of units) {
        const { chain, payees, channels } = await booked(unit, contract);
        expect([chain, payees, ...channels.filter((left) => left !== 0n)], unit).toEqual([0n, 0n]);
      }
      expect(await books.sql`SELECT FROM channel_payout`).toHaveLength(0);
      expect(await books.sql`SELECT FROM foreign_channel`).toHaveLength(0);
    }),
    { numRuns: 8 },
  );
}, 300_000);

test("a batch holds payments of one unit, and an ended chain writes off each in its own", async () => {
  const usdc = await books.openChannel();
  const avt = await books.openChannel(hex(20), "AVT");
  const one = await books.pay(usdc, 400n);
  const other = await books.pay(avt, 400n);
  expect((await books.pay(usdc, 450n)).batchId).toBe(one.batchId);
  expect(other.batchId).not.toBe(one.batchId);
  expect(await books.shown(one.batchId)).toMatchObject({
    state: "open",
    value: { amount: "0.00045", unit: "USDC" },
  });
  await books.pay(avt, 500n);
  expect(await books.shown(other.batchId)).toMatchObject({
    state: "closed",
    closedBy: "value",
    value: { amount: "0.0000000000000005", unit: "AVT" },
  });
  await books.claim(avt, 450n, books.event());
  await books.begin((tx) => books.postings.endRun(tx, books.runId, books.now));
  const left = await books.sql`
    SELECT FROM account WHERE balance <> 0 AND unit IN ('USDC', 'AVT')
      AND (name LIKE ${`%:${books.runId}%`} OR name LIKE 'channel:%')`;
  expect(left).toHaveLength(0);
});
