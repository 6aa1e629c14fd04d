import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { followedTreasury } from "../schema.ts";
import type { Treasuries } from "../service.ts";

export const listTreasuries = action({
  name: "treasury.list",
  summary: "The Treasuries that are followed on this chain, the configured one first",
  effect: "read",
  resource: "/api/v1/treasuries",
  role: "anonymous",
  input: z.object({}),
  output: z.object({ items: z.array(followedTreasury) }),
  run: async (treasury: Treasuries) => ({ items: await treasury.list() }),
});
