import { z } from "@hono/zod-openapi";
import { action } from "#offchain/app/action.ts";

export const flush = action({
  name: "batches.flush",
  summary: "Close the open batch now and settle it",
  route: { method: "POST", path: "/api/v1/batches/flush" },
  role: "operator",
  input: z.object({}),
  output: z.object({ batchId: z.string().nullable() }),
  run: (world) => world.micropayments.flush(),
});
