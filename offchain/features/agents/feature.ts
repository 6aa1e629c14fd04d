import { serviceFeature } from "#offchain/platform/feature.ts";
import { listAgents } from "./actions/list.ts";
import { registerAgent } from "./actions/register.ts";
import { showAgent } from "./actions/show.ts";
import { suspendAgent } from "./actions/suspend.ts";
import { openAgents } from "./agents.ts";
import type { Agents } from "./service.ts";

/** Who acts here: registered agents with their names and roles. */
export const agents = serviceFeature({
  name: "agents",
  migrations: new URL("./migrations/", import.meta.url),
  actions: [listAgents, registerAgent, showAgent, suspendAgent],
  open: ({ sql, clock, defaultChainId }): { service: Agents } => ({
    service: openAgents(sql, clock, defaultChainId),
  }),
});
