import { z } from "@hono/zod-openapi";
import { action } from "#offchain/app/action.ts";
import { page, pageOf } from "#offchain/app/schema.ts";
import { batch } from "./schema.ts";

export const listBatches = action({
  name: "batches.list",
  summary: "Batches of payments, newest first",
  route: { method: "GET", path: "/api/v1/batches" },
  role: "anonymous",
  input: z.object(page),
  output: pageOf(batch),
  run: (world, _caller, input) => world.micropayments.batches(input),
});
