import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { page } from "#offchain/core/schema.ts";
import { clearing } from "../schema.ts";
import type { Clearings } from "../service.ts";

export const showClearing = action({
  name: "clearing.show",
  summary: "The payment hub: its bond, what it owes payees, and its epochs, newest first",
  effect: "read",
  resource: "/api/v1/clearing",
  role: "anonymous",
  input: z.object(page),
  output: clearing,
  run: (clearing: Clearings, _caller, input) => clearing.show(input),
});
