import { z } from "zod";
import { address, epochMs } from "#offchain/core/schema.ts";

export const agent = z
  .object({
    address,
    /** did:pkh (CAIP-10 account) of the agent on the service's chain. */
    did: z.string(),
    name: z.string(),
    role: z.string(),
    registeredAt: epochMs,
    suspended: z.boolean(),
  })
  .meta({ id: "Agent" });
