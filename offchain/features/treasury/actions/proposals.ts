import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { page, pageOf } from "#offchain/core/schema.ts";
import { chosenTreasury, proposal } from "../schema.ts";
import type { Treasuries } from "../service.ts";

export const listProposals = action({
  name: "treasury.proposals",
  summary: "Proposals, newest first, by state",
  effect: "read",
  resource: "/api/v1/treasury/proposals",
  role: "anonymous",
  input: z.object({ treasury: chosenTreasury, state: proposal.shape.state.optional(), ...page }),
  output: pageOf(proposal),
  run: (treasury: Treasuries, _caller, input) => treasury.proposals(input),
});
