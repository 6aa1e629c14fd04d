import { z } from "@hono/zod-openapi";
import { action } from "#offchain/app/action.ts";
import { address } from "#offchain/app/schema.ts";
import { BursarError } from "#offchain/core/error.ts";
import { agent } from "./schema.ts";

export const showAgent = action({
  name: "agents.show",
  summary: "One agent",
  route: { method: "GET", path: "/api/v1/agents/{address}" },
  role: "anonymous",
  input: z.object({ address }),
  output: agent,
  async run(world, _caller, { address }) {
    const found = await world.agents.get(address);
    if (!found)
      throw new BursarError("AGENT_UNKNOWN", `no agent ${address} is registered here`, {
        facts: { address },
      });
    return found;
  },
});
