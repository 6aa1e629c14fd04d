import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { budget, chosenTreasury } from "../schema.ts";
import type { Treasuries } from "../service.ts";

export const listBudgets = action({
  name: "treasury.budgets",
  summary: "Each agent's budget on the chain: limit, spent and left per window",
  effect: "read",
  resource: "/api/v1/treasury/budgets",
  role: "anonymous",
  input: z.object({ treasury: chosenTreasury }),
  output: z.object({ items: z.array(budget) }),
  run: async (treasury: Treasuries, _caller, input) => ({ items: await treasury.budgets(input) }),
});
