import { z } from "@hono/zod-openapi";
import { action } from "#offchain/app/action.ts";
import { address, page, pageOf } from "#offchain/app/schema.ts";
import { channel } from "./schema.ts";

export const listChannels = action({
  name: "channels.list",
  summary: "Payment channels, newest first, by payer or receiver",
  route: { method: "GET", path: "/api/v1/channels" },
  role: "anonymous",
  input: z.object({ payer: address.optional(), receiver: address.optional(), ...page }),
  output: pageOf(channel),
  run: (world, _caller, input) => world.micropayments.channels(input),
});
