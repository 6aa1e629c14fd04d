import { z } from "@hono/zod-openapi";
import { action } from "#offchain/app/action.ts";
import { treasury } from "./schema.ts";

export const showTreasury = action({
  name: "treasury.show",
  summary: "The Treasury: owners, threshold, balances",
  route: { method: "GET", path: "/api/v1/treasury" },
  role: "anonymous",
  input: z.object({}),
  output: treasury,
  run: (world) => world.treasury.show(),
});
