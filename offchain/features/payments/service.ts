import type { z } from "zod";
import type { UnitCode } from "#offchain/core/unit.ts";
import type { AccountName } from "#offchain/features/ledger/rules/transfer.ts";
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

/** Channels as the snapshot of another feature's transaction sees them. */
export interface ChannelsWithin {
  /** The channels of a chain run with their accounts in the ledger, and the account that stands for the chain itself. */
  channelsWithin(
    tx: Tx,
    epochId: bigint,
  ): Promise<{
    unit: UnitCode;
    outside: AccountName;
    channels: { channelId: `0x${string}`; account: AccountName; balance: bigint; claimed: bigint }[];
  }>;
  /** Whose the channels are that these accounts of the ledger belong to, by account; other accounts are left out. */
  partiesWithin(tx: Tx, accounts: readonly AccountName[]): Promise<Map<AccountName, ChannelParties>>;
}

export interface ChannelParties {
  channelId: `0x${string}`;
  payer: `0x${string}`;
  receiver: `0x${string}`;
  claimed: bigint;
}

/** What other features use of payments. */
export interface Payments extends Micropayments, ChannelsWithin {
  readonly policy: BatchPolicy;
  readonly receiptSigner: ReceiptSigner;
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
