import type { z } from "zod";
import type { BursarError } from "#offchain/core/error.ts";
import type { UnitCode } from "#offchain/core/unit.ts";
import type { AccountName } from "#offchain/features/ledger/rules/transfer.ts";
import type { Tx } from "#offchain/platform/database/database.ts";
import type { BatchPolicy } from "./rules/batch.ts";
import type { ChannelToken } from "./rules/tokens.ts";
import type {
  batch,
  channel,
  channelConfig,
  depositAuthorization,
  payment,
  receipt,
  receiptsProof,
} from "./schema.ts";

export type ChannelView = z.input<typeof channel>;
export type Receipt = z.input<typeof receipt>;
export type ReceiptsProof = z.input<typeof receiptsProof>;
export type BatchView = z.input<typeof batch>;
export type PaymentRequest = z.output<typeof payment>;
export type ChannelConfig = z.output<typeof channelConfig>;
export type DepositAuthorization = z.output<typeof depositAuthorization>;

interface Page<Item> {
  items: Item[];
  next: string | null;
}

/** Receipts that were made durable together, signed together by the operator. */
export interface SignedReceipts {
  /** For `count` receipts that follow each other. */
  prove(first: number, count: number): ReceiptsProof;
}

/**
 * What became of one payment: its receipt, or why it was refused. Either way the answer is durable. What one call paid is
 * signed together, in the order of its payments.
 */
export type PaymentOutcome =
  | {
      ok: true;
      /** Without its proof: it is number `leaf` of `signed`. */
      receipt: Receipt;
      replayed: boolean;
      signed: SignedReceipts;
      leaf: number;
    }
  | { ok: false; error: BursarError };

/** Channels, the intake of signed vouchers, batches and their settlement. */
export interface Micropayments {
  /** Sends the payer's signed deposit to the chain; the channel opens when the indexer sees it. */
  openChannel(config: ChannelConfig, deposit: DepositAuthorization): Promise<ChannelView>;
  channel(channelId: `0x${string}`, asker: `0x${string}` | null): Promise<ChannelView | null>;
  channels(query: {
    payer?: string | undefined;
    receiver?: string | undefined;
    cursor?: bigint | undefined;
    limit: number;
  }): Promise<Page<ChannelView>>;
  /**
   * Verifies, books and acknowledges with signed receipts; resolves only when durable.
   * @param submitter who signed the request, if anybody did: a cleared payment is taken from its payer alone
   */
  pay(payments: readonly PaymentRequest[], submitter: `0x${string}` | null): Promise<PaymentOutcome[]>;
  receipt(paymentId: string): Promise<Receipt | null>;
  payments(query: {
    payer?: string | undefined;
    payee?: string | undefined;
    batchId?: bigint | undefined;
    cursor?: bigint | undefined;
    limit: number;
  }): Promise<Page<Receipt>>;
  batch(batchId: string): Promise<BatchView | null>;
  batches(query: { cursor?: bigint | undefined; limit: number }): Promise<Page<BatchView>>;
  /** Closes the open batches now, whatever their size, value or age; `batchId` is the first of them. */
  flush(): Promise<{ batchId: string | null; batchIds: string[] }>;
}

/** A channel whose payer withdraws, and what of its accepted vouchers the chain has not been shown. */
export interface ClosingChannel {
  channelId: `0x${string}`;
  payer: `0x${string}`;
  payee: `0x${string}`;
  /** When the withdrawal may finish, epoch ms; null: it is over. */
  withdrawableAt: number | null;
  unclaimed: { amount: string; unit: UnitCode };
  /** A transaction that claims all of it is on its way. */
  isClaiming: boolean;
}

/** Where on the chain an event stands: the reason of what it does to the books. */
export interface EventPlace {
  blockHash: `0x${string}`;
  logIndex: number;
  /** The block's time, epoch ms. */
  blockAt: number;
  transactionHash: `0x${string}`;
}

/** All that a payee was ever credited, and the number of the first epoch that must contain it. */
export interface HubCredit {
  payee: `0x${string}`;
  /** Base units. */
  cumulative: bigint;
  epoch: number;
  /** Of the operator whose word it is. */
  office: number;
  /** Unix seconds. */
  expiresAt: number;
}

/** Where cleared channels pay into. It keeps what payees were credited; payments tells it in its own transaction. */
export interface Hub {
  /** Whether the operator is in office, and its bond stands behind what it owes the payees of cleared channels. */
  isBonded(): Promise<boolean>;
  /** The number of the operator's office, as it was last read; null: another operator is in office. */
  office(): Promise<number | null>;
  /**
   * Payments by cleared channels are being booked, in this transaction.
   * @param added to each payee's credit, by lower-case address; base units
   * @returns what each payee had before, and the first epoch that must contain what was added
   */
  onBooked(
    tx: Tx,
    runId: bigint,
    added: ReadonlyMap<string, bigint>,
    now: number,
  ): Promise<{ before: ReadonlyMap<string, bigint>; epoch: number }>;
  /** The operator's word for a credit, for the payee's receipt. */
  signCredit(credit: HubCredit): Promise<`0x${string}`>;
}

/** Finds, in the transaction that books payments, which channels pay for something else already; lower-case ids. */
export type SoldChannels = (
  tx: Tx,
  runId: bigint,
  channelIds: readonly string[],
) => Promise<ReadonlySet<string>>;

/** Told of what was accepted, in sums: how many payments of one unit, and their value in base units. */
export type AcceptedListener = (count: number, value: bigint, unit: UnitCode) => void;

/** The channels' side of the books, for the hub's own events, in USDC: each in the event's transaction. */
export interface HubBooks {
  /** Keeps the intake out until the transaction ends. */
  lock(tx: Tx, runId: bigint): Promise<void>;
  /** What was claimed for a payee and is in the books as not paid out; base units. */
  heldFor(tx: Tx, runId: bigint, payee: string): Promise<bigint>;
  /** A payee was paid out of what it had claimed; a negative amount takes that back. */
  changePaidOut(tx: Tx, runId: bigint, payee: string, amount: bigint, place: EventPlace): Promise<void>;
  /**
   * Whether every cleared payment that was in the books at that moment has been claimed, or can never be. Those that wait
   * until they are worth their gas wait no longer: others' credits wait with them.
   */
  areClaimed(runId: bigint, at: number): Promise<boolean>;
}

/** Channels as the snapshot of another feature's transaction sees them. */
export interface ChannelsWithin {
  /** The channels of a chain run with their accounts in the ledger, and the account that stands for the chain itself. */
  channelsWithin(
    tx: Tx,
    runId: bigint,
  ): Promise<{
    tokens: readonly ChannelToken[];
    outside: AccountName;
    channels: {
      channelId: `0x${string}`;
      account: AccountName;
      unit: UnitCode;
      balance: bigint;
      claimed: bigint;
    }[];
  }>;
  /** Whose the run's channels are that these accounts of the ledger belong to, by account; other accounts are left out. */
  partiesWithin(
    tx: Tx,
    runId: bigint,
    accounts: readonly AccountName[],
  ): Promise<Map<AccountName, ChannelParties>>;
}

export interface ChannelParties {
  channelId: `0x${string}`;
  payer: `0x${string}`;
  receiver: `0x${string}`;
  claimed: bigint;
}

export interface PaymentFigures {
  total: number;
  /** Not claimed on the chain yet; what was refused, or went with a chain run that ended, is not waiting any more. */
  pending: number;
  /** Claimed on the chain. */
  settled: number;
  /** Base units, by unit. */
  values: ReadonlyMap<UnitCode, bigint>;
  /** Payees are whoever was paid, directly or by a cleared channel. */
  payers: number;
  payees: number;
}

export interface BatchFigures {
  settled: number;
  /** Of the claims, those of payers by themselves among them. */
  gasUsed: bigint;
  /** At most one of each unit. */
  open: { id: bigint; unit: UnitCode; payments: number; value: bigint; openedAt: number }[];
}

/** One party's channels in one unit. Base units. */
export interface PartyFigures {
  unit: UnitCode;
  /** Channels in which it pays, and in which it is paid directly. */
  paying: number;
  earning: number;
  deposited: bigint;
  /** Signed over to payees. */
  spent: bigint;
  /** Signed over to it. */
  earned: bigint;
}

/** Sums of payments, for pages: of the chain's current run. */
export interface Figures {
  payments(): Promise<PaymentFigures>;
  batches(): Promise<BatchFigures>;
  /** Those of `addresses` that have channels, by lower-case address, for each unit. */
  parties(addresses: readonly string[]): Promise<Map<string, PartyFigures[]>>;
  /** The ledger accounts of these payers' channels, with who has paid into each. */
  channelAccounts(
    payers: readonly string[],
  ): Promise<{ payer: `0x${string}`; account: `channel:${string}` }[]>;
  /** The newest batches. */
  recentBatches(limit: number): Promise<{ batchId: string; state: string }[]>;
}

/** What other features use of payments. */
export interface Payments extends Micropayments, ChannelsWithin {
  /** What channels may be in, USDC first. */
  readonly tokens: readonly ChannelToken[];
  /** Of batches in USDC. */
  readonly policy: BatchPolicy;
  readonly hubBooks: HubBooks;
  /** Channels from which payers withdraw while accepted vouchers are unclaimed, the most urgent first. */
  closing(): Promise<ClosingChannel[]>;
  readonly figures: Figures;
  /** What a channel has promised to payments; until the transaction ends the intake accepts no more by it. */
  lockPromised(
    tx: Tx,
    runId: bigint,
    channelId: string,
  ): Promise<{ accepted: bigint; claimed: bigint } | null>;
  onAccepted(listener: AcceptedListener): void;
  /** Joins the hub of cleared channels; without one only direct channels are opened. */
  joinHub(hub: Hub): void;
  /** Registers who else takes vouchers of channels; what is sold there pays for nothing here. */
  registerSoldChannels(sold: SoldChannels): void;
}

/** An accepted payment's receipt with the proof of its own. */
export function provenReceipt({ receipt, signed, leaf }: Extract<PaymentOutcome, { ok: true }>): Receipt {
  const { operator, root, signature, path } = signed.prove(leaf, 1);
  return { ...receipt, proof: { operator, root, signature, path } };
}
