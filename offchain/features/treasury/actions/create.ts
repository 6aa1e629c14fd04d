import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { address, text } from "#offchain/core/schema.ts";
import { followedTreasury } from "../schema.ts";
import type { Treasuries } from "../service.ts";

export const create = action({
  name: "treasury.create",
  summary: "Make a Treasury of these owners by the factory, and follow it; the same key makes it once",
  effect: "write",
  resource: "/api/v1/treasuries",
  role: "operator",
  input: z
    .object({
      owners: z.array(address).min(1).max(64),
      /** How many owners decide together. */
      threshold: z.number().int().min(1),
      /** Idempotency key; also tells Treasuries of the same owners apart. */
      key: text(128).min(1),
    })
    .refine(({ owners }) => new Set(owners).size === owners.length, {
      path: ["owners"],
      message: "must name each owner once",
    })
    .refine(({ owners, threshold }) => threshold <= owners.length, {
      path: ["threshold"],
      message: "must not be above the number of owners",
    }),
  output: followedTreasury,
  run: (treasury: Treasuries, _caller, input) => treasury.create(input),
});
