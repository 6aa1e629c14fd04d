/** A payment as a door read it: what a client sent to pay with, or only the payload of it in version 1. */
export interface SentPayment {
  readonly version: 1 | 2;
  readonly payload: Record<string, unknown>;
}

/** A priced call, as a door hands it over. */
export interface Purchase {
  readonly action: string;
  readonly summary: string;
  /** keccak-256 of who asks for what: the same payment from another caller, or for another thing, is another sale. */
  readonly request: `0x${string}`;
  /** What the payment is for, as the client addressed it. */
  readonly url: string;
  /** Whether the client sends, or announces, a payment of version 1. */
  readonly speaksVersion1: boolean;
  readonly payment: SentPayment | null;
}

/** The answer that a payment bought. */
export interface SaleAnswer {
  status: number;
  body: string;
  /** What became of the payment, as its protocol writes it. */
  receipt: object;
}

/** What became of a purchase; `explain` says it for people and programs. */
export type SaleOutcome<Explanation extends object = object> =
  | { state: "paid"; answer: SaleAnswer; version: 1 | 2 }
  /** Nothing was paid yet: the ways to pay. */
  | { state: "required"; asked: object; error: string; explain?: Explanation; version1?: object }
  /** The payment did not go through; the answer is withheld. */
  | { state: "failed"; error: string; receipt: object; explain?: Explanation; version: 1 | 2 };

/** What the pipeline of a call asks about prices. One feature joins it when it is opened. */
export interface Pricing {
  /** The name of that feature: nobody pays for calling what takes the payments. */
  readonly feature: string;
  /** What calling an action costs, by the action's name. */
  readonly prices: ReadonlyMap<string, unknown>;
  /** Sells the answer of a priced action. @param run gives the answer, before JSON */
  sell(purchase: Purchase, run: () => Promise<unknown>): Promise<SaleOutcome>;
}
