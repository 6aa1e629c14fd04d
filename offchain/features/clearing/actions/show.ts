import { z } from "@hono/zod-openapi";
import { action } from "#offchain/app/action.ts";
import { page } from "#offchain/app/schema.ts";
import { clearing } from "./schema.ts";

export const showClearing = action({
  name: "clearing.show",
  summary: "The payment hub: its bond, what it owes payees, and its roots, newest first",
  route: { method: "GET", path: "/api/v1/clearing" },
  role: "anonymous",
  input: z.object(page),
  output: clearing,
  run: (world, _caller, input) => world.clearing.show(input),
});
