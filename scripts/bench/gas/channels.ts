import { zeroAddress } from "viem";
import {
  authorizedTransfer,
  type ChannelChain,
  channelOf,
  openChannel,
  payers,
  settleChannels,
  standChannels,
} from "./channelCalls.ts";
import { standClearing } from "./clearing.ts";
import type { Connection } from "./connection.ts";

const paymentsPerChannel = 100;
/** One micropayment: 0.001 USDC. */
const price = 1_000n;
/** What a hundred of them come to. */
const step = BigInt(paymentsPerChannel) * price;

export interface ChannelGas {
  calls: Record<string, bigint>;
  /** Gas per payment: 10,000 payments, each payer to a payee of its own; and all to one payee. */
  direct: number;
  directToOnePayee: number;
  /** Each payer to every payee by one channel into Clearing: claims, the root and payouts to wallets. */
  cleared: number;
  erc20Transfer: number;
  eip3009Transfer: number;
}

/** Gas of the payment channels, through the very calldata that the service sends. */
export async function channelGas(connection: Connection): Promise<ChannelGas> {
  const chain = await standChannels(connection);
  const deposits = await depositGas(chain);
  const batches = await batchGas(chain);
  const cleared = await clearingGas(connection, chain);
  const holder = firstReceiver(chain);
  await chain.usdc.write.mint([chain.operator.account.address, 10n ** 9n]);
  const transfer = await chain.gasOf(await chain.usdc.write.transfer([holder, price]));
  const payments = payers * paymentsPerChannel;
  return {
    calls: { ...deposits, ...batches, ...cleared },
    direct: Number(batches["settle a batch: 100 channels, 100 payees"]) / payments,
    directToOnePayee: Number(batches["settle a batch: 100 channels, 1 payee"]) / payments,
    cleared: Number(Object.values(cleared).reduce((sum, gas) => sum + gas)) / payments,
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
  const clearing = await standClearing(connection, chain.usdc.address);
  const hub = chain.keys.map((_, payer) => channelOf(chain, payer, clearing.address));
  for (const channel of hub) await openChannel(chain, channel, 4n);
  await settleChannels(chain, hub, step);
  await clearing.clear(chain.receivers, step);
  const claims = await settleChannels(chain, hub, 2n * step);
  const { post, payOut } = await clearing.clear(chain.receivers, 2n * step);
  return {
    "clearing: claim 100 channels": claims,
    "clearing: post a root of 100 payees": post,
    "clearing: pay 100 payees out": payOut,
  };
}
