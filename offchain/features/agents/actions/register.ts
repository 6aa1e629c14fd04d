import { z } from "@hono/zod-openapi";
import { action } from "#offchain/app/action.ts";
import { address } from "#offchain/app/schema.ts";
import { BursarError } from "#offchain/core/error.ts";
import { agent } from "./schema.ts";

export const registerAgent = action({
  name: "agents.register",
  summary: "Register the signing agent, or change its name and role",
  route: { method: "POST", path: "/api/v1/agents" },
  role: "agent",
  input: z.object({
    address,
    name: z.string().trim().min(1).max(64),
    role: z.string().trim().min(1).max(64),
  }),
  output: agent,
  async run(world, caller, input) {
    if (caller.role === "agent" && caller.address !== input.address)
      throw new BursarError("FORBIDDEN", "an agent registers only itself", {
        facts: { caller: caller.address, address: input.address },
        fields: [{ field: "address", message: "must be the signer of the request", value: input.address }],
      });
    return world.agents.register(input);
  },
});
