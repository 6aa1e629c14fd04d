import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { address, bytes32, signature, uint } from "#offchain/core/schema.ts";
import type { Treasuries } from "../service.ts";

export const spend = action({
  name: "treasury.spend",
  summary: "Relay an agent's signed Spend: paid at once inside its budget, opened as a proposal above it",
  effect: "write",
  resource: "/api/v1/treasury/spends",
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
  run: (treasury: Treasuries, _caller, input) => treasury.spend(input),
});
