import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { address } from "#offchain/core/schema.ts";
import { followedTreasury } from "../schema.ts";
import type { Treasuries } from "../service.ts";

export const adopt = action({
  name: "treasury.adopt",
  summary: "Follow a Treasury that stands on the chain already",
  effect: "replace",
  resource: "/api/v1/treasuries/{address}",
  role: "operator",
  input: z.object({ address }),
  output: followedTreasury,
  run: (treasury: Treasuries, _caller, input) => treasury.adopt(input.address),
});
