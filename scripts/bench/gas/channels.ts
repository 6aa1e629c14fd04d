import { type Hex, keccak256, sliceHex, toHex, zeroAddress } from "viem";
import {
  authorizedTransfer,
  type ChannelChain,
  channelOf,
  openChannel,
  payers,
  settleChannels,
  standChannels,
} from "./channelCalls.ts";
import { type Calls, type ClearingStand, standClearing } from "./clearing.ts";
import type { Connection } from "./connection.ts";

const paymentsPerChannel = 100;
/** One micropayment: 0.001 USDC. */
const price = 1_000n;
/** What a hundred of them come to. */
const step = BigInt(paymentsPerChannel) * price;

/** An epoch of so many payees, and their payouts: each payee's first, and the life after it. */
export type PayeesGas = Record<"first" | "again", { credited: Calls; paid: Calls }>;

export interface ChannelGas {
  calls: Record<string, bigint>;
  payees: Record<number, PayeesGas>;
  /** Gas per payment: 10,000 payments, each payer to a payee of its own; and all to one payee. */
  direct: number;
  directToOnePayee: number;
  /** Each payer to every payee by one channel into Clearing: claims, the epoch and payouts to wallets; and without these. */
  cleared: number;
  clearedWithoutPayouts: number;
  erc20Transfer: number;
  eip3009Transfer: number;
}

/** Gas of the payment channels, through the very calldata that the service sends. */
export async function channelGas(connection: Connection): Promise<ChannelGas> {
  const chain = await standChannels(connection);
  const deposits = await depositGas(chain);
  const batches = await batchGas(chain);
  const clearing = await clearingGas(connection, chain);
  const holder = firstReceiver(chain);
  await chain.usdc.write.mint([chain.operator.account.address, 10n ** 9n]);
  const transfer = await chain.gasOf(await chain.usdc.write.transfer([holder, price]));
  const payments = payers * paymentsPerChannel;
  return {
    calls: { ...deposits, ...batches, ...clearing.calls },
    payees: clearing.payees,
    direct: Number(batches["settle a batch: 100 channels, 100 payees"]) / payments,
    directToOnePayee: Number(batches["settle a batch: 100 channels, 1 payee"]) / payments,
    cleared: Number(clearing.claimed + clearing.credited + clearing.paid) / payments,
    clearedWithoutPayouts: Number(clearing.claimed + clearing.credited) / payments,
    erc20Transfer: Number(transfer),
    eip3009Transfer: Number(await authorizedTransfer(chain, holder, price)),
  };
}

const firstReceiver = ({ receivers }: ChannelChain) => receivers[0] ?? zeroAddress;

/** Each payer's channel to a payee of its own. */
const pairsOf = (chain: ChannelChain) =>
  chain.keys.map((_, payer) => channelOf(chain, payer, chain.receivers[payer] ?? zeroAddress));

/** Each payer's channel to the first payee. */
const sharedOf = (chain: ChannelChain) =>
  chain.keys.map((_, payer) => channelOf(chain, payer, firstReceiver(chain)));

/** Opens every channel. */
async function depositGas(chain: ChannelChain) {
  const { usdc, keys } = chain;
  let first = 0n;
  for (const [payer, pair] of pairsOf(chain).entries()) {
    await usdc.write.mint([keys[payer]?.address ?? zeroAddress, 10n ** 12n]);
    await usdc.write.mint([pair.terms.receiver, 1n]);
    first = await openChannel(chain, pair, 1n);
    // The first payer's two channels are one and the same.
    if (payer > 0) await openChannel(chain, channelOf(chain, payer, firstReceiver(chain)), 2n);
  }
  const again = channelOf(chain, 0, firstReceiver(chain));
  return {
    "channel: first deposit, ERC-3009": first,
    "channel: further deposit, ERC-3009": await openChannel(chain, again, 3n),
  };
}

async function batchGas(chain: ChannelChain) {
  const [pairs, shared] = [pairsOf(chain), sharedOf(chain)];
  // The first settlement of a channel writes fresh slots; what is measured is the life after it.
  await settleChannels(chain, pairs, price);
  await settleChannels(chain, shared, 2n * price);
  const settle = (channels: typeof pairs, steps: bigint) =>
    settleChannels(chain, channels, 3n * price + steps * step);
  return {
    "settle a batch: 100 channels, 100 payees": await settle(pairs, 1n),
    "settle a batch: 100 channels, 1 payee": await settle(shared, 2n),
    "settle a batch: 10 channels, 1 payee": await settle(shared.slice(1, 11), 3n),
    "settle a batch: 1 channel": await settle(shared.slice(1, 2), 4n),
  };
}

async function clearingGas(connection: Connection, chain: ChannelChain) {
  const stand = await standClearing(connection, chain);
  const hub = chain.keys.map((_, payer) => channelOf(chain, payer, stand.address));
  for (const channel of hub) await openChannel(chain, channel, 4n);
  await settleChannels(chain, hub, step);
  const first = await stand.clear(chain.receivers, step);
  const claimed = await settleChannels(chain, hub, 2n * step);
  const again = await stand.clear(chain.receivers, step);
  const { credited, paid } = again;
  // Of the hundred alone: what follows only needs money that is there.
  await settleChannels(chain, hub, 200n * step);
  const payees: Record<number, PayeesGas> = { [payers]: { first, again } };
  for (const count of [1_000, 10_000]) payees[count] = await payeesGas(stand, count);
  return {
    claimed,
    credited: credited.gas,
    paid: paid.gas,
    payees,
    calls: {
      "clearing: claim 100 channels": claimed,
      "clearing: an epoch of 100 new payees": first.credited.gas,
      "clearing: an epoch of 100 payees credited before": credited.gas,
      "clearing: pay 100 payees out": paid.gas,
      ...(await receiptGas(stand, chain)),
    },
  };
}

/** As many payees who were never credited before, credited and paid twice. */
async function payeesGas(stand: ClearingStand, count: number): Promise<PayeesGas> {
  const newPayees = Array.from(
    { length: count },
    (_, at): Hex => sliceHex(keccak256(toHex(`bursar gas payee ${count} ${at}`)), 0, 20),
  );
  const leastCredit = 10_000n;
  return {
    first: await stand.clear(newPayees, leastCredit),
    again: await stand.clear(newPayees, leastCredit),
  };
}

/** What a payee does without the operator. */
async function receiptGas(stand: ClearingStand, chain: ChannelChain) {
  const [key] = chain.receiverKeys;
  const [payee = zeroAddress, other = zeroAddress] = chain.receivers;
  if (!key) throw new Error("there is no payee");
  await stand.credit([payee], step);
  await stand.passWindow();
  return {
    "clearing: credit as a channel's first deposit": await stand.deposit(key, step),
    "clearing: challenge an epoch": await stand.challenge(payee, 4n * step, other),
    "clearing: demand by a receipt": await stand.demand(payee, 4n * step),
  };
}
