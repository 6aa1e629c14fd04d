import { z } from "@hono/zod-openapi";
import { action } from "#offchain/app/action.ts";
import { overview } from "./schema.ts";

/** The figures of the dashboard's first page, in one call. */
export const showOverview = action({
  name: "overview.show",
  summary: "Balances, payments, batches, proposals, carbon and energy at a glance",
  route: { method: "GET", path: "/api/v1/overview" },
  role: "anonymous",
  input: z.object({}),
  output: overview,
  run: (world) => world.overview.show(),
});
