import type { z } from "zod";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import type { clearing, standing } from "./actions/schema.ts";

export type ClearingView = z.input<typeof clearing>;
export type CreditStanding = z.input<typeof standing>;

/** The hub of payments: what the payees of cleared channels are owed, and the roots by which they are paid. */
export interface Clearings {
  /** Whether the operator's bond is what the contract wants. */
  isBonded(): Promise<boolean>;
  show(query: { cursor?: string | undefined; limit: number }): Promise<ClearingView>;
  standing(payee: `0x${string}`): Promise<CreditStanding>;
  /** All that each payee was ever credited, by lower-case address; base units. @param tx whose snapshot is read */
  credits(tx: Sql | Tx, epochId: bigint): Promise<Map<string, bigint>>;
}
