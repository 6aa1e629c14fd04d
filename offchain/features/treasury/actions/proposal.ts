import { z } from "@hono/zod-openapi";
import { action } from "#offchain/app/action.ts";
import { bytes32 } from "#offchain/app/schema.ts";
import { BursarError } from "#offchain/core/error.ts";
import { proposal, simulation } from "./schema.ts";

const input = z.object({ proposalId: bytes32 });

const unknownProposal = (proposalId: string) =>
  new BursarError("PROPOSAL_UNKNOWN", `no proposal ${proposalId} is known here`, { facts: { proposalId } });

export const showProposal = action({
  name: "treasury.proposal",
  summary: "One proposal: its calls in words, who has approved, who is missing",
  route: { method: "GET", path: "/api/v1/treasury/proposals/{proposalId}" },
  role: "anonymous",
  input,
  output: proposal,
  async run(world, _caller, { proposalId }) {
    const found = await world.treasury.proposal(proposalId);
    if (!found) throw unknownProposal(proposalId);
    return found;
  },
});

export const simulateProposal = action({
  name: "treasury.simulate",
  summary: "What executing the proposal would do now",
  route: { method: "GET", path: "/api/v1/treasury/proposals/{proposalId}/simulation" },
  role: "anonymous",
  input,
  output: simulation,
  async run(world, _caller, { proposalId }) {
    const found = await world.treasury.simulate(proposalId);
    if (!found) throw unknownProposal(proposalId);
    return found;
  },
});
