import type { z } from "zod";
import type { Caller } from "#offchain/core/call/caller.ts";
import type { overview, wallet } from "./schema.ts";

export type OverviewView = z.input<typeof overview>;
export type WalletView = z.input<typeof wallet>;

export interface WalletQuery {
  address?: `0x${string}` | undefined;
  cursor?: bigint | undefined;
  limit: number;
}

/** Read models that gather several features' figures for a page. */
export interface Overviews {
  show(): Promise<OverviewView>;
  /** @param caller sees its own ledger balances; the operator sees all, whoever did not sign sees none */
  wallets(query: WalletQuery, caller: Caller): Promise<{ items: WalletView[]; next: string | null }>;
}
