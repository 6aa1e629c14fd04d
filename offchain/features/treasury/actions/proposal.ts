import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { bytes32 } from "#offchain/core/schema.ts";
import { proposalUnknown } from "../rules.ts";
import { proposal, simulation } from "../schema.ts";
import type { Treasuries } from "../service.ts";

const input = z.object({ proposalId: bytes32 });

export const showProposal = action({
  name: "treasury.proposal",
  summary: "One proposal: its calls in words, who has approved, who is missing",
  effect: "read",
  resource: "/api/v1/treasury/proposals/{proposalId}",
  role: "anonymous",
  input,
  output: proposal,
  async run(treasury: Treasuries, _caller, { proposalId }) {
    const found = await treasury.proposal(proposalId);
    if (!found) throw proposalUnknown(proposalId);
    return found;
  },
});

export const simulateProposal = action({
  name: "treasury.simulate",
  summary: "What executing the proposal would do now",
  effect: "read",
  resource: "/api/v1/treasury/proposals/{proposalId}/simulation",
  role: "anonymous",
  input,
  output: simulation,
  async run(treasury: Treasuries, _caller, { proposalId }) {
    const found = await treasury.simulate(proposalId);
    if (!found) throw proposalUnknown(proposalId);
    return found;
  },
});
