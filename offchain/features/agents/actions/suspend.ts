import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { address } from "#offchain/core/schema.ts";
import { agentUnknown } from "../rules.ts";
import { agent } from "../schema.ts";
import type { Agents } from "../service.ts";

export const suspendAgent = action({
  name: "agents.suspend",
  summary: "Suspend an agent, or lift it: no channel opens from or to it, and no cleared payment credits it",
  effect: "write",
  resource: "/api/v1/admin/agents/suspend",
  role: "operator",
  input: z.object({ address, isSuspended: z.boolean() }),
  output: agent,
  async run(agents: Agents, _caller, { address, isSuspended }) {
    const found = await agents.suspend(address, isSuspended);
    if (!found) throw agentUnknown(address);
    return found;
  },
});
