import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { address, bytes32, signature } from "#offchain/core/schema.ts";
import { proposal } from "../schema.ts";
import type { Treasuries } from "../service.ts";

export const approve = action({
  name: "treasury.approve",
  summary: "Hand in an owner's EIP-712 signature over a proposal",
  effect: "write",
  resource: "/api/v1/treasury/proposals/{proposalId}/approvals",
  role: "anonymous",
  input: z.object({ proposalId: bytes32, owner: address, signature }),
  output: proposal,
  run: (treasury: Treasuries, _caller, input) =>
    treasury.approve(input.proposalId, input.owner, input.signature),
});
