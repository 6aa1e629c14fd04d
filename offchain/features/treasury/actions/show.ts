import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { chosenTreasury, treasury } from "../schema.ts";
import type { Treasuries } from "../service.ts";

export const showTreasury = action({
  name: "treasury.show",
  summary: "The Treasury: owners, threshold, balances",
  effect: "read",
  resource: "/api/v1/treasury",
  role: "anonymous",
  input: z.object({ treasury: chosenTreasury }),
  output: treasury,
  run: (treasury: Treasuries, _caller, input) => treasury.show(input),
});
