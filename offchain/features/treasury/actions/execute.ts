import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { bytes32 } from "#offchain/core/schema.ts";
import { proposal } from "../schema.ts";
import type { Treasuries } from "../service.ts";

export const execute = action({
  name: "treasury.execute",
  summary: "Execute a fully approved proposal; the service pays the gas",
  effect: "write",
  resource: "/api/v1/treasury/proposals/{proposalId}/execution",
  role: "anonymous",
  input: z.object({ proposalId: bytes32 }),
  output: proposal,
  run: (treasury: Treasuries, _caller, input) => treasury.execute(input.proposalId),
});
