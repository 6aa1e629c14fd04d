import { z } from "@hono/zod-openapi";
import { action } from "#offchain/app/action.ts";
import { address, bytes32, signature, uint } from "#offchain/app/schema.ts";

export const spend = action({
  name: "treasury.spend",
  summary: "Relay an agent's signed Spend: paid at once inside its budget, opened as a proposal above it",
  route: { method: "POST", path: "/api/v1/treasury/spends" },
  role: "anonymous",
  input: z.object({
    agent: address,
    token: address,
    to: address,
    amount: uint(128),
    reference: bytes32,
    nonce: uint(256),
    validBefore: uint(48),
    signature,
  }),
  output: z.object({
    transactionHash: z.string(),
    outcome: z.enum(["paid", "proposed"]),
    proposalId: bytes32.nullable(),
  }),
  run: (world, _caller, input) => world.treasury.spend(input),
});
