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
import { type ChannelToken, type ChannelTokens, tokenOf, usdcUnit } from "../rules/tokens.ts";
import {
  type ChannelRow,
  forgetForeign,
  isForeign,
  lockBooks,
  lockByIndex,
  lockChannels,
  noteForeign,
  saveChannel,
  setIndex,
} from "../store/channels.ts";
import { addWithdrawal, dropWithdrawal, lessenWithdrawal } from "../store/withdrawals.ts";
import type { Payee, Postings } from "./postings.ts";

/** What the events are read by. */
export interface ChannelEvents {
  /** The settlement contract. */
  address: `0x${string}`;
  /** Where cleared channels lead: what they have claimed stays in the books until it is paid out. */
  clearing: `0x${string}`;
  tokens: ChannelTokens;
  /** Whether the token is known to count as its unit does; see `TokenCheck`. */
  takes: (token: ChannelToken) => Promise<boolean>;
  postings: Postings;
}

interface Following extends ChannelEvents {
  source: EventSource<typeof batchSettlementAbi>;
  isClearing: (receiver: string) => boolean;
}

/**
 * What the payment channels contract's events do to channels, ledger and batches. The contract takes any token, and
 * anybody can make one: only channels in tokens that are configured are money here, the others are foreign and their
 * events are passed over. A channel is what it was when it was created, for good.
 */
export function settlementHandlers(events: ChannelEvents): Handler[] {
  const clearing = events.clearing.toLowerCase();
  const following: Following = {
    ...events,
    source: { name: "BatchSettlement", abi: batchSettlementAbi, addresses: [events.address] },
    isClearing: (receiver) => receiver.toLowerCase() === clearing,
  };
  return [
    ...channelHandlers(following),
    ...depositHandlers(following),
    ...claimHandlers(following),
    ...payoutHandlers(following),
  ].map(alone);
}

const channelHandlers = ({ source, tokens, takes, isClearing }: Following): Handler[] => [
  on(source, "ChannelCreated", {
    async apply(tx, { args, runId, blockAt }) {
      const { channelId, config } = args;
      const isCleared = isClearing(config.receiver);
      const token = tokenOf(tokens, { token: config.token, isCleared });
      if (!token || !(await takes(token))) {
        await noteForeign(tx, runId, channelId);
        return;
      }
      const { unit } = token;
      await saveChannel(tx, { runId, channelId, config, unit, isCleared, now: blockAt });
    },
    // The row of a channel that is followed stays: an opening channel without a deposit, as before the event.
    retract: (tx, { args, runId }) => forgetForeign(tx, runId, args.channelId),
  }),
  on(source, "ChannelIndexed", {
    apply: (tx, { args, runId }) => setIndex(tx, runId, args.channelId, args.index),
    retract: (tx, { args, runId }) => setIndex(tx, runId, args.channelId, null),
  }),
];

function depositHandlers({ source, postings }: Following): Handler[] {
  async function change(
    tx: Tx,
    event: ChainEvent<DepositArgs>,
    delta: bigint,
    deposits?: number,
  ): Promise<void> {
    const channel = await channelOf(tx, event);
    if (channel) await postings.changeBalance(tx, channel, delta, event, deposits);
  }
  const deposited: Effect<DepositArgs> = {
    apply: (tx, event) => change(tx, event, event.args.amount, 1),
    retract: (tx, event) => change(tx, event, -event.args.amount, -1),
  };
  return [
    on(source, "Deposited", deposited),
    on(source, "Refunded", {
      async apply(tx, event) {
        await change(tx, event, -event.args.amount);
        await lessenWithdrawal(tx, event.runId, event.args.channelId, event.args.amount);
      },
      async retract(tx, event) {
        await lessenWithdrawal(tx, event.runId, event.args.channelId, -event.args.amount);
        await change(tx, event, event.args.amount);
      },
    }),
    on(source, "WithdrawInitiated", {
      apply: (tx, { args, runId }) =>
        addWithdrawal(tx, runId, args.channelId, { at: args.finalizeAfter * 1000, left: args.amount }),
      retract: (tx, { args, runId }) => dropWithdrawal(tx, runId, args.channelId),
    }),
    on(source, "WithdrawFinalized", {
      async apply(tx, event) {
        await change(tx, event, -event.args.amount);
        await addWithdrawal(tx, event.runId, event.args.channelId, null);
      },
      async retract(tx, event) {
        await dropWithdrawal(tx, event.runId, event.args.channelId);
        await change(tx, event, event.args.amount);
      },
    }),
  ];
}

const claimHandlers = ({ source, postings, tokens }: Following): Handler[] => [
  on(source, "Claimed", {
    async apply(tx, event) {
      const channel = await channelOf(tx, event);
      if (channel) await postings.applyClaims(tx, [{ channel, after: event.args.newTotalClaimed }], event);
    },
    retract: (tx, event) => postings.retractClaims(tx, event.runId, event),
  }),
  on(source, "PackedClaimed", {
    async apply(tx, event) {
      const token = tokens.byAddress(event.args.token);
      if (!token) return;
      const rows = [...packedRows(event.args.rows)];
      const channels = await lockByIndex(
        tx,
        event.runId,
        rows.map(({ index }) => index),
      );
      const claims = rows.flatMap(({ index, totalClaimed }) => {
        const channel = channels.get(index);
        if (channel) return [{ channel, after: totalClaimed }];
        // In another token than USDC it may be foreign: cleared, or created before its token was configured.
        if (token.unit !== usdcUnit) return [];
        throw new Error(`a packed claim names channel ${index}, which was never indexed`);
      });
      await postings.applyClaims(tx, claims, event);
    },
    retract: (tx, event) => postings.retractClaims(tx, event.runId, event),
  }),
];

function payoutHandlers({ source, postings, tokens, isClearing }: Following): Handler[] {
  /** Null: the payout is none of the books' business. */
  const payeeOf = ({ runId, args }: ChainEvent<{ receiver: string; token: string }>): Payee | null => {
    const token = isClearing(args.receiver) ? null : tokens.byAddress(args.token);
    return token && { runId, payee: args.receiver, unit: token.unit };
  };
  return [
    on(source, "Settled", {
      async apply(tx, event) {
        const to = payeeOf(event);
        // In USDC every channel is followed, so the books hold exactly what is paid.
        if (to?.unit === usdcUnit) await postings.changePaidOut(tx, to, event.args.amount, event);
        else if (to) await postings.applyPayout(tx, to, event.args.amount, event);
      },
      async retract(tx, event) {
        const to = payeeOf(event);
        if (to?.unit === usdcUnit) await postings.changePaidOut(tx, to, -event.args.amount, event);
        else if (to) await postings.retractPayout(tx, to, event);
      },
    }),
  ];
}

/** No intake runs beside the effect: see {@link lockBooks}. */
const alone = (handler: Handler): Handler => ({
  ...handler,
  apply: async (tx, event) => {
    await lockBooks(tx, event.runId, "alone");
    await handler.apply(tx, event);
  },
  retract: async (tx, event) => {
    await lockBooks(tx, event.runId, "alone");
    await handler.retract(tx, event);
  },
});

interface DepositArgs {
  channelId: `0x${string}`;
  amount: bigint;
}

/** The event's channel; null for a foreign one. */
async function channelOf(
  tx: Tx,
  { args, runId }: ChainEvent<{ channelId: `0x${string}` }>,
): Promise<ChannelRow | null> {
  const channel = (await lockChannels(tx, runId, [args.channelId])).get(args.channelId);
  if (channel) return channel;
  if (await isForeign(tx, runId, args.channelId)) return null;
  throw new Error(`an event names channel ${args.channelId}, which was never created`);
}

/** 16 bytes for each channel: uint32 index, then uint96 new total (see IBatchSettlement.PackedClaimed). */
function* packedRows(rows: `0x${string}`): Generator<{ index: number; totalClaimed: bigint }> {
  const bytes = Buffer.from(rows.slice(2), "hex");
  for (let at = 0; at + 16 <= bytes.length; at += 16)
    yield { index: bytes.readUInt32BE(at), totalClaimed: BigInt(hexOf(bytes.subarray(at + 4, at + 16))) };
}
