import { z } from "@hono/zod-openapi";
import { action } from "#offchain/app/action.ts";
import { bytes32 } from "#offchain/app/schema.ts";
import { proposal } from "./schema.ts";

export const execute = action({
  name: "treasury.execute",
  summary: "Execute a fully approved proposal; the service pays the gas",
  route: { method: "POST", path: "/api/v1/treasury/proposals/{proposalId}/execution" },
  role: "anonymous",
  input: z.object({ proposalId: bytes32 }),
  output: proposal,
  run: (world, _caller, input) => world.treasury.execute(input.proposalId),
});
