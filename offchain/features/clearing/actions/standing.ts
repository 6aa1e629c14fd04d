import { z } from "@hono/zod-openapi";
import { action } from "#offchain/app/action.ts";
import { address } from "#offchain/app/schema.ts";
import { standing } from "./schema.ts";

export const showStanding = action({
  name: "clearing.standing",
  summary:
    "What a payee is owed: the operator's signed receipt, and the proof by which it claims on the chain",
  route: { method: "GET", path: "/api/v1/clearing/payees/{payee}" },
  role: "anonymous",
  input: z.object({ payee: address }),
  output: standing,
  run: (world, _caller, { payee }) => world.clearing.standing(payee),
});
