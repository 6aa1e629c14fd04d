import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import type { Micropayments } from "../service.ts";

export const flush = action({
  name: "batches.flush",
  summary: "Close the open batches now and settle them",
  effect: "write",
  resource: "/api/v1/batches/flush",
  role: "operator",
  input: z.object({}),
  output: z.object({
    /** The first of them; null: nothing was open. */
    batchId: z.string().nullable(),
    /** One of each unit, oldest first. */
    batchIds: z.array(z.string()),
  }),
  run: (payments: Micropayments) => payments.flush(),
});
