import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import type { Micropayments } from "../service.ts";

export const flush = action({
  name: "batches.flush",
  summary: "Close the open batch now and settle it",
  effect: "write",
  resource: "/api/v1/batches/flush",
  role: "operator",
  input: z.object({}),
  output: z.object({ batchId: z.string().nullable() }),
  run: (payments: Micropayments) => payments.flush(),
});
