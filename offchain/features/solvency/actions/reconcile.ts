import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { reconciliation } from "../schema.ts";
import type { Solvency } from "../service.ts";

export const reconcile = action({
  name: "ledger.reconcile",
  summary: "Check that the books balance and that they say what the chain says",
  effect: "read",
  resource: "/api/v1/ledger/reconciliation",
  role: "anonymous",
  input: z.object({}),
  output: reconciliation,
  run: (solvency: Solvency) => solvency.reconcile(),
});
