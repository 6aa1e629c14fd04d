import type { TransactionId } from "#offchain/actions/chain/port.ts";

/** What a verify or settle asks: version 2 as the specification has it, or version 1. Checked inside, not before. */
export interface X402Request {
  x402Version?: unknown;
  paymentPayload?: unknown;
  paymentRequirements?: unknown;
}

/** Why a payment is refused, for people and for programs. */
export interface Explanation {
  /** What stands in the way. */
  about:
    | "version"
    | "payload"
    | "terms"
    | "network"
    | "scheme"
    | "token"
    | "signature"
    | "policy"
    | "recipient"
    | "amount"
    | "expiry"
    | "nonce"
    | "funds"
    | "channel"
    | "settlement"
    | "service";
  message: string;
  /** What the payer does next: sign another payment, send the same again, wait, or ask a human. */
  remedy: "fix" | "retry" | "wait" | "ask";
  /** The code of the official package, where the specification has another name for it. */
  officialReason?: string;
  facts?: Readonly<Record<string, string>>;
}

type Extra = Readonly<Record<string, unknown>> & { explain?: Explanation };

export interface VerifyAnswer {
  isValid: boolean;
  invalidReason?: string;
  invalidMessage?: string;
  payer?: string;
  extra?: Extra;
}

export interface SettleAnswer {
  success: boolean;
  errorReason?: string;
  errorMessage?: string;
  payer?: string;
  /** Hash, or empty while there is none. */
  transaction: string;
  network: string;
  /** Base units that were settled, where they may differ from what was authorised. */
  amount?: string;
  extra?: Extra;
}

export interface SupportedKinds {
  kinds: { x402Version: number; scheme: string; network: string; extra?: Record<string, unknown> }[];
  extensions: string[];
  signers: Record<string, string[]>;
}

/** An x402 facilitator: it checks payments and brings them to the chain, each at most once. */
export interface Facilitator {
  supported(): Promise<SupportedKinds>;
  /** Never throws for what was sent: a refusal is an answer. */
  verify(request: X402Request): Promise<VerifyAnswer>;
  /**
   * The same payment again has the same answer; `settlement_pending` while its transaction is on its way.
   * Never throws for what was sent: a refusal is an answer.
   */
  settle(request: X402Request): Promise<SettleAnswer>;
}

/** One payment on its way to the chain, or there. */
export interface Settlement {
  content: `0x${string}`;
  attempt: number;
  transactionId: TransactionId;
  outcome: SettleAnswer | null;
}
