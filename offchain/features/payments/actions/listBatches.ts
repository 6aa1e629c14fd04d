import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { page, pageOf } from "#offchain/core/schema.ts";
import { batch } from "../schema.ts";
import type { Micropayments } from "../service.ts";

export const listBatches = action({
  name: "batches.list",
  summary: "Batches of payments, newest first",
  effect: "read",
  resource: "/api/v1/batches",
  role: "anonymous",
  input: z.object(page),
  output: pageOf(batch),
  run: (payments: Micropayments, _caller, input) => payments.batches(input),
});
