import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { address, page, pageOf, whole } from "#offchain/core/schema.ts";
import { wallet } from "../schema.ts";
import type { Overviews } from "../service.ts";

export const listWallets = action({
  name: "wallets.list",
  summary:
    "What the Treasury, its owners, the operator and each agent hold on the chain; on the ledger, your own",
  effect: "read",
  resource: "/api/v1/wallets",
  role: "anonymous",
  input: z.object({
    /** Only that account's. */
    address: address.optional(),
    limit: whole(1, 100).default(50),
    cursor: page.cursor,
  }),
  output: pageOf(wallet),
  run: (overview: Overviews, caller, input) => overview.wallets(input, caller),
});
