import { z } from "@hono/zod-openapi";
import { action } from "#offchain/app/action.ts";
import { BursarError } from "#offchain/core/error.ts";
import { batch } from "./schema.ts";

export const showBatch = action({
  name: "batches.show",
  summary: "One batch of payments and its settlement",
  route: { method: "GET", path: "/api/v1/batches/{batchId}" },
  role: "anonymous",
  input: z.object({ batchId: z.string().max(64) }),
  output: batch,
  async run(world, _caller, { batchId }) {
    const found = await world.micropayments.batch(batchId);
    if (!found)
      throw new BursarError("BATCH_UNKNOWN", `no batch ${batchId} is known here`, { facts: { batchId } });
    return found;
  },
});
