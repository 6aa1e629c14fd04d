import { z } from "zod";
import { epochMs } from "#offchain/core/schema.ts";

export const proposalEvent = z.object({
  type: z.literal("proposal"),
  proposalId: z.string(),
  state: z.string(),
  at: epochMs,
});
