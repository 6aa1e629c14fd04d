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
