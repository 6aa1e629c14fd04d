import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { BursarError } from "#offchain/core/error.ts";
import { text } from "#offchain/core/schema.ts";
import { batch } from "../schema.ts";
import type { Micropayments } from "../service.ts";

export const showBatch = action({
  name: "batches.show",
  summary: "One batch of payments and its settlement",
  effect: "read",
  resource: "/api/v1/batches/{batchId}",
  role: "anonymous",
  input: z.object({ batchId: text(64) }),
  output: batch,
  async run(payments: Micropayments, _caller, { batchId }) {
    const found = await payments.batch(batchId);
    if (!found)
      throw new BursarError("BATCH_UNKNOWN", `no batch ${batchId} is known here`, { facts: { batchId } });
    return found;
  },
});
