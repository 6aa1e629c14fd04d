import { action } from "#offchain/core/action.ts";
import { signedSpend, spendOutcome } from "../schema.ts";
import type { Treasuries } from "../service.ts";

export const spend = action({
  name: "treasury.spend",
  summary: "Relay an agent's signed Spend: paid at once inside its budget, opened as a proposal above it",
  effect: "write",
  resource: "/api/v1/treasury/spends",
  role: "anonymous",
  input: signedSpend,
  output: spendOutcome,
  run: (treasury: Treasuries, _caller, input) => treasury.spend(input),
});
