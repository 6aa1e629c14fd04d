import type { z } from "zod";
import type { clearing, standing } from "./actions/schema.ts";

export type ClearingView = z.input<typeof clearing>;
export type CreditStanding = z.input<typeof standing>;

/** The hub of payments: what the payees of cleared channels are owed, and the roots by which they are paid. */
export interface Clearings {
  /** Whether the operator's bond is what the contract wants. */
  isBonded(): Promise<boolean>;
  show(query: { cursor?: string | undefined; limit: number }): Promise<ClearingView>;
  standing(payee: `0x${string}`): Promise<CreditStanding>;
  /** What each payee was ever credited in this run of the chain, base units, by lower-case address. */
  credits(): Promise<Map<string, bigint>>;
  /** Whom cleared channels have paid, in any run of the chain. */
  payees(): Promise<`0x${string}`[]>;
}
