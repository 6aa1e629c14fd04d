import type { Address } from "viem";
import type { Clock } from "#offchain/core/clock.ts";
import type { HeldBudget, Treasuries, TreasuryView } from "#offchain/features/treasury/service.ts";
import { AtHead } from "#offchain/platform/chain/client/atHead.ts";
import type { ChainReader } from "#offchain/platform/chain/client/client.ts";
import type { ChainView } from "#offchain/platform/chain/port.ts";
import { holdingsOnChain, type OnChain } from "./contract.ts";

/** What pages show of the chain: asked once while its head stands, whoever asks and however often. */
export interface ChainFacts {
  treasury(): Promise<TreasuryView>;
  budgets(): Promise<HeldBudget[]>;
  /** In order. */
  holdings(addresses: readonly Address[]): Promise<OnChain[]>;
}

export function openChainFacts({
  client,
  view,
  clock,
  usdc,
  treasury,
}: {
  client: Pick<ChainReader, "multicall">;
  view: Pick<ChainView, "status">;
  clock: Clock;
  usdc: Address;
  treasury: Pick<Treasuries, "show" | "heldBudgets">;
}): ChainFacts {
  const treasuries = new AtHead<TreasuryView>(view, clock);
  const budgets = new AtHead<HeldBudget[]>(view, clock);
  const holdings = new AtHead<OnChain[]>(view, clock);
  return {
    treasury: () => treasuries.get("", () => treasury.show()),
    budgets: () => budgets.get("", () => treasury.heldBudgets()),
    holdings: (addresses) => holdings.get(addresses.join(), () => holdingsOnChain(client, usdc, addresses)),
  };
}
