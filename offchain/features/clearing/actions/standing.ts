import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { address } from "#offchain/core/schema.ts";
import { standing } from "../schema.ts";
import type { Clearings } from "../service.ts";

export const showStanding = action({
  name: "clearing.standing",
  summary:
    "What a payee is owed: the operator's signed receipt, and the proof by which it claims on the chain",
  effect: "read",
  resource: "/api/v1/clearing/payees/{payee}",
  role: "anonymous",
  input: z.object({ payee: address }),
  output: standing,
  run: (clearing: Clearings, _caller, { payee }) => clearing.standing(payee),
});
