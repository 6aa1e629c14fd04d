import { batchSettlementAbi } from "#contracts";
import {
  type ChainEvent,
  type Effect,
  type EventSource,
  type Handler,
  on,
} from "#offchain/platform/chain/event.ts";
import { hexOf } from "#offchain/platform/database/bytes.ts";
import type { Tx } from "#offchain/platform/database/database.ts";
import {
  type ChannelRow,
  channelByIndex,
  isForeign,
  lockBooks,
  lockChannels,
  noteForeign,
  saveChannel,
  setIndex,
} from "../store/channels.ts";
import { addWithdrawal, dropWithdrawal, lessenWithdrawal } from "../store/withdrawals.ts";
import type { Postings } from "./postings.ts";

interface Following {
  source: EventSource<typeof batchSettlementAbi>;
  postings: Postings;
  isUsdc: (token: string) => boolean;
  isClearing: (receiver: string) => boolean;
}

/**
 * What the payment channels contract's events do to channels, ledger and batches. The contract takes any token, and
 * anybody can make one: only channels in `usdc` are money here, the others' events are passed over.
 * @param clearing Where cleared channels lead: what they have claimed stays in the books until it is paid out
 */
export function settlementHandlers(
  address: `0x${string}`,
  { clearing, usdc }: { clearing: `0x${string}`; usdc: `0x${string}` },
  postings: Postings,
): Handler[] {
  const following: Following = {
    source: { name: "BatchSettlement", abi: batchSettlementAbi, addresses: [address] },
    postings,
    isUsdc: (token) => token.toLowerCase() === usdc.toLowerCase(),
    isClearing: (receiver) => receiver.toLowerCase() === clearing.toLowerCase(),
  };
  return [
    ...channelHandlers(following),
    ...depositHandlers(following),
    ...claimHandlers(following),
    ...payoutHandlers(following),
  ].map(alone);
}

const channelHandlers = ({ source, isUsdc, isClearing }: Following): Handler[] => [
  on(source, "ChannelCreated", {
    async apply(tx, { args, epoch, blockAt }) {
      if (!isUsdc(args.config.token)) {
        await noteForeign(tx, epoch, args.channelId);
        return;
      }
      await saveChannel(tx, {
        epochId: epoch,
        channelId: args.channelId,
        config: args.config,
        isCleared: isClearing(args.config.receiver),
        now: blockAt,
      });
    },
    // The row stays: an opening channel without a deposit, as before the event.
    async retract() {},
  }),
  on(source, "ChannelIndexed", {
    apply: (tx, { args, epoch }) => setIndex(tx, epoch, args.channelId, args.index),
    retract: (tx, { args, epoch }) => setIndex(tx, epoch, args.channelId, null),
  }),
];

function depositHandlers({ source, postings }: Following): Handler[] {
  async function change(tx: Tx, event: ChainEvent<DepositArgs>, delta: bigint): Promise<void> {
    const channel = await channelOf(tx, event);
    if (channel) await postings.changeBalance(tx, channel, delta, event);
  }
  const deposited: Effect<DepositArgs> = {
    apply: (tx, event) => change(tx, event, event.args.amount),
    retract: (tx, event) => change(tx, event, -event.args.amount),
  };
  return [
    on(source, "Deposited", deposited),
    on(source, "Refunded", {
      async apply(tx, event) {
        await change(tx, event, -event.args.amount);
        await lessenWithdrawal(tx, event.epoch, event.args.channelId, event.args.amount);
      },
      async retract(tx, event) {
        await lessenWithdrawal(tx, event.epoch, event.args.channelId, -event.args.amount);
        await change(tx, event, event.args.amount);
      },
    }),
    on(source, "WithdrawInitiated", {
      apply: (tx, { args, epoch }) =>
        addWithdrawal(tx, epoch, args.channelId, { at: args.finalizeAfter * 1000, left: args.amount }),
      retract: (tx, { args, epoch }) => dropWithdrawal(tx, epoch, args.channelId),
    }),
    on(source, "WithdrawFinalized", {
      async apply(tx, event) {
        await change(tx, event, -event.args.amount);
        await addWithdrawal(tx, event.epoch, event.args.channelId, null);
      },
      async retract(tx, event) {
        await dropWithdrawal(tx, event.epoch, event.args.channelId);
        await change(tx, event, event.args.amount);
      },
    }),
  ];
}

const claimHandlers = ({ source, postings, isUsdc }: Following): Handler[] => [
  on(source, "Claimed", {
    async apply(tx, event) {
      const channel = await channelOf(tx, event);
      if (channel) await postings.applyClaim(tx, channel, event.args.newTotalClaimed, event);
    },
    retract: (tx, event) => postings.retractClaims(tx, event.epoch, event),
  }),
  on(source, "PackedClaimed", {
    async apply(tx, event) {
      if (!isUsdc(event.args.token)) return;
      for (const { index, totalClaimed } of packedRows(event.args.rows)) {
        const channel = await channelByIndex(tx, event.epoch, index);
        if (!channel) throw new Error(`a packed claim names channel ${index}, which was never indexed`);
        await postings.applyClaim(tx, channel, totalClaimed, event);
      }
    },
    retract: (tx, event) => postings.retractClaims(tx, event.epoch, event),
  }),
];

const payoutHandlers = ({ source, postings, isUsdc, isClearing }: Following): Handler[] => [
  on(source, "Settled", {
    async apply(tx, event) {
      if (!isUsdc(event.args.token) || isClearing(event.args.receiver)) return;
      await postings.changeSettled(tx, event.epoch, event.args.receiver, event.args.amount, event);
    },
    async retract(tx, event) {
      if (!isUsdc(event.args.token) || isClearing(event.args.receiver)) return;
      await postings.changeSettled(tx, event.epoch, event.args.receiver, -event.args.amount, event);
    },
  }),
];

/** No intake runs beside the effect: see {@link lockBooks}. */
const alone = (handler: Handler): Handler => ({
  ...handler,
  apply: async (tx, event) => {
    await lockBooks(tx, event.epoch, "alone");
    await handler.apply(tx, event);
  },
  retract: async (tx, event) => {
    await lockBooks(tx, event.epoch, "alone");
    await handler.retract(tx, event);
  },
});

interface DepositArgs {
  channelId: `0x${string}`;
  amount: bigint;
}

/** The event's channel; null for one in another token. */
async function channelOf(
  tx: Tx,
  { args, epoch }: ChainEvent<{ channelId: `0x${string}` }>,
): Promise<ChannelRow | null> {
  const channel = (await lockChannels(tx, epoch, [args.channelId])).get(args.channelId);
  if (channel) return channel;
  if (await isForeign(tx, epoch, args.channelId)) return null;
  throw new Error(`an event names channel ${args.channelId}, which was never created`);
}

/** 16 bytes for each channel: uint32 index, then uint96 new total (see IBatchSettlement.PackedClaimed). */
function* packedRows(rows: `0x${string}`): Generator<{ index: number; totalClaimed: bigint }> {
  const bytes = Buffer.from(rows.slice(2), "hex");
  for (let at = 0; at + 16 <= bytes.length; at += 16)
    yield { index: bytes.readUInt32BE(at), totalClaimed: BigInt(hexOf(bytes.subarray(at + 4, at + 16))) };
}
