import type { z } from "zod";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import type { clearing, standing } from "./schema.ts";

export type ClearingView = z.input<typeof clearing>;
export type CreditStanding = z.input<typeof standing>;

/** Of one payee; base units. */
export interface Credit {
  /** All that it was ever credited. */
  readonly credited: bigint;
  /** What Clearing may have paid of that: what is in an epoch; all of it once a demand has credited the payee. */
  readonly payable: bigint;
}

/** The hub of payments: what the payees of cleared channels are owed, and the epochs by which they are paid. */
export interface Clearings {
  /** Whether this operator is in office, and its bond is what the contract wants. */
  isBonded(): Promise<boolean>;
  show(query: { cursor?: bigint | undefined; limit: number }): Promise<ClearingView>;
  standing(payee: `0x${string}`): Promise<CreditStanding>;
  /** What each payee was ever credited, by lower-case address. @param tx whose snapshot is read */
  credits(tx: Sql | Tx, runId: bigint): Promise<Map<string, Credit>>;
  /** The same of these payees alone, for the current run of the chain, as it is now. */
  currentCredits(payees: readonly string[]): Promise<Map<string, bigint>>;
  /** Gas of the epochs and payouts of the chain's current run. */
  gasUsed(): Promise<bigint>;
}
