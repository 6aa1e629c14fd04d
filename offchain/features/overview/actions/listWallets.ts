import { z } from "@hono/zod-openapi";
import { action } from "#offchain/app/action.ts";
import { wallet } from "./schema.ts";

export const listWallets = action({
  name: "wallets.list",
  summary: "Every agent's and treasury's balances, on the chain and on the ledger",
  route: { method: "GET", path: "/api/v1/wallets" },
  role: "anonymous",
  input: z.object({}),
  output: z.object({ items: z.array(wallet) }),
  run: async (world) => ({ items: await world.overview.wallets() }),
});
