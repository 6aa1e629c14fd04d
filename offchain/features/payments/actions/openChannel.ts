import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { channel, channelConfig, depositAuthorization } from "../schema.ts";
import type { Micropayments } from "../service.ts";

export const openChannel = action({
  name: "channels.open",
  summary: "Open or top up a payment channel with a signed ERC-3009 deposit; the service pays the gas",
  effect: "write",
  resource: "/api/v1/channels",
  role: "anonymous",
  input: z.object({ config: channelConfig, deposit: depositAuthorization }),
  output: channel,
  run: (payments: Micropayments, _caller, { config, deposit }) => payments.openChannel(config, deposit),
});
