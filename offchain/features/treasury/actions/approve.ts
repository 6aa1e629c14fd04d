import { z } from "@hono/zod-openapi";
import { action } from "#offchain/app/action.ts";
import { address, bytes32, signature } from "#offchain/app/schema.ts";
import { proposal } from "./schema.ts";

export const approve = action({
  name: "treasury.approve",
  summary: "Hand in an owner's EIP-712 signature over a proposal",
  route: { method: "POST", path: "/api/v1/treasury/proposals/{proposalId}/approvals" },
  role: "anonymous",
  input: z.object({ proposalId: bytes32, owner: address, signature }),
  output: proposal,
  run: (world, _caller, input) => world.treasury.approve(input.proposalId, input.owner, input.signature),
});
