import { z } from "@hono/zod-openapi";
import { action } from "#offchain/app/action.ts";
import { bytes32 } from "#offchain/app/schema.ts";
import { BursarError } from "#offchain/core/error.ts";
import { channel } from "./schema.ts";

export const showChannel = action({
  name: "channels.show",
  summary: "One payment channel",
  route: { method: "GET", path: "/api/v1/channels/{channelId}" },
  role: "anonymous",
  input: z.object({ channelId: bytes32 }),
  output: channel,
  async run(world, _caller, { channelId }) {
    const found = await world.micropayments.channel(channelId);
    if (!found)
      throw new BursarError("CHANNEL_UNKNOWN", `no channel ${channelId} is known here`, {
        facts: { channelId },
      });
    return found;
  },
});
