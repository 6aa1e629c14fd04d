import { z } from "@hono/zod-openapi";
import { action } from "#offchain/app/action.ts";
import { budget } from "./schema.ts";

export const listBudgets = action({
  name: "treasury.budgets",
  summary: "Each agent's budget on the chain: limit, spent and left per window",
  route: { method: "GET", path: "/api/v1/treasury/budgets" },
  role: "anonymous",
  input: z.object({}),
  output: z.object({ items: z.array(budget) }),
  run: async (world) => ({ items: await world.treasury.budgets() }),
});
