import type { z } from "zod";
import type { batch, channel, channelConfig, depositAuthorization, payment, receipt } from "./schema.ts";

export type ChannelView = z.input<typeof channel>;
export type Receipt = z.input<typeof receipt>;
export type BatchView = z.input<typeof batch>;
export type PaymentRequest = z.output<typeof payment>;
export type ChannelConfig = z.output<typeof channelConfig>;
export type DepositAuthorization = z.output<typeof depositAuthorization>;

interface Page<Item> {
  items: Item[];
  next: string | null;
}

/** What became of one payment: its receipt, or why it was refused. Either way the answer is durable. */
export type PaymentOutcome =
  | { ok: true; receipt: Receipt; replayed: boolean }
  | { ok: false; error: import("#offchain/domain/error.ts").BursarError };

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
