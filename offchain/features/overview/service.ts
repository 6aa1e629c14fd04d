import type { z } from "zod";
import type { overview, wallet } from "./schema.ts";

export type OverviewView = z.input<typeof overview>;
export type WalletView = z.input<typeof wallet>;

/** Read models that gather several features' figures for a page. */
export interface Overviews {
  show(): Promise<OverviewView>;
  wallets(): Promise<WalletView[]>;
}
