import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { BursarError } from "#offchain/core/error.ts";
import { address, text } from "#offchain/core/schema.ts";
import { nameFault, nameLengthMax } from "../rules.ts";
import { agent } from "../schema.ts";
import type { Agents } from "../service.ts";

/** Chosen by the agent itself, and read where people sign. */
const chosen = text(nameLengthMax)
  .trim()
  .min(1)
  .superRefine((value, context) => {
    const fault = nameFault(value);
    if (fault !== null) context.addIssue({ code: "custom", message: fault });
  });

export const registerAgent = action({
  name: "agents.register",
  summary: "Register the signing agent, or change its name and role",
  effect: "write",
  resource: "/api/v1/agents",
  role: "agent",
  input: z.object({
    address,
    name: chosen,
    role: chosen,
  }),
  output: agent,
  async run(agents: Agents, caller, input) {
    if (caller.role === "agent" && caller.address !== input.address)
      throw new BursarError("FORBIDDEN", "an agent registers only itself", {
        facts: { caller: caller.address, address: input.address },
        fields: [{ field: "address", message: "must be the signer of the request", value: input.address }],
      });
    return agents.register(input);
  },
});
