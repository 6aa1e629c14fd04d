import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { page, pageOf } from "#offchain/core/schema.ts";
import { agent } from "../schema.ts";
import type { Agents } from "../service.ts";

export const listAgents = action({
  name: "agents.list",
  summary: "Registered agents, by time of registration",
  effect: "read",
  resource: "/api/v1/agents",
  role: "anonymous",
  input: z.object(page),
  output: pageOf(agent),
  run: (agents: Agents, _caller, input) => agents.list(input),
});
