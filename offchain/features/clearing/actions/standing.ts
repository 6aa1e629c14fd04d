import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { address } from "#offchain/core/schema.ts";
import { standing } from "../schema.ts";
import type { Clearings } from "../service.ts";

export const showStanding = action({
  name: "clearing.standing",
  summary: "What a payee is owed: its credit on the chain, and the operator's signed receipt of all of it",
  effect: "read",
  resource: "/api/v1/clearing/payees/{payee}",
  role: "anonymous",
  input: z.object({ payee: address }),
  output: standing,
  run: (clearing: Clearings, _caller, { payee }) => clearing.standing(payee),
});
