import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { address } from "#offchain/core/schema.ts";
import { agentUnknown } from "../rules.ts";
import { agent } from "../schema.ts";
import type { Agents } from "../service.ts";

export const showAgent = action({
  name: "agents.show",
  summary: "One agent",
  effect: "read",
  resource: "/api/v1/agents/{address}",
  role: "anonymous",
  input: z.object({ address }),
  output: agent,
  async run(agents: Agents, _caller, { address }) {
    const found = await agents.get(address);
    if (!found) throw agentUnknown(address);
    return found;
  },
});
