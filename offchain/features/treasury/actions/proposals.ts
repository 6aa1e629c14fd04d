import { z } from "@hono/zod-openapi";
import { action } from "#offchain/app/action.ts";
import { page, pageOf } from "#offchain/app/schema.ts";
import { proposal } from "./schema.ts";

export const listProposals = action({
  name: "treasury.proposals",
  summary: "Proposals, newest first, by state",
  route: { method: "GET", path: "/api/v1/treasury/proposals" },
  role: "anonymous",
  input: z.object({ state: proposal.shape.state.optional(), ...page }),
  output: pageOf(proposal),
  run: (world, _caller, input) => world.treasury.proposals(input),
});
