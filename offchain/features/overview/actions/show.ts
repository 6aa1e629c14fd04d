import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { overview } from "../schema.ts";
import type { Overviews } from "../service.ts";

/** The figures of the dashboard's first page, in one call. */
export const showOverview = action({
  name: "overview.show",
  summary: "Balances, payments, batches, proposals, carbon and energy at a glance",
  effect: "read",
  resource: "/api/v1/overview",
  role: "anonymous",
  input: z.object({}),
  output: overview,
  run: (overview: Overviews) => overview.show(),
});
