import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { submitterOf } from "#offchain/core/call/caller.ts";
import { BursarError } from "#offchain/core/error.ts";
import { bytes32 } from "#offchain/core/schema.ts";
import { channel } from "../schema.ts";
import type { Micropayments } from "../service.ts";

export const showChannel = action({
  name: "channels.show",
  summary: "One payment channel",
  effect: "read",
  resource: "/api/v1/channels/{channelId}",
  role: "anonymous",
  input: z.object({ channelId: bytes32 }),
  output: channel,
  async run(payments: Micropayments, caller, { channelId }) {
    const found = await payments.channel(channelId, submitterOf(caller));
    if (!found)
      throw new BursarError("CHANNEL_UNKNOWN", `no channel ${channelId} is known here`, {
        facts: { channelId },
      });
    return found;
  },
});
