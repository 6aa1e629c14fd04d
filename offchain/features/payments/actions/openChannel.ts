import { z } from "@hono/zod-openapi";
import { action } from "#offchain/app/action.ts";
import { channel, channelConfig, depositAuthorization } from "./schema.ts";

export const openChannel = action({
  name: "channels.open",
  summary: "Open or top up a payment channel with a signed ERC-3009 deposit; the service pays the gas",
  route: { method: "POST", path: "/api/v1/channels" },
  role: "anonymous",
  input: z.object({ config: channelConfig, deposit: depositAuthorization }),
  output: channel,
  run: (world, _caller, { config, deposit }) => world.micropayments.openChannel(config, deposit),
});
