import type { z } from "zod";
import type { UnitCode } from "#offchain/core/unit.ts";
import type { Tx } from "#offchain/platform/database/database.ts";
import type {
  batch,
  channel,
  channelConfig,
  depositAuthorization,
  payment,
  receipt,
  receiptsProof,
} from "./actions/schema.ts";
import type { BatchPolicy } from "./batchPolicy.ts";
import type { ReceiptSigner } from "./receiptSigner.ts";
import type { closing } from "./streamEvents.ts";

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
  | { ok: false; error: import("#offchain/core/error.ts").BursarError };

/** Channels, the intake of signed vouchers, batches and their settlement. */
export interface Micropayments {
  /** Sends the payer's signed deposit to the chain; the channel opens when the indexer sees it. */
  openChannel(config: ChannelConfig, deposit: DepositAuthorization): Promise<ChannelView>;
  channel(channelId: `0x${string}`): Promise<ChannelView | null>;
  channels(query: {
    payer?: string | undefined;
    receiver?: string | undefined;
    cursor?: string | undefined;
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
    batchId?: string | undefined;
    cursor?: string | undefined;
    limit: number;
  }): Promise<Page<Receipt>>;
  batch(batchId: string): Promise<BatchView | null>;
  batches(query: { cursor?: string | undefined; limit: number }): Promise<Page<BatchView>>;
  /** Closes the open batch now, whatever its size, value or age. */
  flush(): Promise<{ batchId: string | null }>;
}

/** Where cleared channels pay into, and whether it takes what the operator owes. */
export interface Hub {
  /** Whether the operator's bond stands behind what it owes the payees of cleared channels. */
  isBonded(): Promise<boolean>;
}

export interface PaymentFigures {
  total: number;
  /** Not claimed on the chain yet; what was refused, or went with a chain run that ended, is not waiting any more. */
  pending: number;
  /** Claimed on the chain. */
  settled: number;
  /** Base units. */
  value: bigint;
  payers: number;
}

export interface BatchFigures {
  settled: number;
  /** Of all transactions by which payments reach their payees: claims, those of payers by themselves, roots, payouts. */
  gasUsed: bigint;
  open: { id: bigint; payments: number; value: bigint; openedAt: number } | null;
}

/** One party's channels. Base units. */
export interface PartyFigures {
  /** Channels in which it pays, and in which it is paid directly. */
  paying: number;
  earning: number;
  deposited: bigint;
  /** Signed over to payees. */
  spent: bigint;
  /** Signed over to it. */
  earned: bigint;
}

/** Sums of payments, for pages. */
export interface Figures {
  readonly unit: UnitCode;
  payments(): Promise<PaymentFigures>;
  /** Whom direct channels have paid. */
  directPayees(): Promise<`0x${string}`[]>;
  batches(): Promise<BatchFigures>;
  /** By lower-case address. */
  parties(): Promise<Map<string, PartyFigures>>;
  /** The ledger accounts of all channels, with who has paid into each. */
  channelAccounts(): Promise<{ payer: `0x${string}`; account: `channel:${string}` }[]>;
  /** The newest batches. */
  recentBatches(limit: number): Promise<{ batchId: string; state: string }[]>;
}

/** What other features use of payments. */
export interface Payments extends Micropayments {
  readonly policy: BatchPolicy;
  readonly receiptSigner: ReceiptSigner;
  readonly figures: Figures;
  /** What a channel has promised to payments; until the transaction ends the intake accepts no more by it. */
  lockPromised(
    tx: Tx,
    epochId: bigint,
    channelId: string,
  ): Promise<{ accepted: bigint; claimed: bigint } | null>;
  /** Channels from which payers withdraw while accepted vouchers are unclaimed, the most urgent first. */
  closing(): Promise<z.input<typeof closing>[]>;
  /** Told of what was accepted, in sums: how many payments, and their value in base units. */
  onAccepted(listener: (count: number, value: bigint) => void): void;
  /** Joins the hub of cleared channels; without one only direct channels are opened. */
  joinHub(hub: Hub): void;
}

/** An accepted payment's receipt with the proof of its own. */
export function provenReceipt({ receipt, signed, leaf }: Extract<PaymentOutcome, { ok: true }>): Receipt {
  const { operator, root, signature, path } = signed.prove(leaf, 1);
  return { ...receipt, proof: { operator, root, signature, path } };
}
