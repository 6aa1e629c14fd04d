import type { PaymentPayload } from "@x402/core/types";
import type { ChannelStorage } from "@x402/evm/batch-settlement/server";
import type { SaleOutcome as PricedOutcome, Purchase, SaleAnswer } from "#offchain/core/call/pricing.ts";
import type { Tx } from "#offchain/platform/database/database.ts";
import type { VoucherClaim } from "./contract.ts";
import type { Explanation, SettleAnswer, VerifyAnswer } from "./rules/answer.ts";
import type { Prices } from "./rules/price.ts";

/** What a verify or settle asks: version 2 as the specification has it, or version 1. Checked inside, not before. */
export interface X402Request {
  x402Version?: unknown;
  paymentPayload?: unknown;
  paymentRequirements?: unknown;
}

export interface SupportedKinds {
  kinds: { x402Version: number; scheme: string; network: string; extra?: Record<string, unknown> }[];
  extensions: string[];
  signers: Record<string, string[]>;
}

/** What a payment is, before anybody has believed it. */
export interface PaymentIdentity {
  /** What the chain, or the channel, lets happen once. */
  key: `0x${string}`;
  content: `0x${string}`;
  kind: "exact" | "deposit" | "voucher" | "refund" | "claim" | "settle";
  /** What was sent, without what its scheme does not know, and its voucher's signature as contracts take it. */
  payload: PaymentPayload;
}

/** An x402 facilitator: it checks payments and brings them to the chain, each at most once. */
export interface Facilitator {
  /** Reads a payment's identity from its form alone; null with a reason for what has no form. */
  identify(request: X402Request): PaymentIdentity | { reason: string; explain: Explanation };
  supported(): Promise<SupportedKinds>;
  /** Never throws for what was sent: a refusal is an answer. */
  verify(request: X402Request): Promise<VerifyAnswer>;
  /**
   * The same payment again has the same answer; `settlement_pending` while its transaction is on its way.
   * Never throws for what was sent: a refusal is an answer.
   */
  settle(request: X402Request): Promise<SettleAnswer>;
  /** Whether this very payment was ours to settle, and was answered as failed: it may have arrived since, by another's transaction. */
  hasFailed(request: X402Request): Promise<boolean>;
}

export type SaleOutcome = PricedOutcome<Explanation>;
export type { Explanation, Purchase, SaleAnswer, SettleAnswer, VerifyAnswer };

export interface Sale {
  payment: PaymentIdentity;
  /** keccak-256 of caller, method, target and body: what the payment is for. */
  request: `0x${string}`;
  action: string;
}

/** `new`: nobody has begun. `resumed`: begun before, and died or is pending. `other`: bought another request. */
export type SaleState =
  | { state: "new" | "resumed" | "other" }
  | { state: "running"; retryAfterMs: number }
  | { state: "paid"; answer: SaleAnswer };

/** A sale in hand. Its holder's token is checked by every write: who was taken for dead meanwhile writes nothing. */
export interface LeasedSale extends Sale {
  readonly holder: string;
}

/** What became of taking a sale in hand. */
export type BegunSale =
  | { state: "leased"; leased: LeasedSale }
  | Exclude<SaleState, { state: "new" | "resumed" | "other" }>
  | { state: "other" };

/** Which payment bought which request: a payment buys one, and a repeated request has the same answer. */
export interface Sales {
  find(sale: Sale): Promise<SaleState>;
  /** Takes the sale in hand; what is `leased` is the caller's to end or to release. */
  begin(sale: Sale): Promise<BegunSale>;
  /** @throws BursarError PAYMENT_IN_USE when another request holds it by now, whose answer counts */
  end(sale: LeasedSale, answer: SaleAnswer): Promise<void>;
  /**
   * Lets the same request begin again. One that is `pending` may have been paid, and is remembered; so is one that is
   * `unpaid` as far as its holder knows, while an earlier run's transaction for it is on its way.
   */
  release(sale: LeasedSale, outcome: "unpaid" | "pending"): Promise<void>;
}

/** All that a priced action needs. */
export interface Shop {
  readonly facilitator: Facilitator;
  readonly sales: Sales;
  /** Vouchers of the batch-settlement channels; durable, they are money. */
  readonly channels: ChannelStorage;
  /** A channel as the chain has it now, base units. */
  onChain(channelId: `0x${string}`): Promise<{ balance: bigint; totalClaimed: bigint }>;
  /** Whether the chain would take this claim now. */
  isClaimable(claim: VoucherClaim): Promise<boolean>;
  readonly prices: Prices;
  readonly payTo: `0x${string}`;
  /** Signs claims and refunds of channels. */
  readonly authorizer: {
    readonly address: `0x${string}`;
    signTypedData(message: {
      domain: Record<string, unknown>;
      types: Record<string, unknown>;
      primaryType: string;
      message: Record<string, unknown>;
    }): Promise<`0x${string}`>;
  };
  readonly token: { readonly address: `0x${string}`; readonly name: string; readonly version: string };
  readonly network: `eip155:${number}`;
  /** What version 1 calls the network. */
  readonly networkNames: readonly string[];
  /** Told of each paid answer, a repeated one too. */
  onSale(action: string): void;
}

/** x402 as its actions and other features use it. */
export interface X402 extends Facilitator {
  /** What calling an action costs. */
  readonly prices: Prices;
  /** What the vouchers of channels that pay for priced actions promise in all, by channel id; base units. */
  chargedWithin(tx: Tx, runId: bigint): Promise<Map<string, bigint>>;
}
