import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { wallet } from "../schema.ts";
import type { Overviews } from "../service.ts";

export const listWallets = action({
  name: "wallets.list",
  summary: "Every agent's and treasury's balances, on the chain and on the ledger",
  effect: "read",
  resource: "/api/v1/wallets",
  role: "anonymous",
  input: z.object({}),
  output: z.object({ items: z.array(wallet) }),
  run: async (overview: Overviews) => ({ items: await overview.wallets() }),
});
