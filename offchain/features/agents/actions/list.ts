import { z } from "@hono/zod-openapi";
import { action } from "#offchain/app/action.ts";
import { page, pageOf } from "#offchain/app/schema.ts";
import { agent } from "./schema.ts";

export const listAgents = action({
  name: "agents.list",
  summary: "Registered agents, by time of registration",
  route: { method: "GET", path: "/api/v1/agents" },
  role: "anonymous",
  input: z.object(page),
  output: pageOf(agent),
  run: (world, _caller, input) => world.agents.list(input),
});
