import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { address, page, pageOf } from "#offchain/core/schema.ts";
import { channel } from "../schema.ts";
import type { Micropayments } from "../service.ts";

export const listChannels = action({
  name: "channels.list",
  summary: "Payment channels of the chain as it is now, newest first, by payer or receiver",
  effect: "read",
  resource: "/api/v1/channels",
  role: "anonymous",
  input: z.object({ payer: address.optional(), receiver: address.optional(), ...page }),
  output: pageOf(channel),
  run: (payments: Micropayments, _caller, input) => payments.channels(input),
});
